"""Settling: whatever hints that a subscription has changed, PayPal itself is asked, and only its answer is written.

A subject that is to be settled carries a mark in the store, written in one transaction with the event that hints at it.
The mark is taken away in one transaction with the answer. So a crash anywhere leaves the mark, and `mend` finds it.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.billing.model import WAITING, Payment, Standing, State, paid_through_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from functions.billing.model import Charge, Settled, Subscription
    from functions.billing.ports import Outside, Payments, PayPal, Subscriptions, Webhooks

log = logging.getLogger(__name__)

REFUND = "refund/"
MESSAGE_LOST_AFTER = timedelta(minutes=1)
"""A mark that is older has had its message, unless that was lost."""
OVERDUE_AFTER = timedelta(minutes=5)
"""A mark that is older waits for PayPal, and a person should look."""
MOST_AT_ONCE = 500
WAITING_SURE_FOR = timedelta(minutes=10)
RUNNING_SURE_FOR = timedelta(days=1)
ENDED_SURE_FOR = timedelta(days=1)
ENDED_WATCHED_FOR = timedelta(days=60)
"""How long after its end a subscription's payments are still looked at: they may be paid back."""
BODIES_KEPT_FOR = timedelta(days=90)
_MARGIN = timedelta(days=1)


def new_token() -> str:
    """Return a token that no mark has had."""
    return uuid.uuid4().hex


class Inbox:
    """Takes webhooks in."""

    def __init__(self, webhooks: Webhooks, store: Subscriptions, outside: Outside) -> None:
        self._webhooks = webhooks
        self._store = store
        self._outside = outside

    def receive(self, headers: Mapping[str, str], body: bytes) -> None:
        """Keep an event and have its subject settled; raise NotPayPal. One that came before changes nothing."""
        event = self._webhooks.read(headers, body)
        is_new = self._store.store_event(event, new_token(), self._outside.now())
        if is_new and event.subject:
            self._outside.ask_to_settle(event.subject, "event")


class Settlements:
    """Brings what is stored up to what PayPal says."""

    def __init__(self, store: Subscriptions, payments: Payments, paypal: PayPal, outside: Outside) -> None:
        self._store = store
        self._payments = payments
        self._paypal = paypal
        self._outside = outside

    def settle(self, subject: str, cause: str) -> None:
        """Ask PayPal about a marked subject and write the answer; nothing is asked about one without a mark."""
        waiting = self._store.waiting(subject)
        if waiting.token is None:
            return
        if subject.startswith(REFUND):
            self._settle_refund(subject, waiting.token, cause)
        else:
            self._settle_subscription(subject, waiting.token, waiting.subscription, cause, {})

    def mark(self, subscription_id: str, cause: str) -> None:
        """Have a subscription settled soon."""
        if self._store.mark(subscription_id, new_token(), self._outside.now()):
            self._outside.ask_to_settle(subscription_id, cause)

    def settle_now(self, subscription_id: str, cause: str) -> None:
        """Settle a subscription here; if that fails, it is done by queue."""
        self.mark(subscription_id, cause)
        self.settle(subscription_id, cause)

    def mend(self) -> bool:
        """Send again for what has waited for long: its message was lost, or PayPal was away for all its tries.

        Say whether any of it is overdue.
        """
        now = self._outside.now()
        for subject in self._store.marked(before=now - MESSAGE_LOST_AFTER, limit=MOST_AT_ONCE):
            self._outside.ask_to_settle(subject, "mending")
        return bool(self._store.marked(before=now - OVERDUE_AFTER, limit=1))

    def reconcile(self, *, everything: bool = False) -> int:
        """Have settled what PayPal may know more about without an event; return how many subscriptions that are.

        `everything` takes all that are not long over, however lately PayPal was asked.
        """
        now = self._outside.now()
        waiting, running, ended = (
            now - (timedelta(0) if everything else sure)
            for sure in (WAITING_SURE_FOR, RUNNING_SURE_FOR, ENDED_SURE_FOR)
        )
        unsure = self._store.unsure(
            waiting_before=waiting,
            running_before=running,
            ended_before=ended,
            ended_since=now - ENDED_WATCHED_FOR,
            now=now,
            limit=MOST_AT_ONCE,
        )
        for subscription_id in unsure:
            self.mark(subscription_id, "reconciliation")
        self._store.empty_old_events(now - BODIES_KEPT_FOR, limit=MOST_AT_ONCE)
        return len(unsure)

    def _settle_refund(self, subject: str, token: str, cause: str) -> None:
        found = self._paypal.refund(subject.removeprefix(REFUND))
        subscription_id = self._paypal.subscription_of_sale(found[0]) if found else None
        if found and subscription_id:
            waiting = self._store.waiting(subscription_id)
            self._settle_subscription(subscription_id, waiting.token, waiting.subscription, cause, dict([found]))
        self._let_go(subject, token, cause)

    def _settle_subscription(
        self,
        subscription_id: str,
        token: str | None,
        stored: Subscription | None,
        cause: str,
        refunded_minor: Mapping[str, int],
    ) -> None:
        asked_at = self._outside.now()
        standing = self._paypal.subscription(subscription_id) or _vanished(stored, asked_at)
        plan = self._store.plan(standing.plan_id) if standing else None
        if standing is None or (plan is None and stored is None):  # of another shop that shares the account
            if token:
                self._let_go(subscription_id, token, cause)
            return
        charges = self._charges(standing, asked_at, refunded_minor)
        owner = stored.user_id if stored else standing.user_id
        for charge in charges:
            self._payments.record(Payment(charge, subscription_id, owner), asked_at=asked_at)
        known = stored.paid_through if stored else None
        paid_through = paid_through_of(standing, charges, plan.offer if plan else None, known=known)
        settled = self._store.settle(
            standing, paid_through, token=token, asked_at=asked_at, now=self._outside.now(), cause=cause
        )
        if settled.user_id:
            self._outside.access_changed(settled.user_id)
        if settled.marked:  # by an event that came after PayPal was asked, and sent no message since there was a mark
            self._outside.ask_to_settle(subscription_id, cause)
        self._end_what_nobody_wants(standing, settled)

    def _let_go(self, subject: str, token: str, cause: str) -> None:
        if self._store.unmark(subject, token):
            self._outside.ask_to_settle(subject, cause)

    def _charges(self, standing: Standing, asked_at: datetime, refunded_minor: Mapping[str, int]) -> list[Charge]:
        if standing.state in WAITING:
            return []
        since = standing.created_at - _MARGIN
        charges = self._paypal.charges(standing.subscription_id, since=since, until=asked_at + _MARGIN)
        return [
            replace(charge, refunded_minor=min(refunded_minor[charge.payment_id], charge.amount_minor))
            if charge.payment_id in refunded_minor
            else charge
            for charge in charges
        ]

    def _end_what_nobody_wants(self, standing: Standing, settled: Settled) -> None:
        """Cancel what was approved after its account was deleted, or beside another subscription of the same person."""
        chargeable = standing.state in (State.ACTIVE, State.SUSPENDED)
        if chargeable and settled.user_id is None and standing.user_id is not None:
            log.warning("%s is of a deleted account and is cancelled", standing.subscription_id)
            self._cancel(standing.subscription_id, "The account was deleted.")
        elif settled.earlier:
            log.warning("%s is the second of one person and is cancelled", standing.subscription_id)
            self._cancel(standing.subscription_id, "There was another subscription already.")
        for later in settled.later:
            self.mark(later, "rival")

    def _cancel(self, subscription_id: str, reason: str) -> None:
        self.mark(subscription_id, "cancelled here")  # before it is done, so that its end is surely written
        self._paypal.cancel(subscription_id, reason=reason)


def _vanished(stored: Subscription | None, at: datetime) -> Standing | None:
    """Return a subscription that PayPal no longer knows as one that has expired; None if it never was here."""
    if stored is None:
        return None
    return Standing(
        subscription_id=stored.subscription_id,
        user_id=stored.user_id,
        plan_id=stored.plan_id,
        state=State.EXPIRED,
        state_since=stored.state_since if stored.state is State.EXPIRED else at,
        created_at=stored.created_at,
        next_charge_at=None,
        last_paid_at=None,
    )
