"""The words of billing: plans, subscriptions, payments, grants, events, and what follows from them for a viewer."""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

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


OVER = frozenset({State.CANCELLED, State.EXPIRED})
"""The states that never change again; nothing is charged in them."""

WAITING = frozenset({State.APPROVAL_PENDING, State.APPROVED})
"""The states before the first charge."""


class Interval(StrEnum):
    """The unit of a billing period."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"


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
    """A plan at PayPal; a retired one takes no new subscribers and goes on for those it has."""

    plan_id: str
    product_id: str
    offer: Offer
    created_at: datetime
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as it was last found at PayPal.

    `user_id` is None once its account is deleted. `state_since` is PayPal's status_update_time. `paid_through` is up to
    when what was paid reaches; None if nothing is, or it was paid back. `asked_at` is when PayPal was asked for this.
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
class Standing:
    """What PayPal answers about a subscription.

    `user_id` is what we wrote into its custom_id, None if that is none of ours. `failing`: its last charge failed.
    """

    subscription_id: str
    user_id: str | None
    plan_id: str
    state: State
    state_since: datetime
    created_at: datetime
    next_charge_at: datetime | None
    last_paid_at: datetime | None
    failing: bool = False
    approve_url: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class Begun:
    """A subscription in the making: the request to ask PayPal under, and what PayPal has answered to it already."""

    request_id: str
    subscription_id: str | None = None
    approve_url: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is stored of a subscription, and the token under which it waits to be settled; either may be missing."""

    token: str | None
    subscription: Subscription | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a settlement: whose subscription it is, whether anything changed, and if an event came meanwhile.

    If it is ACTIVE, `earlier` and `later` are the other ACTIVE ones of the same person, by when they became so.
    """

    user_id: str | None
    changed: bool
    marked: bool = False
    earlier: tuple[str, ...] = ()
    later: tuple[str, ...] = ()


class PaymentState(StrEnum):
    """The states of a payment at PayPal; what the bank took back is REFUNDED too."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    DECLINED = "DECLINED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"


PAID = frozenset({PaymentState.COMPLETED, PaymentState.PARTIALLY_REFUNDED})


@dataclass(frozen=True, slots=True)
class Charge:
    """One transaction of a subscription as PayPal lists it; `refunded_minor` is what of it was paid back."""

    payment_id: str
    state: PaymentState
    amount_minor: int
    currency: str
    at: datetime
    refunded_minor: int = 0


@dataclass(frozen=True, slots=True)
class Payment:
    """A charge as it is kept; without a name or an address, and without `user_id` once the account is deleted."""

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
class Event:
    """A webhook as it came: the raw body, the hash of it, and what it speaks of, if we care.

    A subject is the id of a subscription, or `refund/<id>`, since a refund does not say which subscription it is of.
    """

    event_id: str
    kind: str
    subject: str | None
    sent_at: datetime | None
    body: str = field(repr=False)
    body_hash: str


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event of the inbox, as the owner sees it; `deliveries` counts how often it came."""

    event_id: str
    kind: str
    subject: str | None
    received_at: datetime
    deliveries: int
    settled: bool


@dataclass(frozen=True, slots=True)
class Entitlement:
    """Whether a viewer may play films, by what, and until when if it ends by itself."""

    entitled: bool
    reason: str  # "administrator", "grant", "subscription" or "none"
    until: datetime | None = None


class Covering(Protocol):
    """What of a subscription the entitlement follows from."""

    @property
    def state(self) -> State: ...
    @property
    def paid_through(self) -> datetime | None: ...


CHARGE_HOUR = 10
"""The hour (UTC) at which PayPal charges."""

GRACE = timedelta(days=1)
"""How long an active subscription goes on after its charge is due: PayPal charges in the course of that day."""


def covers_until(subscription: Covering) -> datetime | None:
    """Return up to when a subscription lets its owner in, None if it does not."""
    if subscription.paid_through is None:
        return None
    if subscription.state is State.ACTIVE:
        return subscription.paid_through + GRACE
    return subscription.paid_through if subscription.state is State.CANCELLED else None


def entitlement_of(subscriptions: Iterable[Covering], grants: Iterable[datetime], now: datetime) -> Entitlement:
    """Say whether subscriptions and grants (the times they end) let a viewer in at `now`; the one rule of access.

    ACTIVE lets in until the next charge and a day of grace, CANCELLED until what was paid for ends, every other state
    not. A payment that was paid back in full pays for nothing.
    """
    ends = [("subscription", until) for one in subscriptions if (until := covers_until(one))]
    ends += [("grant", until) for until in grants]
    open_ends = [(until, reason) for reason, until in ends if until > now]
    if not open_ends:
        return Entitlement(False, "none")
    until, reason = max(open_ends)
    return Entitlement(True, reason, until)


def paid_through_of(
    standing: Standing, charges: Iterable[Charge], offer: Offer | None, *, known: datetime | None = None
) -> datetime | None:
    """Return up to when a subscription is paid for, as far as PayPal tells; `known` is what this returned before.

    While it runs and pays, that is its next charge. Once it has ended, or a charge failed, it is the last payment and
    one period: PayPal then names no next charge, or one that is not paid up to. It charges at 10:00 UTC of the day, so
    the period reaches to that hour at least, and no further than was `known` of the same period. If the last payment
    was paid back in full, nothing is paid for.
    """
    taken = [charge for charge in charges if charge.state in PAID or charge.state is PaymentState.REFUNDED]
    last = max(taken, key=lambda charge: charge.at, default=None)
    paid_at = max((at for at in (standing.last_paid_at, last.at if last else None) if at), default=None)
    if standing.state in WAITING or (last and last.state is PaymentState.REFUNDED and last.at == paid_at):
        return None
    if standing.next_charge_at and standing.state not in OVER and not standing.failing:
        return standing.next_charge_at
    if paid_at is None or offer is None:
        return None
    ends = after(paid_at, offer.interval, offer.count)
    ends = max(ends, ends.replace(hour=CHARGE_HOUR, minute=0, second=0, microsecond=0))
    return min(ends, known) if known and known > paid_at else ends


def after(at: datetime, interval: Interval, count: int) -> datetime:
    """Return the time `count` intervals later; a day that the month lacks becomes its last."""
    if interval in (Interval.DAY, Interval.WEEK):
        return at + timedelta(days=count * (7 if interval is Interval.WEEK else 1))
    months = at.month - 1 + count * (12 if interval is Interval.YEAR else 1)
    year, month = at.year + months // 12, months % 12 + 1
    return at.replace(year=year, month=month, day=min(at.day, calendar.monthrange(year, month)[1]))
