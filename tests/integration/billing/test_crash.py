"""If the API host is killed between storing and handling an event, the restarted host handles the event once."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import requests

from functions.billing.model import State
from functions.platform.mysql_connections import Address, connect
from tests.integration.host.running import KEYS, REPOSITORY, RunningHost
from tests.support.owners import OPERATOR_KEY
from tests.support.paypal import running_simulator
from tests.support.viewers import as_owner, confirmed, make_viewer
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from functions.billing.repository import MySqlPayments, MySqlSubscriptions
    from tests.integration.conftest import Stack
    from tests.support.paypal import PayPal


class Api:
    """The API app in its own host process."""

    def __init__(self, host: RunningHost, environment: dict[str, str]) -> None:
        self.host = host
        self._environment = environment
        self.endpoints = {"api": f"http://127.0.0.1:{host.port}", "api_key": OPERATOR_KEY}

    def start(self) -> None:
        """Start the host."""
        self.host.start(app="function_app", root=REPOSITORY, **self._environment)

    def repair(self) -> None:
        """Run the timer."""
        answer = self.host.post(
            "/admin/functions/repair_subscriptions", json={}, headers={"x-functions-key": KEYS["NOTFLIX_MASTER_KEY"]}
        )
        assert answer.status_code == 202

    def events(self) -> list[dict[str, Any]]:
        """Return the inbox."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            answer = as_owner(self.endpoints, "GET", f"paypal/events?cursor={cursor}")
            assert answer.ok, answer.text
            page = answer.json()
            found += page["events"]
            if page["cursor"] is None:
                return found
            cursor = page["cursor"]


@contextmanager
def running_api(stack: Stack, folder: Path) -> Iterator[tuple[Api, PayPal]]:
    """Return the API, not started yet, and the simulator that sends it webhooks."""
    host = RunningHost(stack.environment["AzureWebJobsStorage"], folder / "host.log")
    webhooks = f"http://127.0.0.1:{host.port}/api/paypal/webhooks"
    try:
        with running_simulator(folder / "paypal", webhook_url=webhooks) as paypal:
            environment = {
                **stack.environment,
                "OPERATOR_KEY": OPERATOR_KEY,
                "PAYPAL_URL": paypal.url,
                "PAYPAL_CLIENT_ID": paypal.client_id,
                "PAYPAL_CLIENT_SECRET": paypal.client_secret,
                "PAYPAL_WEBHOOK_ID": paypal.webhook_id,
                "PAYPAL_CA": str(folder / "paypal" / "root.pem"),
            }
            environment.pop("AzureWebJobsStorage")
            yield Api(host, environment), paypal
    finally:
        host.close()


def let_minutes_pass(stack: Stack, subject: str) -> None:
    """Make a pending flag five minutes older, as if five minutes had passed."""
    with connect(Address.of(stack.endpoints["mysql"])) as connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE subscriptions_db.marks SET since = since - INTERVAL 5 MINUTE WHERE subject = %s", (subject,)
        )
        connection.commit()


@pytest.mark.timeout(600)
def test_what_was_stored_before_a_kill_is_acted_on_after_the_restart_once(
    stack: Stack, tmp_path: Path, subscriptions: MySqlSubscriptions, payments: MySqlPayments
) -> None:
    with running_api(stack, tmp_path) as (api, paypal):
        api.start()
        offer = {"name": "Crash", "price": "7.99", "currency": "EUR"}
        plan = as_owner(api.endpoints, "POST", "plans", offer).json()
        viewer = confirmed(make_viewer(api.endpoints), mysql_url=stack.endpoints["mysql"])
        opened = viewer.ask("POST", "subscriptions", {"plan_id": plan["id"]}).json()
        subject = opened["subscription_id"]
        eventually(lambda: [e for e in api.events() if e["subject"] == subject and e["settled"]])

        paypal.control("PATCH", "switches", slow_ms=30_000)
        paypal.control("POST", f"subscriptions/{subject}/approve")
        paypal.settle()
        kinds = {event["type"] for event in api.events() if event["subject"] == subject and not event["settled"]}
        assert {"BILLING.SUBSCRIPTION.ACTIVATED", "PAYMENT.SALE.COMPLETED"} <= kinds
        assert api.host.end(signal.SIGKILL) == -signal.SIGKILL

        pending = subscriptions.find_pending(subject)
        assert pending.token is not None
        assert pending.subscription is not None and pending.subscription.state is State.APPROVAL_PENDING
        assert payments.list_of_subscription(subject) == []

        paypal.control("PATCH", "switches", slow_ms=0)
        api.start()
        let_minutes_pass(stack, subject)
        api.repair()
        eventually(lambda: subscriptions.find_pending(subject).token is None)
        assert viewer.entitlement()["reason"] == "subscription"
        assert len(payments.list_of_subscription(subject)) == 1
        states = [change["state"] for change in subscriptions.list_changes(subject)]
        assert states == ["APPROVAL_PENDING", "ACTIVE"]
        sent = requests.get(f"{paypal.url}/_simulator/deliveries?limit=100", timeout=30).json()["deliveries"]
        assert all(len(delivery["attempts"]) == 1 for delivery in sent)
