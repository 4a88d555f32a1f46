"""Wait for the effects of another process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


PATIENCE_S = 300.0
"""How long tests wait for what happens at once on an idle machine. A busy one can take a hundred times as long."""


SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 0.5


def pause_after(waited_s: float) -> float:
    """Return how many seconds to wait before asking again: the longer it takes, the less often it is asked.

    Each question costs CPU time, which what is awaited may need.
    """
    return min(SHORTEST_PAUSE_S + waited_s / 20, LONGEST_PAUSE_S)


def eventually[T](look: Callable[[], T | None], *, within_s: float = PATIENCE_S, every_s: float | None = None) -> T:
    """Call `look` until it returns a truthy value; return that value, or fail with the last value after `within_s`.

    With `every_s`, the pauses between the calls remain the same, so that no state is missed that lasts longer.
    """
    began = time.monotonic()
    while not (seen := look()):
        waited_s = time.monotonic() - began
        if waited_s > within_s:
            pytest.fail(f"not within {within_s} s; last seen: {seen!r}")
        time.sleep(pause_after(waited_s) if every_s is None else every_s)
    return seen
