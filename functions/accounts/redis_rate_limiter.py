"""The rate limiter in Redis: a sliding window log, checked and written atomically, using the clock of Redis.

`attempts:{<shard>}:<name>` is a sorted set of attempts by time in ms. An attempt is written before the action that it
counts, so a thousand concurrent attempts count as a thousand. A refused attempt is not written, so retries do not
prolong a block. A fixed window would accept twice as many attempts around its boundary. The braces put all buckets of a
shard on one node of a cluster.
"""

from __future__ import annotations

import math
import secrets
from typing import TYPE_CHECKING

from functions.accounts.rate_limits import Refusal, Reservation
from functions.platform.redis import answering

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis

    from functions.accounts.rate_limits import RateLimitBucket

# KEYS: the buckets, then the marker of the first refusal; ARGV: attempt id, then for each bucket: window in ms,
# limit, and 1 if the attempt counts in it.
# Returns how many ms to wait (0: accepted), and whether this is the first refusal since the limit was reached.
_RESERVE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local buckets = #KEYS - 1
local wait = 0
for i = 1, buckets do
  local window, limit = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now - window)
  if redis.call('ZCARD', KEYS[i]) >= limit and not redis.call('ZSCORE', KEYS[i], ARGV[1]) then
    local oldest = redis.call('ZRANGE', KEYS[i], -limit, -limit, 'WITHSCORES')
    wait = math.max(wait, oldest[2] + window - now, 1)
  end
end
if wait > 0 then
  local first = redis.call('SET', KEYS[#KEYS], '', 'PX', wait, 'NX')
  return {wait, first and 1 or 0}
end
for i = 1, buckets do
  if ARGV[3 * i + 1] == '1' then
    redis.call('ZADD', KEYS[i], now, ARGV[1])
    redis.call('PEXPIRE', KEYS[i], ARGV[3 * i - 1])
  end
end
return {0, 0}
"""

# KEYS: the buckets, then the marker of the first refusal; ARGV: attempt id.
_RECORD_SUCCESS = """
redis.call('DEL', KEYS[1], KEYS[#KEYS])
for i = 2, #KEYS - 1 do redis.call('ZREM', KEYS[i], ARGV[1]) end
"""


class RedisRateLimiter:
    """The rate limiter based on Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._reserve = redis.register_script(_RESERVE)
        self._record_success = redis.register_script(_RECORD_SUCCESS)

    def reserve(self, buckets: Sequence[RateLimitBucket]) -> Reservation | Refusal:
        reservation = Reservation(secrets.token_hex(8), tuple(buckets))
        limits = [number for bucket in buckets for number in _limit(bucket)]
        with answering():
            wait_ms, first = self._reserve(keys=_keys(reservation), args=[reservation.attempt_id, *limits])
        return Refusal(math.ceil(wait_ms / 1000), first == 1) if wait_ms else reservation

    def cancel(self, reservation: Reservation) -> None:
        with answering(), self._redis.pipeline(transaction=False) as commands:
            for key in _keys(reservation)[:-1]:
                commands.zrem(key, reservation.attempt_id)
            commands.execute()

    def record_success(self, reservation: Reservation) -> None:
        with answering():
            self._record_success(keys=_keys(reservation), args=[reservation.attempt_id])


def _limit(bucket: RateLimitBucket) -> tuple[int, int, int]:
    return math.ceil(bucket.limit.window_s * 1000), bucket.limit.attempts, 0 if bucket.only_checked else 1


def _keys(reservation: Reservation) -> list[str]:
    keys = [f"attempts:{{{bucket.shard}}}:{bucket.name}" for bucket in reservation.buckets]
    return [*keys, f"{keys[0]}:refused"]
