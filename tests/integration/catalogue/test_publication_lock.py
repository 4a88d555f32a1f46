"""The contract of the publisher's lock, for the store in memory and for Mongo: one publisher runs at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.catalogue.publication_lock import MongoPublicationLock
from functions.platform.bulkhead import PLACES
from tests.support.catalogue import MemoryPublicationLock
from tests.support.clock import NOON

if TYPE_CHECKING:
    from functions.catalogue.ports import PublicationLock

LEASE = timedelta(seconds=25)


@pytest.fixture(params=["memory", "mongo"])
def lock(request: pytest.FixtureRequest) -> PublicationLock:
    """Return a lock that nobody has taken, in memory or in the real store; each test runs with both."""
    if request.param == "memory":
        return MemoryPublicationLock()
    return MongoPublicationLock(request.getfixturevalue("mongo_database")["publication"])


def take(lock: PublicationLock, owner: str, *, after: float = 0) -> int | None:
    at = NOON + timedelta(seconds=after)
    return lock.take(owner, at=at, expired=at - LEASE)


def test_one_of_many_takes_the_lock_and_knows_of_all_requests(lock: PublicationLock) -> None:
    with ThreadPoolExecutor(PLACES) as pool:
        list(pool.map(lambda _: lock.add_request(), range(8)))
        taken = list(pool.map(lambda number: take(lock, str(number)), range(8)))
    assert sorted(each for each in taken if each is not None) == [8]


def test_lock_is_released_only_if_no_request_was_added(lock: PublicationLock) -> None:
    lock.add_request()
    assert take(lock, "one") == 1
    lock.add_request()
    assert take(lock, "two") is None
    assert not lock.release("one", requests=1)
    assert take(lock, "one") == 2
    assert not lock.release("two")
    assert lock.release("one", requests=2)
    assert take(lock, "two") == 2


def test_lock_that_is_not_renewed_is_taken_over(lock: PublicationLock) -> None:
    lock.add_request()
    take(lock, "one")
    lock.renew("one", at=NOON + timedelta(seconds=20))
    lock.renew("two", at=NOON + timedelta(seconds=90))
    assert take(lock, "two", after=45) is None
    assert take(lock, "two", after=46) == 1
    assert not lock.release("one", requests=1)
