"""Subscriptions and payments in MySQL: each method is one stored procedure, and may be sent twice without harm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.billing.model import (
    Begun,
    Charge,
    Grant,
    Interval,
    Offer,
    Payment,
    PaymentState,
    Plan,
    Settled,
    State,
    StoredEvent,
    Subscription,
    Waiting,
)
from functions.platform.errors import AlreadySubscribed, ProcedureRefused, Unauthenticated

if TYPE_CHECKING:
    from datetime import datetime

    from functions.billing.model import Covering, Event, Standing
    from functions.platform.mysql import Database

FORGOTTEN, NOT_OVER = 30_001, 30_002


class Access:
    """A subscription as far as it may let someone in."""

    def __init__(self, state: State, paid_through: datetime | None) -> None:
        self.state = state
        self.paid_through = paid_through


class MySqlSubscriptions:
    """The database of subscriptions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep_plan(self, plan: Plan) -> None:
        """Keep a plan; one of that id stays as it is."""
        offer = plan.offer
        self._call(
            "keep_plan",
            *(plan.plan_id, plan.product_id, offer.name, offer.description, offer.price_minor, offer.currency),
            *(offer.interval.value, offer.count, plan.created_at),
        )

    def retire_plan(self, plan_id: str, at: datetime) -> None:
        """Note since when a plan takes no new subscribers."""
        self._call("retire_plan", plan_id, at)

    def plans(self) -> list[Plan]:
        """Return all plans, cheapest first, the retired too."""
        return [_plan(row) for row in self._call("list_plans")]

    def plan(self, plan_id: str) -> Plan | None:
        """Return a plan, or None."""
        return next((_plan(row) for row in self._call("find_plan", plan_id)), None)

    def begin(self, user_id: str, plan_id: str, request_id: str, *, now: datetime, fresh_since: datetime) -> Begun:
        """Return the request to ask PayPal under; raise AlreadySubscribed, or Unauthenticated of a deleted account."""
        try:
            (row,) = self._call("begin_subscription", user_id, plan_id, request_id, now, fresh_since)
        except ProcedureRefused as refusal:
            if refusal.number == NOT_OVER:
                raise AlreadySubscribed(
                    "You have a subscription already; cancel it on your account's page before you begin another."
                ) from None
            if refusal.number == FORGOTTEN:
                raise Unauthenticated("The account has been deleted.") from None
            raise
        return Begun(row["request_id"], row["subscription_id"], row["approve_url"] or "")

    def keep_opened(self, request_id: str, opened: Standing, *, user_id: str, now: datetime) -> None:
        """Keep what PayPal answered to a new subscription."""
        self._call(
            "keep_subscription",
            *(opened.subscription_id, request_id, user_id, opened.plan_id, opened.state.value, opened.state_since),
            *(opened.approve_url, opened.created_at, now),
        )

    def mark(self, subject: str, token: str, now: datetime) -> bool:
        """Note that a subject is to be settled; say whether a message has to be sent."""
        (row,) = self._call("mark", subject, token, now)
        return bool(row["is_new"])

    def store_event(self, event: Event, token: str, now: datetime) -> bool:
        """Keep an event and note its subject, in one transaction; say whether a message has to be sent."""
        (row,) = self._call(
            "store_event",
            *(event.event_id, event.kind, event.subject, event.sent_at, now, event.body_hash, event.body),
            token,
        )
        return bool(row["is_new"])

    def marked(self, *, before: datetime, limit: int) -> list[str]:
        """Return subjects that have waited to be settled since `before`, longest first."""
        return [row["subject"] for row in self._call("list_marked", before, limit)]

    def waiting(self, subscription_id: str) -> Waiting:
        """Return what is stored of a subscription, and the token of its mark; either may be None."""
        (row,) = self._call("find_subscription", subscription_id)
        return Waiting(row["token"], _subscription(row) if row["state"] else None)

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
        rows = self._call(
            "settle_subscription",
            *(standing.subscription_id, token, standing.user_id, standing.plan_id, standing.state.value),
            *(standing.state_since, standing.next_charge_at, paid_through, standing.created_at, asked_at, now, cause),
        )
        rivals = [(row["rival"], bool(row["is_earlier"])) for row in rows if row["rival"]]
        return Settled(
            user_id=rows[0]["user_id"],
            changed=bool(rows[0]["changed"]),
            marked=bool(rows[0]["is_marked"]),
            earlier=tuple(rival for rival, is_earlier in rivals if is_earlier),
            later=tuple(rival for rival, is_earlier in rivals if not is_earlier),
        )

    def unmark(self, subject: str, token: str) -> bool:
        """Take a mark away without writing anything; say whether an event came meanwhile, which has its own."""
        (row,) = self._call("unmark", subject, token)
        return bool(row["is_marked"])

    def access_of(self, user_id: str) -> tuple[list[Covering], list[datetime]]:
        """Return what may let a person in: subscriptions, and when grants end."""
        rows = self._call("access_of", user_id)
        subscriptions: list[Covering] = [
            Access(State(row["state"]), row["until_at"]) for row in rows if row["state"] != "GRANT"
        ]
        return subscriptions, [row["until_at"] for row in rows if row["state"] == "GRANT"]

    def of_user(self, user_id: str) -> list[Subscription]:
        """Return the subscriptions of a person, newest first."""
        return [_subscription(row) for row in self._call("subscriptions_of", user_id)]

    def page(self, *, before: datetime, limit: int) -> list[Subscription]:
        """Return subscriptions made before a time, newest first."""
        return [_subscription(row) for row in self._call("list_subscriptions", before, limit)]

    def changes(self, subscription_id: str) -> list[dict[str, Any]]:
        """Return every change of a subscription, oldest first."""
        return self._call("changes_of", subscription_id)

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
        """Return subscriptions of which PayPal may know more: see the procedure for which."""
        rows = self._call("list_unsure", waiting_before, running_before, ended_before, ended_since, now, limit)
        return [row["subscription_id"] for row in rows]

    def grant(self, grant: Grant) -> None:
        """Keep free access."""
        self._call("grant_access", grant.grant_id, grant.user_id, grant.until, grant.granted_at, grant.granted_by)

    def grants(self, *, limit: int) -> list[Grant]:
        """Return what was granted, newest first."""
        return [
            Grant(row["grant_id"], row["user_id"], row["ends_at"], row["granted_at"], row["granted_by"])
            for row in self._call("list_grants", limit)
        ]

    def events(self, *, before: datetime, limit: int) -> list[StoredEvent]:
        """Return events of the inbox, newest first."""
        return [
            StoredEvent(
                *(row["event_id"], row["kind"], row["subject"], row["received_at"], row["deliveries"]),
                bool(row["is_settled"]),
            )
            for row in self._call("list_events", before, limit)
        ]

    def empty_old_events(self, before: datetime, *, limit: int) -> None:
        """Empty the bodies of events received before a time."""
        self._call("empty_old_events", before, limit)

    def forget(self, user_id: str, now: datetime) -> None:
        """Take a person out."""
        self._call("forget_subscriber", user_id, now)

    def _call(self, procedure: str, *arguments: Any) -> list[dict[str, Any]]:
        return self._database.call(procedure, *arguments, idempotent=True)


class MySqlPayments:
    """The database of payments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, payment: Payment, *, asked_at: datetime) -> None:
        """Keep a payment, or bring it up to what PayPal answered at `asked_at`."""
        charge = payment.charge
        self._database.call(
            "record_payment",
            *(charge.payment_id, payment.subscription_id, payment.user_id, charge.state.value, charge.amount_minor),
            *(charge.refunded_minor, charge.currency, charge.at, asked_at),
            idempotent=True,
        )

    def of_user(self, user_id: str, *, limit: int) -> list[Payment]:
        """Return the payments of a person, newest first."""
        return [_payment(row) for row in self._database.call("payments_of", user_id, limit, idempotent=True)]

    def of_subscription(self, subscription_id: str) -> list[Payment]:
        """Return the payments for a subscription, oldest first."""
        return [_payment(row) for row in self._database.call("payments_for", subscription_id, idempotent=True)]

    def forget(self, user_id: str) -> None:
        """Keep the payments of a person as payments of nobody."""
        self._database.call("forget_payer", user_id, idempotent=True)


def _plan(row: dict[str, Any]) -> Plan:
    offer = Offer(
        name=row["name"],
        description=row["description"],
        price_minor=row["price_minor"],
        currency=row["currency"],
        interval=Interval(row["interval_unit"]),
        count=row["interval_count"],
    )
    return Plan(row["plan_id"], row["product_id"], offer, row["created_at"], row["retired_at"])


def _subscription(row: dict[str, Any]) -> Subscription:
    return Subscription(
        subscription_id=row["subscription_id"],
        user_id=row["user_id"],
        plan_id=row["plan_id"],
        state=State(row["state"]),
        state_since=row["state_since"],
        next_charge_at=row["next_charge_at"],
        paid_through=row["paid_through"],
        approve_url=row["approve_url"],
        created_at=row["created_at"],
        asked_at=row["asked_at"],
    )


def _payment(row: dict[str, Any]) -> Payment:
    charge = Charge(
        payment_id=row["payment_id"],
        state=PaymentState(row["state"]),
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        at=row["paid_at"],
        refunded_minor=row["refunded_minor"],
    )
    return Payment(charge, row["subscription_id"], row["user_id"])
