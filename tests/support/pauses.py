"""The pauses between tests of services, in memory."""

from __future__ import annotations


class MemoryPauses:
    """The pauses between tests, in memory; time stands still."""

    def __init__(self) -> None:
        self.pauses: dict[str, int] = {}

    def begin_test(self, name: str, *, pause_s: int) -> int:
        if name in self.pauses:
            return self.pauses[name]
        self.pauses[name] = pause_s
        return 0
