"""Steps for which a first picture waits go before copies in the same process.

ffmpeg runs in processes of its own, with a lower priority where nothing waits for it. Copies run in this process, whose
threads take turns at the interpreter, so a copy would take half of the time of a plan.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import Condition
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_PAUSE_S = 1
"""How long a copy pauses after each segment at most, so that it continues however many films arrive."""


class Precedence:
    """Counts the steps of this process that must not wait."""

    def __init__(self) -> None:
        self._running = 0
        self._changed = Condition()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Let copies pause while the body runs."""
        with self._changed:
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def give_way(self) -> None:
        """Wait until no step has precedence, for at most LONGEST_PAUSE_S seconds."""
        with self._changed:
            self._changed.wait_for(lambda: not self._running, LONGEST_PAUSE_S)
