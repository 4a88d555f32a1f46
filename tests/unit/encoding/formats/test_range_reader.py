"""Bytes that were read together with others are not read again."""

from __future__ import annotations

from functions.encoding.formats.range_reader import RangeReader

CONTENT = bytes(range(100))


class Source:
    """A file that records which of its ranges were read."""

    def __init__(self) -> None:
        self.ranges: list[tuple[int, int]] = []

    def read(self, position: int, length: int) -> bytes:
        """Return a range of the file, and remember it."""
        self.ranges.append((position, length))
        return CONTENT[position : position + length]


def test_known_bytes_are_not_read_again() -> None:
    source = Source()
    file = RangeReader(source.read, at_once=0)
    assert file.read(10, 40) == CONTENT[10:50]
    assert file.read(15, 3) == CONTENT[15:18]
    assert file.read(45, 15) == CONTENT[45:60], "the first five bytes are known"
    assert file.read(50, 10) == CONTENT[50:60]
    assert file.read(60, 5) == CONTENT[60:65]
    assert source.ranges == [(10, 40), (50, 10), (60, 5)]


def test_earlier_bytes_are_read() -> None:
    source = Source()
    file = RangeReader(source.read, at_once=0)
    file.read(50, 10)
    assert file.read(45, 10) == CONTENT[45:55]
    assert source.ranges == [(50, 10), (45, 10)]


def test_more_than_necessary_is_read_up_to_the_end_of_the_file() -> None:
    source = Source()
    file = RangeReader(source.read, at_once=30)
    assert file.read(0, 4) == CONTENT[:4]
    assert file.read(20, 20) == CONTENT[20:40]
    assert source.ranges == [(0, 30), (30, 30)]
    assert file.read(90, 30) == CONTENT[90:]
    assert file.read(100, 8) == b""
