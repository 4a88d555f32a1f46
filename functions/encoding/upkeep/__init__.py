"""Published titles stay complete: they are verified and repaired; files that nobody can play are deleted."""
