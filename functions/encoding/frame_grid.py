"""The frame grid of a title, and how it is divided into segments: evenly, or at key frames of the source."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction  # noqa: TC003 - msgspec reads the annotations when it decodes a stored job
from itertools import pairwise

SEGMENT_S = 4
"""Nominal length of a segment, in seconds; the actual length of even segments is the nearest whole number of frames."""


@dataclass(frozen=True, slots=True)
class FrameGrid:
    """The constant-rate grid that all published frames are aligned to: frame n is shown at n / rate seconds.

    `cuts` has the first frame of each segment if the segments follow the key frames of the source; without cuts, all
    segments have the same length. The last segment lasts until the end of the film.
    """

    rate: Fraction
    frames: int
    cuts: tuple[int, ...] = ()

    @property
    def gop(self) -> int:
        """Number of frames per full segment of an even grid; a segment is one closed group of pictures."""
        return max(1, round(SEGMENT_S * self.rate))

    @property
    def timescale(self) -> int:
        """Ticks per second of the published video, chosen so that a frame lasts a whole number of ticks."""
        return self.rate.numerator * (1 if self.rate.numerator >= 10_000 else 1000)

    @property
    def frame_ticks(self) -> int:
        """Number of ticks per frame."""
        return self.timescale * self.rate.denominator // self.rate.numerator

    @property
    def segments(self) -> int:
        """Number of segments needed for all frames; the last of an even grid may be short."""
        return self.segments_until(self.frames)

    @property
    def longest(self) -> int:
        """Number of frames of the longest planned segment."""
        return max(late - early for early, late in pairwise((*self.cuts, self.frames))) if self.cuts else self.gop

    def segments_until(self, frame: int) -> int:
        """Return the number of segments that begin before `frame`."""
        return bisect_left(self.cuts, frame) if self.cuts else -(-frame // self.gop)

    def first_frame(self, segment: int) -> int:
        """Return the first frame of a segment; for the number after the last segment, the end of the film."""
        if not self.cuts:
            return min(segment * self.gop, self.frames)
        return self.cuts[segment] if segment < len(self.cuts) else self.frames

    def lengths(self, first: int, end: int, *, total: int | None = None) -> list[int]:
        """Return the number of frames of each segment from `first` to `end` (exclusive) in a film of `total` frames.

        By default, `total` is the planned number. Only the length of the film's last segment depends on it.
        """
        total = self.frames if total is None else total
        if not self.cuts:
            gop = self.gop
            return [min(gop, total - number * gop) for number in range(first, end)]
        bounds = (*self.cuts[first:end], self.cuts[end] if end < len(self.cuts) else total)
        return [late - early for early, late in pairwise(bounds)]

    def seconds(self, frame: int) -> Fraction:
        """Return the time at which `frame` is shown, in seconds from the start."""
        return frame / self.rate
