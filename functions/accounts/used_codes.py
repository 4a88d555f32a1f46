"""Used codes and challenges, stored in Redis so that they are not accepted again.

`used:<name>` exists until the code would have expired anyway. If Redis loses it, a code can be used again for at most
90 s, by somebody who also has the password.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.platform.redis import answering

if TYPE_CHECKING:
    from redis import Redis


class RedisUsedCodes:
    """The used codes and challenges, in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def claim(self, name: str, *, for_s: int) -> bool:
        with answering():
            return bool(self._redis.set(f"used:{name}", "", ex=for_s, nx=True))
