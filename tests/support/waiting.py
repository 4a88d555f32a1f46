"""Wait for the effects of another process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


def eventually[T](look: Callable[[], T], *, within_s: float = 15, every_s: float = 0.01) -> T:
    """Call `look` until it returns a truthy value; return that value, or fail with the last value after `within_s`."""
    deadline = time.monotonic() + within_s
    while not (seen := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within_s} s; last seen: {seen!r}")
        time.sleep(every_s)
    return seen
