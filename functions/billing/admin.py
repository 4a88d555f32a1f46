"""Billing operations for the owner: plans, grants, and the lists of subscriptions and webhook events."""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.billing.model import Grant, Plan
from functions.platform.errors import NotFound
from functions.platform.pagination import TimePosition, page_of, time_position_of

if TYPE_CHECKING:
    from functions.billing.model import Offer, StoredEvent, Subscription
    from functions.billing.ports import BillingDependencies, PayPal, SubscriptionStore
    from functions.platform.pagination import Page


class BillingAdmin:
    """Billing operations for the owner. Lists raise Malformed for an invalid cursor."""

    def __init__(self, store: SubscriptionStore, paypal: PayPal, dependencies: BillingDependencies) -> None:
        self._store = store
        self._paypal = paypal
        self._dependencies = dependencies

    def create_plan(self, offer: Offer) -> tuple[Plan, bool]:
        """Create a plan at PayPal and here. Return the plan and True, or False with an open plan of the same offer."""
        same = [plan for plan in self._store.list_plans() if plan.offer == offer]
        if open_plan := next((plan for plan in same if plan.retired_at is None), None):
            return open_plan, False
        # A retry after a lost answer of PayPal has the same id; after a plan was retired, the same offer gets a new id.
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

    def grant_access(self, email: str, days: int, *, by: str) -> Grant:
        """Give an account free access for a number of days from now. Raises NotFound."""
        user_id, now = self._dependencies.find_user(email), self._dependencies.now()
        grant = Grant(uuid.uuid4().hex, user_id, now + timedelta(days=days), now, by)
        self._store.store_grant(grant)
        self._dependencies.entitlement_changed(user_id)
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
