"""The simulator's clock, which can be moved, and the arithmetic of billing intervals."""

from __future__ import annotations

import calendar
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

UNITS = {"DAY": 365, "WEEK": 52, "MONTH": 12, "YEAR": 1}
"""Units of a billing interval, and the largest count of each that PayPal takes."""


class Clock:
    """Runs as the real clock does, `offset` ahead of it; stands still inside `at`."""

    def __init__(self, offset: timedelta = timedelta()) -> None:
        self.offset = offset
        self._standing: datetime | None = None

    def now(self) -> datetime:
        """Return the simulated time."""
        return self._standing or datetime.now(UTC) + self.offset

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Let the clock stand at `moment`."""
        before, self._standing = self._standing, moment
        try:
            yield
        finally:
            self._standing = before


def add_interval(moment: datetime, unit: str, count: int) -> datetime:
    """Return `moment` plus so many units; the 31st becomes the last day of a shorter month."""
    if unit in ("DAY", "WEEK"):
        return moment + timedelta(days=count * (7 if unit == "WEEK" else 1))
    months = moment.year * 12 + moment.month - 1 + count * (12 if unit == "YEAR" else 1)
    year, month = divmod(months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
