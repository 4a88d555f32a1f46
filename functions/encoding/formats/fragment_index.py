"""Read the index of a fragmented MP4, which screen recorders and cameras write: its movie fragments, by ranges.

Box names and section numbers are those of ISO/IEC 14496-12. The file comes from an uploader: every count is compared
with the length of its box before anything is allocated.
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from functions.encoding.formats.iso_bmff import IsoBox, box_size
from functions.encoding.formats.mp4_index import (
    MOST_SAMPLES,
    Fragmented,
    IndexedTrack,
    NoIndex,
    find_movie,
    read_tracks,
    tracks_in,
)
from functions.encoding.formats.range_reader import RangeReader
from functions.encoding.formats.segments import SAMPLE_IS_NON_SYNC

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.encoding.formats.range_reader import ReadRange

MOST_BOXES = 200_000
"""The maximum number of boxes in a file; eight hours with fragments of half a second have 115,200."""

MOST_RUNS = 1000
"""The maximum number of boxes that list the samples of one track in a fragment; muxers write one, or one for each group
of pictures."""

LATEST = 1 << 61
"""The maximum of times (in ticks) and positions, so that sums cannot overflow."""

LARGEST_FRAGMENT = 4 << 20
"""The largest moof box, in bytes."""

LARGEST_HEAD = 16
"""The largest head of a box, in bytes (4.2)."""

READ_AT_ONCE = 64 << 10
"""Bytes that are read at the position of each fragment; most moof boxes are smaller."""

_BASE, _DESCRIPTION, _TRACK_DURATION, _TRACK_SIZE, _TRACK_FLAGS, _FROM_MOOF = 1, 2, 8, 0x10, 0x20, 0x020000
"""Flags of a tfhd box (8.8.7)."""

_DATA_OFFSET, _FIRST_FLAGS, _DURATION, _SIZE, _FLAGS, _OFFSET = 1, 4, 0x100, 0x200, 0x400, 0x800
"""Flags of a trun box (8.8.8)."""


@dataclass(slots=True)
class _Defaults:
    """The duration, size and flags of samples that do not state their own."""

    duration: int
    size: int
    flags: int


@dataclass(slots=True)
class _Growing:
    """A track, to which the samples of fragments are added."""

    defaults: _Defaults
    decoded_at: array[int]
    shown_at: array[int]
    sizes: array[int]
    positions: array[int]
    keys: list[int]
    end: int

    @classmethod
    def of(cls, track: IndexedTrack, defaults: _Defaults) -> _Growing:
        """Return a track with the samples that the moov box describes."""
        times = array("q", track.decoded_at), array("q", track.shown_at)
        keys = range(len(track.sizes)) if track.keys is None else track.keys
        return cls(defaults, *times, array("I", track.sizes), array("Q", track.positions), list(keys), track.end)

    def add(self, position: int, duration: int, size: int, flags: int, offset: int) -> None:
        """Add a sample at a position of the file."""
        if not flags & SAMPLE_IS_NON_SYNC:
            self.keys.append(len(self.sizes))
        self.decoded_at.append(self.end)
        self.shown_at.append(self.end + offset)
        self.sizes.append(size)
        self.positions.append(position)
        self.end += duration


def read_any_tracks(read: ReadRange, *, size: int, name: str) -> tuple[IndexedTrack, ...]:
    """Return the tracks of an MP4, whether its index is in one place or spread over the file; see `read_tracks`."""
    try:
        return read_tracks(read, size=size, name=name)
    except Fragmented:
        return read_fragments(read, size=size, name=name)


def read_fragments(
    read: ReadRange, *, size: int, name: str, most_samples: int = MOST_SAMPLES, until: int | None = None
) -> tuple[IndexedTrack, ...]:
    """Return the tracks of a fragmented file of `size` bytes, in the order of the file.

    With `until`, only that many bytes of the file are there, and only the fragments whose heads are there are read.

    Raises NoIndex if it is cut off, or has more than `most_samples` samples; MalformedSegment if it is damaged.
    """
    moov, position = find_movie(read, size, name)
    tracks = tracks_in(moov, size=size, most_samples=most_samples)
    numbers = [_track_id(box) for box in moov.all("trak")]
    defaults = dict(map(_defaults, moov.one("mvex").all("trex")))
    growing = {
        number: _Growing.of(track, defaults.get(number, _Defaults(0, 0, 0)))
        for number, track in zip(numbers, tracks, strict=True)
    }
    file = RangeReader(read, at_once=READ_AT_ONCE)
    for _ in range(MOST_BOXES):
        is_read = position >= size if until is None else position + LARGEST_HEAD > until
        head = b"" if is_read else file.read(position, LARGEST_HEAD)
        header, length = box_size(head, size - position)
        is_there = until is None or head[4:8] != b"moof" or position + length <= until
        if is_read or not is_there:
            return tuple(_indexed(track, growing[number], size) for number, track in zip(numbers, tracks, strict=True))
        if not header <= length <= size - position:
            raise NoIndex("the file is cut off")
        if head[4:8] == b"moof":
            if length > LARGEST_FRAGMENT:
                raise NoIndex("its index is too large")
            body = file.read(position + header, length - header)
            _add_fragment(IsoBox(Path(name), "moof", body), position, growing, most_samples)
        position += length
    raise NoIndex("its index is too large")


def _track_id(track: IsoBox) -> int:
    header = track.one("tkhd")
    version, _ = header.version_and_flags()
    header.take(16 if version == 1 else 8)
    return header.number(4)


def _defaults(box: IsoBox) -> tuple[int, _Defaults]:
    """Return the id of a track and the defaults of its samples, from a trex box (8.8.3)."""
    box.take(4)
    number, _, duration, size, flags = struct.unpack(">5I", box.take(20))
    return number, _Defaults(duration, size, flags)


def _add_fragment(moof: IsoBox, position: int, growing: Mapping[int, _Growing], most_samples: int) -> None:
    """Add the samples of a fragment at a position of the file to its tracks."""
    ends_at = position
    for part in moof.all("traf"):
        header = part.one("tfhd")
        _, flags = header.version_and_flags()
        track = growing.get(header.number(4))
        if track is None:
            raise header.fault("names a track that does not exist")
        base = header.number(8) if flags & _BASE else position if flags & _FROM_MOOF else ends_at
        if flags & _DESCRIPTION and header.number(4) != 1:
            raise NoIndex("its index has a rare form")
        stated = track.defaults
        defaults = _Defaults(
            header.number(4) if flags & _TRACK_DURATION else stated.duration,
            header.number(4) if flags & _TRACK_SIZE else stated.size,
            header.number(4) if flags & _TRACK_FLAGS else stated.flags,
        )
        for time in part.all("tfdt"):
            version, _ = time.version_and_flags()
            track.end = time.number(8 if version == 1 else 4)
            if track.end > LATEST:
                raise time.fault("has a time that cannot be true")
        ends_at = base
        runs = part.all("trun")
        if len(runs) > MOST_RUNS:
            raise NoIndex("its index has a rare form")
        left = most_samples - sum(len(each.sizes) for each in growing.values()) + len(track.sizes)
        for run in runs:
            ends_at = _add_run(run, track, defaults, base, ends_at, most=left - len(track.sizes))


def _add_run(run: IsoBox, track: _Growing, defaults: _Defaults, base: int, follows: int, *, most: int) -> int:
    """Add the samples of a trun box; return where their data ends.

    The data begins at `follows`, unless the box states an offset.
    """
    _, flags = run.version_and_flags()
    count = run.number(4)
    position = base + int.from_bytes(run.take(4), signed=True) if flags & _DATA_OFFSET else follows
    first = run.number(4) if flags & _FIRST_FLAGS else None
    fields = [bit for bit in (_DURATION, _SIZE, _FLAGS, _OFFSET) if flags & bit]
    if count > most:
        raise NoIndex("its index is too large")
    row = struct.Struct(">" + "".join("i" if bit == _OFFSET else "I" for bit in fields))
    rows = row.iter_unpack(run.take(count * row.size)) if fields else iter([()] * count)
    for number, values in enumerate(rows):
        own = dict(zip(fields, values, strict=True))
        size = own.get(_SIZE, defaults.size)
        if not 0 <= position < LATEST or size >> 31:
            raise run.fault("names a place outside the file")
        state = first if first is not None and not number else own.get(_FLAGS, defaults.flags)
        track.add(position, own.get(_DURATION, defaults.duration), size, state, own.get(_OFFSET, 0))
        position += size
    return position


def _indexed(track: IndexedTrack, grown: _Growing, size: int) -> IndexedTrack:
    if grown.positions and max(map(int.__add__, grown.positions, grown.sizes)) > size:
        raise NoIndex("the file is cut off")
    if track.descriptions != 1 or track.kind not in ("vide", "soun"):
        return track
    return replace(
        track,
        decoded_at=grown.decoded_at,
        shown_at=grown.shown_at,
        sizes=grown.sizes,
        positions=grown.positions,
        keys=tuple(grown.keys),
        end=grown.end,
    )
