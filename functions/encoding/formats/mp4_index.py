"""Read the index of an MP4 or QuickTime file by ranges: its tracks, and the time, size and place of each sample.

Only the boxes around the media are read, never the media. Box names and section numbers are those of ISO/IEC 14496-12.
The file comes from an uploader: every count is compared with the length of its box before anything is allocated.
"""

from __future__ import annotations

import struct
import sys
from array import array
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, islice
from pathlib import Path
from typing import TYPE_CHECKING

from functions.encoding.formats.iso_bmff import IsoBox, MalformedSegment
from functions.encoding.formats.range_reader import RangeReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from functions.encoding.formats.range_reader import ReadRange

MOST_BYTES = 48 << 20
"""The largest index that is read; a film of eight hours at 60 frames a second needs 30 MB."""

MOST_SAMPLES = 6_000_000
"""Maximum number of samples in all tracks; eight hours have 3,100,000 at 60 frames a second with one audio track."""

READ_AT_ONCE = 128 << 10
"""Bytes that are read at the positions where a box may begin; a short film's index is not longer."""

MOST_BOXES = 200
MOST_TRACKS = 128
MOST_EDITS = 1000

_UPRIGHT = (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
"""The matrix of a picture that is neither turned nor mirrored (8.3.2)."""


class NoIndex(Exception):
    """A file has no index of its samples; `reason` completes the sentence "… because …"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Fragmented(NoIndex):
    """The index of a file is spread over the file (8.8); `fragment_index` reads it."""


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit: its duration in seconds; it shows media from the tick `media_time` on, or nothing if that is -1."""

    lasts: Fraction
    media_time: int


@dataclass(frozen=True, slots=True)
class Samples:
    """Consecutive samples in decoding order: when each is presented, in ticks before edits, and its content."""

    shown_at: Sequence[int]
    contents: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class IndexedTrack:
    """A track: its handler `kind` ("vide", "soun"), the `format` of its samples, and `entry`, which describes them.

    The arrays have an entry for each sample in decoding order: its decode time and presentation time before edits in
    ticks of `timescale`, its size in bytes, and its position in the file. `keys` are the numbers of the samples from
    which decoding can start; None means all of them. `descriptions` is the number of sample descriptions.
    """

    kind: str
    timescale: int
    language: str
    title: str
    upright: bool
    edits: tuple[Edit, ...]
    format: str
    entry: IsoBox
    descriptions: int
    decoded_at: Sequence[int]
    shown_at: Sequence[int]
    sizes: Sequence[int]
    positions: Sequence[int]
    keys: tuple[int, ...] | None
    end: int
    """The decode time at which the last sample ends."""
    read_samples: Callable[[int, int], Samples] | None = None
    """If not None, times, sizes and positions are estimates; this returns the samples between two key frames, given by
    their numbers, and raises NoIndex if the file is not as estimated."""

    def described_by(self, kind: str, *, after: int) -> bytes | None:
        """Return the content of a box in the description of the samples, after its fixed `after` bytes, or None.

        QuickTime may end the description with four bytes that are not a box.
        """
        return find_box(IsoBox(self.entry.path, self.entry.name, self.entry.body[after:]), kind)

    def presented_at(self, time: int) -> Fraction:
        """Return when a media time, in ticks, is presented, in seconds of the film; `edits` must be `plain`."""
        delay = sum((edit.lasts for edit in self.edits if edit.media_time < 0), start=Fraction(0))
        begin = next((edit.media_time for edit in self.edits if edit.media_time >= 0), 0)
        return Fraction(time - begin, self.timescale) + delay

    @property
    def edited_s(self) -> Fraction | None:
        """Return for how many seconds the edit list shows media; None without an edit list."""
        shown = [edit.lasts for edit in self.edits if edit.media_time >= 0]
        return shown[0] if shown else None

    @property
    def is_plainly_edited(self) -> bool:
        """Return whether the edit list only delays the track and leaves out its beginning or end."""
        times = [edit.media_time for edit in self.edits]
        return len(times) <= 2 and sum(time >= 0 for time in times) == bool(times) and all(t < 0 for t in times[:-1])


def find_box(box: IsoBox, kind: str) -> bytes | None:
    """Return the content of the first box of a kind in another one, or None; what follows it need not be a box."""
    try:
        return next((inner.body for name, inner in box.children() if name == kind), None)
    except MalformedSegment:
        return None


def read_tracks(read: ReadRange, *, size: int, name: str, most_samples: int = MOST_SAMPLES) -> tuple[IndexedTrack, ...]:
    """Return the tracks of a file of `size` bytes in the order of the file; a track of another kind has no samples.

    Raises NoIndex if the file is not an MP4, or if it has more than `most_samples` samples; Fragmented if its index is
    spread over the file; MalformedSegment if the file is damaged.
    """
    moov, _ = find_movie(read, size, name)
    if moov.all("mvex"):
        raise Fragmented("the file is fragmented, so it has no index of its pictures")
    return tracks_in(moov, size=size, most_samples=most_samples)


def tracks_in(moov: IsoBox, *, size: int, most_samples: int = MOST_SAMPLES) -> tuple[IndexedTrack, ...]:
    """Return the tracks that a moov box describes, with the samples that it indexes."""
    movie = moov.one("mvhd")
    version, _ = movie.version_and_flags()
    movie.take(16 if version == 1 else 8)
    movie_timescale = movie.number(4)
    if movie_timescale == 0:
        raise movie.fault("has timescale 0")
    boxes = moov.all("trak")
    if len(boxes) > MOST_TRACKS:
        raise NoIndex("the file has too many tracks")
    tracks: list[IndexedTrack] = []
    for box in boxes:
        # a few bytes can announce millions of samples of the same size
        left = most_samples - sum(len(track.sizes) for track in tracks)
        tracks.append(_track(box, movie_timescale, size, most_samples=left))
    return tuple(tracks)


def find_movie(read: ReadRange, size: int, name: str) -> tuple[IsoBox, int]:
    """Return the moov box of a file, and the position of the box after it. Raises NoIndex if there is none."""
    position, file = 0, RangeReader(read, at_once=READ_AT_ONCE)
    for _ in range(MOST_BOXES):
        head = file.read(position, 16)
        if len(head) < 8:
            break
        length, header = int.from_bytes(head[:4]), 8
        if length == 1:
            length, header = int.from_bytes(head[8:16]), 16
        length = length or size - position
        kind = head[4:8]
        if position == 0 and kind not in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"):
            break
        if length < header or position + length > size:
            raise NoIndex("the file is cut off")
        if kind == b"moov":
            if length > MOST_BYTES:
                raise NoIndex("its index is too large")
            body = file.read(position + header, length - header)
            if len(body) < length - header:
                raise NoIndex("the file is cut off")
            return IsoBox(Path(name), "moov", body), position + length
        position += length
    raise NoIndex("the file is not an MP4")


def _track(track: IsoBox, movie_timescale: int, size: int, *, most_samples: int) -> IndexedTrack:
    header = track.one("mdia", "mdhd")
    version, _ = header.version_and_flags()
    header.take(16 if version == 1 else 8)
    timescale = header.number(4)
    header.take(8 if version == 1 else 4)
    language = header.number(2)
    handler = track.one("mdia", "hdlr")
    handler.take(8)
    kind = handler.take(4).decode("latin-1")
    if timescale == 0:
        raise header.fault("has timescale 0")
    table = track.one("mdia", "minf", "stbl") if kind in ("vide", "soun") else None
    descriptions = _descriptions(table) if table else []
    wanted = table if len(descriptions) == 1 else None
    sizes = _sizes(wanted, most_samples) if wanted else array("I")
    decoded_at, end = _decode_times(wanted, len(sizes)) if wanted else (array("q"), 0)
    return IndexedTrack(
        kind=kind,
        timescale=timescale,
        language=_language(language),
        title=_title(track),
        upright=_is_upright(track),
        edits=_edits(track, movie_timescale),
        format=descriptions[0][0] if descriptions else "",
        entry=descriptions[0][1] if descriptions else track,
        descriptions=len(descriptions),
        decoded_at=decoded_at,
        shown_at=_shown_at(wanted, decoded_at) if wanted else decoded_at,
        sizes=sizes,
        positions=_positions(wanted, sizes, size) if wanted else array("Q"),
        keys=_keys(wanted, len(sizes)) if wanted else None,
        end=end,
    )


def _descriptions(table: IsoBox) -> list[tuple[str, IsoBox]]:
    entries = table.one("stsd")
    entries.take(8)
    return list(entries.children())


def _language(packed: int) -> str:
    """Return a code of ISO 639-2 from its packed form (8.4.2); "" for QuickTime's numbers and for unknown ones."""
    letters = "".join(chr((packed >> shift & 0x1F) + 0x60) for shift in (10, 5, 0))
    return letters if packed >= 0x400 and letters.isalpha() and letters != "und" else ""


def _title(track: IsoBox) -> str:
    """Return the name in a track's user data, as ffmpeg and QuickTime write it."""
    for data in track.all("udta"):
        for name in data.all("name"):
            return name.body.decode("utf-8", "replace").strip("\0 ")
    return ""


def _is_upright(track: IsoBox) -> bool:
    header = track.one("tkhd")
    version, _ = header.version_and_flags()
    header.take((32 if version == 1 else 20) + 16)
    return struct.unpack(">9i", header.take(36)) == _UPRIGHT


def _edits(track: IsoBox, movie_timescale: int) -> tuple[Edit, ...]:
    if not track.all("edts"):
        return ()
    edits = track.one("edts", "elst")
    version, _ = edits.version_and_flags()
    entry = struct.Struct(">QqI" if version == 1 else ">IiI")
    count = edits.number(4)
    if count > MOST_EDITS:
        raise NoIndex("its index is too large")
    _check(edits, count, entry.size)
    found = entry.iter_unpack(edits.take(count * entry.size))
    return tuple(Edit(Fraction(lasts, movie_timescale), media_time) for lasts, media_time, _ in found)


def _sizes(table: IsoBox, most: int) -> array[int]:
    if table.all("stz2"):
        raise NoIndex("its index has a rare form")
    box = table.one("stsz")
    box.take(4)
    same, count = box.number(4), box.number(4)
    if count > most:
        raise NoIndex("its index is too large")
    return array("I", [same]) * count if same else _numbers(box, count)


def _decode_times(table: IsoBox, samples: int) -> tuple[array[int], int]:
    box = table.one("stts")
    box.take(4)
    durations = array("I")
    for count, duration in _pairs(box):
        if len(durations) + count > samples:
            raise box.fault("describes more samples than there are")
        durations.extend(array("I", [duration]) * count)
    if len(durations) != samples:
        raise box.fault("describes fewer samples than there are")
    times = array("q", accumulate(durations, initial=0))
    end = times.pop()
    return times, end


def _shown_at(table: IsoBox, decoded_at: array[int]) -> array[int]:
    if not table.all("ctts"):
        return decoded_at
    box = table.one("ctts")
    box.take(4)  # muxers write negative offsets into version 0 too
    offsets = array("i")
    for count, offset in _pairs(box):
        if len(offsets) + count > len(decoded_at):
            raise box.fault("describes more samples than there are")
        offsets.extend(array("i", [offset - (1 << 32) if offset >> 31 else offset]) * count)
    offsets.extend(array("i", [0]) * (len(decoded_at) - len(offsets)))
    return array("q", map(int.__add__, decoded_at, offsets))


def _positions(table: IsoBox, sizes: array[int], file_size: int) -> array[int]:
    """Return where each sample is, from the positions of chunks and the number of samples in each chunk (8.7)."""
    is_long = bool(table.all("co64"))
    box = table.one("co64" if is_long else "stco")
    box.take(4)
    count = box.number(4)
    if count > len(sizes):
        raise box.fault("describes more chunks than there are samples")
    chunks = _numbers(box, count, kind="Q" if is_long else "I")
    runs = table.one("stsc")
    runs.take(4)
    number = runs.number(4)
    if number > count:
        raise runs.fault("names chunks that do not exist")
    _check(runs, number, 12)
    entries = list(struct.iter_unpack(">III", runs.take(number * 12)))
    positions = array("Q")
    if not sizes:
        return positions
    if not entries or entries[0][0] != 1:
        raise runs.fault("does not begin with the first chunk")
    if max(chunks, default=0) > file_size:
        raise NoIndex("the file is cut off")
    for (first, samples, _), (end, _, _) in zip(entries, [*entries[1:], (count + 1, 0, 0)], strict=True):
        if not 1 <= first <= end <= count + 1:
            raise runs.fault("names chunks that do not exist")
        for chunk in range(first - 1, end - 1):
            at = len(positions)
            if at + samples > len(sizes):
                raise runs.fault("describes more samples than there are")
            within = islice(accumulate(sizes[at : at + samples], initial=chunks[chunk]), samples)
            positions.extend(within)
    if len(positions) != len(sizes):
        raise runs.fault("describes fewer samples than there are")
    if positions and max(map(int.__add__, positions, sizes)) > file_size:
        raise NoIndex("the file is cut off")
    return positions


def _keys(table: IsoBox, samples: int) -> tuple[int, ...] | None:
    if not table.all("stss"):
        return None
    box = table.one("stss")
    box.take(4)
    count = box.number(4)
    if count > samples:
        raise box.fault("names samples that do not exist")
    keys = tuple(number - 1 for number in _numbers(box, count))
    if keys != tuple(sorted(set(keys))) or (keys and not 0 <= keys[0] <= keys[-1] < samples):
        raise box.fault("names samples that do not exist")
    return keys


def _pairs(box: IsoBox) -> Iterator[tuple[int, int]]:
    count = box.number(4)
    _check(box, count, 8)
    return struct.iter_unpack(">II", box.take(count * 8))


def _numbers(box: IsoBox, count: int, *, kind: str = "I") -> array[int]:
    numbers = array(kind)
    _check(box, count, numbers.itemsize)
    numbers.frombytes(box.take(count * numbers.itemsize))
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def _check(box: IsoBox, count: int, length: int) -> None:
    if count * length > len(box.body) - box.position:
        raise box.fault("ends too early")
