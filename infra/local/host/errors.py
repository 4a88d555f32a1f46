"""The error that prevents a start; its message is one sentence for the user."""

from __future__ import annotations


class StartupError(Exception):
    """The app, its settings or the environment do not allow a start."""
