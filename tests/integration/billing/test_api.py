"""The functions of billing, assembled as in production with real stores and the simulator, answer as documented."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import azure.functions as func
import pytest

from functions import bootstrap
from functions.accounts.model import Session
from functions.billing import triggers
from functions.platform.errors import NotFound, Unauthenticated
from functions.platform.messages import RecordAction, encode
from functions.platform.viewer import Recipient, Viewer
from tests.support.api import call
from tests.support.billing import make_user_id
from tests.support.owners import AS_OPERATOR, EXPIRES_AT, OPERATOR_KEY, make_owners
from tests.support.paypal import Listener, running_simulator
from tests.support.queues import MemoryQueues
from tests.support.wiring import forget_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from tests.integration.conftest import Stack
    from tests.support.paypal import PayPal

ADA = Viewer(make_user_id(), "ada@example.org", confirmed=True)
SESSION = {"Authorization": "Bearer ada"}


class Access:
    """Authenticates Ada's session and the operator's key."""

    def session(self, token: str) -> Session:
        if token != "ada":
            raise Unauthenticated("Nobody is logged in.")
        return Session(ADA, EXPIRES_AT - timedelta(days=30), EXPIRES_AT)

    def owner(self, token: str, key: str) -> str:
        return make_owners().admit(token, key)


class EmailChoices:
    """Returns Ada's email address for each kind of email."""

    def recipient_for(self, user_id: str, kind: str) -> Recipient | None:
        return Recipient(ADA.email) if user_id == ADA.user_id else None


class Accounts:
    """Returns Ada's email address."""

    email_choices = EmailChoices()

    def find_account(self, email: str) -> Viewer:
        if email != ADA.email:
            raise NotFound("There is no account of that address.")
        return ADA

    def emails_of(self, user_ids: Iterable[str | None]) -> dict[str, str]:
        return {ADA.user_id: ADA.email} if ADA.user_id in user_ids else {}


@pytest.fixture
def paypal(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[PayPal, Listener]]:
    """Make `bootstrap` assemble everything with the real stores and a simulator."""
    with Listener().listening() as listener, running_simulator(tmp_path, webhook_url=listener.url) as running:
        environment = {
            **stack.environment,
            "OPERATOR_KEY": OPERATOR_KEY,
            "PAYPAL_URL": running.url,
            "PAYPAL_CLIENT_ID": running.client_id,
            "PAYPAL_CLIENT_SECRET": running.client_secret,
            "PAYPAL_WEBHOOK_ID": running.webhook_id,
            "PAYPAL_CA": str(tmp_path / "root.pem"),
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        forget_all()
        monkeypatch.setattr(bootstrap, "accounts", Accounts)
        monkeypatch.setattr(bootstrap, "access", Access)
        yield running, listener
        monkeypatch.undo()
        forget_all()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> MemoryQueues:
    """Collect the messages instead of sending them."""
    queues = MemoryQueues()
    monkeypatch.setattr(bootstrap.resources, "interactive_queues", lambda: queues)
    return queues


def settle(queues: MemoryQueues) -> None:
    """Handle the messages in the queues."""
    built: Any = triggers.settle_subscription
    while queues.sent:
        message, _ = queues.sent.pop(0)
        if isinstance(message, RecordAction):  # the plan that the owner has created
            continue
        asyncio.run(built._function.get_user_function()(func.QueueMessage(body=encode(message))))


def all_pages(function: Callable[..., Any], path: str, name: str, *, limit: int) -> list[dict[str, Any]]:
    """Return the entries on all pages of one of the owner's lists."""
    entries: list[dict[str, Any]] = []
    cursor = ""
    while True:
        status, page = call(function, f"{path}?limit={limit}&cursor={cursor}", headers=AS_OPERATOR)
        assert status == 200
        assert len(page[name]) <= limit
        entries += page[name]
        if page["cursor"] is None:
            return entries
        cursor = page["cursor"]


def test_each_function_answers_as_documented(paypal: tuple[PayPal, Listener], sent: MemoryQueues) -> None:
    simulator, listener = paypal
    offer = {"name": f"Plan {make_user_id()[:8]}", "price": "7.99", "currency": "EUR", "interval": "month"}
    status, plan = call(triggers.create_plan, "plans", body=offer, headers=AS_OPERATOR)
    assert status == 201
    assert call(triggers.create_plan, "plans", body=offer, headers=AS_OPERATOR)[0] == 200
    assert call(triggers.create_plan, "plans", body={"name": "x"}, headers=AS_OPERATOR)[0] == 422
    assert plan["id"] in [one["id"] for one in call(triggers.list_plans, "plans")[1]["plans"]]
    assert call(triggers.list_all_plans, "plans/all")[0] == 401
    assert plan in call(triggers.list_all_plans, "plans/all", headers=AS_OPERATOR)[1]["plans"]

    assert call(triggers.get_subscription, "subscription", headers=SESSION)[1]["state"] == "none"
    assert call(triggers.cancel_subscription, "subscription", headers=SESSION)[0] == 404
    assert call(triggers.subscribe, "subscriptions", body={"plan_id": "P-NO"}, headers=SESSION)[0] == 404
    assert call(triggers.subscribe, "subscriptions", body={"plan_id": 7}, headers=SESSION)[0] == 422
    status, checkout = call(triggers.subscribe, "subscriptions", body={"plan_id": plan["id"]}, headers=SESSION)
    assert status == 201
    assert call(triggers.get_subscription, "subscription", headers=SESSION)[1]["state"] == "pending"
    simulator.control("POST", f"subscriptions/{checkout['subscription_id']}/approve")
    simulator.settle()
    for one in listener.received:
        assert call(triggers.take_paypal_event, "paypal/webhooks", body=one.body, headers=one.headers) == (200, {})
        assert call(triggers.take_paypal_event, "paypal/webhooks", body=one.body, headers=one.headers) == (200, {})
    assert call(triggers.take_paypal_event, "paypal/webhooks", body=b"{}")[0] == 400
    settle(sent)
    active = call(triggers.get_subscription, "subscription", headers=SESSION)[1]
    assert (active["state"], active["can_cancel"], active["entitlement"]["entitled"]) == ("active", True, True)
    assert active["next_charge"]["amount_minor"] == 799
    assert call(triggers.subscribe, "subscriptions", body={"plan_id": plan["id"]}, headers=SESSION)[0] == 409
    (payment,) = call(triggers.list_payments, "payments", headers=SESSION)[1]["payments"]
    assert (payment["amount_minor"], payment["state"]) == (799, "completed")
    cancelled = call(triggers.cancel_subscription, "subscription", headers=SESSION)[1]
    assert (cancelled["state"], cancelled["entitlement"]["entitled"]) == ("cancelled", True)

    grant = {"email": ADA.email, "days": 3}
    assert call(triggers.grant_access, "grants", body=grant, headers=AS_OPERATOR)[0] == 201
    for wrong in ({"email": "nobody@example.org", "days": 3}, {"email": ADA.email, "days": 0}, {"email": ADA.email}):
        assert call(triggers.grant_access, "grants", body=wrong, headers=AS_OPERATOR)[0] in (404, 422)
    assert call(triggers.list_grants, "grants", headers=AS_OPERATOR)[1]["grants"][0]["granted_by"] == "operator"
    listed = all_pages(triggers.list_subscriptions, "subscriptions", "subscriptions", limit=50)
    ids = [one["subscription_id"] for one in listed]
    assert checkout["subscription_id"] in ids
    assert len(set(ids)) == len(ids)
    assert call(triggers.list_subscriptions, "subscriptions?cursor=then", headers=AS_OPERATOR)[0] == 422
    assert call(triggers.list_subscriptions, "subscriptions?limit=0", headers=AS_OPERATOR)[0] == 422
    events = all_pages(triggers.list_paypal_events, "paypal/events", "events", limit=100)
    assert [e["deliveries"] for e in events if e["subject"] == checkout["subscription_id"]] == [2, 2, 2]
    retired = call(triggers.retire_plan, f"plans/{plan['id']}", route={"id": plan["id"]}, headers=AS_OPERATOR)
    assert retired == (204, None)
    assert call(triggers.retire_plan, "plans/P-NO", route={"id": "P-NO"}, headers=AS_OPERATOR)[0] == 404


def test_while_paypal_is_away_a_viewer_is_told_so(paypal: tuple[PayPal, Listener], sent: MemoryQueues) -> None:
    simulator, _ = paypal
    offer = {"name": f"Plan {make_user_id()[:8]}", "price": "7.99", "currency": "EUR"}
    _, plan = call(triggers.create_plan, "plans", body=offer, headers=AS_OPERATOR)
    simulator.control("PATCH", "switches", fault={"status": 503, "count": 100, "path": "/v1"})
    status, body = call(triggers.create_plan, "plans", body={**offer, "price": "8.99"}, headers=AS_OPERATOR)
    assert (status, body["error"]) == (503, "store_unavailable")
    assert plan["id"] in [one["id"] for one in call(triggers.list_plans, "plans")[1]["plans"]]


def test_a_deleted_account_is_forgotten_by_billing_too(paypal: tuple[PayPal, Listener], sent: MemoryQueues) -> None:
    assert bootstrap.billing().subscriptions.forget_viewer in bootstrap.forgetters()
