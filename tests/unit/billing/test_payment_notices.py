"""Payers are told about each payment and each failure once, whatever is repeated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.billing.model import Interval, State
from functions.billing.payment_notices import FAILED, RECEIVED
from functions.platform.errors import StoreUnavailable
from functions.platform.viewer import Viewer
from tests.support.billing import MONTHLY, ModelledBilling, make_user_id
from tests.support.billing_payments import MemoryPayments
from tests.support.billing_store import MemorySubscriptions


@pytest.fixture
def billing() -> ModelledBilling:
    return ModelledBilling(MemorySubscriptions(), MemoryPayments())


@pytest.fixture
def subscription_id(billing: ModelledBilling) -> str:
    """Return a subscription that has been paid once, with all events handled."""
    viewer = Viewer(make_user_id(), "ada@example.org", confirmed=True)
    checkout = billing.subscriptions.subscribe(viewer, billing.plan())
    billing.paypal.approve(checkout.subscription_id)
    billing.catch_up()
    return checkout.subscription_id


def kinds(billing: ModelledBilling) -> list[str]:
    return [kind for kind, _, _ in billing.mailed]


def settle(billing: ModelledBilling, subscription_id: str) -> None:
    """Query PayPal about a subscription once more."""
    billing.reconciliation.request(subscription_id, "reconciliation")
    billing.work()


def change(billing: ModelledBilling, subscription_id: str, *, failing: bool) -> None:
    record = billing.paypal.records[subscription_id]
    record.remote = replace(record.remote, failing=failing)
    settle(billing, subscription_id)


def test_each_payment_is_confirmed_once(billing: ModelledBilling, subscription_id: str) -> None:
    settle(billing, subscription_id)
    assert kinds(billing) == [RECEIVED]
    billing.clock.forward(days=31)
    billing.paypal.renew(subscription_id)
    billing.catch_up()
    assert kinds(billing) == [RECEIVED, RECEIVED]
    assert len({email_id for _, _, email_id in billing.mailed}) == 2


def test_each_of_several_payments_in_a_week_is_confirmed_once(billing: ModelledBilling) -> None:
    viewer = Viewer(make_user_id(), "ada@example.org", confirmed=True)
    daily = billing.plan(replace(MONTHLY, interval=Interval.DAY))
    subscription_id = billing.subscriptions.subscribe(viewer, daily).subscription_id
    billing.paypal.approve(subscription_id)
    billing.catch_up()
    for _ in range(2):
        billing.clock.forward(days=1)
        billing.paypal.renew(subscription_id)
        billing.catch_up()
    settle(billing, subscription_id)
    assert kinds(billing) == [RECEIVED] * 3
    assert len({email_id for _, _, email_id in billing.mailed}) == 3


def test_a_first_charge_that_fails_is_told_once(billing: ModelledBilling) -> None:
    viewer = Viewer(make_user_id(), "ada@example.org", confirmed=True)
    first = billing.subscriptions.subscribe(viewer, billing.plan()).subscription_id
    billing.paypal.approve(first)
    billing.catch_up()
    billing.subscriptions.cancel_subscription(viewer)
    billing.clock.forward(days=10)
    second = billing.subscriptions.subscribe(viewer, billing.plan()).subscription_id  # charged when the paid month ends
    billing.paypal.approve(second)
    billing.catch_up()
    assert billing.paypal.records[second].remote.last_payment is None
    billing.mailed.clear()
    billing.clock.forward(days=21)
    billing.paypal.renew(second, fails=True)
    billing.catch_up()
    settle(billing, second)
    assert [(kind, user_id) for kind, user_id, _ in billing.mailed] == [(FAILED, viewer.user_id)]


def test_a_failure_is_told_once_until_a_payment_succeeds(billing: ModelledBilling, subscription_id: str) -> None:
    change(billing, subscription_id, failing=True)
    settle(billing, subscription_id)
    billing.paypal.turn(subscription_id, State.SUSPENDED)
    billing.catch_up()
    assert kinds(billing) == [RECEIVED, FAILED]
    billing.paypal.turn(subscription_id, State.ACTIVE)
    billing.clock.forward(days=31)
    billing.paypal.renew(subscription_id)
    billing.catch_up()
    change(billing, subscription_id, failing=True)
    assert kinds(billing) == [RECEIVED, FAILED, RECEIVED, FAILED]


def test_nobody_is_told_about_old_payments(billing: ModelledBilling, subscription_id: str) -> None:
    billing.payments.told.clear()  # type: ignore[attr-defined]
    billing.mailed.clear()
    billing.clock.forward(days=8)
    settle(billing, subscription_id)
    assert billing.mailed == []


def test_an_email_that_cannot_be_enqueued_is_sent_by_the_next_attempt(billing: ModelledBilling) -> None:
    viewer = Viewer(make_user_id(), "ada@example.org", confirmed=True)
    checkout = billing.subscriptions.subscribe(viewer, billing.plan())

    def away() -> None:
        billing.before_mail = lambda: None
        raise StoreUnavailable("The queue does not answer.")

    billing.before_mail = away
    billing.paypal.approve(checkout.subscription_id)
    with pytest.raises(StoreUnavailable):
        billing.catch_up()
    billing.reconciliation.reconcile(checkout.subscription_id, "repeated")
    assert kinds(billing) == [RECEIVED]


def test_two_reconciliations_at_once_send_an_email_once(billing: ModelledBilling) -> None:
    viewer = Viewer(make_user_id(), "ada@example.org", confirmed=True)
    checkout = billing.subscriptions.subscribe(viewer, billing.plan())

    def meanwhile() -> None:
        billing.before_mail = lambda: None
        billing.reconciliation.reconcile(checkout.subscription_id, "at once")

    billing.before_mail = meanwhile
    billing.paypal.approve(checkout.subscription_id)
    billing.catch_up()
    assert kinds(billing) == [RECEIVED]


def test_a_suspension_without_a_failed_charge_is_not_reported_as_one(
    billing: ModelledBilling, subscription_id: str
) -> None:
    billing.paypal.turn(subscription_id, State.SUSPENDED)
    billing.catch_up()
    assert kinds(billing) == [RECEIVED]


def test_a_suspension_after_a_declined_charge_is_reported(billing: ModelledBilling, subscription_id: str) -> None:
    billing.clock.forward(days=31)
    billing.paypal.renew(subscription_id, fails=True)
    record = billing.paypal.records[subscription_id]
    record.remote = replace(record.remote, failing=False)
    billing.paypal.turn(subscription_id, State.SUSPENDED)
    billing.catch_up()
    assert kinds(billing) == [RECEIVED, FAILED]


def test_the_email_of_a_process_that_was_killed_is_sent_by_the_daily_pass_with_the_same_id(
    billing: ModelledBilling,
) -> None:
    viewer = Viewer(make_user_id(), "ada@example.org", confirmed=True)
    checkout = billing.subscriptions.subscribe(viewer, billing.plan())
    confirm = billing.payments.confirm_notice

    def killed(key: str) -> None:
        billing.payments.confirm_notice = confirm  # type: ignore[method-assign]
        raise StoreUnavailable("killed")

    billing.payments.confirm_notice = killed  # type: ignore[method-assign]
    billing.paypal.approve(checkout.subscription_id)
    with pytest.raises(StoreUnavailable):
        billing.catch_up()
    billing.reconciliation.reconcile(checkout.subscription_id, "repeated")
    assert kinds(billing) == [RECEIVED]
    for _ in range(2):
        billing.clock.forward(hours=25)
        billing.reconciliation.reconcile_stale()
        billing.work()
    assert kinds(billing) == [RECEIVED, RECEIVED]
    assert len({email_id for _, _, email_id in billing.mailed}) == 1


def test_a_deleted_account_is_told_nothing(billing: ModelledBilling, subscription_id: str) -> None:
    billing.mailed.clear()
    billing.subscriptions.forget_viewer(billing.paypal.records[subscription_id].remote.user_id or "")
    billing.catch_up()
    assert billing.mailed == []
