"""Plan the copy of a large Matroska film from its cues, which name its key frames, without reading it as a whole.

The cues say when key frames are shown and in which cluster each is. Between two of them, a constant frame rate is
assumed. The film is planned from these estimates; each part is read when it is copied, and compared with them. A file
whose cues are missing, wrong or too sparse is read as a whole instead (`matroska_index`).
"""

from __future__ import annotations

from array import array
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from functions.encoding.copying.passthrough import LONGEST_PICTURE_S, nearest_frames
from functions.encoding.formats.matroska_elements import CLUSTER, Cursor, content_of, elements_in, numbers_in
from functions.encoding.formats.matroska_index import NANOSECONDS, FrameWalk, MatroskaTrack
from functions.encoding.formats.mp4_index import NoIndex, Samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from functions.encoding.formats.mp4_index import IndexedTrack
    from functions.encoding.formats.range_reader import ReadRange

MOST_BEFORE_FIRST = 100
"""The maximum number of elements before the first cluster."""

HEAD_OF_CLUSTER = 64 << 10
"""Bytes of a cluster that are read to see that it begins with a key frame."""

LARGEST_PART = 96 << 20
"""The maximum number of bytes between two key frames, with sound and everything else."""

_CUES, _POINT, _TIME, _PLACES, _TRACK, _PLACE = 0x1C53BB6B, 0xBB, 0xB3, 0xB7, 0xF7, 0xF1


class Cue(NamedTuple):
    """A key frame: when it is shown, in nanoseconds, and where its cluster begins."""

    at: int
    cluster: int


def read_outline(
    read: ReadRange, *, size: int, name: str, rate: Fraction, most_frames: int
) -> tuple[IndexedTrack, ...]:
    """Return the tracks of a file of `size` bytes; that of the pictures has estimates of its samples.

    `rate` is the frame rate. Raises NoIndex unless there is exactly one track of H.264 pictures, which has at most
    `most_frames`, and the cues of the file describe it.
    """
    walk = FrameWalk.of(Cursor(read, size))
    before = iter(range(MOST_BEFORE_FIRST))
    while (at := walk.cursor.at) and walk.step() != CLUSTER:
        if walk.cursor.is_at_end or next(before, None) is None:
            raise NoIndex("the file has no pictures")
    wanted = [(number, track) for number, track in walk.tracks.items() if track.is_wanted]
    if len(wanted) != 1:
        raise NoIndex("the file does not have exactly one track of H.264 pictures")
    cues = list(_cues(walk, wanted[0][0]))
    is_ordered = all(early.at < late.at and early.cluster <= late.cluster for early, late in pairwise(cues))
    if len(cues) < 2 or not is_ordered or cues[0].cluster != at or cues[-1].cluster >= size:
        raise NoIndex("its cues do not describe it")
    parts = _Parts(read, size, walk, *wanted[0], cues, rate, most_frames)
    return tuple(
        parts.estimated(name) if track is wanted[0][1] else track.indexed(name) for track in walk.tracks.values()
    )


def _cues(walk: FrameWalk, number: int) -> Iterator[Cue]:
    """Yield the cues of a track in the order of the file. Raises NoIndex if they are nowhere or damaged."""
    if _CUES not in walk.places:
        raise NoIndex("the file has no cues")
    cursor = walk.cursor
    cursor.at = walk.begins_at + walk.places[_CUES]
    kind, end = cursor.element()
    if kind != _CUES or end is None:
        raise NoIndex("its cues are not where they should be")
    for kind, point in elements_in(content_of(cursor, end)):
        inner = list(elements_in(point)) if kind == _POINT else []
        at = next((int.from_bytes(value[:8]) for kind, value in inner if kind == _TIME), 0)
        for place in (numbers_in(value) for kind, value in inner if kind == _PLACES):
            if place.get(_TRACK) == number and _PLACE in place:
                yield Cue(at * walk.scale, walk.begins_at + place[_PLACE])


class _Parts:
    """The parts of a file between two key frames, numbered by the frames of these on the grid."""

    def __init__(
        self,
        read: ReadRange,
        size: int,
        walk: FrameWalk,
        number: int,
        track: MatroskaTrack,
        cues: Sequence[Cue],
        rate: Fraction,
        most_frames: int,
    ) -> None:
        self._read = read
        self._size = size
        self._scale = walk.scale
        self._number = number
        self._track = track
        self._cues = cues
        self._rate = rate
        # If key frames are not on the grid, the rate varies, and pictures keep their own times.
        self._frames, self._is_regular = self._frames_of([cue.at for cue in cues])
        if any(early >= late for early, late in pairwise(self._frames)):
            raise NoIndex("its cues do not describe it")
        self._end = most_frames
        last, _ = self._part(len(cues) - 1, None)
        self._end = max(self._frames_of(last.shown_at)[0]) + 1

    def estimated(self, name: str) -> IndexedTrack:
        """Return the track with all frames that it has if none is missing and all groups of pictures are closed.

        Sound and everything else is assumed to have as many bytes per frame as at the beginning.
        """
        keys = (*self._frames, self._end)
        bounds = (*(cue.cluster for cue in self._cues), self._size)
        first, taken = self._part(0, 1)
        others = Fraction(taken - sum(map(len, first.contents)), keys[1])
        sizes = array("I")
        begin, place = 0, bounds[0]
        for frame, at in zip(keys[1:], bounds[1:], strict=True):
            if at > place or frame == self._end:
                each = max(1, int(Fraction(at - place, frame - begin) - others))
                sizes.extend([each] * (frame - begin))
                begin, place = frame, at
        ticks, per = NANOSECONDS * self._rate.denominator, self._rate.numerator
        times = array("q")
        for cue, frame, following in zip(self._cues, self._frames, keys[1:], strict=True):
            times.extend(cue.at + number * ticks // per for number in range(following - frame))
        track = replace(self._track, shown_at=times, sizes=sizes, positions=array("Q"), keys=list(self._frames))
        return replace(track.indexed(name), read_samples=self.read_samples)

    def read_samples(self, begin: int, end: int) -> Samples:
        """Return the samples from a key frame to before another one, or to the end of the film."""
        numbers = {frame: number for number, frame in enumerate(self._frames)}
        if begin not in numbers or end not in {*numbers, self._end}:
            raise NoIndex("there are no cues for a part of the film")
        samples, _ = self._part(numbers[begin], numbers.get(end))
        return samples

    def _part(self, number: int, end: int | None) -> tuple[Samples, int]:
        """Return the samples from a cue to before another one, or to the end, and the number of bytes of that part."""
        cue, until = self._cues[number], None if end is None else self._cues[end]
        stops = [self._size]
        if until:
            # The key frame is the first of its cluster, or anywhere in it.
            following = next((each.cluster for each in self._cues if each.cluster > until.cluster), self._size)
            stops = [min(until.cluster + HEAD_OF_CLUSTER, following), following]
        for stop in stops:
            if stop - cue.cluster > LARGEST_PART:
                raise NoIndex("its key frames are too far apart")
            block = self._read(cue.cluster, stop - cue.cluster)
            track = self._collected(block, cue, until)
            if track:
                return self._checked(track, block, number, end)
        raise NoIndex("its key frames are not where its cues say")

    def _collected(self, block: bytes, cue: Cue, until: Cue | None) -> MatroskaTrack | None:
        """Return the track with the frames of a block of the file, up to the key frame `until`; None without it."""
        begin = cue.cluster
        cursor = Cursor(lambda at, length: block[at - begin : at - begin + length], self._size)
        cursor.at = begin
        empty = replace(self._track, shown_at=array("q"), sizes=array("I"), positions=array("Q"), keys=[], total=0)
        walk = FrameWalk(cursor, {self._number: empty}, scale=self._scale)
        try:
            if walk.step() != CLUSTER:
                return None
            while cursor.at < begin + len(block):
                if until and empty.keys and empty.shown_at[empty.keys[-1]] == until.at:
                    return empty
                walk.step()
        except NoIndex:  # the block ends before the key frame, or in an element
            return None
        return None if until else empty

    def _checked(self, track: MatroskaTrack, block: bytes, number: int, end: int | None) -> tuple[Samples, int]:
        """Return the samples of a part. Raises NoIndex unless they are a closed group of pictures on the grid."""
        keys = {track.shown_at[key]: key for key in track.keys}
        cue, first = self._cues[number], keys.get(self._cues[number].at)
        last = len(track.sizes) if end is None else keys[self._cues[end].at]
        if first is None or first >= last or (number == 0 and first):
            raise NoIndex("its key frames are not where its cues say")
        shown_at = track.shown_at[first:last]
        frames, on_grid = self._frames_of(shown_at)
        ordered = sorted((*shown_at, *(() if end is None else (self._cues[end].at,))))
        if ordered[0] != cue.at or (end is not None and ordered[-1] != self._cues[end].at):
            raise NoIndex("its groups of pictures are open")
        if end is None and max(frames) >= self._end:
            raise NoIndex("it is too long")
        gaps = [late - early for early, late in pairwise(ordered)]
        if min(gaps, default=1) < 1 or max(gaps, default=1) > LONGEST_PICTURE_S * NANOSECONDS:
            raise NoIndex("its pictures are not one after the other")
        places = {*frames} - {None if end is None else self._frames[end]}
        if self._is_regular and not (on_grid and len(places) == len(frames)):
            raise NoIndex("its frame rate varies")
        offsets = [at - cue.cluster for at in track.positions[first:last]]
        contents = [block[at : at + size] for at, size in zip(offsets, track.sizes[first:last], strict=True)]
        if any(len(content) < size for content, size in zip(contents, track.sizes[first:last], strict=True)):
            raise NoIndex("the file is cut off")
        taken = len(block) if end is None else track.positions[last] - cue.cluster
        return Samples(shown_at, contents), taken

    def _frames_of(self, times: Sequence[int]) -> tuple[list[int], bool]:
        """Return the nearest frames of the grid, and whether all of these times lie on it."""
        return nearest_frames(times, first=self._cues[0].at, scale=self._rate / NANOSECONDS)
