"""The owner's operations: plans are created once, access is granted, and lists have pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.billing.admin import BillingAdmin
from functions.billing.entitlements import Entitlements
from functions.platform.errors import Malformed, NotFound
from functions.platform.pagination import cursor_after
from functions.platform.viewer import Viewer
from tests.support.billing import WEBHOOK, ModelledBilling, make_event, make_offer, make_user_id
from tests.support.billing_caches import MemoryEntitlementCache
from tests.support.billing_payments import MemoryPayments
from tests.support.billing_store import MemorySubscriptions
from tests.support.clock import NOON
from tests.support.wording import is_sentence

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
    with pytest.raises(NotFound, match=r"^There.* P-NOTHING\.$"):
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
    grant = admin.grant_access(f"{user_id}@example.org", days=3, by="operator")
    assert entitlements.of_user(user_id).reason == "grant"
    assert entitlements.of_user(user_id).until == grant.until
    billing.clock.forward(days=3)
    assert not entitlements.of_user(user_id).entitled


@pytest.fixture
def granting(billing: ModelledBilling) -> tuple[BillingAdmin, Entitlements]:
    """Return the owner's operations, and the entitlements that they change."""
    entitlements = Entitlements(billing.store, MemoryEntitlementCache(), billing.clock)
    dependencies = replace(billing.dependencies, entitlement_changed=entitlements.changed)
    return BillingAdmin(billing.store, billing.paypal, dependencies), entitlements


def test_a_revoked_grant_entitles_nobody_from_that_moment_and_is_logged(
    granting: tuple[BillingAdmin, Entitlements], billing: ModelledBilling, caplog: pytest.LogCaptureFixture
) -> None:
    admin, entitlements = granting
    user_id = make_user_id()
    grant = admin.grant_access(f"{user_id}@example.org", days=30, by="operator")
    assert entitlements.of_user(user_id).entitled
    billing.clock.forward(hours=1)
    revoked = admin.revoke_grant(grant.grant_id, by="a" * 32)
    assert (revoked.revoked_at, revoked.revoked_by) == (revoked.until, "a" * 32)
    assert timedelta(0) < billing.clock() - revoked.until < timedelta(minutes=1)
    assert not entitlements.of_user(user_id).entitled
    assert admin.revoke_grant(grant.grant_id, by="operator") == revoked
    assert f"Grant {grant.grant_id} to {user_id} was revoked by {'a' * 32}" in caplog.text
    with pytest.raises(NotFound, match=r"^This free access .+\.$"):
        admin.revoke_grant("0" * 32, by="operator")


def test_a_grant_can_be_given_and_revoked_for_a_time_to_come(
    granting: tuple[BillingAdmin, Entitlements], billing: ModelledBilling
) -> None:
    admin, entitlements = granting
    user_id, now = make_user_id(), billing.clock()
    grant = admin.grant_access(f"{user_id}@example.org", until=now + timedelta(days=9), by="operator")
    assert entitlements.of_user(user_id).until == now + timedelta(days=9)
    admin.revoke_grant(grant.grant_id, at=now + timedelta(days=2), by="operator")
    assert entitlements.of_user(user_id).until == now + timedelta(days=2)
    later = admin.revoke_grant(grant.grant_id, at=now + timedelta(days=5), by="operator")
    assert later.until == now + timedelta(days=2), "a revocation must not prolong a grant"
    past = admin.revoke_grant(grant.grant_id, at=now - timedelta(days=5), by="operator")
    assert now < past.until < now + timedelta(minutes=1)


@pytest.mark.parametrize(
    "end",
    [{}, {"days": 3, "until": NOON + timedelta(days=3)}, {"until": NOON - timedelta(days=1)}, {"days": 0}],
    ids=["none", "two", "past", "at once"],
)
def test_a_grant_has_one_end_which_lies_ahead(billing: ModelledBilling, end: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        billing.admin.grant_access(f"{make_user_id()}@example.org", by="operator", **end)


def test_the_test_of_paypal_says_where_it_sends_its_messages(billing: ModelledBilling) -> None:
    found = billing.admin.test_paypal(WEBHOOK)
    assert found.works
    assert is_sentence(found.sentence) and "https://films.example/api/paypal/webhooks" in found.sentence
    wrong = billing.admin.test_paypal("WH-OF-ANOTHER-SHOP")
    assert not wrong.works
    assert is_sentence(wrong.sentence) and "PAYPAL_WEBHOOK_ID" in wrong.sentence


def test_a_grant_is_for_a_hundred_years_at_most(billing: ModelledBilling) -> None:
    email, longest = f"{make_user_id()}@example.org", timedelta(days=36_500)
    grant = billing.admin.grant_access(email, days=36_500, by="operator")
    assert grant.until == grant.granted_at + longest
    with pytest.raises(Malformed):
        billing.admin.grant_access(email, until=billing.clock() + longest + timedelta(seconds=1), by="operator")


def test_a_grant_that_was_given_or_revoked_is_logged_with_its_end(
    billing: ModelledBilling, caplog: pytest.LogCaptureFixture
) -> None:
    user_id = make_user_id()
    grant = billing.admin.grant_access(f"{user_id}@example.org", days=3, by="operator")
    assert f"Grant {grant.grant_id} to {user_id} until {grant.until} was given by operator." in caplog.text
    revoked = billing.admin.revoke_grant(grant.grant_id, by="a" * 32)
    assert f"was revoked by {'a' * 32}; it ends at {revoked.until}." in caplog.text


def test_lists_page_to_their_end(billing: ModelledBilling) -> None:
    for _ in range(5):
        user_id = make_user_id()
        billing.admin.grant_access(f"{user_id}@example.org", days=1, by="operator")
        billing.deliver(make_event("X", None))
        billing.subscriptions.subscribe(Viewer(user_id, "ada@example.org", confirmed=True), billing.plan())
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
