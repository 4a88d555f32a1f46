"""A stalled store occupies only its share of the threads, and further calls fail at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from functions.platform.bulkhead import STALLED_AFTER_S, Bulkhead
from functions.platform.errors import StoreUnavailable


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def test_calls_beyond_a_stalled_store_fail_at_once_and_go_on_when_it_answers() -> None:
    clock, stall, started = Clock(), Event(), [Event(), Event()]
    bulkhead = Bulkhead("The store", places=2, clock=clock)

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
    bulkhead = Bulkhead("The store", places=1)
    with bulkhead.place(), bulkhead.place():
        pass
    with bulkhead.place():
        pass


def test_a_place_is_given_back_after_an_error() -> None:
    bulkhead = Bulkhead("The store", places=1)
    for _ in range(3):
        with pytest.raises(ValueError, match="fault"), bulkhead.place():
            raise ValueError("fault")
