"""The wording of a subscription's status for its subscriber."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.billing.model import UNAPPROVED, State, covers_until

if TYPE_CHECKING:
    from datetime import datetime

    from functions.billing.model import Entitlement, Subscription

STATE_NAMES = {
    State.APPROVAL_PENDING: "pending",
    State.APPROVED: "pending",
    State.ACTIVE: "active",
    State.SUSPENDED: "suspended",
    State.CANCELLED: "cancelled",
    State.EXPIRED: "ended",
}


def sentence(one: Subscription | None, entitlement: Entitlement, now: datetime) -> str:
    """Return one or two sentences about a subscription and the entitlement."""
    if one is None:
        return "You have no subscription."
    if one.state in UNAPPROVED:
        return "PayPal has not confirmed your approval yet."
    if one.state is State.ACTIVE:
        if one.paid_through is not None:
            return "Your subscription is active."
        if entitlement.reason == "subscription":
            return "Your subscription is active. It is first charged when the time you have already paid for ends."
        return "Your subscription is active, but not paid at the moment. You can watch again after the next payment."
    until = covers_until(one)
    if one.state is State.SUSPENDED and until and until > now:
        return (
            "A payment failed. You can watch until the end of the period you have paid for. "
            "To keep watching after that, settle the payment with PayPal."
        )
    if one.state is State.SUSPENDED:
        return (
            "PayPal has suspended your subscription because a payment failed. "
            "Settle the payment with PayPal, or cancel here."
        )
    if until and until > now:
        return (
            "Your subscription is cancelled. You will not be charged again, "
            "and you can watch until the end of the period you have paid for."
        )
    return "Your subscription has ended. You will not be charged again."
