"""The JSON of billing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from msgspec import Meta, Struct

from functions.billing.model import MOST_INTERVALS, Interval, Offer, State
from functions.billing.money import DECIMALS, WHOLE_ONLY, minor_of
from functions.billing.wording import STATE_NAMES, sentence
from functions.platform.errors import Malformed
from functions.platform.field_types import Cursor, Limit, NextCursor, Time
from functions.platform.pagination import LARGEST_LIMIT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from functions.billing import model
    from functions.billing.service import Checkout, CurrentSubscription
    from functions.platform.pagination import Page

GrantDays = Annotated[int, Meta(ge=1, le=36_500)]
GrantId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)", description="The id of a grant.")]

PlanId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}$", description="The id of a plan, as PayPal gave it.")]
PaymentId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,64}$(?!\n)", description="The id of a payment at PayPal.")]
Minor = Annotated[int, Meta(description="In the smallest unit of the currency.")]
Currency = Annotated[str, Meta(description="The ISO 4217 code.")]
IntervalName = Literal["day", "week", "month", "year"]
StateName = Literal["none", "pending", "active", "suspended", "cancelled", "ended"]


class ListQuery(Struct, frozen=True):
    """Which page of a list to return."""

    cursor: Cursor = ""
    limit: Limit = LARGEST_LIMIT


class NewPlan(Struct, frozen=True):
    """The offer of a new plan."""

    name: Annotated[str, Meta(min_length=1, max_length=127)]
    price: Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,3})?$", description="As decimal text, such as 7.99.")]
    currency: Annotated[str, Meta(pattern="^[A-Za-z]{3}$", description="The ISO 4217 code, such as EUR.")]
    description: Annotated[str, Meta(max_length=127)] = ""
    interval: IntervalName = "month"
    interval_count: Annotated[int, Meta(ge=1, le=365, description="The number of intervals between two charges.")] = 1

    def offer(self) -> Offer:
        """Return the offer. Raises Malformed if PayPal would not accept it."""
        name, description, currency = self.name.strip(), self.description.strip(), self.currency.upper()
        unit = Interval(self.interval.upper())
        if not name:
            raise Malformed("`name`: A plan needs a name.")
        if self.interval_count > MOST_INTERVALS[unit]:
            raise Malformed(f"`interval_count`: PayPal bills every 1 to {MOST_INTERVALS[unit]} {self.interval}s.")
        minor = minor_of(self.price, currency)
        if minor <= 0:
            raise Malformed("`price`: A plan's price must be more than zero.")
        if currency in WHOLE_ONLY and minor % 10 ** DECIMALS[currency]:
            raise Malformed(f"`price`: PayPal accepts only whole amounts in {currency}.")
        return Offer(name, description, minor, currency, unit, self.interval_count)


class OpenPlan(Struct, frozen=True):
    """A plan in its public form."""

    id: PlanId
    name: str
    description: str
    price_minor: Minor
    currency: Currency
    interval: IntervalName
    interval_count: int

    @classmethod
    def of(cls, plan: model.Plan) -> OpenPlan:
        """Return the JSON of a plan."""
        return OpenPlan(**_plan_fields(plan))


class OwnerPlan(OpenPlan, frozen=True):
    """A plan as owners see it; `retired_at` is null while it is open to new subscribers."""

    created_at: Time
    retired_at: Time | None

    @classmethod
    def of(cls, plan: model.Plan) -> OwnerPlan:
        """Return the JSON of a plan."""
        return OwnerPlan(**_plan_fields(plan), created_at=plan.created_at, retired_at=plan.retired_at)


class OpenPlans(Struct, frozen=True):
    """The plans that are open to new subscribers, cheapest first."""

    plans: tuple[OpenPlan, ...]


class OwnerPlans(Struct, frozen=True):
    """All plans, including retired ones, cheapest first."""

    plans: tuple[OwnerPlan, ...]


class NewSubscription(Struct, frozen=True):
    """The plan to subscribe to."""

    plan_id: PlanId


class CheckoutStarted(Struct, frozen=True):
    """A subscription that waits for approval, and the page at PayPal where the viewer approves it."""

    subscription_id: str
    approve_url: str

    @classmethod
    def of(cls, checkout: Checkout) -> Self:
        """Return the JSON of a checkout."""
        return cls(checkout.subscription_id, checkout.approve_url)


class PublicEntitlement(Struct, frozen=True):
    """Whether a viewer may play films, why, and until when; `until` is null if access does not end."""

    entitled: bool
    reason: Literal["administrator", "grant", "subscription", "none"]
    until: Time | None

    @classmethod
    def of(cls, entitlement: model.Entitlement) -> Self:
        """Return the JSON of an entitlement."""
        return cls(entitlement.entitled, entitlement.reason, entitlement.until)  # type: ignore[arg-type]


class NextCharge(Struct, frozen=True):
    """The next charge of a subscription."""

    at: Time
    amount_minor: Minor
    currency: Currency


class SubscriptionStatus(Struct, frozen=True):
    """The status of a viewer's subscription; `says` is a sentence about it for the viewer."""

    state: StateName
    says: str
    subscription_id: str | None
    plan: OpenPlan | None
    approve_url: str | None
    next_charge: NextCharge | None
    paid_through: Time | None
    can_cancel: bool
    entitlement: PublicEntitlement

    @classmethod
    def of(cls, current: CurrentSubscription, entitlement: model.Entitlement, now: datetime) -> Self:
        """Return the JSON of a viewer's subscription."""
        one, plan = current.subscription, current.plan
        charged_at = one.next_charge_at if one and one.state is State.ACTIVE else None
        return cls(
            state=_state_name(one.state) if one else "none",
            says=sentence(one, entitlement, now),
            subscription_id=one.subscription_id if one else None,
            plan=OpenPlan.of(plan) if plan else None,
            approve_url=(one.approve_url or None) if one and one.state is State.APPROVAL_PENDING else None,
            next_charge=NextCharge(charged_at, plan.offer.price_minor, plan.offer.currency)
            if charged_at and plan
            else None,
            paid_through=one.paid_through if one else None,
            can_cancel=one is not None and one.state in (State.ACTIVE, State.SUSPENDED),
            entitlement=PublicEntitlement.of(entitlement),
        )


class Receipt(Struct, frozen=True):
    """A payment of the caller."""

    id: str
    subscription_id: str
    at: Time
    amount_minor: Minor
    refunded_minor: Minor
    currency: Currency
    state: Literal["pending", "completed", "declined", "partially_refunded", "refunded"]

    @classmethod
    def of(cls, payment: model.Payment) -> Self:
        """Return the JSON of a payment."""
        charge = payment.charge
        return cls(
            charge.payment_id,
            payment.subscription_id,
            charge.at,
            charge.amount_minor,
            charge.refunded_minor,
            charge.currency,
            charge.state.value.lower(),  # type: ignore[arg-type]
        )


class ReceiptPage(Struct, frozen=True):
    """Payments of the caller, newest first."""

    payments: tuple[Receipt, ...]
    cursor: NextCursor

    @classmethod
    def of(cls, page: Page[model.Payment]) -> Self:
        """Return the JSON of a page."""
        return cls(tuple(map(Receipt.of, page.entries)), page.cursor)


class NewGrant(Struct, frozen=True):
    """Free access for the account with an email address, for a number of days or until a time."""

    email: Annotated[str, Meta(max_length=320)]
    days: Annotated[GrantDays | None, Meta(description="How many days from now; null if `until` is given.")] = None
    until: Annotated[Time | None, Meta(description="When the access ends; null if `days` is given.")] = None


class RevocationQuery(Struct, frozen=True):
    """When to end free access."""

    at: Annotated[Time | None, Meta(description="A time in the future; now if absent.")] = None


class OwnerGrant(Struct, frozen=True):
    """Free access of an account; an email address is null if the account was deleted."""

    grant_id: str
    user_id: str
    email: str | None
    until: Time
    granted_at: Time
    granted_by: Annotated[str, Meta(description="The id of an administrator, or `operator`.")]
    granted_by_email: str | None
    revoked_at: Annotated[Time | None, Meta(description="When it was revoked; `until` is then the earlier end.")]
    revoked_by: str | None
    revoked_by_email: str | None

    @classmethod
    def of(cls, grant: model.Grant, emails: Mapping[str, str]) -> Self:
        """Return the JSON of a grant; `emails` contains email addresses by the ids of accounts."""
        return cls(
            grant_id=grant.grant_id,
            user_id=grant.user_id,
            email=emails.get(grant.user_id),
            until=grant.until,
            granted_at=grant.granted_at,
            granted_by=grant.granted_by,
            granted_by_email=emails.get(grant.granted_by),
            revoked_at=grant.revoked_at,
            revoked_by=grant.revoked_by,
            revoked_by_email=emails.get(grant.revoked_by or ""),
        )


class GrantPage(Struct, frozen=True):
    """Grants, newest first."""

    grants: tuple[OwnerGrant, ...]
    cursor: NextCursor

    @classmethod
    def of(cls, page: Page[model.Grant], emails: Mapping[str, str]) -> Self:
        """Return the JSON of a page."""
        return cls(tuple(OwnerGrant.of(grant, emails) for grant in page.entries), page.cursor)


class OwnerSubscription(Struct, frozen=True):
    """A subscription as owners see it; account and email address are null if the account was deleted."""

    subscription_id: str
    user_id: str | None
    email: str | None
    plan_id: str
    state: StateName
    state_since: Time
    next_charge_at: Time | None
    paid_through: Time | None
    created_at: Time
    asked_at: Annotated[Time | None, Meta(description="When PayPal was last queried about it.")]

    @classmethod
    def of(cls, one: model.Subscription, emails: Mapping[str, str]) -> Self:
        """Return the JSON of a subscription."""
        return cls(
            subscription_id=one.subscription_id,
            user_id=one.user_id,
            email=emails.get(one.user_id or ""),
            plan_id=one.plan_id,
            state=_state_name(one.state),
            state_since=one.state_since,
            next_charge_at=one.next_charge_at,
            paid_through=one.paid_through,
            created_at=one.created_at,
            asked_at=one.asked_at,
        )


class SubscriptionPage(Struct, frozen=True):
    """Subscriptions, newest first."""

    subscriptions: tuple[OwnerSubscription, ...]
    cursor: NextCursor

    @classmethod
    def of(cls, page: Page[model.Subscription], emails: Mapping[str, str]) -> Self:
        """Return the JSON of a page."""
        return cls(tuple(OwnerSubscription.of(one, emails) for one in page.entries), page.cursor)


class OwnerEvent(Struct, frozen=True):
    """An event of the webhook inbox, without its body."""

    id: str
    type: str
    subject: str | None
    received_at: Time
    deliveries: int
    settled: Annotated[bool, Meta(description="Whether PayPal has been queried about its subject since.")]

    @classmethod
    def of(cls, event: model.StoredEvent) -> Self:
        """Return the JSON of an event."""
        return cls(event.event_id, event.kind, event.subject, event.received_at, event.deliveries, event.settled)


class EventPage(Struct, frozen=True):
    """Events of the webhook inbox, newest first."""

    events: tuple[OwnerEvent, ...]
    cursor: NextCursor

    @classmethod
    def of(cls, page: Page[model.StoredEvent]) -> Self:
        """Return the JSON of a page."""
        return cls(tuple(map(OwnerEvent.of, page.entries)), page.cursor)


class EventReceived(Struct, frozen=True):
    """The webhook is stored."""


def _plan_fields(plan: model.Plan) -> dict[str, Any]:
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


def _state_name(state: State) -> StateName:
    return STATE_NAMES[state]  # type: ignore[return-value]
