"""Decide whether the pictures of an H.264 source become a rendition unchanged, and begin segments at its key frames.

One pure function contains the whole rule; each refusal has a reason that the owner of the film can read.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from functions.encoding.formats.h264 import MalformedStream, SequenceParameters, read_configuration, read_sequence
from functions.encoding.frame_grid import SEGMENT_S, FrameGrid
from functions.encoding.frame_rates import frame_rate
from functions.encoding.ladder import H264_LADDER, renditions_for
from functions.encoding.renditions import CopiedPicture, Rendition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.encoding.formats.mp4_index import IndexedTrack
    from functions.platform.settings import Settings

SHORTEST_S, LONGEST_S = 2, 12
"""Bounds of a segment that follows key frames; x264's default distance between key frames is 10.4 s at 24 frames/s."""

BEST_S = SEGMENT_S - Fraction(1, 2)
"""A segment ends at the first key frame after this time, in seconds."""

LONGEST_PICTURE_S = 1
"""The longest time, in seconds, that one picture may be shown; players treat longer ones as a gap."""

LARGEST_SEGMENT = 64 << 20
"""The maximum number of bytes of a segment; a segment is kept in memory while it is copied, in the API app too."""

PICTURE_ENTRY = 78
"""Bytes before the boxes of the description of a video track (ISO/IEC 14496-12, 12.1.3)."""

HIGHEST_LEVEL = 42
_PROFILES = {66, 77, 100}
_BASELINE, _CONSTRAINED = 66, 0x40
_HDR = {16, 18}
"""Numbers of the transfer characteristics PQ and HLG (ITU-T H.273)."""

_ON_THE_GRID = Fraction(1, 4)
"""The part of a frame by which rounded times of a constant frame rate may differ from the grid."""

_SAMPLE = 150
"""Number of pictures from whose times the frame rate is derived; as many as `timeline` reads."""


class Unsuitable(Exception):
    """A source is encoded as a whole; `reason` completes the sentence "All pictures are encoded, because …"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def sentence(self) -> str:
        """Return the sentence for the owner."""
        return f"All pictures are encoded, because {self.reason}."


@dataclass(frozen=True, slots=True)
class PictureCopy:
    """The plan of copied pictures: the grid whose segments begin at key frames, and the renditions."""

    grid: FrameGrid
    copied: CopiedPicture
    encoded: tuple[Rendition, ...]

    @property
    def sentence(self) -> str:
        """Return the sentence for the owner."""
        if self.copied.replaces is None:
            mbit = self.copied.rendition.maxrate_kbps / 1000
            return f"The film's own pictures, at {mbit:.1f} Mbit/s, are shown until it is encoded."
        return f"The film's own pictures are used for {self.copied.replaces.name.removeprefix('v')}p."


@dataclass(frozen=True, slots=True)
class CopyLimits:
    """The highest bitrates of copied pictures, in percent of the maximum bitrate of the best encoded rendition.

    Up to `percent`, they replace this rendition; up to `provisional`, they are shown until all renditions are encoded.
    Without `sound`, only pictures are copied, because the loudness of all sound is changed.
    """

    percent: int
    provisional: int = 0
    sound: bool = True

    @classmethod
    def of(cls, settings: Settings) -> CopyLimits:
        """Return the limits in the settings."""
        return cls(settings.passthrough_percent, settings.provisional_percent, sound=not settings.loudness_lufs)

    @property
    def most(self) -> int:
        """Return the higher one of the limits; 0 if no pictures are copied."""
        return max(self.percent, self.provisional) if self.percent > 0 else 0

    @property
    def setting(self) -> str:
        """Return the name of the setting that has the higher limit."""
        return "PASSTHROUGH_PERCENT" if self.most == self.percent else "PROVISIONAL_PERCENT"


def copy_of_picture(track: IndexedTrack, *, rate: Fraction | None, limits: CopyLimits) -> PictureCopy:
    """Return how the pictures of a track are copied; `rate` is the frame rate of the grid, or None to derive it.

    Raises Unsuitable.
    """
    if not limits.most:
        raise Unsuitable("PASSTHROUGH_PERCENT is 0")
    coded = _check_form(track)
    rungs = renditions_for(coded.width, coded.height)
    if len(rungs) == 1:
        raise Unsuitable("they are so small that there is only one size of them")
    check_largest(coded.width, coded.height)
    _check_edits(track)
    times = _Times.of(track, rate)
    cuts = _cuts(track, times)
    grid = FrameGrid(times.rate, times.frames[-1] + 1, tuple(frame for _, frame in cuts))
    peak_bps, mean_bps = _bitrates(track, grid, [sample for sample, _ in cuts])
    bound_bps = rungs[0].maxrate_kbps * 10 * limits.most
    if mean_bps > bound_bps:
        raise Unsuitable(
            f"their bitrate is {mean_bps / 1_000_000:.1f} Mbit/s, more than the {bound_bps / 1_000_000:.1f} Mbit/s "
            f"that {limits.setting} allows"
        )
    own = Rendition(f"c{rungs[0].name.removeprefix('v')}", coded.width, coded.height, -(-peak_bps // 1000))
    start = track.presented_at(track.shown_at[0])
    if mean_bps > rungs[0].maxrate_kbps * 10 * limits.percent:
        return PictureCopy(grid, CopiedPicture(own, None, start, times.regular), rungs)
    return PictureCopy(grid, CopiedPicture(own, rungs[0], start, times.regular), rungs[1:])


def check_largest(width: int, height: int) -> None:
    """Raise Unsuitable if pictures are larger than the largest rung."""
    box = sorted((H264_LADDER[0].width, H264_LADDER[0].height))
    if any(side > most for side, most in zip(sorted((width, height)), box, strict=True)):
        raise Unsuitable(f"they are larger than {H264_LADDER[0].height}p")


def nearest_frames(times: Sequence[int], *, first: int, scale: Fraction) -> tuple[list[int], bool]:
    """Return the nearest frame of the grid for each time, and whether all of them lie on the grid.

    `first` is the time of frame 0, and `scale` the number of frames per unit of time.
    """
    up, down = scale.numerator, scale.denominator
    exact = [(at - first) * up for at in times]
    frames = [(2 * at + down) // (2 * down) for at in exact]
    most = int(_ON_THE_GRID * down)
    return frames, all(abs(at - n * down) <= most for at, n in zip(exact, frames, strict=True))


def frames_of(track: IndexedTrack, rate: Fraction) -> list[int]:
    """Return the nearest frame of the grid for each sample, in decoding order."""
    return nearest_frames(track.shown_at, first=track.shown_at[0], scale=rate / track.timescale)[0]


def segment_samples(track: IndexedTrack, grid: FrameGrid) -> list[int]:
    """Return the number of the first sample of each segment of a grid with cuts, and the number of samples.

    Raises Unsuitable if a segment does not begin with a key frame: the track is not the one that the grid was made for.
    """
    frames = frames_of(track, grid.rate)
    keys = range(len(frames)) if track.keys is None else track.keys
    at = {frames[key]: key for key in reversed(keys)}
    if not at.keys() >= set(grid.cuts):
        raise Unsuitable("their key frames are not where they were when the film was planned")
    return [*(at[cut] for cut in grid.cuts), len(frames)]


def _check_form(track: IndexedTrack) -> SequenceParameters:
    """Return the properties of a track whose pictures browsers can play as they are."""
    if track.format != "avc1" or track.descriptions != 1:
        raise Unsuitable("they are not all H.264 of the same format")
    try:
        configuration = read_configuration(track.described_by("avcC", after=PICTURE_ENTRY) or b"")
        if len(configuration.sequences) != 1:
            raise Unsuitable("their format changes during the film")
        coded = read_sequence(configuration.sequences[0])
    except MalformedStream:
        raise Unsuitable("their description is damaged") from None
    if coded.chroma != 1 or coded.bit_depth != 8 or coded.profile not in _PROFILES:
        raise Unsuitable("browsers do not play their profile of H.264")
    if coded.profile == _BASELINE and not coded.constraints & _CONSTRAINED:
        raise Unsuitable("browsers do not play their profile of H.264")
    if coded.level > HIGHEST_LEVEL:
        raise Unsuitable(f"their level is {coded.level / 10:.1f}, above {HIGHEST_LEVEL / 10:.1f}")
    if not coded.progressive:
        raise Unsuitable("they may be interlaced")
    if not coded.square or not _is_square(track):
        raise Unsuitable("their pixels are not square")
    if not track.upright:
        raise Unsuitable("the file says that they are rotated")
    if coded.transfer in _HDR:
        raise Unsuitable("they are in HDR")
    if coded.width < 2 or coded.height < 2 or coded.width % 2 or coded.height % 2:
        raise Unsuitable("their width or height is an odd number")
    return coded


def _is_square(track: IndexedTrack) -> bool:
    ratio = track.described_by("pasp", after=PICTURE_ENTRY)
    return ratio is None or ratio[:4] == ratio[4:8]


def _check_edits(track: IndexedTrack) -> None:
    if len(track.sizes) < 2:
        raise Unsuitable("there are too few of them")
    if not track.is_plainly_edited:
        raise Unsuitable("the file rearranges them by an edit list")
    begin = next((edit.media_time for edit in track.edits if edit.media_time >= 0), 0)
    frame = Fraction(track.end, len(track.sizes))
    if begin > track.shown_at[0] + frame / 2:
        raise Unsuitable("an edit list leaves out the first of them")
    lasts = track.edited_s
    shown_s = (max(track.shown_at) + frame - begin) / track.timescale
    if lasts and lasts < shown_s - 2 * frame / track.timescale:
        raise Unsuitable("an edit list leaves out the last of them")


@dataclass(frozen=True, slots=True)
class _Times:
    """The frame rate of the grid, the frame of each sample in display order, and whether all lie on the grid."""

    rate: Fraction
    frames: tuple[int, ...]
    regular: bool

    @classmethod
    def of(cls, track: IndexedTrack, rate: Fraction | None) -> _Times:
        """Return the times of a track. Raises Unsuitable if two pictures have the same time or are far apart."""
        ordered = sorted(track.shown_at)
        gaps = [late - early for early, late in pairwise(ordered)]
        if min(gaps) <= 0:
            raise Unsuitable("several of them have the same time")
        if max(gaps) > LONGEST_PICTURE_S * track.timescale:
            raise Unsuitable(f"one of them is shown for more than {LONGEST_PICTURE_S} s")
        if rate is None:
            average = Fraction(len(gaps) * track.timescale, ordered[-1] - ordered[0])
            sample = [Fraction(at - ordered[0], track.timescale) for at in ordered[:_SAMPLE]]
            rate, varies = frame_rate(average, average, sample)
            if varies:
                raise Unsuitable("their frame rate varies")
        frames, on_grid = nearest_frames(ordered, first=ordered[0], scale=rate / track.timescale)
        return cls(rate, tuple(frames), on_grid and len(set(frames)) == len(frames))


def _cuts(track: IndexedTrack, times: _Times) -> list[tuple[int, int]]:
    """Return sample and frame of each key frame at which a segment begins."""
    shown = track.shown_at
    keys = list(range(len(shown))) if track.keys is None else list(track.keys)
    if not keys or keys[0] != 0 or min(shown) != shown[0]:
        raise Unsuitable("the first of them is not a key frame")
    latest = list(accumulate(shown, max))
    earliest = list(accumulate(reversed(shown), min))[::-1]
    closed = [key for key in keys if earliest[key] == shown[key] and (key == 0 or latest[key - 1] < shown[key])]
    frame_at = frames_of(track, times.rate)
    frames = [frame_at[key] for key in closed]
    end = times.frames[-1] + 1
    shortest, best, longest = (int(seconds * times.rate) for seconds in (SHORTEST_S, BEST_S, LONGEST_S))
    chosen = [0]
    while end - frames[chosen[-1]] > longest or _next_key(frames, chosen[-1], best, shortest, end) is not None:
        at = chosen[-1]
        following = _next_key(frames, at, best, shortest, end)
        if following is None or frames[following] - frames[at] > longest:
            following = bisect_left(frames, frames[at] + longest + 1) - 1
            if frames[following] - frames[at] < shortest:
                gap_s = float(((frames[at + 1] if at + 1 < len(frames) else end) - frames[at]) / times.rate)
                if len(closed) < len(keys):
                    raise Unsuitable("their groups of pictures are open")
                raise Unsuitable(f"their key frames are {max(gap_s, LONGEST_S):.1f} s apart, more than {LONGEST_S} s")
        chosen.append(following)
    return [(closed[number], frames[number]) for number in chosen]


def _next_key(frames: Sequence[int], at: int, best: int, shortest: int, end: int) -> int | None:
    """Return the first key frame at which a segment should end, unless too little of the film would be left."""
    following = bisect_left(frames, frames[at] + best)
    return following if following < len(frames) and end - frames[following] >= shortest else None


def _bitrates(track: IndexedTrack, grid: FrameGrid, samples: Sequence[int]) -> tuple[int, int]:
    """Return the bitrate of the largest segment and the mean, in bits per second. Raises Unsuitable."""
    bits = [8 * sum(track.sizes[first:end]) for first, end in pairwise((*samples, len(track.sizes)))]
    if max(bits) > 8 * LARGEST_SEGMENT:
        raise Unsuitable("a part of them is too large")
    lengths = grid.lengths(0, grid.segments)
    peak = max(size * grid.rate / frames for size, frames in zip(bits, lengths, strict=True))
    return int(peak), int(sum(bits) * grid.rate / grid.frames)
