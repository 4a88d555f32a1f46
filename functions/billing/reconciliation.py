"""Reconciliation: whenever a subscription may have changed, PayPal is queried, and only its answer is stored.

A subject to query has a pending flag in the store. The flag is set in the transaction that stores the event, and
cleared in the transaction that stores PayPal's answer. A crash at any point therefore leaves the flag set, and
`repair_pending` finds it.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.billing.model import UNAPPROVED, Payment, RemoteSubscription, State, paid_through_of
from functions.billing.payment_notices import PaymentNotices
from functions.platform.errors import StoreUnavailable
from functions.platform.messages import SettleSubscription

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from functions.billing.model import Charge, PendingSubscription, ReconcileResult, Subscription
    from functions.billing.ports import BillingDependencies, PaymentStore, PayPal, SubscriptionStore

log = logging.getLogger(__name__)

REFUND = "refund/"
MESSAGE_LOST_AFTER = timedelta(minutes=1)
"""The age after which the message of a pending flag is considered lost."""
OVERDUE_AFTER = timedelta(minutes=5)
"""The age after which a pending flag is overdue, which a person should investigate."""
LONGEST_QUERY = timedelta(minutes=5)
"""The longest time between two of PayPal's answers that are stored together; if it is longer, our clock was changed."""
BATCH = 500
UNAPPROVED_FRESH_FOR = timedelta(minutes=10)
RUNNING_FRESH_FOR = timedelta(days=1)
ENDED_FRESH_FOR = timedelta(days=1)
ENDED_WATCHED_FOR = timedelta(days=181)
"""The time after the end of a subscription, or after its end was noticed, during which PayPal is still asked about it.

PayPal refunds a payment, and accepts a dispute about it, for 180 days (PayPal, "How do I issue a refund?"). A
subscription that PayPal does not know ends here although it may be running; how long it ran before does not matter.
"""
BODIES_KEPT_FOR = timedelta(days=90)
_MARGIN = timedelta(days=1)


def new_token() -> str:
    """Return a token that no pending flag has had before."""
    return uuid.uuid4().hex


class Reconciliation:
    """Updates the stored data to match PayPal's."""

    def __init__(
        self,
        store: SubscriptionStore,
        payments: PaymentStore,
        paypal: PayPal,
        dependencies: BillingDependencies,
    ) -> None:
        self._store = store
        self._payments = payments
        self._paypal = paypal
        self._dependencies = dependencies
        self._notices = PaymentNotices(payments, dependencies)

    def reconcile(self, subject: str, cause: str) -> None:
        """Query PayPal about a pending subject and store the answer; do nothing if the subject is not pending."""
        pending = self._store.find_pending(subject)
        if pending.token is None:
            return
        if subject.startswith(REFUND):
            self._reconcile_refund(subject, pending.token, cause)
        else:
            self._reconcile_subscription(subject, pending, cause, {})

    def request(self, subscription_id: str, cause: str) -> None:
        """Set a subscription's pending flag, and enqueue the subscription unless it is already enqueued."""
        if self._store.set_pending(subscription_id, new_token(), self._dependencies.now()):
            self._enqueue(subscription_id, cause)

    def reconcile_now(self, subscription_id: str, cause: str) -> None:
        """Reconcile a subscription immediately; if that fails, a queue message does so later."""
        self.request(subscription_id, cause)
        self.reconcile(subscription_id, cause)

    def repair_pending(self) -> bool:
        """Re-enqueue subjects that have been pending for a long time; return whether any of them is overdue.

        Their messages were lost, or PayPal was unreachable at every attempt.
        """
        now = self._dependencies.now()
        for subject in self._store.list_pending(before=now - MESSAGE_LOST_AFTER, limit=BATCH):
            self._enqueue(subject, "repair")
        return bool(self._store.list_pending(before=now - OVERDUE_AFTER, limit=1))

    def reconcile_stale(self, *, everything: bool = False) -> int:
        """Enqueue subscriptions that may have changed without an event; return their number.

        With `everything`, all subscriptions except those that ended long ago are included, regardless of when they were
        last checked.
        """
        now = self._dependencies.now()
        unapproved, running, ended = (
            now - (timedelta(0) if everything else fresh_for)
            for fresh_for in (UNAPPROVED_FRESH_FOR, RUNNING_FRESH_FOR, ENDED_FRESH_FOR)
        )
        stale = self._store.list_stale(
            unapproved_before=unapproved,
            running_before=running,
            ended_before=ended,
            ended_since=now - ENDED_WATCHED_FOR,
            now=now,
            limit=BATCH,
        )
        for subscription_id in stale:
            self.request(subscription_id, "reconciliation")
        self._store.clear_old_event_bodies(now - BODIES_KEPT_FOR, limit=BATCH)
        return len(stale)

    def _reconcile_refund(self, subject: str, token: str, cause: str) -> None:
        found = self._paypal.refund(subject.removeprefix(REFUND))
        subscription_id = self._paypal.subscription_of_sale(found[0]) if found else None
        if found and subscription_id:
            pending = self._store.find_pending(subscription_id)
            self._reconcile_subscription(subscription_id, pending, cause, dict([found]))
        self._clear(subject, token, cause)

    def _reconcile_subscription(
        self,
        subscription_id: str,
        pending: PendingSubscription,
        cause: str,
        refunded_minor: Mapping[str, int],
    ) -> None:
        token, stored = pending.token, pending.subscription
        asked_at = self._dependencies.now()
        remote = self._paypal.subscription(subscription_id) or _vanished(stored)
        plan = self._store.find_plan(remote.plan_id) if remote else None
        if remote is None or (plan is None and stored is None):  # of another shop that uses the same PayPal account
            if token:
                self._clear(subscription_id, token, cause)
            return
        charges = self._charges(remote, asked_at, refunded_minor)
        if abs(self._dependencies.now() - asked_at) > LONGEST_QUERY:
            raise StoreUnavailable(f"The clock was changed while PayPal was asked about {subscription_id}.")
        owner = stored.user_id if stored else None
        for charge in charges:
            self._payments.record_payment(Payment(charge, subscription_id, owner), asked_at=asked_at)
        charges = self._with_recorded_refunds(subscription_id, charges)
        if owner and pending.begun_here:
            self._notices.tell(owner, remote, charges)  # while the pending flag is set, so that a failure is repeated
        if stored is None:
            log.warning("%s was not begun here; it entitles nobody", subscription_id)
            if token:
                self._clear(subscription_id, token, cause)
            return
        paid_through = None
        if pending.begun_here:
            offer = plan.offer if plan else None
            paid_through = paid_through_of(remote, charges, offer, known=stored.paid_through)
        result = self._store.apply_remote(
            remote, paid_through, token=token, asked_at=asked_at, now=self._dependencies.now(), cause=cause
        )
        if result.user_id:
            self._dependencies.entitlement_changed(result.user_id)
        elif remote.user_id and charges:  # the account was deleted, perhaps while its payments were recorded above
            self._payments.forget_payer(remote.user_id)
        if result.pending:  # an event arrived after the query, and sent no message because the flag was set
            self._enqueue(subscription_id, cause)
        self._cancel_unwanted(remote, result)

    def _clear(self, subject: str, token: str, cause: str) -> None:
        if self._store.clear_pending(subject, token):
            self._enqueue(subject, cause)

    def _charges(
        self, remote: RemoteSubscription, asked_at: datetime, refunded_minor: Mapping[str, int]
    ) -> list[Charge]:
        if remote.state in UNAPPROVED:
            return []
        since = remote.created_at - _MARGIN
        charges = self._paypal.charges(remote.subscription_id, since=since, until=asked_at + _MARGIN)
        return [
            replace(charge, refunded_minor=min(refunded_minor[charge.payment_id], charge.amount_minor))
            if charge.payment_id in refunded_minor
            else charge
            for charge in charges
        ]

    def _with_recorded_refunds(self, subscription_id: str, charges: list[Charge]) -> list[Charge]:
        """Return the charges with every refund that was ever recorded.

        PayPal's list does not say how much of a payment was refunded, and may call it completed for a while.
        """
        if not charges:
            return charges
        recorded = {
            payment.charge.payment_id: payment.charge.refunded_minor
            for payment in self._payments.list_of_subscription(subscription_id)
        }
        return [
            replace(charge, refunded_minor=max(charge.refunded_minor, recorded.get(charge.payment_id, 0)))
            for charge in charges
        ]

    def _cancel_unwanted(self, remote: RemoteSubscription, result: ReconcileResult) -> None:
        """Cancel a subscription that was approved after its account was deleted, or while another one was active."""
        chargeable = remote.state in (State.ACTIVE, State.SUSPENDED)
        if chargeable and result.user_id is None and remote.user_id is not None:
            log.warning("%s belongs to a deleted account and is cancelled", remote.subscription_id)
            self._cancel(remote.subscription_id, "The account was deleted.")
        elif result.earlier:
            log.warning("%s is the second subscription of its subscriber and is cancelled", remote.subscription_id)
            self._cancel(remote.subscription_id, "There was another subscription already.")
        for later in result.later:
            self.request(later, "rival")

    def _cancel(self, subscription_id: str, reason: str) -> None:
        self.request(subscription_id, "cancelled here")  # before cancelling, so that the end is stored in any case
        self._paypal.cancel(subscription_id, reason=reason)

    def _enqueue(self, subject: str, cause: str) -> None:
        self._dependencies.enqueue(SettleSubscription(subject, cause))


def _vanished(stored: Subscription | None) -> RemoteSubscription | None:
    """Return a subscription that PayPal no longer has, marked as expired; None if it is not stored here either.

    PayPal may know it again later, for instance if another PayPal account was configured for a while. The expired state
    therefore keeps the last time that PayPal gave, so that PayPal's next answer does not seem older.
    """
    if stored is None:
        return None
    return RemoteSubscription(
        subscription_id=stored.subscription_id,
        user_id=stored.user_id,
        plan_id=stored.plan_id,
        state=State.EXPIRED,
        state_since=stored.state_since,
        created_at=stored.created_at,
        next_charge_at=None,
        last_payment=None,
    )
