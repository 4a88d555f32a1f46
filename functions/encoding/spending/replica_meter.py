"""Measures for how many seconds an encoder is billed, and divides them among the steps that it runs."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from functions.encoding.spending.costs import COOL_DOWN_S, WAKE_S

if TYPE_CHECKING:
    from collections.abc import Callable


class ReplicaMeter:
    """The time of one encoder process; `ticks` is a monotonic clock in seconds.

    Steps that run at the same time share that time equally. A step that begins while no other runs also pays for the
    time before it: for starting and stopping the replica if the replica was stopped, otherwise for the replica's idle
    time. Stopping is paid for in advance, because nothing runs when it happens.
    """

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._lock = Lock()
        self._running: dict[int, float] = {}
        self._number = 0
        self._at: float | None = None

    def begin(self) -> tuple[int, float]:
        """Begin a step; return its number, and the seconds that it pays for the time before it."""
        with self._lock:
            now = self._ticks()
            idle = self._at is None or not self._running
            before_s = self._idle_s(now) if idle else 0.0
            self._advance(now)
            self._number += 1
            self._running[self._number] = 0.0
            return self._number, before_s

    def end(self, number: int) -> float:
        """End a step; return its share of the time since it began, in seconds."""
        with self._lock:
            self._advance(self._ticks())
            return self._running.pop(number)

    def _idle_s(self, now: float) -> float:
        if self._at is None or now - self._at > COOL_DOWN_S:
            return WAKE_S
        return now - self._at

    def _advance(self, now: float) -> None:
        if self._running and self._at is not None:
            share = (now - self._at) / len(self._running)
            for number in self._running:
                self._running[number] += share
        self._at = now
