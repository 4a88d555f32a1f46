"""Checks of the source that no published tool offers, and the tools that keep the source in order."""
