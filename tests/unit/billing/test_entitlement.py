"""The entitlement that results from subscriptions, grants and time, and the end of a subscription's paid period."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.billing.entitlements import Entitlements
from functions.billing.model import (
    Charge,
    Coverage,
    Entitlement,
    Interval,
    LastPayment,
    Offer,
    PaymentState,
    RemoteSubscription,
    State,
    after,
    entitlement_of,
    paid_through_of,
)
from functions.platform.viewer import Viewer
from tests.support.billing import MONTHLY, YEARLY, TickingClock
from tests.support.billing_caches import MemoryEntitlementCache
from tests.support.clock import NOON

DAY = timedelta(days=1)
PAID = datetime(2026, 11, 24, 15, 51, tzinfo=UTC)
NEXT = datetime(2026, 12, 24, 10, 0, tzinfo=UTC)


def reason(*subscriptions: Coverage, grants: tuple[datetime, ...] = (), now: datetime = NOON) -> str:
    return entitlement_of(subscriptions, grants, now).reason


@pytest.mark.parametrize(
    ("state", "paid_through", "let_in"),
    [
        (State.ACTIVE, NOON + DAY, True),
        (State.ACTIVE, NOON - DAY / 2, True),  # the next charge is due today
        (State.ACTIVE, NOON - DAY, False),
        (State.ACTIVE, None, False),
        (State.CANCELLED, NOON + DAY, True),
        (State.CANCELLED, NOON, False),
        (State.CANCELLED, None, False),
        (State.SUSPENDED, NOON + DAY, True),
        (State.SUSPENDED, NOON, False),
        (State.SUSPENDED, None, False),
        (State.EXPIRED, NOON + DAY, False),
        (State.APPROVAL_PENDING, NOON + DAY, False),
        (State.APPROVED, NOON + DAY, False),
    ],
)
def test_a_subscription_lets_in_while_it_is_paid_for(state: State, paid_through: datetime | None, let_in: bool) -> None:
    assert reason(Coverage(state, paid_through)) == ("subscription" if let_in else "none")


def test_a_grant_lets_in_until_it_ends() -> None:
    assert reason(grants=(NOON + DAY,)) == "grant"
    assert reason(grants=(NOON,)) == "none"


def test_what_reaches_furthest_counts() -> None:
    short, long = Coverage(State.CANCELLED, NOON + DAY), NOON + 30 * DAY
    assert entitlement_of([short], [long], NOON) == Entitlement(True, "grant", long)
    assert entitlement_of([short], [NOON + DAY / 2], NOON) == Entitlement(True, "subscription", NOON + DAY)


@given(
    st.lists(
        st.tuples(st.sampled_from(list(State)), st.one_of(st.none(), st.integers(-40, 40))),
        max_size=5,
    ),
    st.lists(st.integers(-40, 40), max_size=3),
    st.integers(-50, 50),
)
def test_nobody_is_let_in_longer_than_anything_lasts(
    subscriptions: list[tuple[State, int | None]], grants: list[int], hours: int
) -> None:
    now = NOON + timedelta(hours=hours)
    held = [Coverage(state, None if at is None else NOON + timedelta(hours=at)) for state, at in subscriptions]
    found = entitlement_of(held, [NOON + timedelta(hours=at) for at in grants], now)
    assert found.entitled == (found.reason != "none") == (found.until is not None)
    if found.until:
        assert found.until > now
        assert entitlement_of(held, [NOON + timedelta(hours=at) for at in grants], found.until).entitled is False


def remote(state: State = State.ACTIVE, **changes: Any) -> RemoteSubscription:
    next_charge_at = NEXT if state is State.ACTIVE else None
    last_payment = LastPayment(PAID, 799, "EUR")
    made = RemoteSubscription("I-1", "a" * 32, "P-1", state, PAID, PAID, next_charge_at, last_payment)
    return replace(made, **changes)


def charge(at: datetime = PAID, state: PaymentState = PaymentState.COMPLETED) -> Charge:
    return Charge("S1", state, 799, "EUR", at)


def test_while_it_runs_it_is_paid_up_to_the_next_charge() -> None:
    assert paid_through_of(remote(), [charge()], MONTHLY) == NEXT


def test_after_its_end_the_day_that_was_known_stays() -> None:
    assert paid_through_of(remote(State.CANCELLED), [charge()], MONTHLY, known=NEXT) == NEXT


def test_after_an_end_that_was_all_we_heard_of_the_last_payment_counts_and_never_too_little() -> None:
    found = paid_through_of(remote(State.CANCELLED), [charge()], MONTHLY)
    assert found == datetime(2026, 12, 24, 15, 51, tzinfo=UTC)
    early = PAID.replace(hour=3)
    found = paid_through_of(
        remote(State.CANCELLED, last_payment=LastPayment(early, 799, "EUR")), [charge(early)], MONTHLY
    )
    assert found == NEXT


def test_a_renewal_that_was_never_told_counts_too() -> None:
    renewed = NEXT + timedelta(minutes=4)
    found = paid_through_of(
        remote(State.CANCELLED, last_payment=LastPayment(renewed, 799, "EUR")), [charge()], MONTHLY, known=NEXT
    )
    assert found == after(renewed, Interval.MONTH, 1)


def test_a_failed_charge_does_not_pay_for_the_time_to_the_next_try() -> None:
    failing = remote(failing=True, next_charge_at=NEXT + 30 * DAY)
    assert paid_through_of(failing, [charge()], MONTHLY, known=NEXT) == NEXT


def test_a_suspended_subscription_is_paid_for_as_long_as_it_was() -> None:
    suspended = remote(State.SUSPENDED, next_charge_at=NEXT + 30 * DAY)
    assert paid_through_of(suspended, [charge()], MONTHLY, known=NEXT) == NEXT
    assert paid_through_of(suspended, [charge()], MONTHLY) == datetime(2026, 12, 24, 15, 51, tzinfo=UTC)


def test_a_payment_that_was_paid_back_in_full_pays_for_nothing() -> None:
    for state in (State.ACTIVE, State.CANCELLED, State.SUSPENDED):
        assert paid_through_of(remote(state), [charge(state=PaymentState.REFUNDED)], MONTHLY, known=NEXT) is None
    kept = charge(state=PaymentState.PARTIALLY_REFUNDED)
    assert paid_through_of(remote(), [kept], MONTHLY) == NEXT


def test_an_earlier_payment_that_was_paid_back_takes_nothing_from_a_later_one() -> None:
    old = charge(PAID - 31 * DAY, PaymentState.REFUNDED)
    assert paid_through_of(remote(), [old, charge()], MONTHLY) == NEXT


def test_before_its_first_charge_nothing_is_paid_for() -> None:
    for state in (State.ACTIVE, State.CANCELLED, State.SUSPENDED):
        assert paid_through_of(remote(state, last_payment=None), [], YEARLY) is None
        pending = charge(state=PaymentState.PENDING)
        assert paid_through_of(remote(state, last_payment=None), [pending], MONTHLY) is None


def test_a_refund_counts_although_the_last_payment_is_dated_a_second_later() -> None:
    later = LastPayment(PAID + timedelta(seconds=1), 799, "EUR")
    refunded = charge(state=PaymentState.REFUNDED)
    assert paid_through_of(remote(last_payment=later), [refunded], MONTHLY) is None
    in_parts = replace(charge(state=PaymentState.PARTIALLY_REFUNDED), refunded_minor=799)
    assert paid_through_of(remote(last_payment=later), [in_parts], MONTHLY) is None


@pytest.mark.parametrize(
    "wrong",
    [
        replace(MONTHLY, price_minor=800),
        replace(MONTHLY, currency="USD"),
        None,
    ],
    ids=["dearer", "other currency", "unknown plan"],
)
def test_a_payment_that_is_not_the_plans_price_pays_for_nothing(wrong: Offer | None) -> None:
    for state in (State.ACTIVE, State.CANCELLED, State.SUSPENDED):
        assert paid_through_of(remote(state), [charge()], wrong) is None
        assert paid_through_of(remote(state), [], wrong) is None


def test_a_payment_of_too_little_does_not_renew_what_was_paid() -> None:
    renewed = NEXT + timedelta(minutes=4)
    small = replace(charge(renewed), amount_minor=1)
    found = paid_through_of(
        remote(last_payment=LastPayment(renewed, 1, "EUR"), next_charge_at=NEXT + 31 * DAY), [charge(), small], MONTHLY
    )
    assert found is not None and found < NEXT + 5 * DAY


def test_an_arrear_that_is_charged_with_the_price_pays_too() -> None:
    assert paid_through_of(remote(), [replace(charge(), amount_minor=2 * 799)], MONTHLY) == NEXT


def test_a_subscription_whose_price_or_quantity_was_altered_is_not_believed() -> None:
    assert paid_through_of(remote(altered=True), [charge()], MONTHLY) is None


@pytest.mark.parametrize("next_charge_at", [NEXT + 3650 * DAY, datetime(2036, 1, 1, tzinfo=UTC)])
def test_one_payment_pays_for_one_period_whatever_the_next_charge_is(next_charge_at: datetime) -> None:
    found = paid_through_of(remote(next_charge_at=next_charge_at), [charge()], MONTHLY)
    assert found is not None and found < NEXT + 7 * DAY


@pytest.mark.parametrize(
    ("interval", "longest"),
    [
        (Interval.DAY, timedelta(days=1)),
        (Interval.WEEK, timedelta(days=7)),
        (Interval.MONTH, timedelta(days=30 + 4)),
        (Interval.YEAR, timedelta(days=365 + 4)),
    ],
)
def test_a_period_is_as_long_as_its_interval_and_the_calendar_allow(interval: Interval, longest: timedelta) -> None:
    offer = replace(MONTHLY, interval=interval)
    for next_charge_at, expected in ((PAID + 3650 * DAY, PAID + longest), (PAID + DAY / 2, PAID + DAY / 2)):
        assert paid_through_of(remote(next_charge_at=next_charge_at), [charge()], offer) == expected


def test_a_period_does_not_end_before_the_hour_at_which_paypal_charges() -> None:
    early = PAID.replace(hour=3, minute=1, second=2, microsecond=3)
    assert paid_through_of(remote(State.CANCELLED, last_payment=None), [charge(early)], MONTHLY) == NEXT
    late = PAID.replace(hour=10, minute=0, second=1)
    found = paid_through_of(remote(State.CANCELLED, last_payment=None), [charge(late)], MONTHLY)
    assert found == after(late, Interval.MONTH, 1)


@pytest.mark.parametrize(("minutes", "counts"), [(60, False), (61, True), (-61, False)])
def test_a_last_payment_that_is_not_listed_yet_counts_if_it_is_another_one(minutes: int, counts: bool) -> None:
    unlisted = LastPayment(PAID + timedelta(minutes=minutes), 799, "EUR")
    refunded = charge(state=PaymentState.REFUNDED)
    found = paid_through_of(remote(State.CANCELLED, last_payment=unlisted), [refunded], MONTHLY)
    assert found == (after(unlisted.at, Interval.MONTH, 1) if counts else None)


def test_what_was_known_of_an_earlier_period_does_not_shorten_a_later_one() -> None:
    renewed = charge(NEXT + timedelta(minutes=4))
    cancelled = remote(State.CANCELLED, last_payment=None)
    assert paid_through_of(cancelled, [charge(), renewed], MONTHLY, known=NEXT) == after(renewed.at, Interval.MONTH, 1)
    assert paid_through_of(cancelled, [charge()], MONTHLY, known=NEXT - 2 * DAY) == NEXT - 2 * DAY


def test_a_declined_charge_pays_for_nothing_and_hides_no_earlier_one() -> None:
    declined = charge(NEXT, PaymentState.DECLINED)
    assert paid_through_of(remote(State.CANCELLED, last_payment=None), [declined], MONTHLY) is None
    failing = remote(failing=True, last_payment=LastPayment(PAID, 799, "EUR"))
    assert paid_through_of(failing, [charge(), declined], MONTHLY, known=NEXT) == NEXT


def test_a_cancelled_subscription_has_a_day_of_grace_while_another_takes_over() -> None:
    paid, successor = Coverage(State.CANCELLED, NOON), Coverage(State.ACTIVE, None)
    assert reason(paid, now=NOON + DAY / 2) == "none"
    assert reason(paid, successor, now=NOON + DAY / 2) == "subscription"
    assert reason(paid, successor, now=NOON + DAY) == "none"
    assert reason(Coverage(State.CANCELLED, None), successor, now=NOON - DAY) == "none"


def test_what_waits_for_approval_is_paid_for_by_nothing() -> None:
    assert paid_through_of(remote(State.APPROVAL_PENDING, next_charge_at=NEXT), [], MONTHLY) is None


@pytest.mark.parametrize(
    ("at", "interval", "count", "later"),
    [
        ("2026-01-31", Interval.MONTH, 1, "2026-02-28"),
        ("2028-01-31", Interval.MONTH, 1, "2028-02-29"),
        ("2026-11-24", Interval.MONTH, 3, "2027-02-24"),
        ("2028-02-29", Interval.YEAR, 1, "2029-02-28"),
        ("2026-12-31", Interval.DAY, 2, "2027-01-02"),
        ("2026-11-24", Interval.WEEK, 2, "2026-12-08"),
    ],
)
def test_periods_follow_the_calendar(at: str, interval: Interval, count: int, later: str) -> None:
    assert after(datetime.fromisoformat(at), interval, count) == datetime.fromisoformat(later)


class Store:
    """Grants, and the number of times they were read."""

    def __init__(self) -> None:
        self.grants: list[datetime] = []
        self.asked = 0

    def coverage_of(self, user_id: str) -> tuple[list[Coverage], list[datetime]]:
        self.asked += 1
        return [], list(self.grants)


VIEWER = Viewer("c" * 32, "ada@example.org")


def test_an_answer_is_remembered_until_something_changes() -> None:
    store, cache = Store(), MemoryEntitlementCache()
    entitlements = Entitlements(store, cache, TickingClock())
    assert not entitlements.of(VIEWER).entitled
    store.grants.append(NOON + DAY)
    assert not entitlements.of(VIEWER).entitled
    entitlements.changed(VIEWER.user_id)
    assert entitlements.of(VIEWER).reason == "grant"
    assert store.asked == 2


def test_a_remembered_answer_does_not_outlive_what_it_is_about() -> None:
    store, clock = Store(), TickingClock()
    store.grants.append(NOON + timedelta(seconds=5))
    entitlements = Entitlements(store, MemoryEntitlementCache(), clock)
    assert entitlements.of(VIEWER).entitled
    clock.forward(seconds=6)
    assert not entitlements.of(VIEWER).entitled


def test_an_answer_is_remembered_for_ten_seconds() -> None:
    spans: list[int] = []

    class Noting(MemoryEntitlementCache):
        """Notes how long entitlements are cached."""

        def store_entitlement(self, user_id: str, entitlement: Entitlement, *, seconds: int) -> None:
            super().store_entitlement(user_id, entitlement, seconds=seconds)
            spans.append(seconds)

    Entitlements(Store(), Noting(), TickingClock()).of(VIEWER)
    assert spans == [10]


def test_without_the_memory_the_store_itself_answers() -> None:
    store, cache = Store(), MemoryEntitlementCache()
    cache.unavailable = True
    entitlements = Entitlements(store, cache, TickingClock())
    store.grants.append(NOON + DAY)
    assert entitlements.of(VIEWER).reason == "grant"
    entitlements.changed(VIEWER.user_id)


def test_an_administrator_may_always_and_nothing_is_asked() -> None:
    store = Store()
    admin = replace(VIEWER, admin=True)
    assert Entitlements(store, MemoryEntitlementCache(), TickingClock()).of(admin) == Entitlement(True, "administrator")
    assert store.asked == 0
