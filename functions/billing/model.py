"""The domain of billing: plans, subscriptions, payments, grants, webhook events, and the entitlement that follows."""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class State(StrEnum):
    """The states of a subscription at PayPal."""

    APPROVAL_PENDING = "APPROVAL_PENDING"
    APPROVED = "APPROVED"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


ENDED = frozenset({State.CANCELLED, State.EXPIRED})
"""The states that never change again; nothing is charged in them."""

UNAPPROVED = frozenset({State.APPROVAL_PENDING, State.APPROVED})
"""The states before the first charge."""


class Interval(StrEnum):
    """The unit of a billing period."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"


MOST_INTERVALS = {Interval.DAY: 365, Interval.WEEK: 52, Interval.MONTH: 12, Interval.YEAR: 1}
"""The longest period that PayPal bills, in each unit (Subscriptions v1, frequency)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a plan offers: a price every `count` intervals; `price_minor` is in the currency's smallest unit."""

    name: str
    description: str
    price_minor: int
    currency: str
    interval: Interval
    count: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan at PayPal. A retired plan takes no new subscribers and continues for those it has."""

    plan_id: str
    product_id: str
    offer: Offer
    created_at: datetime
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as PayPal last described it.

    `user_id` is None once its account is deleted. `state_since` is PayPal's status_update_time. `paid_through` is the
    time until which it is paid for, None if nothing was paid or the payment was refunded. `asked_at` is when PayPal
    was asked.
    """

    subscription_id: str
    user_id: str | None
    plan_id: str
    state: State
    state_since: datetime
    next_charge_at: datetime | None
    paid_through: datetime | None
    approve_url: str = field(repr=False)
    created_at: datetime
    asked_at: datetime | None


@dataclass(frozen=True, slots=True)
class LastPayment:
    """The last payment of a subscription that succeeded; the list of transactions may not have it yet."""

    at: datetime
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class RemoteSubscription:
    """What PayPal answers about a subscription.

    `user_id` is what we wrote into its custom_id, None if that is no id of ours. `failing`: its last charge failed.
    `altered`: its price or quantity is not that of its plan.
    """

    subscription_id: str
    user_id: str | None
    plan_id: str
    state: State
    state_since: datetime
    created_at: datetime
    next_charge_at: datetime | None
    last_payment: LastPayment | None
    failing: bool = False
    altered: bool = False
    approve_url: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class CheckoutAttempt:
    """A checkout that has begun: the id of the request to PayPal, and what PayPal has already answered to it."""

    request_id: str
    subscription_id: str | None = None
    approve_url: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class PendingSubscription:
    """What is stored about a subscription, and the token of its pending flag; either may be None.

    `begun_here`: it answers a request of ours. Anyone who knows a plan and an account can create a subscription that
    names both.
    """

    token: str | None
    subscription: Subscription | None
    begun_here: bool


@dataclass(frozen=True, slots=True)
class ReconcileResult:
    """The result of storing PayPal's answer: the subscriber, whether anything changed, whether it is pending again.

    It is pending again if an event arrived after PayPal was asked. If the subscription is ACTIVE, `earlier` and
    `later` are the subscriber's other ACTIVE subscriptions, by when they became active relative to this one.
    """

    user_id: str | None
    changed: bool
    pending: bool = False
    earlier: tuple[str, ...] = ()
    later: tuple[str, ...] = ()


class PaymentState(StrEnum):
    """The states of a payment at PayPal; a chargeback is REFUNDED too."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    DECLINED = "DECLINED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"


PAID = frozenset({PaymentState.COMPLETED, PaymentState.PARTIALLY_REFUNDED})


@dataclass(frozen=True, slots=True)
class Charge:
    """One transaction of a subscription as PayPal lists it; `refunded_minor` is the part that was refunded."""

    payment_id: str
    state: PaymentState
    amount_minor: int
    currency: str
    at: datetime
    refunded_minor: int = 0

    @property
    def refunded(self) -> bool:
        """Return whether all of it was refunded."""
        return self.state is PaymentState.REFUNDED or (self.state in PAID and self.refunded_minor >= self.amount_minor)


@dataclass(frozen=True, slots=True)
class Payment:
    """A charge as it is stored: without name and address, and without `user_id` once the account is deleted."""

    charge: Charge
    subscription_id: str
    user_id: str | None


@dataclass(frozen=True, slots=True)
class Grant:
    """Free access until a time, given by the owner."""

    grant_id: str
    user_id: str
    until: datetime
    granted_at: datetime
    granted_by: str


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A webhook as received: the raw body, its SHA-256, and the subject to ask PayPal about, None if there is none.

    A subject is the id of a subscription, or `refund/<id>`, because a refund does not name its subscription.
    """

    event_id: str
    kind: str
    subject: str | None
    sent_at: datetime | None
    body: str = field(repr=False)
    body_hash: str


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event of the webhook inbox, as the owner sees it; `deliveries` counts how often it was delivered."""

    event_id: str
    kind: str
    subject: str | None
    received_at: datetime
    deliveries: int
    settled: bool


@dataclass(frozen=True, slots=True)
class Entitlement:
    """Whether a viewer may play films, why, and until when; `until` is None if there is no end."""

    entitled: bool
    reason: str  # "administrator", "grant", "subscription" or "none"
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the entitlement needs to know of a subscription."""

    state: State
    paid_through: datetime | None


CHARGE_HOUR = 10
"""The hour (UTC) at which PayPal charges."""

GRACE = timedelta(days=1)
"""How long an active subscription entitles after its charge is due: PayPal charges in the course of that day."""

SAME_PAYMENT = timedelta(hours=1)
"""`last_payment` and the transaction of it may differ by seconds; two charges are at least hours apart."""

CALENDAR_DRIFT = timedelta(days=4)
"""How much longer than a month or year a period can be: from 28 February to 31 March."""


def covers_until(subscription: Coverage | Subscription) -> datetime | None:
    """Return the time until which a subscription entitles its subscriber, None if it does not."""
    if subscription.paid_through is None:
        return None
    if subscription.state is State.ACTIVE:
        return subscription.paid_through + GRACE
    return subscription.paid_through if subscription.state is State.CANCELLED else None


def entitlement_of(subscriptions: Iterable[Coverage], grants: Iterable[datetime], now: datetime) -> Entitlement:
    """Return the entitlement that follows from subscriptions and grants (their ends) at `now`; the only such rule.

    ACTIVE entitles until the next charge and a day of grace, CANCELLED until the end of the paid period, every other
    state not at all. The day of grace also follows a cancelled subscription that an active one takes over from, which
    is first charged when the paid period ends. Where nothing is paid for, nothing entitles.
    """
    held = list(subscriptions)
    grace = GRACE if any(one.state is State.ACTIVE for one in held) else timedelta(0)
    ends = [
        ("subscription", until + grace if one.state is State.CANCELLED else until)
        for one in held
        if (until := covers_until(one))
    ]
    ends += [("grant", until) for until in grants]
    future_ends = [(until, reason) for reason, until in ends if until > now]
    if not future_ends:
        return Entitlement(False, "none")
    until, reason = max(future_ends)
    return Entitlement(True, reason, until)


def paid_through_of(
    remote: RemoteSubscription, charges: Iterable[Charge], offer: Offer | None, *, known: datetime | None = None
) -> datetime | None:
    """Return the time until which a subscription is paid for, by PayPal's answers; `known` is the previous result.

    Only a payment of the plan's price (`offer`) or more pays, and only for one period: that is until the next charge
    while the subscription is active and pays. Once it has ended, or a charge failed, PayPal names no next charge, or
    one that is not paid for; then it is the last payment plus one period. PayPal charges at 10:00 UTC, so the period
    reaches to that hour at least, but no further than `known` of the same period.

    Nothing is paid for before the first payment, after the last one was fully refunded, if the plan is unknown, or if
    the subscription's price was altered.
    """
    if offer is None or remote.altered or remote.state in UNAPPROVED:
        return None
    paid_at = _last_paid_at(remote, charges, offer)
    if paid_at is None:
        return None
    ends = after(paid_at, offer.interval, offer.count)
    ends = max(ends, ends.replace(hour=CHARGE_HOUR, minute=0, second=0, microsecond=0))
    if remote.next_charge_at and remote.state not in ENDED and not remote.failing:
        drift = CALENDAR_DRIFT if offer.interval in (Interval.MONTH, Interval.YEAR) else timedelta(0)
        return min(remote.next_charge_at, ends + drift)
    return min(ends, known) if known and known > paid_at else ends


def _last_paid_at(remote: RemoteSubscription, charges: Iterable[Charge], offer: Offer) -> datetime | None:
    """Return the time of the last payment of the offer's price, None if there is none or it was fully refunded."""
    taken = [charge for charge in charges if charge.state in PAID or charge.state is PaymentState.REFUNDED]
    listed_at = max((charge.at for charge in taken), default=None)
    unlisted = remote.last_payment
    if unlisted and (listed_at is None or unlisted.at > listed_at + SAME_PAYMENT) and _pays(unlisted, offer):
        return unlisted.at
    last = max((charge for charge in taken if _pays(charge, offer)), key=lambda charge: charge.at, default=None)
    return None if last is None or last.refunded else last.at


def _pays(payment: Charge | LastPayment, offer: Offer) -> bool:
    """Return whether a payment is of an offer's price; it is more where an unpaid period is charged with it."""
    return payment.currency == offer.currency and payment.amount_minor >= offer.price_minor


def after(at: datetime, interval: Interval, count: int) -> datetime:
    """Return the time `count` intervals later; a day that the month lacks becomes its last day."""
    if interval in (Interval.DAY, Interval.WEEK):
        return at + timedelta(days=count * (7 if interval is Interval.WEEK else 1))
    months = at.month - 1 + count * (12 if interval is Interval.YEAR else 1)
    year, month = at.year + months // 12, months % 12 + 1
    return at.replace(year=year, month=month, day=min(at.day, calendar.monthrange(year, month)[1]))
