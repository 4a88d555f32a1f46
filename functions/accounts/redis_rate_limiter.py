"""The limiter in Redis: a sliding window log, counted and judged in one step, on the clock of Redis.

`attempts:{<shard>}:<name>` is a sorted set of attempts by their time in ms. An attempt is written down before what it
is for is done, so a thousand at once are a thousand attempts; one that is refused is not, so a block ends when its
window does and not when the attacker tires. A fixed window would let twice as many through across its edge. The braces
put all counts of a shard on one node of a cluster.
"""

from __future__ import annotations

import math
import secrets
from typing import TYPE_CHECKING

from functions.accounts.rate_limits import Attempt, Refusal
from functions.platform.redis import answering

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis

    from functions.accounts.rate_limits import Count

# KEYS: the counts, then where it is noted that a refusal was told; ARGV: attempt, then window in ms and limit of each.
# Returns how many ms to wait (0: let through), and whether this is the first refusal since the limit was reached.
_RESERVE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local counts = #KEYS - 1
local wait = 0
for i = 1, counts do
  local window, limit = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
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
for i = 1, counts do
  redis.call('ZADD', KEYS[i], now, ARGV[1])
  redis.call('PEXPIRE', KEYS[i], ARGV[2 * i])
end
return {0, 0}
"""

# KEYS: the counts, then the note of a refusal; ARGV: attempt.
_SUCCEEDED = """
redis.call('DEL', KEYS[1], KEYS[#KEYS])
for i = 2, #KEYS - 1 do redis.call('ZREM', KEYS[i], ARGV[1]) end
"""


class RedisLimiter:
    """Counts attempts in Redis; every method takes one round trip and raises StoreUnavailable if it fails."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._reserve = redis.register_script(_RESERVE)
        self._succeeded = redis.register_script(_SUCCEEDED)

    def reserve(self, counts: Sequence[Count]) -> Attempt | Refusal:
        """Count an attempt under all of the counts, which are of one shard, or under none if one of them is full."""
        attempt = Attempt(secrets.token_hex(8), tuple(counts))
        limits = [
            number for count in counts for number in (math.ceil(count.limit.window_s * 1000), count.limit.attempts)
        ]
        with answering():
            wait_ms, first = self._reserve(keys=_keys(attempt), args=[attempt.attempt_id, *limits])
        return Refusal(math.ceil(wait_ms / 1000), first == 1) if wait_ms else attempt

    def take_back(self, attempt: Attempt) -> None:
        """Let the attempt not have been."""
        with answering(), self._redis.pipeline(transaction=False) as together:
            for key in _keys(attempt)[:-1]:
                together.zrem(key, attempt.attempt_id)
            together.execute()

    def succeeded(self, attempt: Attempt) -> None:
        """Take the attempt back, and all others under the first of its counts."""
        with answering():
            self._succeeded(keys=_keys(attempt), args=[attempt.attempt_id])


def _keys(attempt: Attempt) -> list[str]:
    keys = [f"attempts:{{{count.shard}}}:{count.name}" for count in attempt.counts]
    return [*keys, f"{keys[0]}:refused"]
