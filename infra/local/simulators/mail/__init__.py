"""A mail server for one machine: it accepts every email, stores it in a Maildir, and delivers nothing."""
