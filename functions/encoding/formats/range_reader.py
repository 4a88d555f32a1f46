"""Read a file by ranges, and remember the last one, so that its bytes need no further request."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    type ReadRange = Callable[[int, int], bytes]
    """Returns `length` bytes from a position of the file, or fewer at its end."""


class RangeReader:
    """Reads at least `at_once` bytes whenever the last range does not contain the requested ones.

    If it contains the first of them, only the others are read.
    """

    def __init__(self, read: ReadRange, *, at_once: int) -> None:
        self._read = read
        self._at_once = at_once
        self._block, self._begin = b"", 0

    def read(self, position: int, length: int) -> bytes:
        """Return `length` bytes from a position, or fewer at the end of the file."""
        offset = position - self._begin
        if not 0 <= offset <= len(self._block) - length:
            known = self._block[offset:] if offset >= 0 else b""
            self._block = b""  # two large ranges are not kept in memory at the same time
            self._block = known + self._read(position + len(known), max(length - len(known), self._at_once))
            self._begin, offset = position, 0
        return self._block[offset : offset + length]
