"""Accounts: who a person is, how they prove it, and what they can see of it."""
