"""Checks of the repository, and what they compare with."""
