"""The elements of Matroska files: their ids and lengths are those of RFC 8794, their meaning that of RFC 9559.

The file comes from an uploader: no number in it determines how much memory is allocated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.encoding.formats.mp4_index import NoIndex
from functions.encoding.formats.range_reader import RangeReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.encoding.formats.range_reader import ReadRange

LARGEST_HEAD = 12
"""The largest head of an element, in bytes: its id and its length."""

READ_AT_ONCE = 8 << 20

LARGEST_HEADER = 1 << 20
"""The maximum size of the description of a file, of its tracks or of its key frames, in bytes."""

EBML, SEGMENT, CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675


class Cursor:
    """Reads a file of `size` bytes forwards, from the position `at`."""

    def __init__(self, read: ReadRange, size: int) -> None:
        self._file = RangeReader(read, at_once=READ_AT_ONCE)
        self._size = size
        self.at = 0

    @property
    def size(self) -> int:
        """Return the size of the file in bytes."""
        return self._size

    @property
    def is_at_end(self) -> bool:
        """Return whether everything was read or skipped."""
        return self.at >= self._size

    def take(self, length: int) -> bytes:
        """Read and return the next `length` bytes."""
        found = self._file.read(self.at, length)
        if len(found) < length:
            raise NoIndex("the file is cut off")
        self.at += length
        return found

    def number(self, *, is_id: bool = False) -> int | None:
        """Read and return a number of variable length; an id keeps its marker. None if all bits are set: unknown."""
        first = self.take(1)
        length = 9 - first[0].bit_length()
        if length > (4 if is_id else 8):
            raise NoIndex("the file is damaged")
        value = int.from_bytes(first + self.take(length - 1))
        if is_id:
            return value
        most = (1 << 7 * length) - 1
        return None if value & most == most else value & most

    def element(self) -> tuple[int, int | None]:
        """Read the head of the next element; return its id, and where it ends, or None if that is unknown."""
        kind = self.number(is_id=True) or 0
        length = self.number()
        if length is not None and self.at + length > self._size:
            raise NoIndex("the file is cut off")
        return kind, None if length is None else self.at + length


def is_matroska(head: bytes) -> bool:
    """Return whether a file that begins with these bytes is Matroska or WebM."""
    return int.from_bytes(head[:4]) == EBML


def content_of(cursor: Cursor, end: int) -> bytes:
    """Return the content of the element that ends at a position. Raises NoIndex if it is too large."""
    if end - cursor.at > LARGEST_HEADER:
        raise NoIndex("its description is too large")
    return cursor.take(end - cursor.at)


def elements_in(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the id and the content of each element in a description."""
    cursor = Cursor(lambda at, length: content[at : at + length], len(content))
    while not cursor.is_at_end:
        kind, end = cursor.element()
        if end is None:
            raise NoIndex("the file is damaged")
        yield kind, cursor.take(end - cursor.at)


def numbers_in(content: bytes) -> dict[int, int]:
    """Return the unsigned integers in a description, by their ids; other elements have meaningless values."""
    return {kind: int.from_bytes(value[:8]) for kind, value in elements_in(content)}
