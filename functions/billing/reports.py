"""The owner's daily figures of the business: subscribers, churn, revenue and webhooks.

A subscriber is a subscription that is active at PayPal. A subscriber who cancels counts as lost on that day, although
they may watch until the end of the paid period. A subscriber who pays again after a failed payment counts as gained
again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.billing.figures import NO_REVENUE, NO_TURNOVER, BusinessFigures, SubscriberDay
from functions.platform.days import beginning_of, days_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.billing.ports import PaymentStore, SubscriptionStore


class BusinessReports:
    """Reports for the owner; each reads three stored procedures."""

    def __init__(self, store: SubscriptionStore, payments: PaymentStore, now: Callable[[], datetime]) -> None:
        self._store = store
        self._payments = payments
        self._now = now

    def business(self, count: int) -> BusinessFigures:
        """Return the figures of the last `count` days, today included. Raises StoreUnavailable."""
        days = days_until(self._now(), count)
        since = beginning_of(days[0])
        turnover = self._store.count_subscribers(since)
        webhooks = self._store.count_events(since)
        found: list[SubscriberDay] = []
        subscribers = turnover.active
        for day in reversed(days):
            change = turnover.by_day.get(day, NO_TURNOVER)
            received = webhooks.by_day.get(day, 0)
            found.append(SubscriberDay(day, subscribers, change.gained, change.lost, received))
            subscribers += change.lost - change.gained
        revenue = {
            currency: tuple(by_day.get(day, NO_REVENUE) for day in days)
            for currency, by_day in self._payments.count_revenue(since).items()
        }
        return BusinessFigures(tuple(reversed(found)), revenue, webhooks)
