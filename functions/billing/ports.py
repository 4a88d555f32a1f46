"""What billing asks of its stores, of PayPal, and of the rest of the application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from functions.billing.model import (
        Begun,
        Charge,
        Event,
        Grant,
        Offer,
        Payment,
        Plan,
        Settled,
        Standing,
        StoredEvent,
        Subscription,
        Waiting,
    )


class Plans(Protocol):
    """The store of plans."""

    def keep_plan(self, plan: Plan) -> None:
        """Keep a plan; one of that id stays as it is."""

    def retire_plan(self, plan_id: str, at: datetime) -> None:
        """Note since when a plan takes no new subscribers."""

    def plans(self) -> list[Plan]:
        """Return all plans, cheapest first, the retired too."""

    def plan(self, plan_id: str) -> Plan | None:
        """Return a plan, or None."""


class Subscriptions(Plans, Protocol):
    """The store of subscriptions; every method may be carried out twice, and raises StoreUnavailable."""

    def begin(self, user_id: str, plan_id: str, request_id: str, *, now: datetime, fresh_since: datetime) -> Begun:
        """Return the request to ask PayPal under; raise AlreadySubscribed, or Unauthenticated of a deleted account."""

    def keep_opened(self, request_id: str, opened: Standing, *, user_id: str, now: datetime) -> None:
        """Keep what PayPal answered to a new subscription."""

    def mark(self, subject: str, token: str, now: datetime) -> bool:
        """Note that a subject is to be settled; say whether a message has to be sent."""

    def store_event(self, event: Event, token: str, now: datetime) -> bool:
        """Keep an event and note its subject, in one transaction; say whether a message has to be sent."""

    def marked(self, *, before: datetime, limit: int) -> list[str]:
        """Return subjects that have waited to be settled since `before`, longest first."""

    def waiting(self, subscription_id: str) -> Waiting:
        """Return what is stored of a subscription, and the token of its mark; either may be None."""

    def settle(
        self,
        standing: Standing,
        paid_through: datetime | None,
        *,
        token: str | None,
        asked_at: datetime,
        now: datetime,
        cause: str,
    ) -> Settled:
        """Write what PayPal answered unless something later stands there, and take the mark away."""

    def unmark(self, subject: str, token: str) -> bool:
        """Take a mark away without writing anything; say whether an event came meanwhile, which has its own."""

    def of_user(self, user_id: str) -> list[Subscription]:
        """Return the subscriptions of a person, newest first."""

    def page(self, *, before: datetime, limit: int) -> list[Subscription]:
        """Return subscriptions made before a time, newest first."""

    def unsure(
        self,
        *,
        waiting_before: datetime,
        running_before: datetime,
        ended_before: datetime,
        ended_since: datetime,
        now: datetime,
        limit: int,
    ) -> list[str]:
        """Return subscriptions of which PayPal may know more."""

    def grant(self, grant: Grant) -> None:
        """Keep free access."""

    def grants(self, *, limit: int) -> list[Grant]:
        """Return what was granted, newest first."""

    def events(self, *, before: datetime, limit: int) -> list[StoredEvent]:
        """Return events of the inbox, newest first."""

    def empty_old_events(self, before: datetime, *, limit: int) -> None:
        """Empty the bodies of events received before a time."""

    def forget(self, user_id: str, now: datetime) -> None:
        """Take a person out."""


class Payments(Protocol):
    """The store of payments; likewise."""

    def record(self, payment: Payment, *, asked_at: datetime) -> None:
        """Keep a payment, or bring it up to what PayPal answered at `asked_at`."""

    def of_user(self, user_id: str, *, limit: int) -> list[Payment]:
        """Return the payments of a person, newest first."""

    def forget(self, user_id: str) -> None:
        """Keep the payments of a person as payments of nobody."""


class PayPal(Protocol):
    """PayPal; every method raises StoreUnavailable while it is away, and PayPalRefused."""

    def create_plan(self, offer: Offer, *, request_id: str) -> tuple[str, str]:
        """Make a product and an active plan of it; return their ids. The same request id makes them once."""

    def retire_plan(self, plan_id: str) -> None:
        """Let nobody subscribe to a plan any more."""

    def subscribe(
        self,
        plan_id: str,
        user_id: str,
        *,
        request_id: str,
        return_url: str,
        cancel_url: str,
        starts_at: datetime | None,
    ) -> Standing:
        """Make a subscription that waits to be approved; the same request id makes it once."""

    def subscription(self, subscription_id: str) -> Standing | None:
        """Return how a subscription stands, None if PayPal has none of that id."""

    def charges(self, subscription_id: str, *, since: datetime, until: datetime) -> list[Charge]:
        """Return the transactions of a subscription between two times."""

    def refund(self, refund_id: str) -> tuple[str, int] | None:
        """Return which sale a refund is of and how much of that is paid back so far; None if there is none."""

    def subscription_of_sale(self, sale_id: str) -> str | None:
        """Return which subscription a sale is of, None if of none."""

    def cancel(self, subscription_id: str, *, reason: str) -> None:
        """End a subscription; one that cannot be ended stays as it is."""


class Webhooks(Protocol):
    """Whoever knows PayPal's signature."""

    def read(self, headers: Mapping[str, str], body: bytes) -> Event:
        """Return the event of a webhook; raise NotPayPal if PayPal did not sign it."""


class Outside(Protocol):
    """What billing asks of the rest of the application."""

    @property
    def site_origin(self) -> str:
        """Return the site's address."""

    @property
    def now(self) -> Callable[[], datetime]:
        """Return the clock."""

    def ask_to_settle(self, subject: str, cause: str) -> None:
        """Have a subject settled soon, not here."""

    def access_changed(self, user_id: str) -> None:
        """Drop what is remembered of whether someone is let in."""

    def find_user(self, email: str) -> str:
        """Return the account of an address; raise NotFound."""
