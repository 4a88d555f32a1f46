"""The rate limiter with a real Redis: the window slides, all concurrent attempts count; the fake behaves the same."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from functions import bootstrap
from functions.accounts.rate_limits import RateLimit, RateLimitBucket, Refusal, Reservation
from functions.accounts.redis_rate_limiter import RedisRateLimiter
from functions.platform.bulkhead import PLACES
from tests.support.account_sessions import FakeRateLimiter
from tests.support.clock import Clock
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from functions.accounts.ports import RateLimiter

MINUTE = RateLimit(5, 60)


@pytest.fixture(params=["fake", "real"])
def limiter(request: pytest.FixtureRequest) -> RateLimiter:
    """Return a rate limiter."""
    if request.param == "fake":
        return FakeRateLimiter(Clock())
    request.getfixturevalue("wired")
    return RedisRateLimiter(bootstrap.resources.redis())


@pytest.fixture
def real(wired: None) -> RedisRateLimiter:
    """Return the rate limiter in Redis."""
    return RedisRateLimiter(bootstrap.resources.redis())


def make_buckets(limit: RateLimit = MINUTE, wider: RateLimit | None = None) -> tuple[RateLimitBucket, RateLimitBucket]:
    """Return a bucket and a wider bucket in a shard that no other test uses."""
    shard = uuid.uuid4().hex
    return RateLimitBucket(shard, "narrow", limit), RateLimitBucket(shard, "wide", wider or RateLimit(50, 60))


def accepted(limiter: RateLimiter, buckets: tuple[RateLimitBucket, ...], times: int) -> list[bool]:
    return [isinstance(limiter.reserve(buckets), Reservation) for _ in range(times)]


def age(bucket: RateLimitBucket, seconds: float) -> None:
    """Make all attempts in a bucket older by `seconds`."""
    redis = bootstrap.resources.redis()
    key = f"attempts:{{{bucket.shard}}}:{bucket.name}"
    for member in redis.zrange(key, 0, -1):
        redis.zincrby(key, -1000 * seconds, str(member))


def test_as_many_attempts_as_the_limit_are_accepted(limiter: RateLimiter) -> None:
    assert accepted(limiter, make_buckets(), 8) == [True] * 5 + [False] * 3


def test_of_320_concurrent_attempts_no_more_are_accepted(limiter: RateLimiter) -> None:
    buckets = make_buckets(wider=RateLimit(1000, 60))
    with ThreadPoolExecutor(PLACES) as people:
        outcomes = list(people.map(lambda _: limiter.reserve(buckets), range(320)))
    assert sum(isinstance(outcome, Reservation) for outcome in outcomes) == 5
    assert sum(outcome.first for outcome in outcomes if isinstance(outcome, Refusal)) == 1


def test_a_refusal_says_when_to_retry_and_whether_it_is_the_first(limiter: RateLimiter) -> None:
    buckets = make_buckets()
    accepted(limiter, buckets, 5)
    first, second = limiter.reserve(buckets), limiter.reserve(buckets)
    assert isinstance(first, Refusal) and isinstance(second, Refusal)
    assert (first.first, second.first) == (True, False)
    assert 50 <= first.retry_after_s <= 60


def test_the_wider_limit_applies_across_narrow_ones(limiter: RateLimiter) -> None:
    narrow, wide = make_buckets(wider=RateLimit(3, 60))
    for _ in range(3):
        assert isinstance(limiter.reserve((RateLimitBucket(narrow.shard, uuid.uuid4().hex, MINUTE), wide)), Reservation)
    assert isinstance(limiter.reserve((narrow, wide)), Refusal)


def test_a_refused_attempt_is_not_counted(limiter: RateLimiter) -> None:
    narrow, wide = make_buckets(wider=RateLimit(6, 60))
    accepted(limiter, (narrow, wide), 20)
    assert accepted(limiter, (RateLimitBucket(narrow.shard, "other", MINUTE), wide), 2) == [True, False]


def test_success_clears_the_first_bucket_and_only_its_own_attempt_in_the_wider(limiter: RateLimiter) -> None:
    narrow, wide = make_buckets(wider=RateLimit(6, 60))
    accepted(limiter, (narrow, wide), 4)
    reservation = limiter.reserve((narrow, wide))
    assert isinstance(reservation, Reservation)
    limiter.record_success(reservation)
    assert accepted(limiter, (narrow, wide), 4) == [True, True, False, False]


def test_a_cancelled_attempt_does_not_count(limiter: RateLimiter) -> None:
    buckets = make_buckets()
    accepted(limiter, buckets, 4)
    for _ in range(5):
        reservation = limiter.reserve(buckets)
        assert isinstance(reservation, Reservation)
        limiter.cancel(reservation)
    assert accepted(limiter, buckets, 2) == [True, False]


def test_a_burst_across_the_edge_of_a_minute_is_limited_like_any_other(real: RedisRateLimiter) -> None:
    buckets = make_buckets()
    assert accepted(real, buckets, 2) == [True, True]
    for bucket in buckets:
        age(bucket, 40)
    assert accepted(real, buckets, 5) == [True] * 3 + [False] * 2
    for bucket in buckets:  # the first two are 61 s old and the next three 21 s, so no minute contains more than five
        age(bucket, 21)
    assert accepted(real, buckets, 5) == [True] * 2 + [False] * 3
    refusal = real.reserve(buckets)
    assert isinstance(refusal, Refusal) and 30 <= refusal.retry_after_s <= 39


def test_a_block_expires_and_attempts_during_it_do_not_extend_it(real: RedisRateLimiter) -> None:
    buckets = make_buckets(RateLimit(2, 0.6), RateLimit(50, 0.6))
    began = time.monotonic()
    accepted(real, buckets, 2)
    while not isinstance(real.reserve(buckets), Reservation):
        assert time.monotonic() - began < PATIENCE_S
    assert time.monotonic() - began >= 0.55


def test_nothing_is_left_in_redis_after_the_windows(real: RedisRateLimiter) -> None:
    """Redis deletes a key when its time to live has passed, so that time is compared with the window."""
    buckets = make_buckets(RateLimit(2, 60), RateLimit(50, 60))
    accepted(real, buckets, 4)
    redis, pattern = bootstrap.resources.redis(), f"attempts:*{buckets[0].shard}*"
    left_ms = [redis.pttl(key) for key in redis.scan_iter(pattern)]
    assert len(left_ms) == 3 and all(0 < each <= 60_000 for each in left_ms)


def test_all_buckets_of_an_attempt_are_in_one_slot_of_a_cluster(real: RedisRateLimiter) -> None:
    buckets = make_buckets()
    accepted(real, buckets, 6)
    tags = {
        key[key.index("{") : key.index("}")]
        for key in bootstrap.resources.redis().scan_iter(f"attempts:*{buckets[0].shard}*")
    }
    assert len(tags) == 1


def test_a_bucket_that_is_only_checked_refuses_when_it_is_full_and_counts_nothing(limiter: RateLimiter) -> None:
    narrow, busy = make_buckets(wider=RateLimit(2, 60))
    checked = replace(busy, only_checked=True)
    assert accepted(limiter, (narrow, checked), 3) == [True] * 3
    assert accepted(limiter, (busy,), 3) == [True, True, False]
    refusal = limiter.reserve((narrow, checked))
    assert isinstance(refusal, Refusal) and 50 <= refusal.retry_after_s <= 60
    assert accepted(limiter, (narrow,), 3) == [True, True, False]
