"""Viewers' operations on their subscription: begin, resubscribe, cancel, get a refund, delete their data."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.billing.entitlements import Entitlements
from functions.billing.model import PaymentState, State
from functions.platform.errors import AlreadySubscribed, Conflict, NotFound, StoreUnavailable, Unauthenticated
from functions.platform.messages import SettleSubscription
from functions.platform.viewer import Viewer
from tests.support.billing import MONTHLY, YEARLY, ModelledBilling, make_user_id
from tests.support.billing_caches import MemoryEntitlementCache
from tests.support.billing_payments import MemoryPayments
from tests.support.billing_store import MemorySubscriptions


@pytest.fixture
def billing() -> ModelledBilling:
    return ModelledBilling(MemorySubscriptions(), MemoryPayments())


@pytest.fixture
def viewer() -> Viewer:
    return Viewer(make_user_id(), "ada@example.org")


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
        with pytest.raises(NotFound):
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
    with pytest.raises(Conflict):
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
