"""The contract of claims, for the store in memory and for Mongo: one encoder works on a step, until it stops."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.encoding.claim_repository import MongoClaims
from functions.encoding.steps import Taken
from functions.platform.bulkhead import PLACES
from tests.support.clock import NOON
from tests.support.encoding_claims import MemoryClaims

if TYPE_CHECKING:
    from functions.encoding.ports import ClaimStore

JOB = "0123456789ab"
LEASE = timedelta(seconds=25)


@pytest.fixture(params=["memory", "mongo"])
def claims(request: pytest.FixtureRequest) -> ClaimStore:
    """Return an empty store, either the fake or the real one; each test runs with both."""
    if request.param == "memory":
        return MemoryClaims()
    return MongoClaims(request.getfixturevalue("mongo_database")["encode_claims"])


def take(claims: ClaimStore, owner: str, *, after: float = 0, step: str = "chunk 1") -> Taken:
    at = NOON + timedelta(seconds=after)
    return claims.take_claim(JOB, step, owner=owner, at=at, expired=at - LEASE)


def test_step_belongs_to_the_first_who_claims_it_until_it_is_released(claims: ClaimStore) -> None:
    assert take(claims, "one") is Taken.FREE
    assert take(claims, "two") is Taken.BUSY
    assert take(claims, "one") is Taken.BUSY
    assert take(claims, "two", step="chunk 2") is Taken.FREE
    assert claims.held_claims(since=NOON) == {(JOB, "chunk 1"), (JOB, "chunk 2")}
    claims.release_claim(JOB, "chunk 1", owner="two")
    assert take(claims, "two") is Taken.BUSY
    claims.release_claim(JOB, "chunk 1", owner="one")
    claims.release_claim(JOB, "chunk 1", owner="one")
    assert take(claims, "two") is Taken.FREE


def test_of_many_who_claim_a_step_one_gets_it(claims: ClaimStore) -> None:
    with ThreadPoolExecutor(PLACES) as pool:
        taken = list(pool.map(lambda number: take(claims, str(number)), range(8)))
    assert sorted(taken, key=str) == [Taken.BUSY] * 7 + [Taken.FREE]


def test_claim_that_is_not_renewed_expires_and_one_encoder_takes_it_over(claims: ClaimStore) -> None:
    take(claims, "killed")
    take(claims, "alive", step="chunk 2")
    for seconds in (10, 20, 30):
        claims.renew_claims("alive", [(JOB, "chunk 2"), (JOB, "chunk 1")], at=NOON + timedelta(seconds=seconds))
    assert take(claims, "third", after=25) is Taken.BUSY
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda number: take(claims, str(number), after=26), range(4)))
    assert sorted(taken, key=str) == [Taken.BUSY] * 3 + [Taken.EXPIRED]
    assert take(claims, "third", after=26, step="chunk 2") is Taken.BUSY
    claims.release_claim(JOB, "chunk 1", owner="killed")
    assert take(claims, "killed", after=27) is Taken.BUSY, "a claim that was lost is not released"


def test_expired_claims_are_dropped_once(claims: ClaimStore) -> None:
    take(claims, "killed")
    take(claims, "alive", after=20, step="chunk 2")
    with ThreadPoolExecutor(4) as pool:
        dropped = list(pool.map(lambda _: claims.drop_claims(before=NOON + timedelta(seconds=1)), range(4)))
    assert [step for each in dropped for step in each] == [(JOB, "chunk 1")]
    assert claims.held_claims(since=NOON) == {(JOB, "chunk 2")}
