"""Stalled stores occupy only their share of the threads, and further calls fail at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from threading import Barrier, Event
from typing import TYPE_CHECKING

import pytest

from functions.platform.bulkhead import PLACES, PLACES_OF_ALL, STALLED_AFTER_S, Bulkhead, SharedPlaces
from functions.platform.errors import StoreUnavailable
from infra.local.cli.product import API_THREADS

if TYPE_CHECKING:
    from collections.abc import Sequence

STORES = 5


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_calls_beyond_a_stalled_store_fail_at_once_and_go_on_when_it_answers() -> None:
    clock, stall, started = Clock(), Event(), [Event(), Event()]
    bulkhead = Bulkhead("The store", places=2, shared=SharedPlaces(), clock=clock)

    def call(number: int) -> None:
        with bulkhead.place():
            started[number].set()
            assert stall.wait(20)

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(call, number) for number in range(2)]
        assert all(event.wait(20) for event in started)
        clock.at = STALLED_AFTER_S + 0.1
        with pytest.raises(StoreUnavailable, match="The store is overloaded") as refused, bulkhead.place():
            pass
        assert refused.value.headers["Retry-After"]
        stall.set()
        for each in running:
            each.result(20)
    with bulkhead.place():
        pass


def test_a_call_within_a_call_takes_no_second_place() -> None:
    bulkhead = Bulkhead("The store", places=1, shared=SharedPlaces())
    with bulkhead.place(), bulkhead.place():
        pass
    with bulkhead.place():
        pass


def test_a_place_is_given_back_after_an_error() -> None:
    bulkhead = Bulkhead("The store", places=1, shared=SharedPlaces())
    for _ in range(3):
        with pytest.raises(ValueError, match="fault"), bulkhead.place():
            raise ValueError("fault")


def stall(stores: Sequence[Bulkhead], callers: int, ended: Event, pool: ThreadPoolExecutor) -> list[int]:
    """Let callers of each store in turn wait in it until `ended`; return how many got a place in each."""
    inside = []
    for store in stores:
        decided, entered = Barrier(callers + 1), SimpleQueue[Bulkhead]()

        def call(store: Bulkhead, decided: Barrier, entered: SimpleQueue[Bulkhead]) -> None:
            with ExitStack() as place:
                try:
                    place.enter_context(store.place())
                    entered.put(store)
                except StoreUnavailable:
                    decided.wait(20)
                    return
                decided.wait(20)
                assert ended.wait(20)

        for _ in range(callers):
            pool.submit(call, store, decided, entered)
        decided.wait(20)
        inside.append(entered.qsize())
    return inside


def test_stores_that_stall_together_leave_threads_free_and_places_for_other_stores() -> None:
    shared, ended = SharedPlaces(), Event()
    stores = [Bulkhead(f"Store {number}", shared=shared) for number in range(STORES)]
    with ThreadPoolExecutor(STORES * 2 * PLACES) as pool:
        try:
            assert stall(stores[:-2], 2 * PLACES, ended, pool) == [PLACES, 4, 2]
            for healthy in stores[-2:]:
                with healthy.place():
                    pass
            assert stall(stores[-2:], 2 * PLACES, ended, pool) == [1, 1]
            assert shared.free == 0
        finally:
            ended.set()
    assert shared.free == PLACES_OF_ALL
    assert int(API_THREADS["PYTHON_THREADPOOL_THREAD_COUNT"]) - PLACES_OF_ALL == 2
