"""Whether a viewer may play films now: read from the store and cached for some seconds, or until it changes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from functions.billing.model import Entitlement, entitlement_of
from functions.platform.errors import StoreUnavailable
from functions.platform.redis import answering

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from functions.billing.ports import CoverageStore, EntitlementCache
    from functions.platform.viewer import Viewer

CACHED_S = 10
"""Seconds after which a cached entitlement expires, in case an old value was cached just after a change."""


class RedisEntitlementCache:
    """Entitlements in Redis, under `entitled:<user_id>`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def find_entitlement(self, user_id: str) -> Entitlement | None:
        with answering():
            kept = self._redis.get(f"entitled:{user_id}")
        if not isinstance(kept, str):
            return None
        reason, until = json.loads(kept)
        return Entitlement(reason != "none", reason, datetime.fromtimestamp(until, UTC) if until else None)

    def store_entitlement(self, user_id: str, entitlement: Entitlement, *, seconds: int) -> None:
        until = entitlement.until.timestamp() if entitlement.until else None
        with answering():
            self._redis.set(f"entitled:{user_id}", json.dumps([entitlement.reason, until]), ex=seconds)

    def drop_entitlement(self, user_id: str) -> None:
        with answering():
            self._redis.delete(f"entitled:{user_id}")


class Entitlements:
    """Determines whether a viewer may play films."""

    def __init__(self, store: CoverageStore, cache: EntitlementCache, now: Callable[[], datetime]) -> None:
        self._store = store
        self._cache = cache
        self._now = now

    def of(self, viewer: Viewer) -> Entitlement:
        """Return a viewer's entitlement. Raises StoreUnavailable. An administrator is always entitled."""
        return Entitlement(True, "administrator") if viewer.admin else self.of_user(viewer.user_id)

    def of_user(self, user_id: str) -> Entitlement:
        """Return the entitlement of a non-administrator account; reads the store if the cache is unavailable."""
        now = self._now()
        try:
            cached = self._cache.find_entitlement(user_id)
        except StoreUnavailable:
            return entitlement_of(*self._store.coverage_of(user_id), now)
        if cached and (cached.until is None or cached.until > now):
            return cached
        entitlement = entitlement_of(*self._store.coverage_of(user_id), now)
        try:
            self._cache.store_entitlement(user_id, entitlement, seconds=CACHED_S)
        except StoreUnavailable:
            return entitlement
        return entitlement

    def changed(self, user_id: str) -> None:
        """Drop the cached entitlement of an account."""
        try:
            self._cache.drop_entitlement(user_id)
        except StoreUnavailable:
            return  # the cached value expires within seconds
