"""Times and texts of WebVTT files."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction


def webvtt_time(seconds: Fraction) -> str:
    """Return a time, such as 01:02:03.456."""
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"


def webvtt_text(text: str) -> str:
    """Return a line of text, escaped so that a cue shows it literally.

    Without escaping, a "-->" in it would be read as the times of another cue.
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
