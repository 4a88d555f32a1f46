"""Subscription operations for viewers: list plans, subscribe, get the status, cancel, list receipts, delete data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.billing.model import ENDED, PAID, UNAPPROVED, PaymentState, State
from functions.billing.reconciliation import new_token
from functions.platform.errors import AddressNotConfirmed, Conflict, NotFound
from functions.platform.pagination import TimePosition, page_of, time_position_of

if TYPE_CHECKING:
    from datetime import datetime

    from functions.billing.model import Payment, Plan, Subscription
    from functions.billing.ports import BillingDependencies, PaymentStore, PayPal, SubscriptionStore
    from functions.billing.reconciliation import Reconciliation
    from functions.platform.pagination import Page
    from functions.platform.viewer import Viewer

FRESH_FOR = timedelta(hours=1)
"""How long repeated requests get the same approval page; PayPal's approval pages expire after some hours."""
ASK_AGAIN_AFTER = timedelta(seconds=2)
SOON = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Checkout:
    """A subscription that waits for the payer's approval on PayPal's page."""

    subscription_id: str
    approve_url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PaidReceipt:
    """A payment that was taken, the plan that it paid for (None if that is no longer known), and who paid."""

    payment: Payment
    plan: Plan | None
    email: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CurrentSubscription:
    """The subscription to show to a viewer, and its plan; both are None for a viewer who never had one."""

    subscription: Subscription | None
    plan: Plan | None


class SubscriptionService:
    """Subscription operations for viewers."""

    def __init__(
        self,
        store: SubscriptionStore,
        payments: PaymentStore,
        paypal: PayPal,
        reconciliation: Reconciliation,
        dependencies: BillingDependencies,
    ) -> None:
        self._store = store
        self._payments = payments
        self._paypal = paypal
        self._reconciliation = reconciliation
        self._dependencies = dependencies

    def list_open_plans(self) -> list[Plan]:
        """Return the plans that are open to new subscribers, cheapest first."""
        return [plan for plan in self._store.list_plans() if plan.retired_at is None]

    def subscribe(self, viewer: Viewer, plan_id: str) -> Checkout:
        """Start a checkout, or return the checkout that was started for the same plan within the last hour.

        If the viewer has already paid for a period that has not ended, the first charge is at the end of that period.
        Raises AgeLimited, AddressNotConfirmed, NotFound if there is no such plan, AlreadySubscribed, StoreUnavailable.
        """
        viewer.require_no_age_limit()
        if not viewer.confirmed:  # receipts and warnings about payments are mailed
            raise AddressNotConfirmed(
                "Confirm your email address first: open the link that we sent you, then subscribe."
            )
        plan = self._store.find_plan(plan_id)
        if plan is None or plan.retired_at is not None:
            raise NotFound("There is no such plan; the plans page shows the plans that are open.")
        now = self._dependencies.now()
        attempt = self._store.begin_checkout(viewer.user_id, plan_id, new_token(), now=now, fresh_since=now - FRESH_FOR)
        if attempt.subscription_id and attempt.approve_url:
            return Checkout(attempt.subscription_id, attempt.approve_url)
        opened = self._paypal.subscribe(
            plan_id,
            viewer.user_id,
            request_id=attempt.request_id,
            return_url=f"{self._dependencies.site_origin}/subscribed.html",
            cancel_url=f"{self._dependencies.site_origin}/plans.html",
            starts_at=self._paid_until(viewer.user_id, now),
        )
        self._store.store_checkout(attempt.request_id, opened, user_id=viewer.user_id, now=now)
        if not opened.approve_url:
            raise Conflict("PayPal has already approved this subscription; see your account page.")
        return Checkout(opened.subscription_id, opened.approve_url)

    def current_subscription(self, viewer: Viewer) -> CurrentSubscription:
        """Return the subscription to show; if it waits for approval, PayPal is queried again first."""
        now = self._dependencies.now()
        known = self._store.list_of_user(viewer.user_id)
        for one in known:
            asked_at = one.asked_at or one.created_at
            if one.state in UNAPPROVED and one.created_at > now - FRESH_FOR and now - asked_at > ASK_AGAIN_AFTER:
                self._reconciliation.request(one.subscription_id, "viewer")
        found = _most_relevant(known, now)
        return CurrentSubscription(found, self._store.find_plan(found.plan_id) if found else None)

    def cancel_subscription(self, viewer: Viewer) -> CurrentSubscription:
        """Cancel the subscription at PayPal; the paid period remains.

        Raises AgeLimited, NotFound if there is nothing to cancel.
        """
        viewer.require_no_age_limit()
        running = [one for one in self._store.list_of_user(viewer.user_id) if one.state not in ENDED | UNAPPROVED]
        if not running:
            raise NotFound("There is no subscription to cancel: nothing will be charged.")
        for one in running:
            self._paypal.cancel(one.subscription_id, reason="Cancelled by the subscriber.")
            self._reconciliation.reconcile_now(one.subscription_id, "viewer")
        return self.current_subscription(viewer)

    def list_receipts(self, viewer: Viewer, *, cursor: str, limit: int) -> Page[Payment]:
        """Return a page of the viewer's payments, newest first. Raises Malformed for an invalid cursor."""
        found = self._payments.page_payments(viewer.user_id, time_position_of(cursor), limit=limit + 1)
        return page_of(found, limit=limit, position=lambda one: str(TimePosition(one.charge.at, one.charge.payment_id)))

    def receipt_of(self, viewer: Viewer, payment_id: str) -> PaidReceipt:
        """Return the receipt of a payment. Raises NotFound if the viewer has no such payment, or it was not taken."""
        payment = self._payments.find_payment(viewer.user_id, payment_id)
        if payment is None or payment.charge.state not in PAID | {PaymentState.REFUNDED}:
            raise NotFound("There is no receipt for this payment.")
        held = {one.subscription_id: one.plan_id for one in self._store.list_of_user(viewer.user_id)}
        plan_id = held.get(payment.subscription_id)
        return PaidReceipt(payment, self._store.find_plan(plan_id) if plan_id else None, viewer.email)

    def forget_viewer(self, user_id: str) -> None:
        """Cancel subscriptions of a deleted account that would still be charged, and remove the viewer from payments.

        Idempotent. Nothing is removed until all these subscriptions are cancelled; raises StoreUnavailable if PayPal or
        a store is unreachable.
        """
        for one in self._store.list_of_user(user_id):
            if one.state not in ENDED:
                self._paypal.cancel(one.subscription_id, reason="The account was deleted.")
                self._reconciliation.request(one.subscription_id, "viewer")
        self._payments.forget_payer(user_id)
        self._store.forget_subscriber(user_id, self._dependencies.now())
        self._payments.forget_payer(user_id)  # a concurrent reconciliation may have recorded payments in the meantime
        self._dependencies.entitlement_changed(user_id)

    def _paid_until(self, user_id: str, now: datetime) -> datetime | None:
        ends = [
            one.paid_through
            for one in self._store.list_of_user(user_id)
            if one.state is State.CANCELLED and one.paid_through and one.paid_through > now + SOON
        ]
        return max(ends, default=None)


_RANK = {
    State.ACTIVE: 6,
    State.SUSPENDED: 5,
    State.APPROVED: 4,
    State.APPROVAL_PENDING: 3,
    State.CANCELLED: 2,
    State.EXPIRED: 1,
}


def _most_relevant(subscriptions: list[Subscription], now: datetime) -> Subscription | None:
    """Return the subscription to show: a running one, otherwise a paid one, otherwise the newest checkout."""

    def rank(one: Subscription) -> tuple[float, datetime]:
        if one.state in UNAPPROVED and one.created_at < now - FRESH_FOR:
            return 0, one.created_at  # it will not be approved any more
        if one.state is State.CANCELLED and one.paid_through and one.paid_through > now:
            return 4.5, one.paid_through
        return _RANK[one.state], one.created_at

    return max(subscriptions, key=rank, default=None)
