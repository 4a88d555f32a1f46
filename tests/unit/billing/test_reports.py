"""The owner's report on the business: every day has its subscribers, revenue and webhooks, even if it had none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.billing.figures import DayRevenue
from functions.billing.model import Charge, Payment, PaymentState, State
from functions.billing.reconciliation import new_token
from functions.billing.report_schemas import BusinessReport
from functions.billing.reports import BusinessReports
from functions.platform.errors import StoreUnavailable
from tests.support.billing import make_event, make_user_id
from tests.support.billing_contract import make_id, make_remote
from tests.support.billing_payments import MemoryPayments
from tests.support.billing_store import MemorySubscriptions
from tests.support.clock import NOON

DAY = timedelta(days=1)
TODAY = NOON + 4 * DAY


class Books:
    """Stores in memory, and the report on the last five days."""

    def __init__(self) -> None:
        self.store = MemorySubscriptions()
        self.payments = MemoryPayments()
        self.reports = BusinessReports(self.store, self.payments, lambda: TODAY)

    def subscribe(self, *changes: tuple[int, State]) -> None:
        """Begin a subscription, and let it have each state from the given day on; the day of NOON is 0."""
        begun_at, user_id = NOON - 10 * DAY, make_user_id()
        remote = make_remote(user_id=user_id, state_since=begun_at, created_at=begun_at)
        self.store.store_checkout(new_token(), remote, user_id=user_id, now=begun_at)
        for day, state in changes:
            at = NOON + day * DAY
            changed = replace(remote, state=state, state_since=at)
            self.store.apply_remote(changed, None, token=None, asked_at=at, now=at, cause="event")

    def pay(self, day: int, amount_minor: int, currency: str = "EUR", refunded_minor: int = 0) -> None:
        """Record a payment on a day."""
        at = NOON + day * DAY
        charge = Charge(make_id("S"), PaymentState.COMPLETED, amount_minor, currency, at, refunded_minor)
        self.payments.record_payment(Payment(charge, make_id(), make_user_id()), asked_at=at)


@pytest.fixture
def books() -> Books:
    return Books()


def test_subscribers_of_each_day_follow_from_those_of_today_and_the_turnover(books: Books) -> None:
    books.subscribe((-9, State.ACTIVE))
    books.subscribe((-9, State.ACTIVE), (2, State.CANCELLED))
    books.subscribe((1, State.ACTIVE), (2, State.SUSPENDED), (4, State.ACTIVE))
    figures = books.reports.business(5)
    assert [(one.subscribers, one.gained, one.lost) for one in figures.days] == [
        (2, 0, 0),
        (3, 1, 0),
        (1, 0, 2),
        (1, 0, 0),
        (2, 1, 0),
    ]
    assert figures.churn == 1.0  # two of the two first subscribers were lost


def test_without_subscribers_in_the_beginning_there_is_no_churn(books: Books) -> None:
    assert books.reports.business(5).churn is None
    books.subscribe((1, State.ACTIVE), (2, State.CANCELLED))
    assert books.reports.business(5).churn is None


def test_revenue_has_an_entry_for_every_day_of_every_currency(books: Books) -> None:
    books.pay(-1, 999)  # before the report
    for day, amount, currency, refunded in ((0, 799, "EUR", 799), (2, 799, "EUR", 0), (2, 500, "JPY", 0)):
        books.pay(day, amount, currency, refunded)
    nothing = DayRevenue(0, 0)
    assert books.reports.business(5).revenue == {
        "EUR": (DayRevenue(799, 799), nothing, DayRevenue(799, 0), nothing, nothing),
        "JPY": (nothing, nothing, DayRevenue(500, 0), nothing, nothing),
    }


def test_the_answer_has_totals_and_what_is_left_after_refunds(books: Books) -> None:
    books.pay(0, 799, refunded_minor=300)
    books.pay(1, 799)
    books.store.store_event(make_event("PAYMENT.SALE.COMPLETED", make_id()), new_token(), NOON + 3 * DAY)
    answer = BusinessReport.of(books.reports.business(5))
    (revenue,) = answer.revenue
    assert (revenue.currency, revenue.amount_minor, revenue.refunded_minor) == ("EUR", 1598, 300)
    assert revenue.by_day == [499, 799, 0, 0, 0]
    assert [one.webhooks for one in answer.days] == [0, 0, 0, 1, 0]
    assert (answer.webhooks_waiting, answer.waiting_since) == (1, NOON + 3 * DAY)
    assert answer.days[-1].day == "2026-11-28"


def test_a_store_that_does_not_answer_is_told(books: Books) -> None:
    books.payments.unavailable = True
    with pytest.raises(StoreUnavailable):
        books.reports.business(5)
