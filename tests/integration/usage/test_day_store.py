"""Viewing by day in Mongo and in memory: counts are correct even if many viewers watch at the same time."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient

from functions.platform.errors import StoreUnavailable
from functions.usage.day_store import MongoViewingDays
from functions.usage.days import DayViewing
from tests.support.clock import NOON
from tests.support.usage import MemoryViewingDays

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.usage.ports import ViewingDays
    from tests.integration.conftest import Stack

TODAY = NOON.date()


@pytest.fixture(params=["memory", "mongo"])
def days(request: pytest.FixtureRequest) -> Iterator[ViewingDays]:
    if request.param == "memory":
        yield MemoryViewingDays()
        return
    stack: Stack = request.getfixturevalue("stack")
    client: MongoClient[dict[str, Any]] = MongoClient(stack.settings.mongo_url, tz_aware=True)
    name = f"test_{uuid.uuid4().hex[:12]}"
    with client:
        yield MongoViewingDays(client[name])
        client.drop_database(name)


def test_the_counts_of_a_day_are_added_up(days: ViewingDays) -> None:
    for _ in range(20):
        days.count(TODAY, DayViewing(minutes=1, stalls=2))
    days.count(TODAY, DayViewing(starts=1, startup_ms=900, stalled_ms=30))
    assert days.viewing_since(TODAY) == {TODAY: DayViewing(20, 1, 900, 40, 30)}


def test_days_before_the_first_are_left_out_as_are_days_without_viewing(days: ViewingDays) -> None:
    for ago in (0, 2, 31):
        days.count(TODAY - timedelta(days=ago), DayViewing(minutes=1))
    assert set(days.viewing_since(TODAY - timedelta(days=2))) == {TODAY, TODAY - timedelta(days=2)}


def test_nothing_is_lost_when_many_count_at_once(days: ViewingDays) -> None:
    def count(_: int) -> bool:
        try:
            days.count(TODAY, DayViewing(minutes=1))
        except StoreUnavailable:  # a busy machine; the viewing may still have been counted
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        acknowledged = sum(pool.map(count, range(80)))
    assert acknowledged
    assert acknowledged <= days.viewing_since(TODAY)[TODAY].minutes <= 80


def test_minutes_on_devices_that_play_av1_are_added_up_by_title(days: ViewingDays) -> None:
    assert days.av1_minutes("film-1a2b3c") == 0
    for _ in range(3):
        days.count_av1("film-1a2b3c", 2)
    days.count_av1("other-1a2b3c", 7)
    assert (days.av1_minutes("film-1a2b3c"), days.av1_minutes("other-1a2b3c")) == (6, 7)
    assert days.viewing_since(TODAY) == {}
