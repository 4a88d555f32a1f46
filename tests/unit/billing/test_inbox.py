"""The webhook inbox: a verified event is stored once and causes one message."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from functions.billing.inbox import WebhookInbox
from functions.platform.errors import NotFromPayPal, StoreUnavailable
from functions.platform.messages import SettleSubscription
from tests.support.billing import ModelledBilling, make_event
from tests.support.billing_payments import MemoryPayments
from tests.support.billing_store import MemorySubscriptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.billing.model import WebhookEvent


class FakeVerifier:
    """Returns the next of its events, or refuses the webhook."""

    def __init__(self, *events: WebhookEvent | None) -> None:
        self._events = list(events)

    def read(self, headers: Mapping[str, str], body: bytes, *, source: str) -> WebhookEvent:
        event = self._events.pop(0)
        if event is None:
            raise NotFromPayPal("The signature is not PayPal's.")
        return event


def received(*events: WebhookEvent | None) -> tuple[ModelledBilling, WebhookInbox]:
    billing = ModelledBilling(MemorySubscriptions(), MemoryPayments())
    return billing, WebhookInbox(FakeVerifier(*events), billing.store, billing.dependencies)


def test_events_are_stored_and_their_subject_enqueued_once() -> None:
    event = make_event("BILLING.SUBSCRIPTION.UPDATED", "I-1")
    billing, inbox = received(event, replace(event, event_id="WH-2"), event)
    for _ in range(2):
        inbox.receive({}, b"", source="203.0.113.7")
    assert billing.queue == [SettleSubscription("I-1", "event")]
    billing.work()
    inbox.receive({}, b"", source="203.0.113.7")
    assert billing.queue == []
    assert sorted(one.deliveries for one in billing.store.page_events(None, limit=9)) == [1, 2]


def test_event_whose_message_could_not_be_sent_is_enqueued_when_paypal_repeats_it() -> None:
    event = make_event("PAYMENT.SALE.COMPLETED", "I-1")
    billing = ModelledBilling(MemorySubscriptions(), MemoryPayments())
    failures = [StoreUnavailable("The queue does not answer.")]

    def enqueue(message: SettleSubscription) -> None:
        if failures:
            raise failures.pop()
        billing.queue.append(message)

    dependencies = replace(billing.dependencies, enqueue=enqueue)
    inbox = WebhookInbox(FakeVerifier(event, event), billing.store, dependencies)
    with pytest.raises(StoreUnavailable):
        inbox.receive({}, b"", source="203.0.113.7")
    inbox.receive({}, b"", source="203.0.113.7")
    assert billing.queue == [SettleSubscription("I-1", "event")]


def test_an_event_without_a_subject_is_stored_and_enqueues_nothing() -> None:
    billing, inbox = received(make_event("CATALOG.PRODUCT.CREATED", None))
    inbox.receive({}, b"", source="203.0.113.7")
    assert billing.queue == []
    assert len(billing.store.page_events(None, limit=9)) == 1


def test_what_paypal_did_not_sign_changes_nothing() -> None:
    billing, inbox = received(None)
    with pytest.raises(NotFromPayPal):
        inbox.receive({}, b"", source="203.0.113.7")
    assert billing.store.page_events(None, limit=9) == []


def test_without_the_store_paypal_is_asked_to_send_again() -> None:
    billing, inbox = received(make_event("BILLING.SUBSCRIPTION.UPDATED", "I-1"))
    billing.store.unavailable = True  # type: ignore[attr-defined]
    with pytest.raises(StoreUnavailable):
        inbox.receive({}, b"", source="203.0.113.7")
    assert billing.queue == []
