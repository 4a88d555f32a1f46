"""The HTTP functions of billing with stores in memory: what viewers and the owner see in each state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from functions import bootstrap
from functions.billing import triggers
from functions.billing.entitlements import Entitlements
from functions.billing.inbox import WebhookInbox
from functions.billing.model import State
from functions.platform.errors import NotFromPayPal
from functions.platform.settings import Settings
from tests.support.api import call
from tests.support.billing import ModelledBilling, TickingClock, make_event
from tests.support.billing_caches import MemoryEntitlementCache
from tests.support.billing_payments import MemoryPayments
from tests.support.billing_store import MemorySubscriptions
from tests.support.clock import NOON
from tests.support.owners import (
    ADMINISTRATOR,
    AS_ADMINISTRATOR,
    AS_OPERATOR,
    AS_VIEWER,
    OPERATOR_KEY,
    VIEWER,
    FakeAccess,
)
from tests.support.wording import is_sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from functions.billing.model import WebhookEvent

EMAIL = f"{VIEWER.user_id}@example.org"


class Accounts:
    """The email addresses of a viewer and an administrator."""

    def emails_of(self, user_ids: Iterable[str | None]) -> dict[str, str]:
        known = {VIEWER.user_id: VIEWER.email, ADMINISTRATOR.user_id: ADMINISTRATOR.email}
        return {each: known[each] for each in user_ids if each in known}


@dataclass
class Verifier:
    """Accepts webhooks from one address and notes the last one; refuses all others."""

    event: WebhookEvent
    body: bytes = b""

    def read(self, headers: Mapping[str, str], body: bytes, *, source: str) -> WebhookEvent:
        if source != "203.0.113.7":
            raise NotFromPayPal("The signature is not PayPal's, or is for another body.")
        self.body = body
        return self.event


@pytest.fixture
def billing(monkeypatch: pytest.MonkeyPatch) -> ModelledBilling:
    """Let the functions use billing with stores in memory and a model of PayPal."""
    store, clock = MemorySubscriptions(), TickingClock()
    entitlements = Entitlements(store, MemoryEntitlementCache(), clock)
    made = ModelledBilling(store, MemoryPayments(), clock, entitlement_changed=entitlements.changed)
    services = SimpleNamespace(
        subscriptions=made.subscriptions,
        admin=made.admin,
        inbox=WebhookInbox(Verifier(make_event("BILLING.SUBSCRIPTION.UPDATED", "I-1")), store, made.dependencies),
    )
    monkeypatch.setattr(bootstrap, "billing", lambda: services)
    monkeypatch.setattr(bootstrap, "entitlements", lambda: entitlements)
    monkeypatch.setattr(bootstrap, "access", FakeAccess)
    monkeypatch.setattr(bootstrap, "accounts", Accounts)
    monkeypatch.setattr(bootstrap.resources, "now", clock)
    settings = Settings(storage="", mongo_url="", operator_key=OPERATOR_KEY)
    monkeypatch.setattr(bootstrap.resources, "settings", lambda: settings)
    return made


class _AnySentence:
    """Equals every text that is a sentence."""

    def __eq__(self, other: object) -> bool:
        return is_sentence(other)

    __hash__ = None  # type: ignore[assignment]


ANY_SENTENCE = _AnySentence()


def text_of(moment: Any) -> str:
    """Return a time as the API writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def plan_of(billing: ModelledBilling, plan_id: str) -> dict[str, Any]:
    """Return the JSON of the monthly plan."""
    plan = billing.store.find_plan(plan_id)
    assert plan
    return {
        "id": plan_id,
        "name": plan.offer.name,
        "description": "Every film.",
        "price_minor": 799,
        "currency": "EUR",
        "interval": "month",
        "interval_count": 1,
    }


def begin(billing: ModelledBilling, plan_id: str = "") -> tuple[str, str]:
    """Start a checkout; return the ids of the plan and of the subscription."""
    plan_id = plan_id or billing.plan()
    billing.clock.forward(seconds=5)
    status, checkout = call(triggers.subscribe, "subscriptions", body={"plan_id": plan_id}, headers=AS_VIEWER)
    subscription_id = checkout["subscription_id"]
    page = f"https://paypal.example/{subscription_id}"
    assert (status, checkout) == (201, {"subscription_id": subscription_id, "approve_url": page})
    return plan_id, subscription_id


def pay(billing: ModelledBilling, subscription_id: str) -> None:
    billing.paypal.approve(subscription_id)
    billing.catch_up()
    billing.clock.forward(seconds=5)


def shown(billing: ModelledBilling) -> dict[str, Any]:
    """Return what the viewer sees of the subscription."""
    status, body = call(triggers.get_subscription, "subscription", headers=AS_VIEWER)
    assert status == 200
    billing.work()
    found: dict[str, Any] = body
    return found


def test_a_viewer_without_a_subscription_is_told_so(billing: ModelledBilling) -> None:
    nothing = dict.fromkeys(["subscription_id", "plan", "approve_url", "next_charge", "paid_through"])
    assert shown(billing) == {
        **nothing,
        "state": "none",
        "says": ANY_SENTENCE,
        "can_cancel": False,
        "entitlement": {"entitled": False, "reason": "none", "until": None},
    }
    status, refused = call(triggers.cancel_subscription, "subscription", headers=AS_VIEWER)
    assert (status, refused["detail"]) == (404, ANY_SENTENCE)
    assert call(triggers.subscribe, "subscriptions", body={"plan_id": "P-NO"}, headers=AS_VIEWER)[0] == 404


def test_a_checkout_that_waits_shows_where_to_approve_it(billing: ModelledBilling) -> None:
    plan_id, subscription_id = begin(billing)
    body = shown(billing)
    assert body["approve_url"] == f"https://paypal.example/{subscription_id}"
    assert is_sentence(body["says"]) and "approval" in body["says"]
    assert (body["state"], body["subscription_id"], body["plan"]) == (
        "pending",
        subscription_id,
        plan_of(billing, plan_id),
    )
    assert (body["can_cancel"], body["next_charge"], body["paid_through"]) == (False, None, None)


def test_a_paid_subscription_shows_its_next_charge_and_can_be_cancelled(billing: ModelledBilling) -> None:
    plan_id, subscription_id = begin(billing)
    pay(billing, subscription_id)
    ends = text_of(billing.paypal.records[subscription_id].periods[0].ends)
    until = text_of(billing.paypal.records[subscription_id].periods[0].ends + timedelta(days=1))
    assert shown(billing) == {
        "state": "active",
        "says": ANY_SENTENCE,
        "subscription_id": subscription_id,
        "plan": plan_of(billing, plan_id),
        "approve_url": None,
        "next_charge": {"at": ends, "amount_minor": 799, "currency": "EUR"},
        "paid_through": ends,
        "can_cancel": True,
        "entitlement": {"entitled": True, "reason": "subscription", "until": until},
    }
    status, body = call(triggers.cancel_subscription, "subscription", headers=AS_VIEWER)
    assert (status, body["state"], body["can_cancel"]) == (200, "cancelled", False)
    assert is_sentence(body["says"]) and "cancelled" in body["says"]
    assert (body["next_charge"], body["paid_through"]) == (None, ends)
    assert body["entitlement"] == {"entitled": True, "reason": "subscription", "until": ends}
    billing.clock.forward(days=31)
    ended = shown(billing)
    assert is_sentence(ended["says"]) and "ended" in ended["says"]
    assert (ended["state"], ended["entitlement"]["entitled"]) == ("cancelled", False)


def test_a_suspended_subscription_says_why_and_can_be_cancelled(billing: ModelledBilling) -> None:
    _, subscription_id = begin(billing)
    pay(billing, subscription_id)
    billing.paypal.turn(subscription_id, State.SUSPENDED)
    billing.catch_up()
    body = shown(billing)
    assert (body["state"], body["can_cancel"], body["next_charge"]) == ("suspended", True, None)
    assert is_sentence(body["says"]) and "A payment failed" in body["says"]
    assert body["entitlement"]["entitled"], "the time that was paid is not taken away"
    billing.clock.forward(days=40)
    over = shown(billing)
    assert is_sentence(over["says"]) and "suspended" in over["says"]
    assert not over["entitlement"]["entitled"]


def test_an_active_subscription_that_is_not_paid_says_whether_one_can_watch(billing: ModelledBilling) -> None:
    plan_id, first = begin(billing)
    pay(billing, first)
    call(triggers.cancel_subscription, "subscription", headers=AS_VIEWER)
    billing.catch_up()
    _, second = begin(billing, plan_id)
    pay(billing, second)
    body = shown(billing)
    assert (body["subscription_id"], body["paid_through"]) == (second, None)
    assert is_sentence(body["says"]) and "first charged" in body["says"]
    assert body["next_charge"]["at"] == text_of(billing.paypal.records[first].periods[0].ends)
    billing.paypal.pay_back(first)
    billing.catch_up()
    body = shown(billing)
    assert is_sentence(body["says"]) and "not paid" in body["says"]
    assert not body["entitlement"]["entitled"]


def test_a_subscription_that_paypal_no_longer_has_is_shown_as_ended(billing: ModelledBilling) -> None:
    _, subscription_id = begin(billing)
    pay(billing, subscription_id)
    del billing.paypal.records[subscription_id]
    billing.reconciliation.reconcile_stale(everything=True)
    billing.work()
    body = shown(billing)
    assert (body["state"], body["can_cancel"]) == ("ended", False)
    assert is_sentence(body["says"]) and "ended" in body["says"]


def test_receipts_show_what_was_paid_and_paid_back(billing: ModelledBilling) -> None:
    _, subscription_id = begin(billing)
    pay(billing, subscription_id)
    (charge,) = billing.paypal.records[subscription_id].charges
    receipt = {
        "id": charge.payment_id,
        "subscription_id": subscription_id,
        "at": text_of(charge.at),
        "amount_minor": 799,
        "refunded_minor": 0,
        "currency": "EUR",
        "state": "completed",
    }
    for minor, changes in (
        (None, {}),
        (250, {"refunded_minor": 250, "state": "partially_refunded"}),
        (799, {"refunded_minor": 799, "state": "refunded"}),
    ):
        if minor:
            billing.paypal.pay_back(subscription_id, minor)
            billing.catch_up()
        page = {"payments": [{**receipt, **changes}], "cursor": None}
        assert call(triggers.list_payments, "payments", headers=AS_VIEWER) == (200, page)


def test_plans_are_created_listed_and_retired(billing: ModelledBilling) -> None:
    offer: dict[str, object] = {"name": "Quarterly", "price": "19.90", "currency": "eur"}
    offer |= {"description": " Every film. ", "interval": "month", "interval_count": 3}
    status, plan = call(triggers.create_plan, "plans", body=offer, headers=AS_OPERATOR)
    assert (status, plan["created_at"], plan["retired_at"]) == (201, text_of(NOON), None)
    public = {key: value for key, value in plan.items() if key not in ("created_at", "retired_at")}
    assert public == {
        "id": plan["id"],
        "name": "Quarterly",
        "description": "Every film.",
        "price_minor": 1990,
        "currency": "EUR",
        "interval": "month",
        "interval_count": 3,
    }
    assert call(triggers.create_plan, "plans", body=offer, headers=AS_OPERATOR) == (200, plan)
    assert call(triggers.list_plans, "plans") == (200, {"plans": [public]})
    billing.clock.forward(days=1)
    route = {"id": plan["id"]}
    assert call(triggers.retire_plan, f"plans/{plan['id']}", route=route, headers=AS_OPERATOR) == (204, None)
    assert call(triggers.list_plans, "plans") == (200, {"plans": []})
    retired = {**plan, "retired_at": text_of(NOON + timedelta(days=1))}
    assert call(triggers.list_all_plans, "plans/all", headers=AS_OPERATOR) == (200, {"plans": [retired]})


def test_free_access_names_who_has_gave_and_revoked_it(billing: ModelledBilling) -> None:
    asked = {"email": EMAIL, "days": 3}
    status, grant = call(triggers.grant_access, "grants", body=asked, headers=AS_ADMINISTRATOR)
    assert (status, grant) == (
        201,
        {
            "grant_id": grant["grant_id"],
            "user_id": VIEWER.user_id,
            "email": VIEWER.email,
            "until": text_of(NOON + timedelta(days=3)),
            "granted_at": text_of(NOON),
            "granted_by": ADMINISTRATOR.user_id,
            "granted_by_email": ADMINISTRATOR.email,
            "revoked_at": None,
            "revoked_by": None,
            "revoked_by_email": None,
        },
    )
    assert call(triggers.list_grants, "grants", headers=AS_OPERATOR) == (200, {"grants": [grant], "cursor": None})
    billing.clock.forward(hours=1)
    address, route = f"grants/{grant['grant_id']}", {"id": grant["grant_id"]}
    status, revoked = call(triggers.revoke_grant, address, route=route, headers=AS_OPERATOR)
    at = text_of(NOON + timedelta(hours=1))
    assert (status, revoked) == (200, {**grant, "until": at, "revoked_at": at, "revoked_by": "operator"})
    status, by_operator = call(triggers.grant_access, "grants", body=asked, headers=AS_OPERATOR)
    assert (status, by_operator["granted_by"], by_operator["granted_by_email"]) == (201, "operator", None)
    address, route = f"grants/{by_operator['grant_id']}", {"id": by_operator["grant_id"]}
    _, revoked = call(triggers.revoke_grant, address, route=route, headers=AS_ADMINISTRATOR)
    assert (revoked["revoked_by"], revoked["revoked_by_email"]) == (ADMINISTRATOR.user_id, ADMINISTRATOR.email)


@pytest.mark.parametrize(
    "ends", [{}, {"until": "2026-11-24T11:00:00Z"}, {"until": "2126-12-24T11:00:00Z"}], ids=["none", "past", "late"]
)
def test_free_access_without_one_end_in_a_hundred_years_is_refused(
    billing: ModelledBilling, ends: dict[str, str]
) -> None:
    status, refused = call(triggers.grant_access, "grants", body={"email": EMAIL, **ends}, headers=AS_OPERATOR)
    assert (status, refused["detail"]) == (422, ANY_SENTENCE)


def test_the_owner_sees_subscriptions_with_the_address_of_their_account_while_it_exists(
    billing: ModelledBilling,
) -> None:
    plan_id, subscription_id = begin(billing)
    pay(billing, subscription_id)
    record = billing.paypal.records[subscription_id]
    status, page = call(triggers.list_subscriptions, "subscriptions", headers=AS_OPERATOR)
    (listed,) = page["subscriptions"]
    ends = text_of(record.periods[0].ends)
    assert (status, listed) == (
        200,
        {
            "subscription_id": subscription_id,
            "user_id": VIEWER.user_id,
            "email": VIEWER.email,
            "plan_id": plan_id,
            "state": "active",
            "state_since": text_of(record.remote.state_since),
            "next_charge_at": ends,
            "paid_through": ends,
            "created_at": text_of(record.remote.created_at),
            "asked_at": listed["asked_at"],
        },
    )
    assert listed["asked_at"] >= listed["state_since"]
    billing.subscriptions.forget_viewer(VIEWER.user_id)
    (listed,) = call(triggers.list_subscriptions, "subscriptions", headers=AS_OPERATOR)[1]["subscriptions"]
    assert (listed["subscription_id"], listed["user_id"], listed["email"]) == (subscription_id, None, None)


def test_a_webhook_is_stored_and_shown_to_the_owner_until_its_subject_is_settled(billing: ModelledBilling) -> None:
    def send(ip: str) -> tuple[int, Any]:
        return call(triggers.take_paypal_event, "paypal/webhooks", body=b"{}", headers={"X-Forwarded-For": ip})

    assert send("192.0.2.1")[0] == 400
    assert send("192.0.2.1, 203.0.113.7:50311") == send("203.0.113.7") == (200, {})
    status, page = call(triggers.list_paypal_events, "paypal/events", headers=AS_OPERATOR)
    (event,) = page["events"]
    assert (status, event) == (
        200,
        {
            "id": event["id"],
            "type": "BILLING.SUBSCRIPTION.UPDATED",
            "subject": "I-1",
            "received_at": text_of(NOON),
            "deliveries": 2,
            "settled": False,
        },
    )
    assert event["id"].startswith("WH-")
    billing.work()
    assert call(triggers.list_paypal_events, "paypal/events", headers=AS_OPERATOR)[1]["events"][0]["settled"]


def test_a_webhook_that_is_far_too_large_is_refused_unread(billing: ModelledBilling) -> None:
    headers = {"X-Forwarded-For": "203.0.113.7"}
    for more, status in ((1, 413), (0, 200)):
        body = b" " * ((256 << 10) + more)
        assert call(triggers.take_paypal_event, "paypal/webhooks", body=body, headers=headers)[0] == status


def test_subscribing_to_a_second_plan_is_a_conflict(billing: ModelledBilling) -> None:
    plan_id, subscription_id = begin(billing)
    pay(billing, subscription_id)
    status, refused = call(triggers.subscribe, "subscriptions", body={"plan_id": plan_id}, headers=AS_VIEWER)
    assert (status, refused["error"]) == (409, "already_subscribed")
