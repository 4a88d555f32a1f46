"""The pauses between tests, in Redis: `setup:test:<name>` exists until the service may be tested again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from functions.platform.redis import answering

if TYPE_CHECKING:
    from redis import Redis


class RedisPauses:
    """The pauses between tests, in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def begin_test(self, name: str, *, pause_s: int) -> int:
        key = f"setup:test:{name}"
        with answering():
            if self._redis.set(key, "", ex=pause_s, nx=True):
                return 0
            left_s = int(cast("Any", self._redis.ttl(key)))
        return max(1, left_s)  # less than 0 if the pause ended in between
