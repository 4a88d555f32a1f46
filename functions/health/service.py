"""Whether each store answers: all are probed at once, within one time limit; the reasons contain no secrets."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Health:
    """The health of a store: up, or the reason why not."""

    up: bool
    reason: str | None = None


def check(probes: Mapping[str, Callable[[], None]], *, timeout_s: float = TIMEOUT_S) -> dict[str, Health]:
    """Return the health of every store; a probe returns if its store is up, raises if it is not, and may hang."""
    results: SimpleQueue[tuple[str, Health]] = SimpleQueue()

    def run(name: str, probe: Callable[[], None]) -> None:
        try:
            probe()
        except Exception as error:  # noqa: BLE001 - any error of a driver is the answer; its text may contain an address
            results.put((name, Health(up=False, reason=type(error).__name__)))
        else:
            results.put((name, Health(up=True)))

    for name, probe in probes.items():
        threading.Thread(target=run, args=(name, probe), name=f"health-{name}", daemon=True).start()
    found: dict[str, Health] = {}
    deadline = time.monotonic() + timeout_s
    while len(found) < len(probes):
        try:
            name, health = results.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            break
        found[name] = health
    late = Health(up=False, reason=f"no answer within {timeout_s:g} s")
    return {name: found.get(name, late) for name in probes}
