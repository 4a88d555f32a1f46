"""The store of pauses: the one in memory and the one in Redis satisfy the same contract."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from redis import Redis

from functions.setup.repository import RedisPauses
from tests.support.pauses import MemoryPauses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.setup.ports import PauseStore
    from tests.integration.conftest import Stack

PAUSE_S = 600


@pytest.fixture
def redis(stack: Stack) -> Iterator[Redis]:
    """Return a client of Redis."""
    with Redis.from_url(stack.settings.redis_url) as client:
        yield client


@pytest.fixture(params=["memory", "redis"])
def pauses(request: pytest.FixtureRequest) -> PauseStore:
    """Return one of the two stores."""
    return MemoryPauses() if request.param == "memory" else RedisPauses(request.getfixturevalue("redis"))


@pytest.fixture
def name() -> str:
    """Return the name of a service that no other test uses."""
    return f"service-{uuid.uuid4().hex}"


def test_a_test_begins_a_pause_in_which_no_other_begins(pauses: PauseStore, name: str) -> None:
    assert pauses.begin_test(name, pause_s=PAUSE_S) == 0
    assert 0 < pauses.begin_test(name, pause_s=PAUSE_S) <= PAUSE_S
    assert 0 < pauses.begin_test(name, pause_s=10 * PAUSE_S) <= PAUSE_S, "a refused test does not prolong the pause"


def test_each_service_has_its_own_pause(pauses: PauseStore, name: str) -> None:
    assert pauses.begin_test(name, pause_s=PAUSE_S) == 0
    assert pauses.begin_test(f"{name}-other", pause_s=PAUSE_S) == 0


def test_the_pause_in_redis_ends_by_itself(redis: Redis, name: str) -> None:
    RedisPauses(redis).begin_test(name, pause_s=PAUSE_S)
    [key] = redis.keys(f"*{name}")
    assert 0 < int(redis.ttl(key)) <= PAUSE_S
