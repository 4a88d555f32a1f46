"""The contract of what billing's stores count for the owner's overview; subclasses provide the stores to test."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from functions.billing.figures import NO_REVENUE, NO_TURNOVER
from functions.billing.model import Charge, Payment, PaymentState, State
from functions.billing.reconciliation import new_token
from tests.support.billing import make_event, make_user_id
from tests.support.billing_contract import HOUR, LATER, make_id, make_remote
from tests.support.clock import NOON

if TYPE_CHECKING:
    from datetime import date

    from functions.billing.figures import SubscriberCount


def turnover(count: SubscriberCount, day: date) -> Counter[str]:
    """Return the turnover of a day, as numbers that can be subtracted."""
    found = count.by_day.get(day, NO_TURNOVER)
    return Counter(gained=found.gained, lost=found.lost)


class SubscriberCountContract:
    """Tests of counting subscribers; every store must pass them, even if it contains other subscriptions."""

    @pytest.fixture
    def store(self) -> Any:
        raise NotImplementedError

    def test_subscribers_are_counted_by_the_day_on_which_they_pay_or_leave(self, store: Any) -> None:
        before = store.count_subscribers(NOON)
        stays, leaves, foreign = (make_remote() for _ in range(3))
        for remote in (stays, leaves):
            attempt = store.begin_checkout(
                remote.user_id, remote.plan_id, new_token(), now=NOON, fresh_since=NOON - HOUR
            )
            store.store_checkout(attempt.request_id, remote, user_id=remote.user_id, now=NOON)
        for remote, at in (
            *((replace(remote, state=State.ACTIVE), NOON) for remote in (stays, leaves, foreign)),
            (replace(stays, state=State.ACTIVE, next_charge_at=LATER), LATER),
            (replace(leaves, state=State.CANCELLED, state_since=LATER), LATER),
        ):
            store.apply_remote(remote, None, token=None, asked_at=at, now=at, cause="event")
        after = store.count_subscribers(NOON)
        assert after.active - before.active == 1
        days = {day: turnover(after, day) - turnover(before, day) for day in (NOON.date(), LATER.date())}
        assert days == {NOON.date(): Counter(gained=2), LATER.date(): Counter(lost=1)}
        assert NOON.date() not in store.count_subscribers(LATER).by_day

    def test_events_are_counted_by_the_day_on_which_they_arrive(self, store: Any) -> None:
        before = store.count_events(NOON)
        for at in (NOON, LATER, LATER):
            store.store_event(make_event("BILLING.SUBSCRIPTION.ACTIVATED", make_id()), new_token(), at)
        after = store.count_events(NOON)
        assert after.waiting - before.waiting == 3
        assert after.waiting_since <= NOON
        grown = {day: after.by_day[day] - before.by_day.get(day, 0) for day in (NOON.date(), LATER.date())}
        assert grown == {NOON.date(): 1, LATER.date(): 2}
        assert NOON.date() not in store.count_events(LATER).by_day


class RevenueContract:
    """Tests of counting revenue; every store must pass them, even if it contains other payments."""

    @pytest.fixture
    def payments(self) -> Any:
        raise NotImplementedError

    def test_revenue_is_what_was_paid_and_refunded_by_currency_and_day(self, payments: Any) -> None:
        before = payments.count_revenue(NOON)
        made = [
            (PaymentState.COMPLETED, 799, 0, "EUR", NOON),
            (PaymentState.PARTIALLY_REFUNDED, 799, 250, "EUR", LATER),
            (PaymentState.REFUNDED, 1000, 1000, "JPY", LATER),
            (PaymentState.DECLINED, 799, 0, "EUR", LATER),
            (PaymentState.PENDING, 799, 0, "EUR", LATER),
        ]
        for state, amount, refunded, currency, at in made:
            charge = Charge(make_id("S"), state, amount, currency, at, refunded)
            payments.record_payment(Payment(charge, make_id(), make_user_id()), asked_at=LATER)
        after = payments.count_revenue(NOON)
        paid = {
            (currency, day): (revenue.amount_minor - then.amount_minor, revenue.refunded_minor - then.refunded_minor)
            for currency, by_day in after.items()
            for day, revenue in by_day.items()
            if (then := before.get(currency, {}).get(day, NO_REVENUE)) != revenue
        }
        first, second = NOON.date(), LATER.date()
        assert paid == {("EUR", first): (799, 0), ("EUR", second): (799, 250), ("JPY", second): (1000, 1000)}
        assert first not in payments.count_revenue(LATER)["EUR"]
