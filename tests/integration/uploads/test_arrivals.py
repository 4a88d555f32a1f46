"""The marks of started uploads: the fake and the store in Mongo satisfy the same contract."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions import bootstrap
from functions.uploads.ports import Watermark
from functions.uploads.repository import MongoArrivals
from tests.support.arrivals import MemoryArrivals
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.uploads.ports import ArrivalStore
    from tests.integration.conftest import Stack


@pytest.fixture(params=["memory", "mongo"])
def arrivals(request: pytest.FixtureRequest, wire: Callable[[str], None], stack: Stack) -> ArrivalStore:
    if request.param == "memory":
        return MemoryArrivals()
    wire(stack.environment["MONGO_URL"])
    return MongoArrivals(bootstrap.resources.mongo_database()["arrivals"])


def test_marked_versions_are_started(arrivals: ArrivalStore) -> None:
    for _ in range(2):
        arrivals.mark_started("aaaaaaaaaaaa", uploaded_at=NOON)
    assert arrivals.started(["aaaaaaaaaaaa", "bbbbbbbbbbbb"]) == {"aaaaaaaaaaaa"}


def test_watermark_moves_and_marks_of_earlier_seconds_go(arrivals: ArrivalStore) -> None:
    assert arrivals.watermark() is None
    arrivals.mark_started("aaaaaaaaaaaa", uploaded_at=NOON - timedelta(seconds=1))
    arrivals.mark_started("bbbbbbbbbbbb", uploaded_at=NOON)
    for blob in ("a.mkv", "b.mkv"):
        arrivals.move_watermark(Watermark(NOON, blob))
    assert arrivals.watermark() == Watermark(NOON, "b.mkv")
    assert arrivals.started(["aaaaaaaaaaaa", "bbbbbbbbbbbb"]) == {"bbbbbbbbbbbb"}
