"""Whether a viewer may play films now: read from the store and cached for some seconds, or until it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.billing.model import Entitlement, entitlement_of
from functions.platform.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.billing.ports import CoverageStore, EntitlementCache
    from functions.platform.viewer import Viewer

CACHED_S = 10
"""Seconds after which a cached entitlement expires, in case an old value was cached just after a change."""


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
