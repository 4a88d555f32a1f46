"""Reconciliation records each payment and refund as PayPal states it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.billing.model import PaymentState
from tests.support.billing import YEARLY, ModelledBilling, make_event
from tests.support.billing_checkouts import checked_out, entitled, paid

if TYPE_CHECKING:
    from functions.platform.viewer import Viewer


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


@pytest.mark.parametrize("listed_as", [PaymentState.COMPLETED, PaymentState.PARTIALLY_REFUNDED])
def test_a_refunded_payment_stays_refunded_while_paypals_list_is_behind(
    billing: ModelledBilling, viewer: Viewer, listed_as: PaymentState
) -> None:
    """A refund in full ends the entitlement, also of the next answers that do not say how much was refunded."""
    subscription_id = paid(billing, viewer)
    billing.paypal.pay_back(subscription_id)
    (period,) = billing.paypal.records[subscription_id].periods
    period.charge = replace(period.charge, state=listed_as)
    billing.catch_up()
    assert not entitled(billing, viewer)
    billing.clock.forward(hours=25)
    billing.reconciliation.reconcile_stale(everything=True)
    billing.work()
    assert not entitled(billing, viewer)
    stored = billing.store.find_pending(subscription_id).subscription
    assert stored and stored.paid_through is None
    (payment,) = billing.subscriptions.list_receipts(viewer, cursor="", limit=9).entries
    assert payment.charge.refunded_minor == payment.charge.amount_minor


def test_a_refunded_payment_does_not_take_the_next_ones_time(billing: ModelledBilling, viewer: Viewer) -> None:
    subscription_id = paid(billing, viewer)
    billing.paypal.pay_back(subscription_id)
    billing.catch_up()
    billing.clock.forward(days=31)
    billing.paypal.renew(subscription_id)
    billing.catch_up()
    assert entitled(billing, viewer)


def test_a_refund_of_a_sale_that_is_not_ours_is_cleared(billing: ModelledBilling) -> None:
    for refund_id in ("R-UNKNOWN", "R-OTHER"):
        billing.paypal.refunds["R-OTHER"] = ("S-OTHER", 1)
        billing.deliver(make_event("PAYMENT.SALE.REFUNDED", f"refund/{refund_id}"))
    billing.work()
    assert billing.store.list_pending(before=billing.clock(), limit=9) == []


def test_refund_without_a_webhook_is_noticed_as_long_as_paypal_refunds(
    billing: ModelledBilling, viewer: Viewer
) -> None:
    """A subscription paid for a year, then cancelled and refunded after five months, gives no entitlement."""
    subscription_id = billing.subscriptions.subscribe(viewer, billing.plan(YEARLY)).subscription_id
    billing.paypal.approve(subscription_id)
    billing.catch_up()
    billing.subscriptions.cancel_subscription(viewer)
    billing.catch_up()
    billing.clock.forward(days=150)
    assert entitled(billing, viewer)
    billing.paypal.pay_back(subscription_id)
    billing.paypal.told.clear()
    billing.reconciliation.reconcile_stale()
    billing.work()
    assert not entitled(billing, viewer)


def test_payment_that_is_recorded_while_its_account_is_deleted_names_nobody(
    billing: ModelledBilling, viewer: Viewer
) -> None:
    subscription_id = checked_out(billing, viewer)
    billing.paypal.approve(subscription_id)
    billing.paypal.between = lambda: billing.subscriptions.forget_viewer(viewer.user_id)
    billing.catch_up()
    stored = billing.payments.list_of_subscription(subscription_id)
    assert stored and all(payment.user_id is None for payment in stored)


@pytest.mark.parametrize("hours", [-23, 23])
def test_a_charge_is_found_although_paypals_clock_is_not_ours(
    billing: ModelledBilling, viewer: Viewer, hours: int
) -> None:
    subscription_id = checked_out(billing, viewer)
    billing.paypal.approve(subscription_id)
    (period,) = billing.paypal.records[subscription_id].periods
    period.charge = replace(period.charge, at=period.charge.at + timedelta(hours=hours))
    billing.catch_up()
    (payment,) = billing.subscriptions.list_receipts(viewer, cursor="", limit=9).entries
    assert payment.charge == period.charge


def test_more_than_was_paid_is_never_recorded_as_paid_back(billing: ModelledBilling, viewer: Viewer) -> None:
    subscription_id = paid(billing, viewer)
    billing.paypal.pay_back(subscription_id, 100)
    (refund_id,) = billing.paypal.refunds
    billing.paypal.refunds[refund_id] = (billing.paypal.refunds[refund_id][0], 10**6)
    billing.catch_up()
    (payment,) = billing.subscriptions.list_receipts(viewer, cursor="", limit=9).entries
    assert (payment.charge.refunded_minor, payment.charge.amount_minor) == (799, 799)
    assert not entitled(billing, viewer)


def test_a_refund_concerns_its_own_payment_only(billing: ModelledBilling, viewer: Viewer) -> None:
    subscription_id = paid(billing, viewer)
    billing.clock.forward(days=31)
    billing.paypal.renew(subscription_id)
    billing.catch_up()
    billing.paypal.pay_back(subscription_id, 300)
    billing.catch_up()
    newest, oldest = billing.subscriptions.list_receipts(viewer, cursor="", limit=9).entries
    assert (newest.charge.state, newest.charge.refunded_minor) == (PaymentState.PARTIALLY_REFUNDED, 300)
    assert (oldest.charge.state, oldest.charge.refunded_minor) == (PaymentState.COMPLETED, 0)
