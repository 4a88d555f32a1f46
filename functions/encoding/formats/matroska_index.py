"""Read the tracks of a Matroska file, and the time, size and place of each of its H.264 pictures, in one pass.

Matroska has no index of its samples, so the whole file is read once, in large ranges; the content of the frames is
skipped. If the bitrate of the pictures turns out to be too high, which the first clusters show, nothing more is read.
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from functions.encoding.formats.iso_bmff import IsoBox
from functions.encoding.formats.matroska_elements import (
    CLUSTER,
    EBML,
    LARGEST_HEAD,
    SEGMENT,
    Cursor,
    content_of,
    elements_in,
    numbers_in,
)
from functions.encoding.formats.mp4_index import MOST_SAMPLES, MOST_TRACKS, IndexedTrack, NoIndex

if TYPE_CHECKING:
    from functions.encoding.formats.range_reader import ReadRange

NANOSECONDS = 1_000_000_000
"""The timescale of the tracks."""

LATEST_S = 1_000_000
LARGEST_FRAME = 1 << 30

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

_BLOCK_GROUP = 0xA0
_SEEK_HEAD, _SEEK, _SEEK_ID, _SEEK_POSITION = 0x114D9B74, 0x4DBB, 0x53AB, 0x53AC
_INFO, _TIMESTAMP_SCALE = 0x1549A966, 0x2AD7B1
_TRACKS, _TRACK_ENTRY = 0x1654AE6B, 0xAE
_TIMESTAMP, _SIMPLE_BLOCK, _BLOCK, _REFERENCE = 0xE7, 0xA3, 0xA1, 0xFB
_NUMBER, _TYPE, _CODEC, _PRIVATE, _ENCODINGS, _VIDEO = 0xD7, 0x83, 0x86, 0x63A2, 0x6D80, 0xE0
_WIDTH, _HEIGHT, _SHOWN_WIDTH, _SHOWN_HEIGHT, _PROJECTION = 0xB0, 0xBA, 0x54B0, 0x54BA, 0x7670
_CROPS = {0x54AA, 0x54BB, 0x54CC, 0x54DD}

_ENTERED = {CLUSTER, _BLOCK_GROUP}
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


@dataclass
class MatroskaTrack:
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


class FrameWalk:
    """Reads the elements of a file one after the other, and collects the frames of its H.264 tracks."""

    def __init__(self, cursor: Cursor, tracks: dict[int, MatroskaTrack], *, scale: int = _DEFAULT_SCALE) -> None:
        self.cursor = cursor
        self.tracks = tracks
        self.scale = scale
        self.cluster_at = 0
        self.begins_at = cursor.at
        self.places: dict[int, int] = {}
        self._last: MatroskaTrack | None = None
        self._left = MOST_SAMPLES

    @classmethod
    def of(cls, cursor: Cursor) -> FrameWalk:
        """Return a walk through the content of a file. Raises NoIndex if the file is not Matroska."""
        kind, end = cursor.element()
        if kind != EBML or end is None:
            raise NoIndex("the file is not an MP4 or Matroska")
        cursor.at = end
        if cursor.element()[0] != SEGMENT:
            raise NoIndex("the file is damaged")
        return cls(cursor, {})

    def step(self, until: int | None = None) -> int | None:
        """Read the next element and return its kind, or None if there is none; with `until`, none after this position.

        The positions of other elements, relative to `begins_at`, are added to `places`, by kind.
        """
        cursor = self.cursor
        is_read = cursor.is_at_end if until is None else cursor.at + LARGEST_HEAD > until
        kind, end = (0, None) if is_read else cursor.element()
        is_there = until is None or kind in _ENTERED or end is None or end <= until
        if is_read or not is_there:
            return None
        if kind in _ENTERED:
            return kind
        if end is None or kind == SEGMENT:
            raise NoIndex("the file has a rare form")
        last = self._last
        if kind in (_SIMPLE_BLOCK, _BLOCK):
            last = self._last = self.tracks.get(cursor.number() or 0)
            if last and last.is_wanted:
                self._add(last, end, is_block=kind == _BLOCK)
        elif kind == _TIMESTAMP:
            self.cluster_at = int.from_bytes(cursor.take(min(8, end - cursor.at)))
        elif kind == _REFERENCE and last and last.is_wanted:
            last.depends()
        else:
            self._describe(kind, end)
        cursor.at = end
        return kind

    def _add(self, track: MatroskaTrack, end: int, *, is_block: bool) -> None:
        self._left -= 1
        offset, flags = struct.unpack(">hB", self.cursor.take(3))
        at = self.cursor.at
        if flags & _IS_LACED or end <= at or not self._left:
            raise NoIndex("the file has a rare form")
        is_key = is_block or bool(flags & _IS_KEY)
        track.add((self.cluster_at + offset) * self.scale, at, end - at, is_key=is_key)

    def _describe(self, kind: int, end: int) -> None:
        """Read an element that describes the file."""
        if kind == _INFO:
            self.scale = numbers_in(content_of(self.cursor, end)).get(_TIMESTAMP_SCALE, _DEFAULT_SCALE)
        elif kind == _TRACKS:
            self.tracks |= _tracks(content_of(self.cursor, end))
            if len(self.tracks) > MOST_TRACKS:
                raise NoIndex("the file has too many tracks")
        elif kind == _SEEK_HEAD:
            for seek in (content for inner, content in elements_in(content_of(self.cursor, end)) if inner == _SEEK):
                place = numbers_in(seek)
                self.places.setdefault(place.get(_SEEK_ID, 0), place.get(_SEEK_POSITION, 0))


def read_matroska(
    read: ReadRange, *, size: int, name: str, bound: BitrateBound | None = None, until: int | None = None
) -> tuple[IndexedTrack, ...]:
    """Return the tracks of a file of `size` bytes in the order of the file; only those of H.264 have samples.

    With `until`, only that many bytes of the file are there, and only the elements that are there are read.

    Raises NoIndex if the file is not Matroska, is cut off, or has an unusual form, or if its pictures exceed the bound.
    """
    walk = FrameWalk.of(Cursor(read, size))
    for _ in range(min(MOST_ELEMENTS, MANY_ELEMENTS + size // SMALLEST_MEAN)):
        kind = walk.step(until)
        if kind is None:
            return tuple(track.indexed(name) for track in walk.tracks.values())
        if bound and kind == CLUSTER:
            _check_bitrate(bound, walk)
    raise NoIndex("its index is too large")


def _check_bitrate(bound: BitrateBound, walk: FrameWalk) -> None:
    """Raise NoIndex if the pictures exceed the bound, if the file has exactly one track of pictures."""
    pictures = [track.total for track in walk.tracks.values() if track.is_wanted]
    if len(pictures) == 1:
        cursor, until_s = walk.cursor, Fraction(walk.cluster_at * walk.scale, NANOSECONDS)
        bound.check(pictures=pictures[0], others=cursor.at - pictures[0], until_s=until_s, size=cursor.size)


def _tracks(content: bytes) -> dict[int, MatroskaTrack]:
    entries = [dict(elements_in(entry)) for kind, entry in elements_in(content) if kind == _TRACK_ENTRY]
    if len(entries) > MOST_TRACKS:
        raise NoIndex("the file has too many tracks")
    return {
        int.from_bytes(entry.get(_NUMBER, b"")): MatroskaTrack(
            kind=_KINDS.get(int.from_bytes(entry.get(_TYPE, b"")), ""),
            codec=entry.get(_CODEC, b"").rstrip(b"\0"),
            private=entry.get(_PRIVATE, b""),
            is_encoded=_ENCODINGS in entry,
            video=numbers_in(entry.get(_VIDEO, b"")),
        )
        for entry in entries
    }


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content
