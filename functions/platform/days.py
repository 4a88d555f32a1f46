"""The days of a report. A day begins at midnight UTC, wherever the owner and the viewers are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta


def day_of(at: datetime) -> date:
    """Return the day of a time."""
    return at.astimezone(UTC).date()


def beginning_of(day: date) -> datetime:
    """Return the time at which a day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def days_until(now: datetime, count: int) -> tuple[date, ...]:
    """Return the last `count` days, today included, oldest first."""
    today = day_of(now)
    return tuple(today - timedelta(days=count - 1 - index) for index in range(count))
