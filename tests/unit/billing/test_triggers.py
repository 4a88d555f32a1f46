"""The queue functions and timers of billing: lag is measured, no message is lost, and none is retried needlessly."""

from __future__ import annotations

import asyncio
import inspect
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

from functions import bootstrap
from functions.billing.triggers import repair_subscriptions, settle_subscription, settle_subscription_poison
from functions.platform.errors import NotflixError, PayPalRefused, StoreUnavailable
from functions.platform.messages import SettleSubscription, encode
from tests.support.queues import MemoryQueues
from tests.support.telemetry import Listener

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class FakeReconciliation:
    """Reconciles at once, or raises `error`; `overdue` is what `repair_pending` returns."""

    def __init__(self) -> None:
        self.overdue = False
        self.error: NotflixError | None = None
        self.reconciled: list[tuple[str, str]] = []

    def reconcile(self, subject: str, cause: str) -> None:
        if self.error:
            raise self.error
        self.reconciled.append((subject, cause))

    def repair_pending(self) -> bool:
        return self.overdue


class Enqueued(func.QueueMessage):
    """A message that was enqueued seven seconds ago."""

    insertion_time = NOW - timedelta(seconds=7)


@pytest.fixture
def reconciliation(monkeypatch: pytest.MonkeyPatch) -> FakeReconciliation:
    made = FakeReconciliation()
    monkeypatch.setattr(bootstrap, "billing", lambda: SimpleNamespace(reconciliation=made))
    return made


@pytest.fixture
def queues(monkeypatch: pytest.MonkeyPatch) -> MemoryQueues:
    made = MemoryQueues()
    monkeypatch.setattr(bootstrap.resources, "queues", lambda: made)
    return made


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch, reconciliation: FakeReconciliation) -> Listener:
    made = Listener()
    monkeypatch.setattr(bootstrap.resources, "now", lambda: NOW)
    monkeypatch.setattr(bootstrap.resources, "telemetry", lambda: made)
    return made


def run(function: Any, argument: object) -> None:
    done = function._function.get_user_function()(argument)
    if inspect.iscoroutine(done):
        asyncio.run(done)


def message(cause: str = "event", subject: str = "I-1") -> Enqueued:
    return Enqueued(body=encode(SettleSubscription(subject, cause)))


def test_the_time_from_an_event_to_its_reconciliation_is_recorded(
    listener: Listener, reconciliation: FakeReconciliation
) -> None:
    run(settle_subscription, message(subject="refund/R1"))
    assert reconciliation.reconciled == [("refund/R1", "event")]
    assert listener.metrics["notflix.webhook.lag_s"] == [7.0]


def test_no_lag_is_recorded_for_what_was_not_an_event(listener: Listener) -> None:
    run(settle_subscription, message("reconciliation"))
    assert not listener.metrics


def test_an_overdue_subject_is_recorded_as_a_lag_that_raises_the_alert(
    listener: Listener, reconciliation: FakeReconciliation
) -> None:
    run(repair_subscriptions, None)
    assert not listener.metrics
    reconciliation.overdue = True
    run(repair_subscriptions, None)
    assert listener.metrics["notflix.webhook.lag_s"] == [300.0]


def test_a_malformed_message_is_parked_at_once(queues: MemoryQueues, reconciliation: FakeReconciliation) -> None:
    for function in (settle_subscription, settle_subscription_poison):
        run(function, func.QueueMessage(body=b"not json"))
    assert [queue for queue, _, _ in queues.parked] == ["settle-subscription"] * 2
    assert reconciliation.reconciled == []


def test_while_paypal_is_unreachable_the_message_is_retried(
    queues: MemoryQueues, reconciliation: FakeReconciliation
) -> None:
    reconciliation.error = StoreUnavailable("PayPal does not answer.")
    with pytest.raises(StoreUnavailable):
        run(settle_subscription, message())
    assert queues.dead == []


def test_what_paypal_refuses_is_a_dead_letter_and_left_to_the_repair(
    queues: MemoryQueues, reconciliation: FakeReconciliation
) -> None:
    reconciliation.error = PayPalRefused("PayPal refuses.")
    sent = message()
    run(settle_subscription, sent)
    assert queues.dead == [("settle-subscription", sent.get_body())]
    run(settle_subscription_poison, sent)
    assert (queues.sent, queues.parked) == ([], [])
