"""The interface that the set-up needs: the pauses between tests."""

from __future__ import annotations

from typing import Protocol


class PauseStore(Protocol):
    """Remembers when services were tested; raises StoreUnavailable."""

    def begin_test(self, name: str, *, pause_s: int) -> int:
        """Return 0 and start a pause for a service, or return the seconds that remain of its current pause."""
