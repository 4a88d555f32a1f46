"""The figures of the owner's overview: subscribers, revenue and webhooks by day. Days are UTC days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class DayTurnover:
    """How many subscriptions became active on a day, and how many stopped being active."""

    gained: int
    lost: int


NO_TURNOVER = DayTurnover(0, 0)


@dataclass(frozen=True, slots=True)
class SubscriberCount:
    """How many subscriptions are active now, and the turnover of each day that has any."""

    active: int
    by_day: Mapping[date, DayTurnover]


@dataclass(frozen=True, slots=True)
class DayRevenue:
    """What was paid on a day in one currency, and how much of it was refunded since, in the smallest unit."""

    amount_minor: int
    refunded_minor: int


NO_REVENUE = DayRevenue(0, 0)


@dataclass(frozen=True, slots=True)
class WebhookCount:
    """How many subjects wait to be queried at PayPal, since when, and how many events were received each day."""

    waiting: int
    waiting_since: datetime | None
    by_day: Mapping[date, int]


@dataclass(frozen=True, slots=True)
class SubscriberDay:
    """A day: how many subscribers it ended with, how many it gained and lost, and how many webhooks arrived."""

    day: date
    subscribers: int
    gained: int
    lost: int
    webhooks: int


@dataclass(frozen=True, slots=True)
class BusinessFigures:
    """The figures of some days, oldest first; `revenue` has an entry for each of these days, by currency."""

    days: tuple[SubscriberDay, ...]
    revenue: dict[str, tuple[DayRevenue, ...]]
    webhooks: WebhookCount

    @property
    def subscribers(self) -> int:
        """Return the number of subscribers now."""
        return self.days[-1].subscribers

    @property
    def churn(self) -> float | None:
        """Return the lost subscribers as a share of those at the beginning; None if there were none."""
        first = self.days[0]
        before = first.subscribers - first.gained + first.lost
        return sum(day.lost for day in self.days) / before if before > 0 else None
