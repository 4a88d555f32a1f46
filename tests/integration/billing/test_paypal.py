"""Billing with a PayPal that answers over HTTP: from the plan to the receipt, and what happens while it is away."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from functions.accounts.model import Viewer
from functions.billing.model import PaymentState, State
from functions.billing.owner import offer_of
from functions.platform.errors import AlreadySubscribed, NotFound, PayPalRefused, StoreUnavailable
from tests.support.billing import make_user_id

if TYPE_CHECKING:
    from functions.billing.model import Plan
    from functions.billing.service import Opening
    from tests.integration.billing.conftest import Real


def make_viewer() -> Viewer:
    return Viewer(make_user_id(), "ada@example.org")


def make_plan(real: Real, **changes: object) -> Plan:
    asked = {"name": f"Plan {make_user_id()[:8]}", "price": "7.99", "currency": "EUR", **changes}
    return real.counter.billing.office.create_plan(offer_of(asked))[0]


def subscribe(real: Real, viewer: Viewer, plan: Plan | None = None) -> Opening:
    return real.counter.billing.shop.subscribe(viewer, (plan or make_plan(real)).plan_id)


def approve(real: Real, opening: Opening) -> None:
    real.paypal.control("POST", f"subscriptions/{opening.subscription_id}/approve")


def test_a_plan_is_made_once_and_retired_for_newcomers_only(real: Real) -> None:
    office, shop = real.counter.billing.office, real.counter.billing.shop
    offer = offer_of({"name": f"Plan {make_user_id()[:8]}", "price": "79.90", "currency": "EUR", "interval": "year"})
    plan, is_new = office.create_plan(offer)
    assert (is_new, office.create_plan(offer)) == (True, (plan, False))
    assert plan in shop.plans()
    office.retire_plan(plan.plan_id)
    office.retire_plan(plan.plan_id)
    assert plan not in shop.plans()
    with pytest.raises(NotFound):
        shop.subscribe(make_viewer(), plan.plan_id)
    again, is_new = office.create_plan(offer)
    assert is_new
    assert again.plan_id != plan.plan_id
    with pytest.raises(NotFound):
        office.retire_plan("P-NOTHING")


def test_a_life_from_approval_to_coming_back(real: Real) -> None:
    shop, viewer = real.counter.billing.shop, make_viewer()
    plan = make_plan(real)
    opening = subscribe(real, viewer, plan)
    assert subscribe(real, viewer, plan) == opening
    assert not real.counter.entitlements.of(viewer).entitled
    approve(real, opening)
    real.catch_up()
    assert real.counter.entitlements.of(viewer).reason == "subscription"
    current = shop.current(viewer)
    assert current.subscription is not None
    assert (current.subscription.state, current.plan) == (State.ACTIVE, plan)
    assert [payment.charge.amount_minor for payment in shop.receipts(viewer)] == [799]
    with pytest.raises(AlreadySubscribed):
        subscribe(real, viewer)
    ended = shop.cancel(viewer)
    assert ended.subscription is not None
    assert (ended.subscription.state, ended.subscription.next_charge_at) == (State.CANCELLED, None)
    assert ended.subscription.paid_through == current.subscription.next_charge_at
    assert real.counter.entitlements.of(viewer).entitled
    with pytest.raises(NotFound):
        shop.cancel(viewer)
    back = subscribe(real, viewer, plan)
    assert back != opening
    approve(real, back)
    real.catch_up()
    found = shop.current(viewer).subscription
    assert found is not None
    assert (found.subscription_id, found.state) == (back.subscription_id, State.ACTIVE)
    # what was paid for is not paid for twice: the first charge comes when it ends
    assert found.next_charge_at is not None and ended.subscription.paid_through is not None
    assert abs(found.next_charge_at - ended.subscription.paid_through) < timedelta(days=1)
    assert len(shop.receipts(viewer)) == 1


def test_payments_that_are_paid_back_are_kept_as_such_and_pay_for_nothing(real: Real) -> None:
    shop, viewer = real.counter.billing.shop, make_viewer()
    opening = subscribe(real, viewer)
    approve(real, opening)
    real.catch_up()
    (payment,) = shop.receipts(viewer)
    action = f"subscriptions/{opening.subscription_id}/refund"
    real.paypal.control("POST", action, sale_id=payment.charge.payment_id, amount="2.50")
    real.catch_up()
    (payment,) = shop.receipts(viewer)
    assert (payment.charge.state, payment.charge.refunded_minor) == (PaymentState.PARTIALLY_REFUNDED, 250)
    assert real.counter.entitlements.of(viewer).entitled
    real.paypal.control("POST", action, sale_id=payment.charge.payment_id)
    real.catch_up()
    (payment,) = shop.receipts(viewer)
    assert (payment.charge.state, payment.charge.refunded_minor) == (PaymentState.REFUNDED, 799)
    assert not real.counter.entitlements.of(viewer).entitled


@pytest.mark.parametrize(("action", "entitled"), [("suspend", False), ("expire", False), ("cancel", True)])
def test_what_is_done_at_paypal_is_known_here(real: Real, action: str, entitled: bool) -> None:
    viewer = make_viewer()
    opening = subscribe(real, viewer)
    approve(real, opening)
    real.catch_up()
    real.paypal.control("POST", f"subscriptions/{opening.subscription_id}/{action}")
    real.catch_up()
    assert real.counter.entitlements.of(viewer).entitled is entitled


def test_a_reconciliation_finds_what_no_event_told(real: Real) -> None:
    viewer = make_viewer()
    opening = subscribe(real, viewer)
    real.paypal.control("PATCH", "switches", delivery="lose")
    approve(real, opening)
    real.arrived()
    real.counter.billing.settlements.reconcile(everything=True)
    real.counter.work()
    assert real.counter.entitlements.of(viewer).entitled


def test_looking_at_a_subscription_that_waits_asks_paypal_again(real: Real) -> None:
    viewer = make_viewer()
    opening = subscribe(real, viewer)
    real.paypal.control("PATCH", "switches", delivery="lose")
    approve(real, opening)
    now = datetime.now(UTC)
    store = real.counter.subscriptions
    while not real.counter.queue:  # a look that is not two seconds after the last one asks nothing
        assert datetime.now(UTC) - now < timedelta(seconds=10)
        real.counter.billing.shop.current(viewer)
    real.counter.work()
    found = store.waiting(opening.subscription_id).subscription
    assert found is not None and found.state is State.ACTIVE


def test_leaving_cancels_at_paypal_and_keeps_the_payments_of_nobody(real: Real) -> None:
    shop, viewer = real.counter.billing.shop, make_viewer()
    opening = subscribe(real, viewer)
    approve(real, opening)
    real.catch_up()
    shop.forget(viewer.user_id)
    shop.forget(viewer.user_id)
    real.catch_up()
    found = real.counter.subscriptions.waiting(opening.subscription_id).subscription
    assert found is not None and (found.user_id, found.state) == (None, State.CANCELLED)
    assert [p.user_id for p in real.counter.payments.of_subscription(opening.subscription_id)] == [None]
    assert shop.receipts(viewer) == []
    assert not real.counter.entitlements.of(viewer).entitled


def test_what_is_approved_after_its_account_was_deleted_is_cancelled(real: Real) -> None:
    viewer = make_viewer()
    opening = subscribe(real, viewer)
    real.counter.billing.shop.forget(viewer.user_id)
    approve(real, opening)
    real.catch_up()
    real.catch_up()
    found = real.counter.subscriptions.waiting(opening.subscription_id).subscription
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
        opening.subscription_id: found.state
        for opening in (first, second)
        if (found := real.counter.subscriptions.waiting(opening.subscription_id).subscription)
    }
    assert states == {second.subscription_id: State.ACTIVE, first.subscription_id: State.CANCELLED}


@pytest.mark.parametrize("status", [500, 503, 429])
def test_while_paypal_is_away_it_is_said_so_and_nothing_is_lost(real: Real, status: int) -> None:
    viewer, plan = make_viewer(), make_plan(real)
    opening = subscribe(real, viewer, plan)
    approve(real, opening)
    sent = real.arrived()
    real.paypal.control("PATCH", "switches", fault={"status": status, "count": 1000, "path": "/v1"})
    real.counter.receive(sent)
    with pytest.raises(StoreUnavailable, match="PayPal"):
        real.counter.work()
    with pytest.raises(StoreUnavailable, match="PayPal"):
        subscribe(real, make_viewer(), plan)
    assert real.counter.subscriptions.waiting(opening.subscription_id).token is not None
    real.paypal.control("PATCH", "switches", fault=None)
    real.counter.queue.clear()
    real.counter.queue.append((opening.subscription_id, "mending"))
    real.counter.work()
    assert real.counter.entitlements.of(viewer).entitled


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
    from functions.billing.paypal import PayPal

    stranger = PayPal(real.paypal.url, "somebody", "else")
    with pytest.raises(PayPalRefused, match="PAYPAL_CLIENT_ID"):
        stranger.subscription("I-NOTHING")


def test_no_token_and_no_secret_reaches_a_log(real: Real, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        make_plan(real)
    assert "Bearer" not in caplog.text
    assert "Basic" not in caplog.text
    assert real.paypal.client_secret not in caplog.text
