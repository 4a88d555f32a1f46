"""The JSON that billing answers, and the words for how a subscription stands."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from functions.billing.model import State, covers_until

if TYPE_CHECKING:
    from datetime import datetime

    from functions.billing.model import Entitlement, Grant, Payment, Plan, StoredEvent, Subscription
    from functions.billing.service import Current

NAMES = {
    State.APPROVAL_PENDING: "pending",
    State.APPROVED: "pending",
    State.ACTIVE: "active",
    State.SUSPENDED: "suspended",
    State.CANCELLED: "cancelled",
    State.EXPIRED: "ended",
}


def public_plan(plan: Plan) -> dict[str, Any]:
    """Return a plan as anyone may see it."""
    offer = plan.offer
    return {
        "id": plan.plan_id,
        "name": offer.name,
        "description": offer.description,
        "price_minor": offer.price_minor,
        "currency": offer.currency,
        "interval": offer.interval.value.lower(),
        "interval_count": offer.count,
    }


def owners_plan(plan: Plan) -> dict[str, Any]:
    """Return a plan as its owner sees it."""
    return {**public_plan(plan), "created_at": _time(plan.created_at), "retired_at": _time(plan.retired_at)}


def public_subscription(current: Current, entitlement: Entitlement, now: datetime) -> dict[str, Any]:
    """Return how a viewer's subscription stands, in words too."""
    one, plan = current.subscription, current.plan
    running = one is not None and one.state in (State.ACTIVE, State.SUSPENDED)
    charged = one is not None and one.state is State.ACTIVE and one.next_charge_at and plan
    return {
        "state": NAMES[one.state] if one else "none",
        "says": says(one, now),
        "subscription_id": one.subscription_id if one else None,
        "plan": public_plan(plan) if plan else None,
        "approve_url": (one.approve_url or None) if one and one.state is State.APPROVAL_PENDING else None,
        "next_charge": {
            "at": _time(one.next_charge_at),
            "amount_minor": plan.offer.price_minor,
            "currency": plan.offer.currency,
        }
        if one and plan and charged
        else None,
        "paid_through": _time(one.paid_through) if one else None,
        "can_cancel": running,
        "entitlement": public_entitlement(entitlement),
    }


def says(one: Subscription | None, now: datetime) -> str:
    """Return one sentence about a subscription."""
    if one is None:
        return "You have no subscription."
    if one.state in (State.APPROVAL_PENDING, State.APPROVED):
        return "PayPal has not confirmed your approval yet."
    if one.state is State.ACTIVE:
        if one.next_charge_at is None or one.paid_through is None:
            return "Your subscription is active, but its last payment was paid back."
        return "Your subscription is active."
    if one.state is State.SUSPENDED:
        return "PayPal has suspended your subscription because a payment failed. Settle it at PayPal, or cancel here."
    until = covers_until(one)
    if until and until > now:
        return (
            "Your subscription is cancelled. Nothing more is charged, and you can watch until what you paid for ends."
        )
    return "Your subscription is over. Nothing more is charged."


def public_entitlement(entitlement: Entitlement) -> dict[str, Any]:
    """Return whether someone may watch, by what, and until when."""
    return {
        "entitled": entitlement.entitled,
        "reason": entitlement.reason,
        "until": _time(entitlement.until),
    }


def public_payment(payment: Payment) -> dict[str, Any]:
    """Return a receipt."""
    charge = payment.charge
    return {
        "id": charge.payment_id,
        "subscription_id": payment.subscription_id,
        "at": _time(charge.at),
        "amount_minor": charge.amount_minor,
        "refunded_minor": charge.refunded_minor,
        "currency": charge.currency,
        "state": charge.state.value.lower(),
    }


def owners_subscription(one: Subscription) -> dict[str, Any]:
    """Return a subscription as the owner sees it: of which account, not of which person."""
    return {
        "subscription_id": one.subscription_id,
        "user_id": one.user_id,
        "plan_id": one.plan_id,
        "state": NAMES[one.state],
        "state_since": _time(one.state_since),
        "next_charge_at": _time(one.next_charge_at),
        "paid_through": _time(one.paid_through),
        "created_at": _time(one.created_at),
        "asked_at": _time(one.asked_at),
    }


def owners_grant(grant: Grant) -> dict[str, Any]:
    """Return a grant."""
    return {
        "grant_id": grant.grant_id,
        "user_id": grant.user_id,
        "until": _time(grant.until),
        "granted_at": _time(grant.granted_at),
        "granted_by": grant.granted_by,
    }


def owners_event(event: StoredEvent) -> dict[str, Any]:
    """Return an event of the inbox, without its body."""
    return {
        "id": event.event_id,
        "type": event.kind,
        "subject": event.subject,
        "received_at": _time(event.received_at),
        "deliveries": event.deliveries,
        "settled": event.settled,
    }


def _time(at: datetime | None) -> str | None:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}" if at else None
