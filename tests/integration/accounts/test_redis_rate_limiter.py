"""The limiter on a real Redis: the window slides, a burst is counted one by one, and the fake does the same."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from functions import bootstrap
from functions.accounts.rate_limits import Attempt, Count, Limit, Refusal
from functions.accounts.redis_rate_limiter import RedisLimiter
from tests.support.accounts import Clock, FakeLimiter

if TYPE_CHECKING:
    from functions.accounts.rate_limits import Limiter

MINUTE = Limit(5, 60)


@pytest.fixture(params=["fake", "real"])
def limiter(request: pytest.FixtureRequest) -> Limiter:
    """Return a limiter."""
    if request.param == "fake":
        return FakeLimiter(Clock())
    request.getfixturevalue("wired")
    return RedisLimiter(bootstrap.resources.redis())


@pytest.fixture
def real(wired: None) -> RedisLimiter:
    """Return the limiter over Redis."""
    return RedisLimiter(bootstrap.resources.redis())


def counts(limit: Limit = MINUTE, wider: Limit | None = None) -> tuple[Count, Count]:
    """Return a count and a wider one of a shard that no other test uses."""
    shard = uuid.uuid4().hex
    return Count(shard, "narrow", limit), Count(shard, "wide", wider or Limit(50, 60))


def let_through(limiter: Limiter, asked: tuple[Count, ...], times: int) -> list[bool]:
    return [isinstance(limiter.reserve(asked), Attempt) for _ in range(times)]


def age(count: Count, seconds: float) -> None:
    """Make all attempts under a count of Redis older."""
    redis = bootstrap.resources.redis()
    key = f"attempts:{{{count.shard}}}:{count.name}"
    for member in redis.zrange(key, 0, -1):
        redis.zincrby(key, -1000 * seconds, str(member))


def test_as_many_as_the_limit_says_are_let_through(limiter: Limiter) -> None:
    assert let_through(limiter, counts(), 8) == [True] * 5 + [False] * 3


def test_of_a_thousand_at_once_no_more_are(limiter: Limiter) -> None:
    asked = counts(wider=Limit(1000, 60))
    with ThreadPoolExecutor(16) as people:
        outcomes = list(people.map(lambda _: limiter.reserve(asked), range(320)))
    assert sum(isinstance(outcome, Attempt) for outcome in outcomes) == 5
    assert sum(outcome.first for outcome in outcomes if isinstance(outcome, Refusal)) == 1


def test_a_refusal_says_when_to_come_back_and_the_first_one_that_it_is_the_first(limiter: Limiter) -> None:
    asked = counts()
    let_through(limiter, asked, 5)
    first, second = limiter.reserve(asked), limiter.reserve(asked)
    assert isinstance(first, Refusal) and isinstance(second, Refusal)
    assert (first.first, second.first) == (True, False)
    assert 59 <= first.retry_after_s <= 60


def test_the_wider_limit_holds_over_all_the_narrow_ones(limiter: Limiter) -> None:
    narrow, wide = counts(wider=Limit(3, 60))
    for _ in range(3):
        assert isinstance(limiter.reserve((Count(narrow.shard, uuid.uuid4().hex, MINUTE), wide)), Attempt)
    assert isinstance(limiter.reserve((narrow, wide)), Refusal)


def test_a_refused_attempt_is_counted_nowhere(limiter: Limiter) -> None:
    narrow, wide = counts(wider=Limit(6, 60))
    let_through(limiter, (narrow, wide), 20)
    assert let_through(limiter, (Count(narrow.shard, "other", MINUTE), wide), 2) == [True, False]


def test_success_clears_the_first_count_and_takes_only_itself_out_of_the_wider(limiter: Limiter) -> None:
    narrow, wide = counts(wider=Limit(6, 60))
    let_through(limiter, (narrow, wide), 4)
    attempt = limiter.reserve((narrow, wide))
    assert isinstance(attempt, Attempt)
    limiter.succeeded(attempt)
    assert let_through(limiter, (narrow, wide), 4) == [True, True, False, False]


def test_an_attempt_that_is_taken_back_has_not_been(limiter: Limiter) -> None:
    asked = counts()
    let_through(limiter, asked, 4)
    for _ in range(5):
        attempt = limiter.reserve(asked)
        assert isinstance(attempt, Attempt)
        limiter.take_back(attempt)
    assert let_through(limiter, asked, 2) == [True, False]


def test_a_burst_across_the_edge_of_a_minute_gets_no_more_than_any_other(real: RedisLimiter) -> None:
    asked = counts()
    assert let_through(real, asked, 2) == [True, True]
    for count in asked:
        age(count, 40)
    assert let_through(real, asked, 5) == [True] * 3 + [False] * 2
    for count in asked:  # the first two are 61 s old, the next three 21 s: in no minute are there more than five
        age(count, 21)
    assert let_through(real, asked, 5) == [True] * 2 + [False] * 3
    refusal = real.reserve(asked)
    assert isinstance(refusal, Refusal) and 37 <= refusal.retry_after_s <= 39


def test_a_block_ends_by_itself_and_tries_during_it_do_not_prolong_it(real: RedisLimiter) -> None:
    asked = counts(Limit(2, 0.6), Limit(50, 0.6))
    began = time.monotonic()
    let_through(real, asked, 2)
    while not isinstance(real.reserve(asked), Attempt):
        assert time.monotonic() - began < 20
    assert time.monotonic() - began >= 0.55


def test_nothing_is_left_in_redis_when_the_windows_are_over(real: RedisLimiter) -> None:
    asked = counts(Limit(2, 0.2), Limit(50, 0.2))
    let_through(real, asked, 4)
    redis, pattern = bootstrap.resources.redis(), f"attempts:*{asked[0].shard}*"
    assert len(list(redis.scan_iter(pattern))) == 3
    began = time.monotonic()
    while list(redis.scan_iter(pattern)):
        assert time.monotonic() - began < 20


def test_all_counts_of_an_attempt_lie_in_one_slot_of_a_cluster(real: RedisLimiter) -> None:
    asked = counts()
    let_through(real, asked, 6)
    tags = {
        key[key.index("{") : key.index("}")]
        for key in bootstrap.resources.redis().scan_iter(f"attempts:*{asked[0].shard}*")
    }
    assert len(tags) == 1
