"""Bulkheads: each store may use only a share of an instance's threads, so that a stalled store stalls nothing else.

A Functions worker runs synchronous functions on a fixed number of threads (`PYTHON_THREADPOOL_THREAD_COUNT`, 16 here).
Without a limit, calls that wait for a stalled store would occupy all of these threads. Nygard, "Release It!", 2nd
edition, chapter 5.
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
second, and two stalled stores together leave a quarter of the 16 threads free."""

WAIT_S = 0.25
"""How long a call waits for a place, unless the store is stalled."""

STALLED_AFTER_S = 1.0
"""A store whose oldest call has been running for this long counts as stalled, and further calls fail at once."""


class Bulkhead:
    """Limits the concurrent calls to one store; `name` appears in the error."""

    def __init__(self, name: str, places: int = PLACES, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._free = threading.BoundedSemaphore(places)
        self._clock = clock
        self._lock = threading.Lock()
        self._running: dict[int, float] = {}
        self._inside = threading.local()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Reserve a place for a call. Raises StoreUnavailable if none is free in time. Nested calls share one place."""
        if getattr(self._inside, "depth", 0):
            yield
            return
        if not self._free.acquire(timeout=0.0 if self._stalled() else WAIT_S):
            raise StoreUnavailable(f"{self._name} is overloaded or does not answer; try again in a few seconds.")
        token = id(threading.current_thread())
        with self._lock:
            self._running[token] = self._clock()
        self._inside.depth = 1
        try:
            yield
        finally:
            self._inside.depth = 0
            with self._lock:
                del self._running[token]
            self._free.release()

    def _stalled(self) -> bool:
        with self._lock:
            return bool(self._running) and self._clock() - min(self._running.values()) > STALLED_AFTER_S
