"""Time: one clock, and one format for times in JSON, `2026-11-27T04:26:20Z`."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from functions.platform.errors import Malformed

FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def now() -> datetime:
    """Return the current time, aware and in UTC; the one clock of the application."""
    return datetime.now(UTC)


def to_text(at: datetime) -> str:
    """Return an aware time in the API's format: UTC, whole seconds, `Z`."""
    return f"{at.astimezone(UTC):{FORMAT}}"


def to_sortable_text(at: datetime) -> str:
    """Return an aware time in UTC with milliseconds, as text that sorts chronologically."""
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def to_exact_text(at: datetime) -> str:
    """Return an aware time in UTC with microseconds, as text that sorts chronologically; for stores and cursors."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def from_text(text: str) -> datetime:
    """Convert an ISO 8601 string with a time zone to an aware time in UTC. Raises Malformed for any other string."""
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError("a time without its zone")
        return at.astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: the zone moves year 1 or 9999 out of range
        raise Malformed(f"{text[:60]!r} is not a time; write it as 2026-11-27T04:26:20Z.") from None


def wait_text(seconds: int) -> str:
    """Return a time to wait, in words: "1 second", "90 seconds", "2 minutes"."""
    if seconds == 1:
        return "1 second"
    return f"{seconds} seconds" if seconds <= 90 else f"{math.ceil(seconds / 60)} minutes"
