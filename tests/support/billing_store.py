"""Billing's stores in memory; tests/integration/billing/test_stores.py runs one contract against them and MySQL."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from functions.billing.figures import SubscriberCount, WebhookCount
from functions.billing.model import (
    ENDED,
    UNAPPROVED,
    CheckoutAttempt,
    Coverage,
    PendingSubscription,
    ReconcileResult,
    State,
    StoredEvent,
    Subscription,
)
from functions.platform.errors import AlreadySubscribed, StoreUnavailable, Unauthenticated
from tests.support.billing_payments import entries_after, turnover_by_day

if TYPE_CHECKING:
    from datetime import datetime

    from functions.billing.model import Grant, Plan, RemoteSubscription, WebhookEvent
    from functions.platform.pagination import TimePosition

MESSAGE_LOST_AFTER = timedelta(minutes=1)


@dataclass
class _Row:
    """A stored subscription, and the request that created it."""

    subscription: Subscription
    request_id: str | None = None


@dataclass
class _Subscriber:
    """The latest checkout of a viewer."""

    plan_id: str | None = None
    request_id: str | None = None
    begun_at: datetime | None = None
    forgotten: bool = False


@dataclass
class _Flag:
    """A pending flag; `set_by` is the id of the event that set it."""

    token: str
    times: int
    since: datetime
    set_by: str | None


@dataclass
class _Received:
    """An event of the inbox."""

    event: WebhookEvent
    received_at: datetime
    deliveries: int = 1


class MemorySubscriptions:
    """Plans, subscriptions, grants and events in memory; unavailable on request."""

    def __init__(self) -> None:
        self.unavailable = False
        self.bodies: dict[str, str] = {}
        self._plans: dict[str, Plan] = {}
        self._subscribers: dict[str, _Subscriber] = {}
        self._rows: dict[str, _Row] = {}
        self._changes: list[dict[str, Any]] = []
        self._flags: dict[str, _Flag] = {}
        self._events: dict[str, _Received] = {}
        self._grants: dict[str, Grant] = {}

    def store_plan(self, plan: Plan) -> None:
        self._answer()
        self._plans.setdefault(plan.plan_id, plan)

    def retire_plan(self, plan_id: str, at: datetime) -> None:
        self._answer()
        plan = self._plans.get(plan_id)
        if plan and plan.retired_at is None:
            self._plans[plan_id] = replace(plan, retired_at=at)

    def list_plans(self) -> list[Plan]:
        self._answer()
        return sorted(self._plans.values(), key=lambda plan: (plan.offer.price_minor, plan.plan_id))

    def find_plan(self, plan_id: str) -> Plan | None:
        self._answer()
        return self._plans.get(plan_id)

    def begin_checkout(
        self, user_id: str, plan_id: str, request_id: str, *, now: datetime, fresh_since: datetime
    ) -> CheckoutAttempt:
        self._answer()
        subscriber = self._subscribers.setdefault(user_id, _Subscriber())
        if subscriber.forgotten:
            raise Unauthenticated("The account has been deleted.")
        running = (State.APPROVED, State.ACTIVE, State.SUSPENDED)
        if any(one.user_id == user_id and one.state in running for one in self._subscriptions()):
            raise AlreadySubscribed("You already have a subscription.")
        begun = self._of_request(subscriber.request_id)
        stale = subscriber.begun_at is None or subscriber.begun_at < fresh_since
        approved = begun is not None and begun.state is not State.APPROVAL_PENDING
        if subscriber.request_id is None or subscriber.plan_id != plan_id or stale or approved:
            subscriber.plan_id, subscriber.request_id, subscriber.begun_at = plan_id, request_id, now
        begun = self._of_request(subscriber.request_id)
        assert subscriber.request_id is not None
        if begun is None:
            return CheckoutAttempt(subscriber.request_id)
        return CheckoutAttempt(subscriber.request_id, begun.subscription_id, begun.approve_url)

    def store_checkout(self, request_id: str, opened: RemoteSubscription, *, user_id: str, now: datetime) -> None:
        self._answer()
        row = self._rows.get(opened.subscription_id)
        if row:
            row.request_id = request_id
            row.subscription = replace(row.subscription, approve_url=opened.approve_url)
            return
        subscriber = self._subscribers.get(user_id)
        made = Subscription(
            subscription_id=opened.subscription_id,
            user_id=None if subscriber and subscriber.forgotten else user_id,
            plan_id=opened.plan_id,
            state=opened.state,
            state_since=opened.state_since,
            next_charge_at=None,
            paid_through=None,
            approve_url=opened.approve_url,
            created_at=opened.created_at,
            asked_at=None,
        )
        self._rows[opened.subscription_id] = _Row(made, request_id)
        self._record_change(made, None, now, "viewer")

    def set_pending(self, subject: str, token: str, now: datetime) -> bool:
        self._answer()
        return self._flag(subject, token, now)

    def store_event(self, event: WebhookEvent, token: str, now: datetime) -> bool:
        self._answer()
        received = self._events.get(event.event_id)
        if received:
            received.deliveries += 1
            flag = self._flags.get(event.subject or "")
            if received.event.body_hash == event.body_hash and not (flag and flag.token == token):
                return flag is not None and flag.set_by == event.event_id
        else:
            self._events[event.event_id] = _Received(event, now)
            row = self._rows.get(event.subject or "")
            self.bodies[event.event_id] = "{}" if row and row.subscription.user_id is None else event.body
        return event.subject is not None and self._flag(event.subject, token, now, set_by=event.event_id)

    def list_pending(self, *, before: datetime, limit: int) -> list[str]:
        self._answer()
        old = [(flag.since, subject) for subject, flag in self._flags.items() if flag.since <= before]
        return [subject for _, subject in sorted(old)[:limit]]

    def find_pending(self, subject: str) -> PendingSubscription:
        self._answer()
        flag, row = self._flags.get(subject), self._rows.get(subject)
        begun_here = row is not None and row.request_id is not None
        return PendingSubscription(flag.token if flag else None, row.subscription if row else None, begun_here)

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
        self._answer()
        row = self._rows.get(remote.subscription_id)
        if row is None:
            subscriber = self._subscribers.get(remote.user_id or "")
            made = Subscription(
                subscription_id=remote.subscription_id,
                user_id=None if subscriber and subscriber.forgotten else remote.user_id,
                plan_id=remote.plan_id,
                state=remote.state,
                state_since=remote.state_since,
                next_charge_at=remote.next_charge_at,
                paid_through=paid_through,
                approve_url="",
                created_at=remote.created_at,
                asked_at=asked_at,
            )
            row = self._rows[remote.subscription_id] = _Row(made)
            self._record_change(made, None, now, cause)
        else:
            stored = row.subscription
            newer = remote.state_since > stored.state_since
            same = remote.state_since == stored.state_since and asked_at >= (stored.asked_at or asked_at)
            if newer or same:
                row.subscription = replace(
                    stored,
                    plan_id=remote.plan_id,
                    state=remote.state,
                    state_since=remote.state_since,
                    next_charge_at=remote.next_charge_at,
                    paid_through=paid_through,
                    asked_at=asked_at,
                )
                before = (stored.state, stored.next_charge_at, stored.paid_through)
                if before != (remote.state, remote.next_charge_at, paid_through):
                    self._record_change(row.subscription, stored.state, now, cause)
        self._unflag(remote.subscription_id, token)
        user_id = row.subscription.user_id
        rivals = [
            (one.subscription_id, (one.state_since, one.subscription_id) < (remote.state_since, remote.subscription_id))
            for one in self._subscriptions()
            if one.user_id == user_id and one.state is State.ACTIVE and one.subscription_id != remote.subscription_id
        ]
        if user_id is None or remote.state is not State.ACTIVE:
            rivals = []
        return ReconcileResult(
            user_id,
            pending=remote.subscription_id in self._flags,
            earlier=tuple(rival for rival, is_earlier in rivals if is_earlier),
            later=tuple(rival for rival, is_earlier in rivals if not is_earlier),
        )

    def clear_pending(self, subject: str, token: str) -> bool:
        self._answer()
        self._unflag(subject, token)
        return subject in self._flags

    def coverage_of(self, user_id: str) -> tuple[list[Coverage], list[datetime]]:
        self._answer()
        covered = [
            Coverage(row.subscription.state, row.subscription.paid_through)
            for row in self._rows.values()
            if row.subscription.user_id == user_id
            and row.request_id is not None
            and (row.subscription.paid_through is not None or row.subscription.state is State.ACTIVE)
        ]
        ends = [grant.until for grant in self._grants.values() if grant.user_id == user_id]
        return covered, [max(ends)] if ends else []

    def list_of_user(self, user_id: str) -> list[Subscription]:
        self._answer()
        mine = [one for one in self._subscriptions() if one.user_id == user_id]
        return sorted(mine, key=lambda one: one.created_at, reverse=True)

    def page_subscriptions(self, after: TimePosition | None, *, limit: int) -> list[Subscription]:
        self._answer()
        return entries_after(self._subscriptions(), lambda one: (one.created_at, one.subscription_id), after, limit)

    def list_changes(self, subscription_id: str) -> list[dict[str, Any]]:
        """Return every change of a subscription, oldest first."""
        return [change for change in self._changes if change["subscription_id"] == subscription_id]

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
        self._answer()

        def is_stale(one: Subscription) -> bool:
            asked_at = one.asked_at or one.created_at
            if one.state in UNAPPROVED:
                return asked_at <= unapproved_before
            if one.state in ENDED:
                changed_at = max(change["at"] for change in self.list_changes(one.subscription_id))
                watched = max(one.state_since, changed_at) >= ended_since
                return one.asked_at is not None and one.asked_at <= ended_before and watched
            due = one.next_charge_at
            is_due = due is not None and one.asked_at is not None and due <= now and one.asked_at <= due
            return asked_at <= running_before or is_due

        stale = [one for one in self._subscriptions() if is_stale(one)]
        never_asked = [one for one in stale if one.asked_at is None]
        asked = [one for one in stale if one.asked_at is not None]
        asked.sort(key=lambda one: one.asked_at or now)
        return [one.subscription_id for one in (never_asked + asked)[:limit]]

    def store_grant(self, grant: Grant) -> None:
        self._answer()
        self._grants.setdefault(grant.grant_id, grant)

    def revoke_grant(self, grant_id: str, *, ends_at: datetime, now: datetime, by: str) -> Grant | None:
        self._answer()
        grant = self._grants.get(grant_id)
        if grant and grant.until > ends_at:
            ends_at = max(ends_at, grant.granted_at + timedelta(microseconds=1))
            grant = self._grants[grant_id] = replace(grant, until=ends_at, revoked_at=now, revoked_by=by)
        return grant

    def page_grants(self, after: TimePosition | None, *, limit: int) -> list[Grant]:
        self._answer()
        return entries_after(self._grants.values(), lambda one: (one.granted_at, one.grant_id), after, limit)

    def page_events(self, after: TimePosition | None, *, limit: int) -> list[StoredEvent]:
        self._answer()
        stored = [
            StoredEvent(
                received.event.event_id,
                received.event.kind,
                received.event.subject,
                received.received_at,
                received.deliveries,
                received.event.subject not in self._flags,
            )
            for received in self._events.values()
        ]
        return entries_after(stored, lambda one: (one.received_at, one.event_id), after, limit)

    def count_subscribers(self, since: datetime) -> SubscriberCount:
        self._answer()
        here = {name for name, row in self._rows.items() if row.request_id is not None}
        active = sum(self._rows[name].subscription.state is State.ACTIVE for name in here)
        return SubscriberCount(active, turnover_by_day(self._changes, here, since))

    def count_events(self, since: datetime) -> WebhookCount:
        self._answer()
        by_day = Counter(one.received_at.date() for one in self._events.values() if one.received_at >= since)
        oldest = min((flag.since for flag in self._flags.values()), default=None)
        return WebhookCount(len(self._flags), oldest, by_day)

    def clear_old_event_bodies(self, before: datetime, *, limit: int) -> None:
        self._answer()
        old = [event_id for event_id, received in self._events.items() if received.received_at < before]
        for event_id in [event_id for event_id in old if self.bodies[event_id] != "{}"][:limit]:
            self.bodies[event_id] = "{}"

    def forget_subscriber(self, user_id: str, now: datetime) -> None:
        self._answer()
        self._subscribers[user_id] = _Subscriber(forgotten=True)
        mine = [row for row in self._rows.values() if row.subscription.user_id == user_id]
        subjects = {row.subscription.subscription_id for row in mine}
        for received in self._events.values():
            if received.event.subject in subjects:
                self.bodies[received.event.event_id] = "{}"
        for row in mine:
            row.subscription = replace(row.subscription, user_id=None, approve_url="")
        self._grants = {grant_id: grant for grant_id, grant in self._grants.items() if grant.user_id != user_id}

    def _answer(self) -> None:
        if self.unavailable:
            raise StoreUnavailable("The database of subscriptions does not answer; try again in a few seconds.")

    def _subscriptions(self) -> list[Subscription]:
        return [row.subscription for row in self._rows.values()]

    def _of_request(self, request_id: str | None) -> Subscription | None:
        if request_id is None:
            return None
        return next((row.subscription for row in self._rows.values() if row.request_id == request_id), None)

    def _flag(self, subject: str, token: str, now: datetime, *, set_by: str | None = None) -> bool:
        flag = self._flags.get(subject)
        if flag and flag.token == token:
            return flag.times == 1
        if flag is None or flag.since <= now - MESSAGE_LOST_AFTER:
            self._flags[subject] = _Flag(token, 1, now, set_by)
            return True
        flag.token, flag.times = token, flag.times + 1
        return False

    def _unflag(self, subject: str, token: str | None) -> None:
        flag = self._flags.get(subject)
        if flag and flag.token == token:
            del self._flags[subject]

    def _record_change(self, one: Subscription, before: State | None, now: datetime, cause: str) -> None:
        self._changes.append(
            {
                "subscription_id": one.subscription_id,
                "at": now,
                "cause": cause,
                "state_before": before.value if before else None,
                "state": one.state.value,
                "state_since": one.state_since,
                "next_charge_at": one.next_charge_at,
                "paid_through": one.paid_through,
            }
        )
