"""Time: one clock, and one text form for times in JSON, `2026-11-27T04:26:20Z`."""

from __future__ import annotations

from datetime import UTC, datetime

from functions.platform.errors import Malformed

FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def now() -> datetime:
    """Return the current time, aware and in UTC; the one clock of the application."""
    return datetime.now(UTC)


def to_text(at: datetime) -> str:
    """Return an aware time in the API's form: UTC, whole seconds, `Z`."""
    return f"{at.astimezone(UTC):{FORMAT}}"


def to_sortable_text(at: datetime) -> str:
    """Return an aware time in UTC with milliseconds, as text that sorts as the times do."""
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def to_exact_text(at: datetime) -> str:
    """Return an aware time in UTC with microseconds, as text that sorts as the times do; for stores and cursors."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def from_text(text: str) -> datetime:
    """Return the aware time that an ISO 8601 text with a zone stands for, in UTC; raise Malformed for anything else."""
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError("a time without its zone")
        return at.astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: year 1 or 9999 moved past the calendar by its zone
        raise Malformed(f"{text[:60]!r} is not a time; write it as 2026-11-27T04:26:20Z.") from None
