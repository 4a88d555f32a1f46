"""The time of the tests: noon of one day, and a clock that stands still until it is moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Clock:
    """A clock that shows the same time until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def forward(self, **by: float) -> None:
        """Move the clock forward; the arguments are those of `timedelta`."""
        self.now += timedelta(**by)
