"""Billing with a simulated PayPal over HTTP: from the plan to the receipt, and while PayPal is unreachable."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from functions.billing.model import PaymentState, State
from functions.platform.errors import AlreadySubscribed, NotFound, PayPalRefused, StoreUnavailable
from functions.platform.messages import SettleSubscription
from functions.platform.viewer import Viewer
from tests.support.billing import make_offer, make_user_id

if TYPE_CHECKING:
    from functions.billing.model import Payment, Plan
    from functions.billing.service import Checkout
    from tests.integration.billing.conftest import Real


def make_viewer() -> Viewer:
    return Viewer(make_user_id(), "ada@example.org", confirmed=True)


def make_plan(real: Real, **changes: object) -> Plan:
    return real.billing.services.admin.create_plan(make_offer(**changes))[0]


def subscribe(real: Real, viewer: Viewer, plan: Plan | None = None) -> Checkout:
    return real.billing.services.subscriptions.subscribe(viewer, (plan or make_plan(real)).plan_id)


def receipts(real: Real, viewer: Viewer) -> tuple[Payment, ...]:
    return real.billing.services.subscriptions.list_receipts(viewer, cursor="", limit=100).entries


def approve(real: Real, checkout: Checkout) -> None:
    real.paypal.control("POST", f"subscriptions/{checkout.subscription_id}/approve")


def test_a_plan_is_made_once_and_retired_for_newcomers_only(real: Real) -> None:
    admin, service = real.billing.services.admin, real.billing.services.subscriptions
    offer = make_offer(price="79.90", interval="year")
    plan, is_new = admin.create_plan(offer)
    assert (is_new, admin.create_plan(offer)) == (True, (plan, False))
    assert plan in service.list_open_plans()
    admin.retire_plan(plan.plan_id)
    admin.retire_plan(plan.plan_id)
    assert plan not in service.list_open_plans()
    with pytest.raises(NotFound):
        service.subscribe(make_viewer(), plan.plan_id)
    again, is_new = admin.create_plan(offer)
    assert is_new
    assert again.plan_id != plan.plan_id
    with pytest.raises(NotFound):
        admin.retire_plan("P-NOTHING")


def test_a_life_from_approval_to_coming_back(real: Real) -> None:
    service, viewer = real.billing.services.subscriptions, make_viewer()
    plan = make_plan(real)
    checkout = subscribe(real, viewer, plan)
    assert subscribe(real, viewer, plan) == checkout
    assert not real.billing.entitlements.of(viewer).entitled
    approve(real, checkout)
    real.catch_up()
    assert real.billing.entitlements.of(viewer).reason == "subscription"
    current = service.current_subscription(viewer)
    assert current.subscription is not None
    assert (current.subscription.state, current.plan) == (State.ACTIVE, plan)
    assert [payment.charge.amount_minor for payment in receipts(real, viewer)] == [799]
    with pytest.raises(AlreadySubscribed):
        subscribe(real, viewer)
    ended = service.cancel_subscription(viewer)
    assert ended.subscription is not None
    assert (ended.subscription.state, ended.subscription.next_charge_at) == (State.CANCELLED, None)
    assert ended.subscription.paid_through == current.subscription.next_charge_at
    assert real.billing.entitlements.of(viewer).entitled
    with pytest.raises(NotFound):
        service.cancel_subscription(viewer)
    back = subscribe(real, viewer, plan)
    assert back != checkout
    approve(real, back)
    real.catch_up()
    found = service.current_subscription(viewer).subscription
    assert found is not None
    assert (found.subscription_id, found.state) == (back.subscription_id, State.ACTIVE)
    # a period is not charged twice: the first charge is due when the already paid period ends
    assert found.next_charge_at is not None and ended.subscription.paid_through is not None
    assert abs(found.next_charge_at - ended.subscription.paid_through) < timedelta(days=1)
    assert len(receipts(real, viewer)) == 1


def test_payments_that_are_paid_back_are_kept_as_such_and_pay_for_nothing(real: Real) -> None:
    viewer = make_viewer()
    checkout = subscribe(real, viewer)
    approve(real, checkout)
    real.catch_up()
    (payment,) = receipts(real, viewer)
    action = f"subscriptions/{checkout.subscription_id}/refund"
    real.paypal.control("POST", action, sale_id=payment.charge.payment_id, amount="2.50")
    real.catch_up()
    (payment,) = receipts(real, viewer)
    assert (payment.charge.state, payment.charge.refunded_minor) == (PaymentState.PARTIALLY_REFUNDED, 250)
    assert real.billing.entitlements.of(viewer).entitled
    real.paypal.control("POST", action, sale_id=payment.charge.payment_id)
    real.catch_up()
    (payment,) = receipts(real, viewer)
    assert (payment.charge.state, payment.charge.refunded_minor) == (PaymentState.REFUNDED, 799)
    assert not real.billing.entitlements.of(viewer).entitled


@pytest.mark.parametrize("action", ["refund", "reverse"])
def test_a_month_that_was_paid_back_is_not_kept_by_a_second_subscription(real: Real, action: str) -> None:
    viewer, plan = make_viewer(), make_plan(real)
    first = subscribe(real, viewer, plan)
    approve(real, first)
    real.catch_up()
    real.billing.services.subscriptions.cancel_subscription(viewer)
    second = subscribe(real, viewer, plan)
    approve(real, second)
    real.catch_up()
    assert real.billing.entitlements.of(viewer).entitled
    real.paypal.control("POST", f"subscriptions/{first.subscription_id}/{action}")
    real.catch_up()
    assert not real.billing.entitlements.of(viewer).entitled


@pytest.mark.parametrize("more", [{}, {"start_time": "2036-01-01T00:00:00Z"}], ids=["paid", "starts in 2036"])
def test_a_subscription_that_was_not_begun_here_entitles_nobody(real: Real, more: dict[str, str]) -> None:
    viewer, plan = make_viewer(), make_plan(real)
    asked = {"plan_id": plan.plan_id, "custom_id": viewer.user_id, **more}
    subscription_id = real.paypal.ask("POST", "/v1/billing/subscriptions", asked)["id"]
    real.paypal.control("POST", f"subscriptions/{subscription_id}/approve")
    real.catch_up()
    assert not real.billing.entitlements.of(viewer).entitled
    assert receipts(real, viewer) == ()
    approve(real, subscribe(real, viewer, plan))
    real.catch_up()
    assert real.billing.entitlements.of(viewer).entitled


@pytest.mark.parametrize(("action", "entitled"), [("suspend", True), ("expire", False), ("cancel", True)])
def test_what_is_done_at_paypal_is_known_here(real: Real, action: str, entitled: bool) -> None:
    viewer = make_viewer()
    checkout = subscribe(real, viewer)
    approve(real, checkout)
    real.catch_up()
    real.paypal.control("POST", f"subscriptions/{checkout.subscription_id}/{action}")
    real.catch_up()
    assert real.billing.entitlements.of(viewer).entitled is entitled


def test_a_reconciliation_finds_what_no_event_told(real: Real) -> None:
    viewer = make_viewer()
    checkout = subscribe(real, viewer)
    real.paypal.control("PATCH", "switches", delivery="lose")
    approve(real, checkout)
    real.arrived()
    real.billing.services.reconciliation.reconcile_stale(everything=True)
    real.billing.work()
    assert real.billing.entitlements.of(viewer).entitled


def test_looking_at_a_subscription_that_waits_asks_paypal_again(real: Real) -> None:
    viewer = make_viewer()
    checkout = subscribe(real, viewer)
    real.paypal.control("PATCH", "switches", delivery="lose")
    approve(real, checkout)
    now = datetime.now(UTC)
    store = real.billing.store
    while not real.billing.queue:  # PayPal is not queried again within two seconds
        assert datetime.now(UTC) - now < timedelta(seconds=10)
        real.billing.services.subscriptions.current_subscription(viewer)
    real.billing.work()
    found = store.find_pending(checkout.subscription_id).subscription
    assert found is not None and found.state is State.ACTIVE


def test_leaving_cancels_at_paypal_and_keeps_the_payments_of_nobody(real: Real) -> None:
    service, viewer = real.billing.services.subscriptions, make_viewer()
    checkout = subscribe(real, viewer)
    approve(real, checkout)
    real.catch_up()
    service.forget_viewer(viewer.user_id)
    service.forget_viewer(viewer.user_id)
    real.catch_up()
    found = real.billing.store.find_pending(checkout.subscription_id).subscription
    assert found is not None and (found.user_id, found.state) == (None, State.CANCELLED)
    assert [p.user_id for p in real.billing.payments.list_of_subscription(checkout.subscription_id)] == [None]
    assert receipts(real, viewer) == ()
    assert not real.billing.entitlements.of(viewer).entitled


def test_what_is_approved_after_its_account_was_deleted_is_cancelled(real: Real) -> None:
    viewer = make_viewer()
    checkout = subscribe(real, viewer)
    real.billing.services.subscriptions.forget_viewer(viewer.user_id)
    approve(real, checkout)
    real.catch_up()
    real.catch_up()
    found = real.billing.store.find_pending(checkout.subscription_id).subscription
    assert found is not None and (found.user_id, found.state) == (None, State.CANCELLED)


def test_of_two_that_were_approved_the_later_is_cancelled(real: Real) -> None:
    viewer = make_viewer()
    first, second = subscribe(real, viewer), subscribe(real, viewer)
    assert first != second
    approve(real, second)
    real.paypal.control("POST", "clock", seconds=2)
    approve(real, first)
    real.catch_up()
    real.catch_up()
    states = {
        checkout.subscription_id: found.state
        for checkout in (first, second)
        if (found := real.billing.store.find_pending(checkout.subscription_id).subscription)
    }
    assert states == {second.subscription_id: State.ACTIVE, first.subscription_id: State.CANCELLED}


@pytest.mark.parametrize("status", [500, 503, 429])
def test_while_paypal_is_away_it_is_said_so_and_nothing_is_lost(real: Real, status: int) -> None:
    viewer, plan = make_viewer(), make_plan(real)
    checkout = subscribe(real, viewer, plan)
    approve(real, checkout)
    sent = real.arrived()
    real.paypal.control("PATCH", "switches", fault={"status": status, "count": 1000, "path": "/v1"})
    real.billing.receive(sent)
    with pytest.raises(StoreUnavailable, match="PayPal"):
        real.billing.work()
    with pytest.raises(StoreUnavailable, match="PayPal"):
        subscribe(real, make_viewer(), plan)
    assert real.billing.store.find_pending(checkout.subscription_id).token is not None
    real.paypal.control("PATCH", "switches", fault=None)
    real.billing.queue.clear()
    real.billing.queue.append(SettleSubscription(checkout.subscription_id, "repair"))
    real.billing.work()
    assert real.billing.entitlements.of(viewer).entitled


def test_an_answer_that_was_lost_is_asked_for_again_under_the_same_id(real: Real) -> None:
    viewer, plan = make_viewer(), make_plan(real)
    fault = {"status": 503, "count": 1, "path": "/v1/billing/subscriptions", "when": "after"}
    real.paypal.control("PATCH", "switches", fault=fault)
    with pytest.raises(StoreUnavailable):
        subscribe(real, viewer, plan)
    subscribe(real, viewer, plan)
    made = [
        one for one in real.paypal.simulator.subscriptions.all_subscriptions() if one.get("custom_id") == viewer.user_id
    ]
    assert len(made) == 1


def test_an_access_token_that_ended_is_renewed(real: Real) -> None:
    make_plan(real)
    real.paypal.control("POST", "tokens/expire")
    make_plan(real)


def test_wrong_credentials_are_named_by_their_settings(real: Real) -> None:
    from functions.billing.paypal import PayPalClient

    stranger = PayPalClient(real.paypal.url, "somebody", "else")
    with pytest.raises(PayPalRefused, match="PAYPAL_CLIENT_ID"):
        stranger.subscription("I-NOTHING")


def test_no_token_and_no_secret_reaches_a_log(real: Real, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        make_plan(real)
    assert "Bearer" not in caplog.text
    assert "Basic" not in caplog.text
    assert real.paypal.client_secret not in caplog.text
