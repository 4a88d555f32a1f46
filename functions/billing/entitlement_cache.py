"""Entitlements, cached in Redis for some seconds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from functions.billing.model import Entitlement
from functions.platform.redis import answering

if TYPE_CHECKING:
    from redis import Redis


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
