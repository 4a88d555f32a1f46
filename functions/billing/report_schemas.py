"""The JSON of the owner's report on subscribers, revenue and webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from msgspec import Meta, Struct

from functions.billing.schemas import Currency, Minor
from functions.platform.field_types import Day, DayCount, Time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.billing.figures import BusinessFigures, DayRevenue


class BusinessQuery(Struct, frozen=True):
    """What to report on."""

    days: DayCount = 30


class CurrencyRevenue(Struct, frozen=True):
    """Payments in one currency. A refund reduces the day of its payment."""

    currency: Currency
    amount_minor: Minor
    refunded_minor: Minor
    by_day: Annotated[list[int], Meta(description="Payments less refunds of each day, oldest first.")]


class BusinessDay(Struct, frozen=True):
    """A day: the subscribers at its end, those gained and lost, and the webhooks received."""

    day: Day
    subscribers: int
    gained: int
    lost: int
    webhooks: int


class BusinessReport(Struct, frozen=True):
    """Subscribers, revenue and webhooks of some days, oldest first."""

    days: list[BusinessDay]
    subscribers: Annotated[int, Meta(description="Subscriptions that are active now.")]
    churn_percent: Annotated[
        float | None, Meta(description="Lost subscribers, relative to those at the beginning; null if there were none.")
    ]
    revenue: list[CurrencyRevenue]
    webhooks_waiting: Annotated[int, Meta(description="Events for whose subject PayPal has not been queried yet.")]
    waiting_since: Time | None

    @classmethod
    def of(cls, figures: BusinessFigures) -> Self:
        """Return the JSON of the figures."""
        return cls(
            days=[
                BusinessDay(one.day.isoformat(), one.subscribers, one.gained, one.lost, one.webhooks)
                for one in figures.days
            ],
            subscribers=figures.subscribers,
            churn_percent=None if figures.churn is None else round(100 * figures.churn, 1),
            revenue=[_revenue(currency, by_day) for currency, by_day in sorted(figures.revenue.items())],
            webhooks_waiting=figures.webhooks.waiting,
            waiting_since=figures.webhooks.waiting_since,
        )


def _revenue(currency: str, by_day: Sequence[DayRevenue]) -> CurrencyRevenue:
    paid, refunded = sum(one.amount_minor for one in by_day), sum(one.refunded_minor for one in by_day)
    return CurrencyRevenue(currency, paid, refunded, [one.amount_minor - one.refunded_minor for one in by_day])
