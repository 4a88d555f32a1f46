"""The times of a source's picture: its frame rate, and where its first and last frames are shown.

Only a sample of packets is read: the first ones and the last ones. Nothing is decoded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any

from functions.encoding.frame_grid import FrameGrid
from functions.encoding.frame_rates import frame_rate

if TYPE_CHECKING:
    from functions.encoding.ffmpeg import FFmpeg

_TAIL_S = 12
_HEAD_PACKETS = 150
_TO_THE_END_S = 1_000_000
"""Longer than any film. If an interval given by a number of packets is followed by one without an end, ffprobe reads
nothing of the latter."""

_CPU_S, _CPU_S_PER_GB = 4, 3
"""CPU-seconds in which the sample must be read. It takes much less than one, unless the file has no index and is read
as a whole."""

_TOLERATED_LOSS_S = Fraction(1, 2)

_HEAD_START_S = Fraction(1, 2)
"""If the sound begins before the picture by at most this much, its beginning is cut off. Usually this beginning is
encoder priming, which Matroska and MPEG-TS count as playing time; keeping it would shift the whole grid."""

_NEARLY = Fraction(1, 8)
"""The part of a frame by which rounded times may be early."""

_DISCARDED = "D"
"""ffprobe's flag of a packet that is decoded but not shown: an edit list excludes it, or it is encoder priming."""

_CUT_OFF = re.compile(r"partial file|File ended prematurely")
"""Messages of demuxers that expect more data than the file has."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The frame grid of a source, and how its picture is moved onto the grid.

    `origin`, `shift` and `variable_rate` are those of `PicturePlan`. `missing` is the number of frames that the file
    announces but does not contain, because its end was cut off.
    """

    grid: FrameGrid
    origin: Fraction
    shift: Fraction
    variable_rate: bool
    missing: int


@dataclass(frozen=True, slots=True)
class _Sample:
    """The packets that were read, as presentation time and duration in seconds, and whether the file ended early."""

    packets: tuple[tuple[Fraction, Fraction], ...]
    cut_off: bool


def read_timeline(
    ffmpeg: FFmpeg, address: str, video: dict[str, Any], container: dict[str, Any], *, limit_s: float
) -> Timeline | None:
    """Return the times of a picture, or None if reading them takes much longer than that of any film.

    `video` and `container` are ffprobe's descriptions of its stream and its file. Raises RunTooLong after `limit_s`
    seconds.
    """
    stated_s = Fraction(container.get("duration") or 0)
    origin = Fraction(container.get("start_time") or 0)
    cpu_s = _CPU_S + int(container.get("size") or 0) * _CPU_S_PER_GB // 10**9
    sample = _sample(ffmpeg, address, video["index"], stated_s, limit_s=limit_s, cpu_s=cpu_s)
    if sample is None:
        return None
    rate, variable = frame_rate(
        _rate(video["r_frame_rate"]), _rate(video["avg_frame_rate"]), [at for at, _ in sample.packets]
    )
    first = min((at for at, _ in sample.packets), default=origin) - origin
    # Rounded down, because a file that begins with encoder priming begins a little before its sound.
    shift = first if first <= _HEAD_START_S else first - floor(first * rate + _NEARLY) / rate
    end = max((at + (lasts or 1 / rate) for at, lasts in sample.packets), default=origin) - origin
    # Matroska measures the duration from 0, MP4 from the start of the film
    lost_s = _stated_end(video, stated_s) - max(origin, Fraction(0)) - end
    # A complete file that is shorter than its stated duration merely states it wrongly.
    missing = round(lost_s * rate) if sample.cut_off and lost_s > _TOLERATED_LOSS_S else 0
    return Timeline(FrameGrid(rate, max(1, round((end - shift) * rate))), origin, shift, variable, missing)


def _sample(
    ffmpeg: FFmpeg, address: str, stream: int, stated_s: Fraction, *, limit_s: float, cpu_s: int
) -> _Sample | None:
    """Read the first packets, and all packets from shortly before the stated end to the real end.

    Return None after `cpu_s` CPU-seconds.
    """
    tail = f",{float(max(Fraction(0), stated_s - _TAIL_S)):.3f}%+{_TO_THE_END_S}" if stated_s else ""
    result = ffmpeg.probe(
        address,
        *("-select_streams", str(stream), "-read_intervals", f"%+#{_HEAD_PACKETS}{tail}"),
        *("-show_entries", "packet=pts_time,duration_time,flags", "-of", "csv=p=0"),
        limit_s=limit_s,
        cpu_s=cpu_s,
    )
    if result.ran_out:
        return None
    ffmpeg.raise_if_unreachable(result)
    packets = []
    for line in result.output.splitlines():
        at, lasts, flags, *_ = (*line.strip().split(","), "", "")
        if at not in ("", "N/A") and _DISCARDED not in flags:
            packets.append((Fraction(at), Fraction(lasts) if lasts not in ("", "N/A") else Fraction(0)))
    return _Sample(tuple(packets), _CUT_OFF.search(result.errors) is not None)


def _rate(text: str) -> Fraction:
    """Return a frame rate that ffprobe printed, 0 if it is unknown."""
    return Fraction(0) if text.endswith("/0") else Fraction(text)


def _stated_end(video: dict[str, Any], stated_s: Fraction) -> Fraction:
    """Return the stated length of the picture: the duration of its stream, the Matroska tag, or the file's duration."""
    if "duration" in video:
        return min(Fraction(video["duration"]), stated_s)
    tag = str(video.get("tags", {}).get("DURATION", "")).split(":")
    if len(tag) == 3:
        return min(int(tag[0]) * 3600 + int(tag[1]) * 60 + Fraction(tag[2]), stated_s)
    return stated_s
