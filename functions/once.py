"""Things that are made once, when they are first asked for."""

from __future__ import annotations

from functools import update_wrapper
from threading import RLock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_making = RLock()


class once[Made]:
    """A factory that makes its thing at the first call; calls at the same moment, as hosts make them, share it."""

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make = make
        self._made: list[Made] = []
        update_wrapper(self, make)

    def __call__(self) -> Made:
        """Return the thing."""
        if not self._made:
            with _making:
                if not self._made:
                    self._made.append(self._make())
        return self._made[0]

    def cache_clear(self) -> None:
        """Forget the thing, so that the next call makes a new one."""
        self._made.clear()
