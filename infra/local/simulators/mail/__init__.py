"""A mail server for one machine: it takes every letter, keeps it in a Maildir, and delivers nothing to anyone."""
