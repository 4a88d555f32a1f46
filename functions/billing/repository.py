"""Subscriptions and payments in MySQL: each method calls one stored procedure, which is idempotent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.billing.figures import DayRevenue, DayTurnover, SubscriberCount, WebhookCount
from functions.billing.model import (
    Charge,
    CheckoutAttempt,
    Coverage,
    Grant,
    Interval,
    Offer,
    Payment,
    PaymentState,
    PendingSubscription,
    Plan,
    ReconcileResult,
    State,
    StoredEvent,
    Subscription,
)
from functions.platform.errors import AlreadySubscribed, ProcedureRefused, Unauthenticated

if TYPE_CHECKING:
    from datetime import date, datetime

    from functions.billing.model import RemoteSubscription, WebhookEvent
    from functions.platform.mysql import Database
    from functions.platform.pagination import TimePosition

FORGOTTEN, NOT_OVER = 30_001, 30_002


class MySqlSubscriptions:
    """Subscriptions, grants and webhook events in MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def store_plan(self, plan: Plan) -> None:
        offer = plan.offer
        self._call(
            "keep_plan",
            *(plan.plan_id, plan.product_id, offer.name, offer.description, offer.price_minor, offer.currency),
            *(offer.interval.value, offer.count, plan.created_at),
        )

    def retire_plan(self, plan_id: str, at: datetime) -> None:
        self._call("retire_plan", plan_id, at)

    def list_plans(self) -> list[Plan]:
        return [_plan(row) for row in self._call("list_plans")]

    def find_plan(self, plan_id: str) -> Plan | None:
        return next((_plan(row) for row in self._call("find_plan", plan_id)), None)

    def begin_checkout(
        self, user_id: str, plan_id: str, request_id: str, *, now: datetime, fresh_since: datetime
    ) -> CheckoutAttempt:
        try:
            (row,) = self._call("begin_subscription", user_id, plan_id, request_id, now, fresh_since)
        except ProcedureRefused as refusal:
            if refusal.number == NOT_OVER:
                raise AlreadySubscribed(
                    "You already have a subscription. Cancel it on your account page before you start another."
                ) from None
            if refusal.number == FORGOTTEN:
                raise Unauthenticated("The account has been deleted.") from None
            raise
        return CheckoutAttempt(row["request_id"], row["subscription_id"], row["approve_url"] or "")

    def store_checkout(self, request_id: str, opened: RemoteSubscription, *, user_id: str, now: datetime) -> None:
        self._call(
            "store_checkout",
            *(opened.subscription_id, request_id, user_id, opened.plan_id, opened.state.value, opened.state_since),
            *(opened.approve_url, opened.created_at, now),
        )

    def set_pending(self, subject: str, token: str, now: datetime) -> bool:
        (row,) = self._call("set_mark", subject, token, now)
        return bool(row["is_new"])

    def store_event(self, event: WebhookEvent, token: str, now: datetime) -> bool:
        (row,) = self._call(
            "accept_event",
            *(event.event_id, event.kind, event.subject, event.sent_at, now, event.body_hash, event.body),
            token,
        )
        return bool(row["is_new"])

    def list_pending(self, *, before: datetime, limit: int) -> list[str]:
        return [row["subject"] for row in self._call("list_marked", before, limit)]

    def find_pending(self, subject: str) -> PendingSubscription:
        (row,) = self._call("find_pending", subject)
        subscription = _subscription(row) if row["state"] else None
        return PendingSubscription(row["token"], subscription, bool(row["is_begun_here"]))

    def apply_remote(
        self,
        remote: RemoteSubscription,
        paid_through: datetime | None,
        *,
        token: str | None,
        asked_at: datetime,
        now: datetime,
        cause: str,
    ) -> ReconcileResult:
        rows = self._call(
            "settle_subscription",
            *(remote.subscription_id, token, remote.user_id, remote.plan_id, remote.state.value),
            *(remote.state_since, remote.next_charge_at, paid_through, remote.created_at, asked_at, now, cause),
        )
        rivals = [(row["rival"], bool(row["is_earlier"])) for row in rows if row["rival"]]
        return ReconcileResult(
            user_id=rows[0]["user_id"],
            pending=bool(rows[0]["is_marked"]),
            earlier=tuple(rival for rival, is_earlier in rivals if is_earlier),
            later=tuple(rival for rival, is_earlier in rivals if not is_earlier),
        )

    def clear_pending(self, subject: str, token: str) -> bool:
        (row,) = self._call("unmark", subject, token)
        return bool(row["is_marked"])

    def coverage_of(self, user_id: str) -> tuple[list[Coverage], list[datetime]]:
        rows = self._call("coverage_of", user_id)
        subscriptions = [Coverage(State(row["state"]), row["until_at"]) for row in rows if row["state"] != "GRANT"]
        return subscriptions, [row["until_at"] for row in rows if row["state"] == "GRANT"]

    def list_of_user(self, user_id: str) -> list[Subscription]:
        return [_subscription(row) for row in self._call("subscriptions_of", user_id)]

    def page_subscriptions(self, after: TimePosition | None, *, limit: int) -> list[Subscription]:
        return [_subscription(row) for row in self._call("page_subscriptions", *(after or (None, None)), limit)]

    def list_changes(self, subscription_id: str) -> list[dict[str, Any]]:
        """Return every change of a subscription, oldest first; for tests and investigations."""
        return self._call("changes_of", subscription_id)

    def list_stale(
        self,
        *,
        unapproved_before: datetime,
        running_before: datetime,
        ended_before: datetime,
        ended_since: datetime,
        now: datetime,
        limit: int,
    ) -> list[str]:
        rows = self._call("list_stale", unapproved_before, running_before, ended_before, ended_since, now, limit)
        return [row["subscription_id"] for row in rows]

    def store_grant(self, grant: Grant) -> None:
        self._call("grant_access", grant.grant_id, grant.user_id, grant.until, grant.granted_at, grant.granted_by)

    def revoke_grant(self, grant_id: str, *, ends_at: datetime, now: datetime, by: str) -> Grant | None:
        return next((_grant(row) for row in self._call("revoke_grant", grant_id, ends_at, now, by)), None)

    def page_grants(self, after: TimePosition | None, *, limit: int) -> list[Grant]:
        return [_grant(row) for row in self._call("list_grant_page", *(after or (None, None)), limit)]

    def page_events(self, after: TimePosition | None, *, limit: int) -> list[StoredEvent]:
        return [
            StoredEvent(
                *(row["event_id"], row["kind"], row["subject"], row["received_at"], row["deliveries"]),
                bool(row["is_settled"]),
            )
            for row in self._call("page_events", *(after or (None, None)), limit)
        ]

    def count_subscribers(self, since: datetime) -> SubscriberCount:
        rows = {
            row["on_day"]: DayTurnover(int(row["gained"]), int(row["lost"]))
            for row in self._call("count_subscribers", since)
        }
        return SubscriberCount(rows.pop(None).gained, rows)

    def count_events(self, since: datetime) -> WebhookCount:
        rows = {row["on_day"]: row for row in self._call("count_events", since)}
        pending = rows.pop(None)
        return WebhookCount(pending["events"], pending["since"], {day: row["events"] for day, row in rows.items()})

    def clear_old_event_bodies(self, before: datetime, *, limit: int) -> None:
        self._call("empty_old_events", before, limit)

    def forget_subscriber(self, user_id: str, now: datetime) -> None:
        self._call("forget_subscriber", user_id, now)

    def _call(self, procedure: str, *arguments: Any) -> list[dict[str, Any]]:
        return self._database.call(procedure, *arguments, idempotent=True)


class MySqlPayments:
    """Payments in MySQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record_payment(self, payment: Payment, *, asked_at: datetime) -> None:
        charge = payment.charge
        self._database.call(
            "record_payment",
            *(charge.payment_id, payment.subscription_id, payment.user_id, charge.state.value, charge.amount_minor),
            *(charge.refunded_minor, charge.currency, charge.at, asked_at),
            idempotent=True,
        )

    def page_payments(self, user_id: str, after: TimePosition | None, *, limit: int) -> list[Payment]:
        position = after or (None, None)
        rows = self._database.call("page_payments", user_id, *position, limit, idempotent=True)
        return [_payment(row) for row in rows]

    def find_payment(self, user_id: str, payment_id: str) -> Payment | None:
        rows = self._database.call("find_payment", user_id, payment_id, idempotent=True)
        return _payment(rows[0]) if rows else None

    def claim_notice(self, key: str, claim: str, *, now: datetime, stale_before: datetime) -> bool:
        (row,) = self._database.call("claim_notice", key, claim, now, stale_before, idempotent=True)
        return bool(row["is_held"])

    def confirm_notice(self, key: str) -> None:
        self._database.call("confirm_notice", key, idempotent=True)

    def release_notice(self, key: str, claim: str) -> None:
        self._database.call("release_notice", key, claim, idempotent=True)

    def list_of_subscription(self, subscription_id: str) -> list[Payment]:
        return [_payment(row) for row in self._database.call("payments_for", subscription_id, idempotent=True)]

    def count_revenue(self, since: datetime) -> dict[str, dict[date, DayRevenue]]:
        found: dict[str, dict[date, DayRevenue]] = {}
        for row in self._database.call("count_revenue", since, idempotent=True):
            revenue = DayRevenue(int(row["amount_minor"]), int(row["refunded_minor"]))
            found.setdefault(row["currency"], {})[row["on_day"]] = revenue
        return found

    def forget_payer(self, user_id: str) -> None:
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


def _grant(row: dict[str, Any]) -> Grant:
    return Grant(
        grant_id=row["grant_id"],
        user_id=row["user_id"],
        until=row["ends_at"],
        granted_at=row["granted_at"],
        granted_by=row["granted_by"],
        revoked_at=row["revoked_at"],
        revoked_by=row["revoked_by"],
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
