"""How long events of PayPal wait becomes a figure, and one that still waits is told as such."""

from __future__ import annotations

import asyncio
import inspect
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func
import pytest

from functions import bootstrap
from functions.billing.triggers import mend_subscriptions, settle_subscription
from tests.support.telemetry import Listener

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Settlements:
    """Settles at once; `overdue` is what mending says."""

    overdue = False

    def settle(self, subject: str, cause: str) -> None:
        assert subject and cause

    def mend(self) -> bool:
        return self.overdue


class Billing:
    """Billing with its settlements alone."""

    settlements = Settlements()


class Message(func.QueueMessage):
    """A message that was enqueued seven seconds ago."""

    insertion_time = NOW - timedelta(seconds=7)

    def get_body(self) -> bytes:
        return json.dumps({"subscription_id": "I-1", "cause": self.cause}).encode()

    cause = "event"


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Listener:
    made = Listener()
    monkeypatch.setattr(bootstrap, "billing", Billing)
    monkeypatch.setattr(bootstrap.resources, "now", lambda: NOW)
    monkeypatch.setattr(bootstrap.resources, "telemetry", lambda: made)
    return made


def run(function: Any, argument: object) -> None:
    done = function._function.get_user_function()(argument)
    if inspect.iscoroutine(done):
        asyncio.run(done)


def test_the_time_from_an_event_to_its_settlement_is_told(listener: Listener) -> None:
    run(settle_subscription, Message())
    assert listener.metrics["notflix.webhook.lag_s"] == [7.0]


def test_what_was_not_an_event_is_not_told(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Message, "cause", "reconciliation")
    run(settle_subscription, Message())
    assert not listener.metrics


def test_an_event_that_still_waits_rings_the_alert(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    run(mend_subscriptions, None)
    assert not listener.metrics
    monkeypatch.setattr(Settlements, "overdue", True)
    run(mend_subscriptions, None)
    assert listener.metrics["notflix.webhook.lag_s"] == [300.0]
