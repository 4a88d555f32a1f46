"""Read the tracks of a Matroska file, and the time, size and place of each of its H.264 pictures, in one pass.

Matroska has no index of its samples, so the whole file is read once, in large ranges; the content of the frames is
skipped. If the bitrate of the pictures turns out to be too high, which the first clusters show, nothing more is read.
Elements are those of RFC 9559, their ids and lengths those of RFC 8794. The file comes from an uploader: no number in
it determines how much memory is allocated.
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from functions.encoding.iso_bmff import IsoBox
from functions.encoding.mp4_index import MOST_SAMPLES, MOST_TRACKS, IndexedTrack, NoIndex
from functions.encoding.range_reader import RangeReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.encoding.range_reader import ReadRange

NANOSECONDS = 1_000_000_000
"""The timescale of the tracks."""

LARGEST_HEAD = 12
"""The largest head of an element, in bytes: its id and its length."""

READ_AT_ONCE = 8 << 20
LATEST_S = 1_000_000
LARGEST_FRAME = 1 << 30
LARGEST_HEADER = 1 << 20
"""The maximum size of the description of a file or of its tracks, in bytes."""

MOST_ELEMENTS = 20_000_000
"""The maximum number of elements, which are read in about 80 s; eight hours at 60 frames/s with two sound tracks have 5
million."""

JUDGED_AFTER_S = 4
"""The other tracks are assumed to have the same bitrate in the whole film as in this many seconds of it or more."""

SURELY = Fraction(5, 4)
"""An estimated bitrate must exceed the bound by this factor; otherwise, the pictures are counted."""

SMALLEST_MEAN = 32
"""The smallest mean size of the elements of a large file, in bytes; so the time for an index grows with the file."""

MANY_ELEMENTS = 20_000
"""Only files with more elements than this are judged by their mean size."""

_EBML, _SEGMENT, _CLUSTER, _BLOCK_GROUP = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0xA0
_INFO, _TIMESTAMP_SCALE = 0x1549A966, 0x2AD7B1
_TRACKS, _TRACK_ENTRY = 0x1654AE6B, 0xAE
_TIMESTAMP, _SIMPLE_BLOCK, _BLOCK, _REFERENCE = 0xE7, 0xA3, 0xA1, 0xFB
_NUMBER, _TYPE, _CODEC, _PRIVATE, _ENCODINGS, _VIDEO = 0xD7, 0x83, 0x86, 0x63A2, 0x6D80, 0xE0
_WIDTH, _HEIGHT, _SHOWN_WIDTH, _SHOWN_HEIGHT, _PROJECTION = 0xB0, 0xBA, 0x54B0, 0x54BA, 0x7670
_CROPS = {0x54AA, 0x54BB, 0x54CC, 0x54DD}

_ENTERED = {_CLUSTER, _BLOCK_GROUP}
"""Elements whose children are read as if they were siblings, so the length of the element may be unknown."""

_H264 = b"V_MPEG4/ISO/AVC"
_KINDS = {1: "vide", 2: "soun"}
_IS_KEY, _IS_LACED = 0x80, 0x06
_DEFAULT_SCALE = 1_000_000


@dataclass(frozen=True, slots=True)
class BitrateBound:
    """The highest mean bitrate of the pictures, in bits per second, for a film that lasts `lasts_s` seconds.

    `setting` is the name of the setting that it follows from.
    """

    most_bps: int
    lasts_s: Fraction
    setting: str

    def check(self, *, pictures: int, others: int, until_s: Fraction, size: int) -> None:
        """Raise NoIndex if the pictures of a file of `size` bytes have a higher bitrate.

        Until `until_s`, the file has `pictures` bytes of pictures and `others` bytes of anything else.
        """
        most = self.most_bps * self.lasts_s / 8
        expected = Fraction(pictures)
        if until_s >= JUDGED_AFTER_S:
            expected = max(expected, (size - others * self.lasts_s / until_s) / SURELY)
        if expected > most:
            allowed = f"{self.most_bps / 1_000_000:.1f} Mbit/s"
            raise NoIndex(f"they have more than the {allowed} that {self.setting} allows")


class _Cursor:
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


@dataclass
class _Track:
    """A track, and those of its frames that have been found."""

    kind: str = ""
    codec: bytes = b""
    private: bytes = b""
    is_encoded: bool = False
    video: dict[int, int] = field(default_factory=dict)
    shown_at: array[int] = field(default_factory=lambda: array("q"))
    sizes: array[int] = field(default_factory=lambda: array("I"))
    positions: array[int] = field(default_factory=lambda: array("Q"))
    keys: list[int] = field(default_factory=list)
    total: int = 0

    @property
    def is_wanted(self) -> bool:
        """Return whether the track is H.264 video without content encodings (such as compression) or cropping."""
        return self.kind == "vide" and self.codec == _H264 and not self.is_encoded and not _CROPS & self.video.keys()

    def add(self, shown_at: int, position: int, size: int, *, is_key: bool) -> None:
        """Note a frame. Raises NoIndex if its time or its size is impossible."""
        if abs(shown_at) > LATEST_S * NANOSECONDS or size > LARGEST_FRAME:
            raise NoIndex("the file is damaged")
        if is_key:
            self.keys.append(len(self.sizes))
        self.shown_at.append(shown_at)
        self.positions.append(position)
        self.sizes.append(size)
        self.total += size

    def depends(self) -> None:
        """Record that the last frame found refers to another frame, so it is not a key frame."""
        if self.keys and self.keys[-1] == len(self.sizes) - 1:
            self.keys.pop()

    def indexed(self, name: str) -> IndexedTrack:
        """Return the track in the form of an MP4 track, with a sample description made from its private data."""
        frames = len(self.sizes)
        lasts = max(self.shown_at) - min(self.shown_at) if frames > 1 else 0
        entry = bytes(78) + _box(b"avcC", self.private) + _box(b"pasp", struct.pack(">II", *self._pixel()))
        return IndexedTrack(
            kind=self.kind,
            timescale=NANOSECONDS,
            language="",
            title="",
            upright=_PROJECTION not in self.video,
            edits=(),
            format="avc1" if self.is_wanted else "",
            entry=IsoBox(Path(name), "avc1", entry if self.is_wanted else b""),
            descriptions=1,
            decoded_at=self.shown_at,
            shown_at=self.shown_at,
            sizes=self.sizes,
            positions=self.positions,
            keys=tuple(self.keys),
            end=lasts * frames // max(1, frames - 1),
        )

    def _pixel(self) -> tuple[int, int]:
        """Return the ratio of a pixel's sides."""
        width, height = self.video.get(_WIDTH, 0), self.video.get(_HEIGHT, 0)
        shown = self.video.get(_SHOWN_WIDTH, width), self.video.get(_SHOWN_HEIGHT, height)
        if not width * height * shown[0] * shown[1]:
            return 1, 1
        ratio = Fraction(shown[0] * height, shown[1] * width)
        return ratio.numerator & 0xFFFFFFFF, ratio.denominator & 0xFFFFFFFF


def is_matroska(head: bytes) -> bool:
    """Return whether a file that begins with these bytes is Matroska or WebM."""
    return int.from_bytes(head[:4]) == _EBML


def read_matroska(
    read: ReadRange, *, size: int, name: str, bound: BitrateBound | None = None, until: int | None = None
) -> tuple[IndexedTrack, ...]:
    """Return the tracks of a file of `size` bytes in the order of the file; only those of H.264 have samples.

    With `until`, only that many bytes of the file are there, and only the elements that are there are read.

    Raises NoIndex if the file is not Matroska, is cut off, or has an unusual form, or if its pictures exceed the bound.
    """
    cursor = _Cursor(read, size)
    kind, end = cursor.element()
    if kind != _EBML or end is None:
        raise NoIndex("the file is not an MP4 or Matroska")
    cursor.at = end
    if cursor.element()[0] != _SEGMENT:
        raise NoIndex("the file is damaged")
    tracks: dict[int, _Track] = {}
    scale, cluster_at, last, left = _DEFAULT_SCALE, 0, None, MOST_SAMPLES
    for _ in range(min(MOST_ELEMENTS, MANY_ELEMENTS + size // SMALLEST_MEAN)):
        is_read = cursor.is_at_end if until is None else cursor.at + LARGEST_HEAD > until
        kind, end = (0, None) if is_read else cursor.element()
        is_there = until is None or kind in _ENTERED or end is None or end <= until
        if is_read or not is_there:
            return tuple(track.indexed(name) for track in tracks.values())
        if kind in _ENTERED:
            if bound and kind == _CLUSTER:
                _check_bitrate(bound, cursor, tracks, until_s=Fraction(cluster_at * scale, NANOSECONDS))
            continue
        if end is None or kind == _SEGMENT:
            raise NoIndex("the file has a rare form")
        if kind == _INFO:
            scale = _numbers(_content(cursor, end)).get(_TIMESTAMP_SCALE, _DEFAULT_SCALE)
        elif kind == _TRACKS:
            tracks |= _tracks(_content(cursor, end))
            if len(tracks) > MOST_TRACKS:
                raise NoIndex("the file has too many tracks")
        elif kind == _TIMESTAMP:
            cluster_at = int.from_bytes(cursor.take(min(8, end - cursor.at)))
        elif kind in (_SIMPLE_BLOCK, _BLOCK):
            last = tracks.get(cursor.number() or 0)
            if last and last.is_wanted:
                left -= 1
                offset, flags = struct.unpack(">hB", cursor.take(3))
                if flags & _IS_LACED or end <= cursor.at or not left:
                    raise NoIndex("the file has a rare form")
                is_key = kind == _BLOCK or bool(flags & _IS_KEY)
                last.add((cluster_at + offset) * scale, cursor.at, end - cursor.at, is_key=is_key)
        elif kind == _REFERENCE and last and last.is_wanted:
            last.depends()
        cursor.at = end
    raise NoIndex("its index is too large")


def _check_bitrate(bound: BitrateBound, cursor: _Cursor, tracks: dict[int, _Track], *, until_s: Fraction) -> None:
    """Raise NoIndex if the pictures exceed the bound, if the file has exactly one track of pictures."""
    pictures = [track.total for track in tracks.values() if track.is_wanted]
    if len(pictures) == 1:
        bound.check(pictures=pictures[0], others=cursor.at - pictures[0], until_s=until_s, size=cursor.size)


def _content(cursor: _Cursor, end: int) -> bytes:
    if end - cursor.at > LARGEST_HEADER:
        raise NoIndex("its description is too large")
    return cursor.take(end - cursor.at)


def _elements(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the id and the content of each element in a description."""
    cursor = _Cursor(lambda at, length: content[at : at + length], len(content))
    while not cursor.is_at_end:
        kind, end = cursor.element()
        if end is None:
            raise NoIndex("the file is damaged")
        yield kind, cursor.take(end - cursor.at)


def _numbers(content: bytes) -> dict[int, int]:
    """Return the unsigned integers in a description, by their ids; other elements have meaningless values."""
    return {kind: int.from_bytes(value[:8]) for kind, value in _elements(content)}


def _tracks(content: bytes) -> dict[int, _Track]:
    entries = [dict(_elements(entry)) for kind, entry in _elements(content) if kind == _TRACK_ENTRY]
    if len(entries) > MOST_TRACKS:
        raise NoIndex("the file has too many tracks")
    return {
        int.from_bytes(entry.get(_NUMBER, b"")): _Track(
            kind=_KINDS.get(int.from_bytes(entry.get(_TYPE, b"")), ""),
            codec=entry.get(_CODEC, b"").rstrip(b"\0"),
            private=entry.get(_PRIVATE, b""),
            is_encoded=_ENCODINGS in entry,
            video=_numbers(entry.get(_VIDEO, b"")),
        )
        for entry in entries
    }


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content
