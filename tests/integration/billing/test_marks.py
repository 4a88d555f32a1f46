"""Marks: one message for each, none lost, and an event that comes while its subject is being settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.accounts.model import Viewer
from functions.billing.model import State
from tests.support.billing import make_event, make_user_id

if TYPE_CHECKING:
    from tests.support.billing import Counter


@pytest.fixture
def subject(counter: Counter) -> str:
    """Return a subscription that waits for approval, with nothing left to do about it."""
    viewer = Viewer(make_user_id(), "ada@example.org")
    made = counter.shop.subscribe(viewer, counter.plan()).subscription_id
    counter.tell_everything()
    return made


def test_many_events_of_a_subscription_are_one_question(counter: Counter, subject: str) -> None:
    counter.paypal.asked.clear()
    for _ in range(20):
        counter.deliver(make_event("BILLING.SUBSCRIPTION.UPDATED", subject))
    assert len(counter.queue) == 1
    counter.work()
    assert counter.paypal.asked == [subject]


def test_an_event_that_comes_while_paypal_is_being_asked_is_acted_on_at_once(counter: Counter, subject: str) -> None:
    def meanwhile() -> None:
        counter.paypal.turn(subject, State.SUSPENDED)
        for event in counter.paypal.told:
            counter.deliver(event)
        assert counter.queue == []

    counter.paypal.approve(subject)
    counter.deliver(counter.paypal.told.pop())
    counter.paypal.between = meanwhile
    counter.work()
    waiting = counter.store.waiting(subject)
    assert waiting.token is None
    assert waiting.subscription is not None and waiting.subscription.state is State.SUSPENDED


def test_a_lost_message_is_sent_again_by_the_timer_or_the_next_event(counter: Counter, subject: str) -> None:
    counter.deliver(make_event("BILLING.SUBSCRIPTION.UPDATED", subject))
    counter.queue.clear()
    counter.settlements.mend()
    assert (subject, "mending") not in counter.queue
    counter.clock.forward(minutes=2)
    counter.settlements.mend()
    assert (subject, "mending") in counter.queue
    counter.queue.clear()
    counter.deliver(make_event("BILLING.SUBSCRIPTION.UPDATED", subject))
    assert counter.queue == [(subject, "event")]


def test_a_message_that_comes_again_asks_nothing(counter: Counter, subject: str) -> None:
    counter.paypal.asked.clear()
    counter.settlements.settle(subject, "event")
    assert counter.paypal.asked == []


def test_every_change_is_written_down(counter: Counter, subject: str) -> None:
    counter.paypal.approve(subject)
    counter.tell_everything()
    counter.clock.forward(days=1)
    counter.paypal.turn(subject, State.CANCELLED)
    counter.tell_everything()
    counter.tell_everything()
    changes = counter.store.changes(subject)  # type: ignore[attr-defined]
    assert [(change["state_before"], change["state"]) for change in changes] == [
        (None, "APPROVAL_PENDING"),
        ("APPROVAL_PENDING", "ACTIVE"),
        ("ACTIVE", "CANCELLED"),
    ]
