"""Reconciliation trusts only PayPal's API, updates only subscriptions begun here, and loses nothing in a crash."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.billing.entitlements import Entitlements
from functions.billing.model import State
from functions.platform.errors import StoreUnavailable
from functions.platform.messages import SettleSubscription
from functions.platform.viewer import Viewer
from tests.support.billing import MONTHLY, ModelledBilling, make_event, make_user_id
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


def checked_out(billing: ModelledBilling, viewer: Viewer) -> str:
    checkout = billing.subscriptions.subscribe(viewer, billing.plan())
    billing.catch_up()
    return checkout.subscription_id


def test_what_is_not_pending_is_not_asked_about(billing: ModelledBilling, viewer: Viewer) -> None:
    subscription_id = checked_out(billing, viewer)
    billing.paypal.asked.clear()
    billing.reconciliation.reconcile(subscription_id, "event")
    assert billing.paypal.asked == []


@pytest.mark.parametrize("days", [0, 30, 3650])
def test_a_subscription_begun_elsewhere_entitles_nobody(billing: ModelledBilling, viewer: Viewer, days: int) -> None:
    starts_at = billing.clock() + timedelta(days=days) if days else None
    subscription_id = billing.paypal.begin_elsewhere(billing.plan(), viewer.user_id, starts_at=starts_at)
    billing.paypal.approve(subscription_id)
    billing.catch_up()
    billing.clock.forward(days=2)
    billing.reconciliation.reconcile_stale(everything=True)
    billing.work()
    assert not entitled(billing, viewer)
    assert billing.store.list_of_user(viewer.user_id) == []
    assert billing.subscriptions.list_receipts(viewer, cursor="", limit=9).entries == ()
    paid = billing.payments.list_of_subscription(subscription_id)  # type: ignore[attr-defined]
    assert [payment.user_id for payment in paid] == ([None] if not days else [])
    # the subscription that was not begun here does not prevent a new one
    billing.subscriptions.subscribe(viewer, billing.plan())


def test_an_event_that_is_faster_than_the_checkout_does_no_harm(billing: ModelledBilling, viewer: Viewer) -> None:
    plan_id, store_checkout = billing.plan(), billing.store.store_checkout

    def late(*given: object, **named: object) -> None:
        billing.catch_up()
        store_checkout(*given, **named)  # type: ignore[arg-type]

    billing.store.store_checkout = late  # type: ignore[method-assign]
    checkout = billing.subscriptions.subscribe(viewer, plan_id)
    billing.paypal.approve(checkout.subscription_id)
    billing.catch_up()
    assert entitled(billing, viewer)


@pytest.mark.parametrize(
    "offer", [replace(MONTHLY, price_minor=1), replace(MONTHLY, currency="USD")], ids=["cheaper", "other currency"]
)
def test_a_wrong_amount_or_currency_does_not_entitle(billing: ModelledBilling, viewer: Viewer, offer: object) -> None:
    subscription_id = checked_out(billing, viewer)
    billing.paypal.records[subscription_id].offer = offer  # type: ignore[assignment]
    billing.paypal.approve(subscription_id)
    billing.catch_up()
    assert not entitled(billing, viewer)
    assert len(billing.payments.list_of_subscription(subscription_id)) == 1  # type: ignore[attr-defined]


def test_an_altered_plan_does_not_entitle(billing: ModelledBilling, viewer: Viewer) -> None:
    subscription_id = checked_out(billing, viewer)
    record = billing.paypal.records[subscription_id]
    record.remote = replace(record.remote, altered=True)
    billing.paypal.approve(subscription_id)
    billing.catch_up()
    assert not entitled(billing, viewer)


def test_an_event_during_the_question_is_handled_too(billing: ModelledBilling, viewer: Viewer) -> None:
    subscription_id = checked_out(billing, viewer)
    billing.paypal.approve(subscription_id)

    def meanwhile() -> None:
        billing.paypal.turn(subscription_id, State.SUSPENDED)
        for event in billing.paypal.told:
            billing.deliver(event)

    billing.paypal.between = meanwhile
    billing.catch_up()
    pending = billing.store.find_pending(subscription_id)
    assert pending.token is None
    assert pending.subscription and pending.subscription.state is State.SUSPENDED


def test_a_refund_is_recorded_with_its_amount(billing: ModelledBilling, viewer: Viewer) -> None:
    subscription_id = checked_out(billing, viewer)
    billing.paypal.approve(subscription_id)
    billing.catch_up()
    billing.paypal.pay_back(subscription_id, 250)
    billing.catch_up()
    (payment,) = billing.subscriptions.list_receipts(viewer, cursor="", limit=9).entries
    assert payment.charge.refunded_minor == 250
    assert entitled(billing, viewer)
    billing.paypal.pay_back(subscription_id)
    billing.catch_up()
    assert not entitled(billing, viewer)


def test_a_refund_of_a_sale_that_is_not_ours_is_cleared(billing: ModelledBilling) -> None:
    for refund_id in ("R-UNKNOWN", "R-OTHER"):
        billing.paypal.refunds["R-OTHER"] = ("S-OTHER", 1)
        billing.deliver(make_event("PAYMENT.SALE.REFUNDED", f"refund/{refund_id}"))
    billing.work()
    assert billing.store.list_pending(before=billing.clock(), limit=9) == []


def test_what_paypal_does_not_know_is_cleared(billing: ModelledBilling) -> None:
    billing.deliver(make_event("BILLING.SUBSCRIPTION.UPDATED", "I-UNKNOWN"))
    billing.work()
    pending = billing.store.find_pending("I-UNKNOWN")
    assert (pending.token, pending.subscription) == (None, None)


def test_a_subscription_that_paypal_no_longer_knows_has_expired(billing: ModelledBilling, viewer: Viewer) -> None:
    subscription_id = checked_out(billing, viewer)
    billing.paypal.approve(subscription_id)
    billing.catch_up()
    del billing.paypal.records[subscription_id]
    billing.reconciliation.reconcile_stale(everything=True)
    billing.work()
    found = billing.store.find_pending(subscription_id).subscription
    assert found and found.state is State.EXPIRED
    assert not entitled(billing, viewer)


def test_a_lost_message_is_repaired_and_an_overdue_one_reported(billing: ModelledBilling, viewer: Viewer) -> None:
    subscription_id = checked_out(billing, viewer)
    billing.deliver(make_event("BILLING.SUBSCRIPTION.UPDATED", subscription_id))
    billing.queue.clear()
    assert not billing.reconciliation.repair_pending()
    assert billing.queue == []
    billing.clock.forward(minutes=2)
    assert not billing.reconciliation.repair_pending()
    assert billing.queue == [SettleSubscription(subscription_id, "repair")]
    billing.clock.forward(minutes=4)
    assert billing.reconciliation.repair_pending()


def test_a_failure_leaves_the_subject_pending(billing: ModelledBilling, viewer: Viewer) -> None:
    subscription_id = checked_out(billing, viewer)
    billing.deliver(make_event("BILLING.SUBSCRIPTION.UPDATED", subscription_id))
    billing.payments.unavailable = billing.store.unavailable = True  # type: ignore[attr-defined]
    with pytest.raises(StoreUnavailable):
        billing.work()
    billing.payments.unavailable = billing.store.unavailable = False  # type: ignore[attr-defined]
    assert billing.store.find_pending(subscription_id).token is not None


def test_of_two_active_subscriptions_the_later_is_cancelled(billing: ModelledBilling, viewer: Viewer) -> None:
    first = billing.subscriptions.subscribe(viewer, billing.plan()).subscription_id
    second = billing.subscriptions.subscribe(viewer, billing.plan()).subscription_id
    billing.paypal.approve(second)
    billing.clock.forward(seconds=2)
    billing.paypal.approve(first)
    billing.catch_up()
    states = {each: billing.paypal.records[each].remote.state for each in (first, second)}
    assert states == {first: State.CANCELLED, second: State.ACTIVE}


def test_what_may_have_changed_without_an_event_is_asked_about(billing: ModelledBilling, viewer: Viewer) -> None:
    subscription_id = checked_out(billing, viewer)
    billing.paypal.approve(subscription_id)
    billing.paypal.told.clear()
    assert billing.reconciliation.reconcile_stale() == 0
    billing.clock.forward(minutes=11)
    assert billing.reconciliation.reconcile_stale() == 1
    billing.work()
    assert entitled(billing, viewer)
