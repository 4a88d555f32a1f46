"""The domain of billing: plans, subscriptions, payments, grants, webhook events, and the resulting entitlement."""

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
"""The final states; nothing is charged in them."""

UNAPPROVED = frozenset({State.APPROVAL_PENDING, State.APPROVED})
"""The states before the first charge."""


class Interval(StrEnum):
    """The unit of a billing period."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    YEAR = "YEAR"


MOST_INTERVALS = {Interval.DAY: 365, Interval.WEEK: 52, Interval.MONTH: 12, Interval.YEAR: 1}
"""The longest billing period that PayPal accepts, in each unit (Subscriptions v1, frequency)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The offer of a plan: a price every `count` intervals; `price_minor` is in the currency's smallest unit."""

    name: str
    description: str
    price_minor: int
    currency: str
    interval: Interval
    count: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan at PayPal. A retired plan accepts no new subscribers but continues for existing ones."""

    plan_id: str
    product_id: str
    offer: Offer
    created_at: datetime
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription in the latest state that PayPal returned.

    `user_id` is None once its account is deleted. `state_since` is PayPal's status_update_time. `paid_through` is the
    time until which the subscription is paid, or None if nothing was paid or the payment was refunded. `asked_at` is
    the time at which PayPal was queried.
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
    """The last successful payment of a subscription; it may still be missing from the list of transactions."""

    at: datetime
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class RemoteSubscription:
    """A subscription as PayPal's API returns it.

    `user_id` is the value that we wrote to its custom_id, or None if that value is not one of our ids. `failing` is
    true if its last charge failed, `altered` if its price or quantity differs from its plan.
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
    """A checkout that was started: the id of the request to PayPal, and PayPal's answer if it has arrived."""

    request_id: str
    subscription_id: str | None = None
    approve_url: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class PendingSubscription:
    """The stored subscription, and the token of its pending flag; either may be None.

    `begun_here` is true if a request of ours created the subscription. This matters because anyone who knows the ids of
    a plan and an account can create a subscription that refers to both.
    """

    token: str | None
    subscription: Subscription | None
    begun_here: bool


@dataclass(frozen=True, slots=True)
class ReconcileResult:
    """The result of storing PayPal's answer: the subscriber, and whether a query is pending.

    The subject is pending again if an event arrived after PayPal was queried. If the subscription is ACTIVE, `earlier`
    and `later` are the subscriber's other ACTIVE subscriptions that became active before and after this one.
    """

    user_id: str | None
    pending: bool = False
    earlier: tuple[str, ...] = ()
    later: tuple[str, ...] = ()


class PaymentState(StrEnum):
    """The states of a payment at PayPal; a chargeback also counts as REFUNDED."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    DECLINED = "DECLINED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"


PAID = frozenset({PaymentState.COMPLETED, PaymentState.PARTIALLY_REFUNDED})


@dataclass(frozen=True, slots=True)
class Charge:
    """One transaction of a subscription in PayPal's list; `refunded_minor` is the refunded amount."""

    payment_id: str
    state: PaymentState
    amount_minor: int
    currency: str
    at: datetime
    refunded_minor: int = 0

    @property
    def refunded(self) -> bool:
        """Return whether the charge was refunded in full."""
        return self.state is PaymentState.REFUNDED or (self.state in PAID and self.refunded_minor >= self.amount_minor)


@dataclass(frozen=True, slots=True)
class Payment:
    """A charge as stored: without name and address, and without `user_id` once the account is deleted."""

    charge: Charge
    subscription_id: str
    user_id: str | None


@dataclass(frozen=True, slots=True)
class Grant:
    """Free access until a time, given by the owner.

    If the owner revoked it, `revoked_at` and `revoked_by` say when and by whom; `until` is then the earlier end.
    """

    grant_id: str
    user_id: str
    until: datetime
    granted_at: datetime
    granted_by: str
    revoked_at: datetime | None = None
    revoked_by: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A webhook as received: the raw body, its SHA-256, and the subject to query PayPal about, or None.

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
    """An event of the webhook inbox, as shown to the owner; `deliveries` is the number of its deliveries."""

    event_id: str
    kind: str
    subject: str | None
    received_at: datetime
    deliveries: int
    settled: bool


@dataclass(frozen=True, slots=True)
class Entitlement:
    """Whether a viewer may play films, why, and until when; `until` is None if access does not end."""

    entitled: bool
    reason: str  # "administrator", "grant", "subscription" or "none"
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """The fields of a subscription that determine the entitlement."""

    state: State
    paid_through: datetime | None


CHARGE_HOUR = 10
"""The hour (UTC) at which PayPal charges."""

GRACE = timedelta(days=1)
"""How long an active subscription entitles after its charge is due; PayPal charges in the course of that day."""

SAME_PAYMENT = timedelta(hours=1)
"""The times of `last_payment` and its transaction may differ by seconds; two charges are at least hours apart."""

CALENDAR_DRIFT = timedelta(days=4)
"""How much longer a period can be than a month or year, such as from 28 February to 31 March."""


def covers_until(subscription: Coverage | Subscription) -> datetime | None:
    """Return the time until which a subscription entitles its subscriber, or None if it does not."""
    if subscription.paid_through is None:
        return None
    if subscription.state is State.ACTIVE:
        return subscription.paid_through + GRACE
    return subscription.paid_through if subscription.state in (State.CANCELLED, State.SUSPENDED) else None


def entitlement_of(subscriptions: Iterable[Coverage], grants: Iterable[datetime], now: datetime) -> Entitlement:
    """Return the entitlement at `now` that results from subscriptions and grants; no other code decides this.

    Each item of `grants` is the time at which a grant ends. An ACTIVE subscription entitles until one day of grace
    after the next charge is due. A CANCELLED or SUSPENDED one entitles until the end of the paid period. One in any
    other state does not entitle. The day of grace is also added to a cancelled subscription that an active one
    replaces, because the active one is first charged when the paid period ends. Unpaid time never entitles.
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
    """Return the time until which a subscription is paid according to PayPal; `known` is the previous result.

    A payment counts only if it is at least the plan's price (`offer`), and it pays for one period. While the
    subscription is active and charges succeed, the period ends at the next charge. Once the subscription is suspended
    or has ended, or a charge has failed, PayPal returns no next charge, or one for a period that is not paid. The paid
    period then ends one interval after the last payment. The period ends no earlier than 10:00 UTC, when PayPal
    charges, and no later than `known`, if that is the end of the same period.

    The result is None before the first payment, after a full refund of the last one, if the plan is unknown, and if
    the subscription's price was altered.
    """
    if offer is None or remote.altered or remote.state in UNAPPROVED:
        return None
    paid_at = _last_paid_at(remote, charges, offer)
    if paid_at is None:
        return None
    ends = after(paid_at, offer.interval, offer.count)
    ends = max(ends, ends.replace(hour=CHARGE_HOUR, minute=0, second=0, microsecond=0))
    if remote.next_charge_at and remote.state is State.ACTIVE and not remote.failing:
        drift = CALENDAR_DRIFT if offer.interval in (Interval.MONTH, Interval.YEAR) else timedelta(0)
        return min(remote.next_charge_at, ends + drift)
    return min(ends, known) if known and known > paid_at else ends


def _last_paid_at(remote: RemoteSubscription, charges: Iterable[Charge], offer: Offer) -> datetime | None:
    """Return the time of the last payment of the offer's price, or None if there is none or it was fully refunded."""
    taken = [charge for charge in charges if charge.state in PAID or charge.state is PaymentState.REFUNDED]
    listed_at = max((charge.at for charge in taken), default=None)
    unlisted = remote.last_payment
    if unlisted and (listed_at is None or unlisted.at > listed_at + SAME_PAYMENT) and _pays(unlisted, offer):
        return unlisted.at
    last = max((charge for charge in taken if _pays(charge, offer)), key=lambda charge: charge.at, default=None)
    return None if last is None or last.refunded else last.at


def _pays(payment: Charge | LastPayment, offer: Offer) -> bool:
    """Return whether a payment is at least an offer's price; a payment is higher if an unpaid period is charged too."""
    return payment.currency == offer.currency and payment.amount_minor >= offer.price_minor


def after(at: datetime, interval: Interval, count: int) -> datetime:
    """Return the time `count` intervals after `at`; a day that the month does not have becomes the month's last day."""
    if interval in (Interval.DAY, Interval.WEEK):
        return at + timedelta(days=count * (7 if interval is Interval.WEEK else 1))
    months = at.month - 1 + count * (12 if interval is Interval.YEAR else 1)
    year, month = at.year + months // 12, months % 12 + 1
    return at.replace(year=year, month=month, day=min(at.day, calendar.monthrange(year, month)[1]))
