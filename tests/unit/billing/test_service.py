"""Viewers' operations on their subscription: begin, resubscribe, cancel, get a refund, delete their data."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.billing.entitlements import Entitlements
from functions.billing.model import Payment, PaymentState, State, Subscription
from functions.platform.errors import (
    AddressNotConfirmed,
    AgeLimited,
    AlreadySubscribed,
    Conflict,
    NotFound,
    StoreUnavailable,
    Unauthenticated,
)
from functions.platform.messages import SettleSubscription
from functions.platform.viewer import Viewer
from tests.support.billing import MONTHLY, YEARLY, ModelledBilling, make_user_id
from tests.support.billing_caches import MemoryEntitlementCache
from tests.support.billing_payments import MemoryPayments
from tests.support.billing_store import MemorySubscriptions
from tests.support.clock import NOON


@pytest.fixture
def billing() -> ModelledBilling:
    return ModelledBilling(MemorySubscriptions(), MemoryPayments())


@pytest.fixture
def viewer() -> Viewer:
    return Viewer(make_user_id(), "ada@example.org", confirmed=True)


def entitled(billing: ModelledBilling, viewer: Viewer) -> bool:
    return Entitlements(billing.store, MemoryEntitlementCache(), billing.clock).of(viewer).entitled


def subscribed(billing: ModelledBilling, viewer: Viewer, plan_id: str | None = None) -> str:
    """Return a subscription that the viewer has begun and approved, with all events handled."""
    billing.clock.forward(seconds=5)
    checkout = billing.subscriptions.subscribe(viewer, plan_id or billing.plan())
    billing.paypal.approve(checkout.subscription_id)
    billing.catch_up()
    billing.clock.forward(seconds=5)
    return checkout.subscription_id


def cancelled(billing: ModelledBilling, viewer: Viewer) -> None:
    billing.subscriptions.cancel_subscription(viewer)
    billing.catch_up()


def test_only_open_plans_are_listed_and_can_be_subscribed_to(billing: ModelledBilling, viewer: Viewer) -> None:
    dear, cheap, retired = billing.plan(YEARLY), billing.plan(MONTHLY), billing.plan(replace(MONTHLY, price_minor=1))
    billing.admin.retire_plan(retired)
    assert [plan.plan_id for plan in billing.subscriptions.list_open_plans()] == [cheap, dear]
    for plan_id in (retired, "P-NOTHING"):
        with pytest.raises(NotFound, match=r"^There is no .+\.$"):
            billing.subscriptions.subscribe(viewer, plan_id)


def test_a_checkout_is_returned_again_within_the_hour(billing: ModelledBilling, viewer: Viewer) -> None:
    plan_id = billing.plan()
    first = billing.subscriptions.subscribe(viewer, plan_id)
    billing.clock.forward(minutes=50)
    assert billing.subscriptions.subscribe(viewer, plan_id) == first
    billing.clock.forward(minutes=11)
    assert billing.subscriptions.subscribe(viewer, plan_id) != first
    assert len(billing.paypal.records) == 2


def test_an_approval_that_is_older_than_its_event_is_a_conflict(billing: ModelledBilling, viewer: Viewer) -> None:
    plan_id = billing.plan()
    answered = billing.store.store_checkout
    billing.store.store_checkout = lambda *given, **named: None  # type: ignore[method-assign]  # a crash
    checkout = billing.subscriptions.subscribe(viewer, plan_id)
    billing.store.store_checkout = answered  # type: ignore[method-assign]
    billing.paypal.approve(checkout.subscription_id)
    with pytest.raises(Conflict, match=r"^PayPal .+\.$"):
        billing.subscriptions.subscribe(viewer, plan_id)
    billing.catch_up()
    assert entitled(billing, viewer)


def test_paying_entitles_and_a_second_subscription_is_refused(billing: ModelledBilling, viewer: Viewer) -> None:
    assert billing.subscriptions.current_subscription(viewer).subscription is None
    plan_id = billing.plan()
    subscribed(billing, viewer, plan_id)
    assert entitled(billing, viewer)
    current = billing.subscriptions.current_subscription(viewer)
    assert current.subscription and current.subscription.state is State.ACTIVE
    assert current.plan and current.plan.plan_id == plan_id
    with pytest.raises(AlreadySubscribed):
        billing.subscriptions.subscribe(viewer, plan_id)


def test_a_payment_that_is_still_pending_does_not_entitle(billing: ModelledBilling, viewer: Viewer) -> None:
    subscription_id = subscribed(billing, viewer)
    record = billing.paypal.records[subscription_id]
    record.periods[0].charge = replace(record.periods[0].charge, state=PaymentState.PENDING)
    record.remote = replace(record.remote, last_payment=None)
    billing.reconciliation.reconcile_stale(everything=True)
    billing.work()
    assert not entitled(billing, viewer)


def test_cancelling_keeps_the_paid_period(billing: ModelledBilling, viewer: Viewer) -> None:
    with pytest.raises(NotFound):
        billing.subscriptions.cancel_subscription(viewer)
    subscribed(billing, viewer)
    cancelled(billing, viewer)
    assert entitled(billing, viewer)
    with pytest.raises(NotFound):
        billing.subscriptions.cancel_subscription(viewer)
    billing.clock.forward(days=31)
    assert not entitled(billing, viewer)


def test_who_comes_back_is_charged_when_the_paid_period_ends(billing: ModelledBilling, viewer: Viewer) -> None:
    subscribed(billing, viewer)
    cancelled(billing, viewer)
    (first,) = billing.store.list_of_user(viewer.user_id)
    second = subscribed(billing, viewer)
    assert billing.paypal.records[second].charges == []
    assert billing.paypal.records[second].remote.next_charge_at == first.paid_through
    assert entitled(billing, viewer)
    billing.clock.now = (first.paid_through or billing.clock.now) + timedelta(hours=5)  # PayPal charges during the day
    assert entitled(billing, viewer)
    billing.paypal.renew(second)
    billing.catch_up()
    billing.clock.forward(days=29)
    assert entitled(billing, viewer)


def test_who_comes_back_and_is_never_charged_has_a_day_and_no_more(billing: ModelledBilling, viewer: Viewer) -> None:
    subscribed(billing, viewer)
    cancelled(billing, viewer)
    (first,) = billing.store.list_of_user(viewer.user_id)
    second = subscribed(billing, viewer)
    billing.clock.now = (first.paid_through or billing.clock.now) + timedelta(hours=5)
    billing.paypal.renew(second, fails=True)
    billing.catch_up()
    billing.clock.forward(hours=20)
    assert not entitled(billing, viewer)


def test_a_profile_with_an_age_limit_neither_subscribes_nor_cancels(billing: ModelledBilling, viewer: Viewer) -> None:
    kid = replace(viewer, profile_id="7" * 32, age_limit=9)
    subscribed(billing, viewer)
    with pytest.raises(AgeLimited):
        billing.subscriptions.cancel_subscription(kid)
    with pytest.raises(AgeLimited):
        billing.subscriptions.subscribe(kid, "P-MONTHLY")
    assert entitled(billing, kid)


def test_pay_cancel_resubscribe_and_be_refunded_does_not_entitle(billing: ModelledBilling, viewer: Viewer) -> None:
    first = subscribed(billing, viewer)
    cancelled(billing, viewer)
    second = subscribed(billing, viewer)
    billing.paypal.pay_back(first)
    billing.catch_up()
    assert not entitled(billing, viewer)
    receipts = billing.subscriptions.list_receipts(viewer, cursor="", limit=9).entries
    assert [receipt.charge.state for receipt in receipts] == [PaymentState.REFUNDED]
    billing.clock.forward(days=40)
    billing.paypal.renew(second)
    billing.catch_up()
    assert entitled(billing, viewer)


def test_looking_at_a_checkout_asks_paypal_again(billing: ModelledBilling, viewer: Viewer) -> None:
    checkout = billing.subscriptions.subscribe(viewer, billing.plan())
    billing.subscriptions.current_subscription(viewer)
    assert billing.queue == []
    billing.clock.forward(seconds=3)
    billing.subscriptions.current_subscription(viewer)
    assert billing.queue == [SettleSubscription(checkout.subscription_id, "viewer")]


def test_the_subscription_that_is_still_paid_for_is_shown_before_a_new_checkout(
    billing: ModelledBilling, viewer: Viewer
) -> None:
    first = subscribed(billing, viewer)
    cancelled(billing, viewer)
    billing.subscriptions.subscribe(viewer, billing.plan())
    shown = billing.subscriptions.current_subscription(viewer).subscription
    assert shown and shown.subscription_id == first


def make_stored(state: State, *, hours: float = 2, paid_h: float | None = None) -> Subscription:
    """Return a subscription that was created `hours` before noon and is paid until `paid_h` hours after noon."""
    at = NOON - timedelta(hours=hours)
    paid_through = None if paid_h is None else NOON + timedelta(hours=paid_h)
    return Subscription(f"I-{state}-{hours}", None, "P-1", state, at, None, paid_through, "", at, at)


BY_RELEVANCE = (
    make_stored(State.ACTIVE, hours=30),
    make_stored(State.SUSPENDED, hours=30),
    make_stored(State.CANCELLED, hours=30, paid_h=48),
    make_stored(State.CANCELLED, hours=20, paid_h=24),
    make_stored(State.APPROVED, hours=0.5),
    make_stored(State.APPROVAL_PENDING, hours=0.4),
    make_stored(State.APPROVAL_PENDING, hours=0.9),
    make_stored(State.CANCELLED, hours=1, paid_h=-24),
    make_stored(State.CANCELLED, hours=9),
    make_stored(State.EXPIRED, hours=0.1, paid_h=24),
    make_stored(State.APPROVED, hours=1.1),
    make_stored(State.APPROVAL_PENDING, hours=1.2),
)
"""If a viewer has several of these subscriptions, the first one in this order is shown."""


@pytest.mark.parametrize("place", range(len(BY_RELEVANCE)))
def test_of_several_subscriptions_the_one_that_concerns_the_viewer_most_is_shown(
    billing: ModelledBilling, viewer: Viewer, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, *others = BY_RELEVANCE[place:]
    for held in ([expected, *others], [*others, expected]):
        monkeypatch.setattr(billing.store, "list_of_user", lambda user_id, held=held: held)
        assert billing.subscriptions.current_subscription(viewer).subscription == expected


@pytest.mark.parametrize(("minutes", "deferred"), [(59, False), (61, True)])
def test_a_new_subscription_is_deferred_only_if_the_paid_period_is_long_enough(
    billing: ModelledBilling, viewer: Viewer, minutes: float, deferred: bool
) -> None:
    subscribed(billing, viewer)
    cancelled(billing, viewer)
    (first,) = billing.store.list_of_user(viewer.user_id)
    assert first.paid_through
    billing.clock.now = first.paid_through - timedelta(minutes=minutes)
    checkout = billing.subscriptions.subscribe(viewer, billing.plan())
    billing.paypal.approve(checkout.subscription_id)
    assert bool(billing.paypal.records[checkout.subscription_id].charges) is not deferred


def test_whose_address_is_not_confirmed_cannot_subscribe(billing: ModelledBilling, viewer: Viewer) -> None:
    with pytest.raises(AddressNotConfirmed, match=r"^Confirm .+\.$"):
        billing.subscriptions.subscribe(replace(viewer, confirmed=False), billing.plan())
    assert not billing.paypal.records


def test_paypal_sends_the_payer_back_to_the_site(billing: ModelledBilling, viewer: Viewer) -> None:
    asked: dict[str, object] = {}
    subscribe = billing.paypal.subscribe

    def noted(plan_id: str, user_id: str, **given: Any) -> Any:
        asked.update(given)
        return subscribe(plan_id, user_id, **given)

    billing.paypal.subscribe = noted  # type: ignore[method-assign]
    billing.subscriptions.subscribe(viewer, billing.plan())
    assert asked["return_url"] == "https://notflix.example/subscribed.html"
    assert asked["cancel_url"] == "https://notflix.example/plans.html"


@pytest.mark.parametrize("state", [State.APPROVAL_PENDING, State.SUSPENDED])
def test_a_deleted_account_leaves_nothing_at_paypal_that_could_be_charged(
    billing: ModelledBilling, viewer: Viewer, state: State
) -> None:
    checkout = billing.subscriptions.subscribe(viewer, billing.plan())
    if state is State.SUSPENDED:
        billing.paypal.approve(checkout.subscription_id)
        billing.paypal.turn(checkout.subscription_id, State.SUSPENDED)
    billing.catch_up()
    asked: list[tuple[str, str]] = []

    def cancel(subscription_id: str, *, reason: str) -> None:
        asked.append((subscription_id, reason))

    billing.paypal.cancel = cancel  # type: ignore[method-assign]
    billing.subscriptions.forget_viewer(viewer.user_id)
    assert asked == [(checkout.subscription_id, "The account was deleted.")]


def test_receipts_page_newest_first(billing: ModelledBilling, viewer: Viewer) -> None:
    subscription_id = subscribed(billing, viewer)
    for _ in range(4):
        billing.clock.forward(days=31)
        billing.paypal.renew(subscription_id)
        billing.catch_up()
    seen, cursor = [], ""
    while True:
        page = billing.subscriptions.list_receipts(viewer, cursor=cursor, limit=2)
        seen += [receipt.charge.at for receipt in page.entries]
        if page.cursor is None:
            break
        cursor = page.cursor
    assert len(seen) == 5 and seen == sorted(seen, reverse=True)


def test_a_receipt_names_the_plan_and_the_payer(billing: ModelledBilling, viewer: Viewer) -> None:
    subscribed(billing, viewer)
    (payment,) = billing.subscriptions.list_receipts(viewer, cursor="", limit=9).entries
    receipt = billing.subscriptions.receipt_of(viewer, payment.charge.payment_id)
    assert receipt.payment == payment
    assert receipt.plan and receipt.plan.offer.price_minor == MONTHLY.price_minor
    assert receipt.email == "ada@example.org"


def test_there_is_no_receipt_of_what_another_paid_or_was_not_taken(billing: ModelledBilling, viewer: Viewer) -> None:
    subscription_id = subscribed(billing, viewer)
    (payment,) = billing.subscriptions.list_receipts(viewer, cursor="", limit=9).entries
    other = Viewer(make_user_id(), "bob@example.org")
    with pytest.raises(NotFound):
        billing.subscriptions.receipt_of(other, payment.charge.payment_id)
    for state in (PaymentState.PENDING, PaymentState.DECLINED):
        charge = replace(payment.charge, payment_id=f"S-{state}", state=state)
        billing.payments.record_payment(Payment(charge, subscription_id, viewer.user_id), asked_at=billing.clock())
        with pytest.raises(NotFound):
            billing.subscriptions.receipt_of(viewer, charge.payment_id)


def test_a_deleted_account_is_cancelled_at_paypal_and_its_payments_stay(
    billing: ModelledBilling, viewer: Viewer
) -> None:
    subscription_id = subscribed(billing, viewer)
    for _ in range(2):
        billing.subscriptions.forget_viewer(viewer.user_id)
    billing.catch_up()
    assert billing.paypal.records[subscription_id].remote.state is State.CANCELLED
    assert not entitled(billing, viewer)
    assert billing.subscriptions.list_receipts(viewer, cursor="", limit=9).entries == ()
    with pytest.raises(Unauthenticated):
        billing.subscriptions.subscribe(viewer, billing.plan())


def test_an_account_deleted_during_a_checkout_is_never_charged(billing: ModelledBilling, viewer: Viewer) -> None:
    plan_id = billing.plan()
    subscribe = billing.paypal.subscribe

    def and_forget(*given: object, **named: object) -> object:
        billing.store.forget_subscriber(viewer.user_id, billing.clock())
        return subscribe(*given, **named)  # type: ignore[arg-type]

    billing.paypal.subscribe = and_forget  # type: ignore[method-assign,assignment]
    checkout = billing.subscriptions.subscribe(viewer, plan_id)
    billing.paypal.approve(checkout.subscription_id)
    billing.catch_up()
    assert billing.paypal.records[checkout.subscription_id].remote.state is State.CANCELLED


def test_nothing_is_forgotten_while_the_store_is_away(billing: ModelledBilling, viewer: Viewer) -> None:
    subscribed(billing, viewer)
    billing.payments.unavailable = True  # type: ignore[attr-defined]
    with pytest.raises(StoreUnavailable):
        billing.subscriptions.forget_viewer(viewer.user_id)
    assert billing.store.list_of_user(viewer.user_id)
