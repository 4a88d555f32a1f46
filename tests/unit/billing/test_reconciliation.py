"""Reconciliation trusts only PayPal's API, updates only subscriptions begun here, and loses nothing in a crash."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.billing.model import State
from functions.billing.reconciliation import BATCH
from functions.platform.errors import StoreUnavailable
from functions.platform.messages import SettleSubscription
from functions.platform.viewer import Viewer
from tests.support.billing import MONTHLY, ModelledBilling, make_event, make_user_id
from tests.support.billing_checkouts import checked_out, entitled, paid

if TYPE_CHECKING:
    from datetime import datetime

    from functions.billing.model import Charge


def test_what_is_not_pending_is_not_asked_about(billing: ModelledBilling, viewer: Viewer) -> None:
    subscription_id = checked_out(billing, viewer)
    billing.paypal.asked.clear()
    billing.reconciliation.reconcile(subscription_id, "event")
    assert billing.paypal.asked == []


@pytest.mark.parametrize("days", [0, 30, 3650])
def test_a_subscription_begun_elsewhere_entitles_nobody_and_is_logged(
    billing: ModelledBilling, viewer: Viewer, days: int, caplog: pytest.LogCaptureFixture
) -> None:
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
    assert f"{subscription_id} was not begun here; it entitles nobody" in caplog.messages
    paid = billing.payments.list_of_subscription(subscription_id)
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
    assert len(billing.payments.list_of_subscription(subscription_id)) == 1


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


@pytest.mark.parametrize("months", [0, 7], ids=["new", "active for longer than an ended one is watched"])
@pytest.mark.parametrize("heard_by", ["event", "timer"])
def test_a_subscription_that_paypal_knows_again_is_not_lost(
    billing: ModelledBilling, viewer: Viewer, heard_by: str, months: int
) -> None:
    """The owner configured another account of PayPal for an hour, which does not know the subscription."""
    subscription_id = checked_out(billing, viewer)
    billing.paypal.approve(subscription_id)
    billing.catch_up()
    for _ in range(months):
        billing.clock.forward(days=31)
        billing.paypal.renew(subscription_id)
        billing.catch_up()
    assert entitled(billing, viewer)
    record = billing.paypal.records.pop(subscription_id)
    billing.reconciliation.reconcile_stale(everything=True)
    billing.work()
    assert not entitled(billing, viewer)
    billing.paypal.records[subscription_id] = record
    if heard_by == "event":
        billing.clock.forward(hours=1)
        billing.deliver(make_event("BILLING.SUBSCRIPTION.UPDATED", subscription_id))
    else:
        billing.clock.forward(hours=25)
        assert billing.reconciliation.reconcile_stale() == 1
    billing.work()
    assert entitled(billing, viewer)
    billing.subscriptions.cancel_subscription(viewer)
    assert billing.paypal.records[subscription_id].remote.state is State.CANCELLED


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


def test_an_answer_is_not_stored_if_our_clock_was_changed_while_paypal_was_asked(
    billing: ModelledBilling, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription_id = billing.subscriptions.subscribe(viewer, billing.plan()).subscription_id
    billing.paypal.approve(subscription_id)
    ask = billing.paypal.charges

    def charges(subscription_id: str, *, since: datetime, until: datetime) -> list[Charge]:
        billing.clock.forward(hours=-36)
        return ask(subscription_id, since=since, until=until)

    billing.clock.forward(hours=36)
    with monkeypatch.context() as patched:
        patched.setattr(billing.paypal, "charges", charges)
        with pytest.raises(StoreUnavailable, match="clock was changed"):
            billing.reconciliation.reconcile_now(subscription_id, "test")
    assert not entitled(billing, viewer)
    billing.reconciliation.reconcile_now(subscription_id, "test")
    assert entitled(billing, viewer)


@pytest.mark.parametrize(
    ("state", "since_the_last_answer", "is_asked_about"),
    [
        (State.APPROVAL_PENDING, timedelta(minutes=9), False),
        (State.APPROVAL_PENDING, timedelta(minutes=11), True),
        (State.ACTIVE, timedelta(hours=23), False),
        (State.ACTIVE, timedelta(hours=25), True),
        (State.SUSPENDED, timedelta(hours=23), False),
        (State.SUSPENDED, timedelta(hours=25), True),
        (State.CANCELLED, timedelta(hours=23), False),
        (State.CANCELLED, timedelta(hours=25), True),
        (State.CANCELLED, timedelta(days=180), True),
        (State.CANCELLED, timedelta(days=182), False),
    ],
)
def test_how_long_an_answer_is_believed_depends_on_the_state(
    billing: ModelledBilling, viewer: Viewer, state: State, since_the_last_answer: timedelta, is_asked_about: bool
) -> None:
    subscription_id = checked_out(billing, viewer) if state is State.APPROVAL_PENDING else paid(billing, viewer)
    if state in (State.SUSPENDED, State.CANCELLED):
        billing.paypal.turn(subscription_id, state)
        billing.catch_up()
    billing.clock.now += since_the_last_answer
    assert billing.reconciliation.reconcile_stale() == is_asked_about
    assert billing.queue == [SettleSubscription(subscription_id, "reconciliation")] * is_asked_about
    billing.work()
    # all subscriptions, however fresh, but not those that ended too long ago to be refunded
    is_watched = since_the_last_answer < timedelta(days=181)
    assert billing.reconciliation.reconcile_stale(everything=True) == is_watched


def test_a_subscription_whose_charge_is_due_is_asked_about_at_once(billing: ModelledBilling, viewer: Viewer) -> None:
    subscription_id = paid(billing, viewer)
    billing.clock.now = billing.paypal.records[subscription_id].periods[0].ends - timedelta(hours=2)
    assert billing.reconciliation.reconcile_stale() == 1
    billing.work()
    assert billing.reconciliation.reconcile_stale() == 0
    billing.clock.forward(hours=3)
    assert billing.reconciliation.reconcile_stale() == 1


def test_the_body_of_an_event_is_kept_for_ninety_days(billing: ModelledBilling) -> None:
    event = make_event("BILLING.SUBSCRIPTION.UPDATED", "I-1")
    billing.deliver(event)
    bodies: dict[str, str] = billing.store.bodies  # type: ignore[attr-defined]
    for days, body in ((89, event.body), (2, "{}")):
        billing.clock.forward(days=days)
        billing.reconciliation.reconcile_stale()
        assert bodies[event.event_id] == body


def test_paypal_is_told_why_a_subscription_is_cancelled(
    billing: ModelledBilling, viewer: Viewer, caplog: pytest.LogCaptureFixture
) -> None:
    reasons: dict[str, str] = {}
    cancel = billing.paypal.cancel

    def noted(subscription_id: str, *, reason: str) -> None:
        reasons[subscription_id] = reason
        cancel(subscription_id, reason=reason)

    billing.paypal.cancel = noted  # type: ignore[method-assign]
    first = billing.subscriptions.subscribe(viewer, billing.plan()).subscription_id
    second = billing.subscriptions.subscribe(viewer, billing.plan()).subscription_id
    for subscription_id in (first, second):
        billing.clock.forward(seconds=2)
        billing.paypal.approve(subscription_id)
    billing.catch_up()
    assert reasons == {second: "There was another subscription already."}
    assert f"{second} is the second subscription of its subscriber and is cancelled" in caplog.text
    late = Viewer(make_user_id(), "eve@example.org", confirmed=True)
    third = billing.subscriptions.subscribe(late, billing.plan()).subscription_id
    billing.store.forget_subscriber(late.user_id, billing.clock())
    billing.paypal.approve(third)
    billing.catch_up()
    assert reasons[third] == "The account was deleted."
    assert f"{third} belongs to a deleted account and is cancelled" in caplog.text
    billing.subscriptions.cancel_subscription(viewer)
    assert reasons[first] == "Cancelled by the subscriber."


@pytest.mark.parametrize(("minutes", "is_stored"), [(4, True), (6, False), (-4, True), (-6, False)])
def test_an_answer_is_stored_if_paypal_took_minutes_and_not_if_the_clock_was_changed(
    billing: ModelledBilling, viewer: Viewer, minutes: int, is_stored: bool
) -> None:
    subscription_id = checked_out(billing, viewer)
    billing.paypal.approve(subscription_id)
    billing.paypal.between = lambda: billing.clock.forward(minutes=minutes)
    if is_stored:
        billing.reconciliation.reconcile_now(subscription_id, "test")
    else:
        with pytest.raises(StoreUnavailable, match=subscription_id):
            billing.reconciliation.reconcile_now(subscription_id, "test")
    assert entitled(billing, viewer) is is_stored


def test_a_cause_is_passed_on_to_the_history_of_changes(billing: ModelledBilling, viewer: Viewer) -> None:
    subscription_id = checked_out(billing, viewer)
    billing.paypal.approve(subscription_id)
    billing.reconciliation.request(subscription_id, "viewer")
    assert billing.queue == [SettleSubscription(subscription_id, "viewer")]
    billing.work()
    changes = billing.store.list_changes(subscription_id)  # type: ignore[attr-defined]
    assert [change["cause"] for change in changes][-1] == "viewer"


def test_no_more_than_a_batch_is_enqueued_or_emptied_at_once(billing: ModelledBilling) -> None:
    for number in range(BATCH + 1):
        billing.deliver(make_event("BILLING.SUBSCRIPTION.UPDATED", f"I-{number}"))
    billing.queue.clear()
    billing.clock.forward(minutes=2)
    billing.reconciliation.repair_pending()
    assert len(billing.queue) == BATCH
    billing.clock.forward(days=91)
    billing.reconciliation.reconcile_stale()
    bodies: dict[str, str] = billing.store.bodies  # type: ignore[attr-defined]
    assert list(bodies.values()).count("{}") == BATCH
