"""Who may play films now: asked of the store, remembered for some seconds, forgotten as soon as something changes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from functions.billing.model import Entitlement, entitlement_of
from functions.platform.errors import StoreUnavailable
from functions.platform.redis import answering

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

    from functions.accounts.model import Viewer
    from functions.billing.model import Covering

REMEMBERED_S = 10
"""How long an answer may be old, at most, when its forgetting and its remembering cross each other."""


class AccessStore(Protocol):
    """What may let a person in."""

    def access_of(self, user_id: str) -> tuple[list[Covering], list[datetime]]:
        """Return their subscriptions, and when what they were granted ends."""


class Memory(Protocol):
    """Answers of some seconds ago; every method raises StoreUnavailable while it is away."""

    def recall(self, user_id: str) -> Entitlement | None:
        """Return the answer, None if none is remembered."""

    def remember(self, user_id: str, entitlement: Entitlement, *, seconds: int) -> None:
        """Keep an answer for so long."""

    def forget(self, user_id: str) -> None:
        """Drop the answer."""


class RedisMemory:
    """Answers in Redis, under `entitled:<user_id>`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def recall(self, user_id: str) -> Entitlement | None:
        """Return the answer, None if none is remembered."""
        with answering():
            kept = self._redis.get(f"entitled:{user_id}")
        if not isinstance(kept, str):
            return None
        reason, until = json.loads(kept)
        return Entitlement(reason != "none", reason, datetime.fromtimestamp(until, UTC) if until else None)

    def remember(self, user_id: str, entitlement: Entitlement, *, seconds: int) -> None:
        """Keep an answer for so long."""
        until = entitlement.until.timestamp() if entitlement.until else None
        with answering():
            self._redis.set(f"entitled:{user_id}", json.dumps([entitlement.reason, until]), ex=seconds)

    def forget(self, user_id: str) -> None:
        """Drop the answer."""
        with answering():
            self._redis.delete(f"entitled:{user_id}")


class Entitlements:
    """Answers whether a viewer may play films."""

    def __init__(self, store: AccessStore, memory: Memory, now: Callable[[], datetime]) -> None:
        self._store = store
        self._memory = memory
        self._now = now

    def of(self, viewer: Viewer) -> Entitlement:
        """Return what the viewer may; raise StoreUnavailable. An administrator may always."""
        return Entitlement(True, "administrator") if viewer.admin else self.of_user(viewer.user_id)

    def of_user(self, user_id: str) -> Entitlement:
        """Return what an account may that is no administrator's; without the memory the store itself is asked."""
        now = self._now()
        try:
            remembered = self._memory.recall(user_id)
        except StoreUnavailable:
            return entitlement_of(*self._store.access_of(user_id), now)
        if remembered and (remembered.until is None or remembered.until > now):
            return remembered
        entitlement = entitlement_of(*self._store.access_of(user_id), now)
        try:
            self._memory.remember(user_id, entitlement, seconds=REMEMBERED_S)
        except StoreUnavailable:
            return entitlement
        return entitlement

    def changed(self, user_id: str) -> None:
        """Forget what was answered: something about the account has changed."""
        try:
            self._memory.forget(user_id)
        except StoreUnavailable:
            return  # what it remembers ends by itself in some seconds
