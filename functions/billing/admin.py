"""Billing operations for the owner: plans, grants, and the lists of subscriptions and webhook events."""

from __future__ import annotations

import hashlib
import logging
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.billing.model import Grant, Plan
from functions.platform.errors import Malformed, NotFound
from functions.platform.finding import Finding
from functions.platform.pagination import TimePosition, page_of, time_position_of

if TYPE_CHECKING:
    from datetime import datetime

    from functions.billing.model import Offer, StoredEvent, Subscription
    from functions.billing.ports import BillingDependencies, PayPal, SubscriptionStore
    from functions.platform.pagination import Page

log = logging.getLogger(__name__)

LONGEST_GRANT = timedelta(days=36_500)


class BillingAdmin:
    """Billing operations for the owner. Lists raise Malformed for an invalid cursor."""

    def __init__(self, store: SubscriptionStore, paypal: PayPal, dependencies: BillingDependencies) -> None:
        self._store = store
        self._paypal = paypal
        self._dependencies = dependencies

    def test_paypal(self, webhook_id: str) -> Finding:
        """Return whether PayPal accepts the credentials, and has the webhook with this id.

        Raises StoreUnavailable and PayPalRefused, whose details say why not.
        """
        address = self._paypal.webhooks_after_login().get(webhook_id)
        if address is None:
            return Finding(
                False,
                "PayPal accepts the client id and the secret, but has no webhook with the id in PAYPAL_WEBHOOK_ID, so "
                "payments and cancellations are noticed only after a delay.",
            )
        return Finding(True, f"PayPal accepts the client id and the secret, and sends its messages to {address}.")

    def create_plan(self, offer: Offer) -> tuple[Plan, bool]:
        """Create a plan at PayPal and here.

        Returns the new plan and True, or an existing open plan with the same offer and False.
        """
        same = [plan for plan in self._store.list_plans() if plan.offer == offer]
        if open_plan := next((plan for plan in same if plan.retired_at is None), None):
            return open_plan, False
        # If PayPal's answer was lost, the retry has the same id. If the plan was retired, the same offer gets a new id.
        request_id = hashlib.sha256(f"{offer!r} {len(same)}".encode()).hexdigest()[:32]
        product_id, plan_id = self._paypal.create_plan(offer, request_id=request_id)
        plan = Plan(plan_id, product_id, offer, self._dependencies.now())
        self._store.store_plan(plan)
        return plan, True

    def retire_plan(self, plan_id: str) -> None:
        """Close a plan to new subscribers; existing subscriptions continue. Raises NotFound."""
        if self._store.find_plan(plan_id) is None:
            raise NotFound(f"There is no plan {plan_id}.")
        self._paypal.retire_plan(plan_id)
        self._store.retire_plan(plan_id, self._dependencies.now())

    def list_all_plans(self) -> list[Plan]:
        """Return all plans, including retired ones."""
        return self._store.list_plans()

    def grant_access(self, email: str, *, days: int | None = None, until: datetime | None = None, by: str) -> Grant:
        """Give an account free access for a number of days from now, or until a time.

        Raises NotFound if the address has no account, Malformed unless exactly one end is given and lies in the future.
        """
        now = self._dependencies.now()
        if (days is None) == (until is None):
            raise Malformed("Give either `days` or `until`, the time at which the free access ends.")
        ends_at = until or now + timedelta(days=days or 0)
        if not now < ends_at <= now + LONGEST_GRANT:
            raise Malformed("`until`: Choose a time in the next hundred years.")
        grant = Grant(uuid.uuid4().hex, self._dependencies.find_user(email), ends_at, now, by)
        self._store.store_grant(grant)
        log.warning("Grant %s to %s until %s was given by %s.", grant.grant_id, grant.user_id, ends_at, by)
        self._dependencies.entitlement_changed(grant.user_id)
        return grant

    def revoke_grant(self, grant_id: str, *, at: datetime | None = None, by: str) -> Grant:
        """End a grant at a time, by default now; a grant that ends earlier is left unchanged. Idempotent.

        The viewer gets no new key once the grant has ended; keys that were issued before work for at most 15 minutes
        more. Raises NotFound.
        """
        now = self._dependencies.now()
        grant = self._store.revoke_grant(grant_id, ends_at=max(at or now, now), now=now, by=by)
        if grant is None:
            raise NotFound("This free access no longer exists. Reload the page.")
        log.warning("Grant %s to %s was revoked by %s; it ends at %s.", grant_id, grant.user_id, by, grant.until)
        self._dependencies.entitlement_changed(grant.user_id)
        return grant

    def list_grants(self, *, cursor: str, limit: int) -> Page[Grant]:
        """Return a page of grants, newest first."""
        found = self._store.page_grants(time_position_of(cursor), limit=limit + 1)
        return page_of(found, limit=limit, position=lambda one: str(TimePosition(one.granted_at, one.grant_id)))

    def list_subscriptions(self, *, cursor: str, limit: int) -> Page[Subscription]:
        """Return a page of subscriptions, newest first."""
        found = self._store.page_subscriptions(time_position_of(cursor), limit=limit + 1)
        return page_of(found, limit=limit, position=lambda one: str(TimePosition(one.created_at, one.subscription_id)))

    def list_events(self, *, cursor: str, limit: int) -> Page[StoredEvent]:
        """Return a page of the webhook inbox, newest first."""
        found = self._store.page_events(time_position_of(cursor), limit=limit + 1)
        return page_of(found, limit=limit, position=lambda one: str(TimePosition(one.received_at, one.event_id)))
