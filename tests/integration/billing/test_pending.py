"""Pending flags: one message per flag, no flag is lost, and events that arrive during a reconciliation are handled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.billing.model import State
from functions.platform.messages import SettleSubscription
from functions.platform.viewer import Viewer
from tests.support.billing import make_event, make_user_id

if TYPE_CHECKING:
    from tests.support.billing import ModelledBilling


@pytest.fixture
def subject(billing: ModelledBilling) -> str:
    """Return a subscription that waits for approval and has no pending flag."""
    viewer = Viewer(make_user_id(), "ada@example.org", confirmed=True)
    made = billing.subscriptions.subscribe(viewer, billing.plan()).subscription_id
    billing.catch_up()
    return made


def test_many_events_of_a_subscription_are_one_question(billing: ModelledBilling, subject: str) -> None:
    billing.paypal.asked.clear()
    for _ in range(20):
        billing.deliver(make_event("BILLING.SUBSCRIPTION.UPDATED", subject))
    assert len(billing.queue) == 1
    billing.work()
    assert billing.paypal.asked == [subject]


def test_an_event_that_arrives_while_paypal_is_asked_is_handled_at_once(billing: ModelledBilling, subject: str) -> None:
    def meanwhile() -> None:
        billing.paypal.turn(subject, State.SUSPENDED)
        for event in billing.paypal.told:
            billing.deliver(event)
        assert billing.queue == []

    billing.paypal.approve(subject)
    billing.deliver(billing.paypal.told.pop())
    billing.paypal.between = meanwhile
    billing.work()
    pending = billing.store.find_pending(subject)
    assert pending.token is None
    assert pending.subscription is not None and pending.subscription.state is State.SUSPENDED


def test_a_lost_message_is_sent_again_by_the_timer_or_the_next_event(billing: ModelledBilling, subject: str) -> None:
    billing.deliver(make_event("BILLING.SUBSCRIPTION.UPDATED", subject))
    billing.queue.clear()
    billing.reconciliation.repair_pending()
    assert SettleSubscription(subject, "repair") not in billing.queue
    billing.clock.forward(minutes=2)
    billing.reconciliation.repair_pending()
    assert SettleSubscription(subject, "repair") in billing.queue
    billing.queue.clear()
    billing.deliver(make_event("BILLING.SUBSCRIPTION.UPDATED", subject))
    assert billing.queue == [SettleSubscription(subject, "event")]


def test_a_message_that_comes_again_asks_nothing(billing: ModelledBilling, subject: str) -> None:
    billing.paypal.asked.clear()
    billing.reconciliation.reconcile(subject, "event")
    assert billing.paypal.asked == []


def test_every_change_is_written_down(billing: ModelledBilling, subject: str) -> None:
    billing.paypal.approve(subject)
    billing.catch_up()
    billing.clock.forward(days=1)
    billing.paypal.turn(subject, State.CANCELLED)
    billing.catch_up()
    billing.catch_up()
    changes = billing.store.list_changes(subject)  # type: ignore[attr-defined]
    assert [(change["state_before"], change["state"]) for change in changes] == [
        (None, "APPROVAL_PENDING"),
        ("APPROVAL_PENDING", "ACTIVE"),
        ("ACTIVE", "CANCELLED"),
    ]
