"""The state of each store; all stores are queried concurrently, within one time limit.

Each store has at most one running probe, regardless of the number of callers. Callers share a report for a few seconds.
If a store's probe from an earlier report still hangs, the store is reported as down without another probe.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TIMEOUT_S = 2.0
FRESH_S = 2.0


@dataclass(frozen=True, slots=True)
class StoreState:
    """Whether a store answers, and if not, why; an `optional` store may be down while the service is up."""

    up: bool
    reason: str | None = None
    optional: bool = False


class HealthMonitor:
    """Reports the state of stores; `probes` contains one function per store.

    A probe returns normally if its store is up. If the store is down, the probe raises an exception or does not return.
    """

    def __init__(
        self,
        probes: Mapping[str, Callable[[], None]],
        *,
        optional: frozenset[str] = frozenset(),
        timeout_s: float = TIMEOUT_S,
        fresh_s: float = FRESH_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._probes = dict(probes)
        self._optional = optional
        self._timeout_s = timeout_s
        self._fresh_s = fresh_s
        self._clock = clock
        self._reporting = threading.Lock()
        self._changed = threading.Condition()
        self._running: set[str] = set()
        self._results: dict[str, str | None] = {}
        self._report: tuple[float, dict[str, StoreState]] | None = None

    def report(self) -> dict[str, StoreState]:
        """Return the state of every store, at most `fresh_s` old."""
        with self._reporting:
            if self._report and self._clock() - self._report[0] < self._fresh_s:
                return self._report[1]
            states = self._ask()
            self._report = (self._clock(), states)
            return states

    def _ask(self) -> dict[str, StoreState]:
        with self._changed:
            hanging = set(self._running)
            for name in self._probes.keys() - hanging:
                self._results.pop(name, None)
                self._running.add(name)
                threading.Thread(target=self._probe, args=(name,), name=f"health-{name}", daemon=True).start()
            asked = self._probes.keys() - hanging
            self._changed.wait_for(lambda: asked.isdisjoint(self._running), timeout=self._timeout_s)
            return {name: self._state(name) for name in self._probes}

    def _probe(self, name: str) -> None:
        try:
            self._probes[name]()
            reason = None
        except Exception as error:  # noqa: BLE001 - the answer is: down; the error's text may contain an address
            reason = type(error).__name__
        with self._changed:
            self._results[name] = reason
            self._running.discard(name)
            self._changed.notify_all()

    def _state(self, name: str) -> StoreState:
        optional = name in self._optional
        if name in self._running:
            return StoreState(up=False, reason=f"no answer within {self._timeout_s:g} s", optional=optional)
        reason = self._results[name]
        return StoreState(up=reason is None, reason=reason, optional=optional)
