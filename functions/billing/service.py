"""What a viewer does about their subscription: see the plans, begin, look, cancel, read their receipts, leave."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.billing.model import OVER, WAITING, State
from functions.billing.reconciliation import new_token
from functions.platform.errors import Conflict, NotFound

if TYPE_CHECKING:
    from datetime import datetime

    from functions.accounts.model import Viewer
    from functions.billing.model import Payment, Plan, Subscription
    from functions.billing.ports import Outside, Payments, PayPal, Subscriptions
    from functions.billing.reconciliation import Settlements

FRESH_FOR = timedelta(hours=1)
"""How long an approval page is given out again; PayPal's own end after some hours."""
LOOK_AGAIN_AFTER = timedelta(seconds=2)
SOON = timedelta(hours=1)
RECEIPTS = 200


@dataclass(frozen=True, slots=True)
class Opening:
    """A subscription that waits for its payer's approval at an address of PayPal's."""

    subscription_id: str
    approve_url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Current:
    """The subscription that counts for a viewer, and the plan it is of; both None for someone who never had one."""

    subscription: Subscription | None
    plan: Plan | None


class Shop:
    """The counter that viewers come to."""

    def __init__(
        self, store: Subscriptions, payments: Payments, paypal: PayPal, settlements: Settlements, outside: Outside
    ) -> None:
        self._store = store
        self._payments = payments
        self._paypal = paypal
        self._settlements = settlements
        self._outside = outside

    def plans(self) -> list[Plan]:
        """Return the plans that can be subscribed to, cheapest first."""
        return [plan for plan in self._store.plans() if plan.retired_at is None]

    def subscribe(self, viewer: Viewer, plan_id: str) -> Opening:
        """Begin a subscription, or go on with the one begun to the same plan within the hour.

        Whoever has paid for a time that is not over yet is charged when it is. Raises NotFound for no such plan,
        AlreadySubscribed, StoreUnavailable.
        """
        plan = self._store.plan(plan_id)
        if plan is None or plan.retired_at is not None:
            raise NotFound("There is no such plan to subscribe to; the plans page shows what there is.")
        now = self._outside.now()
        begun = self._store.begin(viewer.user_id, plan_id, new_token(), now=now, fresh_since=now - FRESH_FOR)
        if begun.subscription_id and begun.approve_url:
            return Opening(begun.subscription_id, begun.approve_url)
        opened = self._paypal.subscribe(
            plan_id,
            viewer.user_id,
            request_id=begun.request_id,
            return_url=f"{self._outside.site_origin}/subscribed.html",
            cancel_url=f"{self._outside.site_origin}/plans.html",
            starts_at=self._paid_up_to(viewer.user_id, now),
        )
        self._store.keep_opened(begun.request_id, opened, user_id=viewer.user_id, now=now)
        if not opened.approve_url:
            raise Conflict("PayPal has taken this subscription up already; look at your account's page.")
        return Opening(opened.subscription_id, opened.approve_url)

    def current(self, viewer: Viewer) -> Current:
        """Return the subscription that counts; one that waits for PayPal's word is asked about again."""
        now = self._outside.now()
        known = self._store.of_user(viewer.user_id)
        for one in known:
            asked_at = one.asked_at or one.created_at
            if one.state in WAITING and one.created_at > now - FRESH_FOR and now - asked_at > LOOK_AGAIN_AFTER:
                self._settlements.mark(one.subscription_id, "viewer")
        found = _most_telling(known, now)
        return Current(found, self._store.plan(found.plan_id) if found else None)

    def cancel(self, viewer: Viewer) -> Current:
        """End the subscription at PayPal; what is paid for stays. Raises NotFound if nothing can be cancelled."""
        running = [one for one in self._store.of_user(viewer.user_id) if one.state not in OVER | WAITING]
        if not running:
            raise NotFound("There is no subscription to cancel: nothing will be charged.")
        for one in running:
            self._paypal.cancel(one.subscription_id, reason="Cancelled by the subscriber.")
            self._settlements.settle_now(one.subscription_id, "viewer")
        return self.current(viewer)

    def receipts(self, viewer: Viewer) -> list[Payment]:
        """Return what the viewer paid, newest first."""
        return self._payments.of_user(viewer.user_id, limit=RECEIPTS)

    def forget(self, user_id: str) -> None:
        """Cancel what a deleted account would still pay for, and keep its payments as those of nobody.

        Doing it twice is harmless. Raises StoreUnavailable before anything is forgotten that is still charged.
        """
        for one in self._store.of_user(user_id):
            if one.state not in OVER:
                self._paypal.cancel(one.subscription_id, reason="The account was deleted.")
                self._settlements.mark(one.subscription_id, "viewer")
        self._payments.forget(user_id)
        self._store.forget(user_id, self._outside.now())
        self._payments.forget(user_id)  # what a settlement under way has recorded meanwhile
        self._outside.access_changed(user_id)

    def _paid_up_to(self, user_id: str, now: datetime) -> datetime | None:
        ends = [
            one.paid_through
            for one in self._store.of_user(user_id)
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


def _most_telling(subscriptions: list[Subscription], now: datetime) -> Subscription | None:
    """Return the subscription to show: one that runs, else what is still paid for, else one just begun."""

    def rank(one: Subscription) -> tuple[float, datetime]:
        if one.state in WAITING and one.created_at < now - FRESH_FOR:
            return 0, one.created_at  # nobody will approve it any more
        if one.state is State.CANCELLED and one.paid_through and one.paid_through > now:
            return 4.5, one.paid_through
        return _RANK[one.state], one.created_at

    return max(subscriptions, key=rank, default=None)
