"""Audit log: what owners did, when, to what, and how it ended."""
