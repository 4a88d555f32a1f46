"""The cache of entitlements: Redis and the fake of the unit tests satisfy the same contract, and entries expire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from functions.billing.entitlement_cache import RedisEntitlementCache
from functions.billing.model import Entitlement
from functions.platform.errors import StoreUnavailable
from functions.platform.redis import connect
from tests.support.billing import make_user_id
from tests.support.billing_caches import MemoryEntitlementCache

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

    from functions.billing.ports import EntitlementCache
    from tests.integration.conftest import Stack

UNTIL = datetime(2026, 12, 24, 10, 0, 0, 123456, tzinfo=UTC)
ENTITLEMENTS = (
    Entitlement(True, "subscription", UNTIL),
    Entitlement(True, "grant", UNTIL + timedelta(days=36_500)),
    Entitlement(False, "none"),
)


@pytest.fixture
def redis(stack: Stack) -> Iterator[Redis]:
    """Return a client."""
    client = connect(stack.settings.redis_url)
    yield client
    client.close()


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> EntitlementCache:
    """Return one of the two caches; each test runs with both."""
    if request.param == "memory":
        return MemoryEntitlementCache()
    return RedisEntitlementCache(request.getfixturevalue("redis"))


def test_an_entitlement_is_cached_replaced_and_dropped(store: EntitlementCache) -> None:
    user_id, other = make_user_id(), make_user_id()
    assert store.find_entitlement(user_id) is None
    for entitlement in ENTITLEMENTS:
        store.store_entitlement(user_id, entitlement, seconds=60)
        store.store_entitlement(other, Entitlement(True, "administrator"), seconds=60)
        assert store.find_entitlement(user_id) == entitlement
    store.drop_entitlement(user_id)
    store.drop_entitlement(user_id)
    assert store.find_entitlement(user_id) is None
    assert store.find_entitlement(other) == Entitlement(True, "administrator")


def test_a_cached_entitlement_expires(redis: Redis) -> None:
    user_id = make_user_id()
    RedisEntitlementCache(redis).store_entitlement(user_id, ENTITLEMENTS[0], seconds=10)
    assert 0 < redis.pttl(f"entitled:{user_id}") <= 10_000


def test_a_cache_that_does_not_answer_says_so() -> None:
    away = RedisEntitlementCache(connect("redis://127.0.0.1:1/0"))
    with pytest.raises(StoreUnavailable):
        away.find_entitlement("a")
    with pytest.raises(StoreUnavailable):
        away.store_entitlement("a", ENTITLEMENTS[0], seconds=1)
    with pytest.raises(StoreUnavailable):
        away.drop_entitlement("a")
