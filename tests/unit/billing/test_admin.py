"""The owner's operations: plans are created once, access is granted, and lists have pages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from functions.billing.admin import BillingAdmin
from functions.billing.entitlements import Entitlements
from functions.platform.errors import Malformed, NotFound
from functions.platform.pagination import cursor_after
from functions.platform.viewer import Viewer
from tests.support.billing import ModelledBilling, make_event, make_offer, make_user_id
from tests.support.billing_caches import MemoryEntitlementCache
from tests.support.billing_payments import MemoryPayments
from tests.support.billing_store import MemorySubscriptions

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def billing() -> ModelledBilling:
    return ModelledBilling(MemorySubscriptions(), MemoryPayments())


def test_a_plan_is_created_once_and_retired_for_newcomers_only(billing: ModelledBilling) -> None:
    offer = make_offer()
    plan, is_new = billing.admin.create_plan(offer)
    assert is_new
    assert billing.admin.create_plan(offer) == (plan, False)
    billing.admin.retire_plan(plan.plan_id)
    again, is_new = billing.admin.create_plan(offer)
    assert is_new and again.plan_id != plan.plan_id
    assert {one.plan_id for one in billing.admin.list_all_plans()} == {plan.plan_id, again.plan_id}
    with pytest.raises(NotFound):
        billing.admin.retire_plan("P-NOTHING")


def test_a_plan_whose_answer_was_lost_is_not_created_twice_at_paypal(billing: ModelledBilling) -> None:
    offer = make_offer()
    store_plan = billing.store.store_plan
    billing.store.store_plan = lambda plan: None  # type: ignore[method-assign]  # a crash
    first, _ = billing.admin.create_plan(offer)
    billing.store.store_plan = store_plan  # type: ignore[method-assign]
    second, _ = billing.admin.create_plan(offer)
    assert first.plan_id == second.plan_id


def test_a_grant_entitles_at_once_for_its_days(billing: ModelledBilling) -> None:
    user_id, cache = make_user_id(), MemoryEntitlementCache()
    entitlements = Entitlements(billing.store, cache, billing.clock)
    assert not entitlements.of_user(user_id).entitled
    admin = BillingAdmin(
        billing.store, billing.paypal, replace(billing.dependencies, entitlement_changed=entitlements.changed)
    )
    grant = admin.grant_access(f"{user_id}@example.org", 3, by="operator")
    assert entitlements.of_user(user_id).reason == "grant"
    assert entitlements.of_user(user_id).until == grant.until
    billing.clock.forward(days=3)
    assert not entitlements.of_user(user_id).entitled


def test_lists_page_to_their_end(billing: ModelledBilling) -> None:
    for _ in range(5):
        user_id = make_user_id()
        billing.admin.grant_access(f"{user_id}@example.org", 1, by="operator")
        billing.deliver(make_event("X", None))
        billing.subscriptions.subscribe(Viewer(user_id, "ada@example.org"), billing.plan())
    lists: tuple[tuple[Callable[..., Any], str], ...] = (
        (billing.admin.list_grants, "grant_id"),
        (billing.admin.list_events, "event_id"),
        (billing.admin.list_subscriptions, "subscription_id"),
    )
    for read, key in lists:
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = read(cursor=cursor, limit=2)
            seen += [getattr(one, key) for one in page.entries]
            cursor = page.cursor
        assert len(seen) == len(set(seen)) == 5
        for wrong in ("then", "bm8gdGltZQ", "x" * 400, cursor_after("9999-12-31T23:59:59-14:00~x")):
            with pytest.raises(Malformed):
                read(cursor=wrong, limit=2)
