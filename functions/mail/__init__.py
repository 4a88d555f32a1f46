"""Emails to viewers: their texts, and their delivery to a mail server."""
