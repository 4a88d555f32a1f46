"""Why a host does not start; its text is the one sentence that a person gets to read."""

from __future__ import annotations


class StartupError(Exception):
    """The app, its settings or its surroundings do not allow a start."""
