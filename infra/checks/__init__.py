"""Checks of the source that no published tool offers, and the tools that maintain the source."""
