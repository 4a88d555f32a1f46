"""Bulkheads: each store may use only a share of an instance's threads, so that a stalled store stalls nothing else.

A Functions worker runs synchronous functions on a fixed number of threads (`PYTHON_THREADPOOL_THREAD_COUNT`, 16 here).
Without a limit, calls that wait for a stalled store would occupy all of these threads. Nygard, "Release It!", 2nd
edition, chapter 5.

A limit for each store alone is not enough, because three stalled stores with six threads each would occupy all of them.
So the stores share a number of places, and a store may take another one only while it holds fewer than are free. This
leaves places for the other stores and needs no knowledge about which stores have stalled. Choudhury and Hahne, "Dynamic
queue length thresholds for shared-memory packet switches", IEEE/ACM Transactions on Networking 6(2), 1998.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from functions.platform.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PLACES = 6
"""Concurrent calls per store. A call to a healthy store takes milliseconds, so six places allow hundreds of calls per
second."""

PLACES_OF_ALL = 14
"""Concurrent calls of all stores together: two of the 16 threads never wait for a store. If stores stall one after the
other, they get at most 6, 4, 2, 1 and 1 of these places."""

WAIT_S = 0.25
"""How long a call waits for a place, unless the store is stalled."""

STALLED_AFTER_S = 1.0
"""A store whose oldest call has been running for this long counts as stalled, and further calls fail at once."""


class SharedPlaces:
    """The places that the stores of a process share; `free` is their number, which `changed` protects."""

    def __init__(self, places: int = PLACES_OF_ALL) -> None:
        self.free = places
        self.changed = threading.Condition()


_all = SharedPlaces()


class Bulkhead:
    """Limits the concurrent calls to one store; `name` appears in the error."""

    def __init__(
        self,
        name: str,
        places: int = PLACES,
        *,
        shared: SharedPlaces = _all,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._places = places
        self._shared = shared
        self._clock = clock
        self._running: dict[int, float] = {}
        self._inside = threading.local()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Reserve a place for a call. Raises StoreUnavailable if none is free in time. Nested calls share one place."""
        if getattr(self._inside, "depth", 0):
            yield
            return
        token = self._enter()
        self._inside.depth = 1
        try:
            yield
        finally:
            self._inside.depth = 0
            self._leave(token)

    def _enter(self) -> int:
        with self._shared.changed:
            if not self._shared.changed.wait_for(self._has_place, timeout=0.0 if self._is_stalled() else WAIT_S):
                raise StoreUnavailable(f"{self._name} is overloaded or does not answer; try again in a few seconds.")
            token = threading.get_ident()
            self._shared.free -= 1
            self._running[token] = self._clock()
            return token

    def _leave(self, token: int) -> None:
        with self._shared.changed:
            del self._running[token]
            self._shared.free += 1
            self._shared.changed.notify_all()

    def _has_place(self) -> bool:
        return len(self._running) < min(self._places, self._shared.free)

    def _is_stalled(self) -> bool:
        return bool(self._running) and self._clock() - min(self._running.values()) > STALLED_AFTER_S
