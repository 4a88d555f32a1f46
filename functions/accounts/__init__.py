"""Accounts: registration, authentication, sessions, and the login history."""
