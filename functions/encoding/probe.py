"""Probe a source: its streams, the frame grid of its picture, and whether it can become a film.

The source is read by range requests, never downloaded whole. A source that cannot become a film raises SourceRefused
with a reason that the uploader can act on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from functions.encoding.model import FrameGrid, PicturePlan
from functions.platform.errors import SourceRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.encoding.ffmpeg import FFmpeg

STANDARD_RATES = tuple(
    Fraction(n, d)
    for n, d in ((24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001), (60, 1))
)
"""Frame rates of SMPTE ST 2036 and of common cameras, up to the highest published rate."""

UNINDEXED = {"mpegts", "avi", "mpeg", "flv", "asf"}
"""Containers without frame-exact seeks; they are remuxed once before they are divided into chunks."""

TEXT_CODECS = {"subrip", "ass", "ssa", "mov_text", "webvtt", "text"}
HDR_TRANSFERS = {"smpte2084", "arib-std-b67"}
MAX_WIDTH, MAX_HEIGHT = 8192, 4320

_MP4_BEGINNINGS = {b"ftyp", b"mdat", b"free", b"skip", b"wide"}
_TAIL_S = 12
_HEAD_PACKETS = 150
_TOLERATED_LOSS_S = 0.5

_HEAD_START_S = Fraction(1, 2)
"""If sound begins before the picture, by at most this much, that sound is cut off. Usually it is encoder priming,
which Matroska and MPEG-TS count as playing time; keeping this sound would shift the whole grid."""


@dataclass(frozen=True, slots=True)
class AudioStream:
    """An audio stream of a source: its index among all streams, and its length in seconds if the source states it."""

    index: int
    channels: int
    sample_rate: int
    language: str
    title: str
    lasts: Fraction | None


@dataclass(frozen=True, slots=True)
class TextStream:
    """A subtitle stream of a source that contains text, not images."""

    index: int
    language: str
    title: str


@dataclass(frozen=True, slots=True)
class ProbedSource:
    """The properties of a source; `width` and `height` describe the displayed picture: rotated, with square pixels."""

    container: str
    duration_s: float
    indexed: bool
    width: int
    height: int
    grid: FrameGrid
    picture: PicturePlan
    audio: tuple[AudioStream, ...]
    text: tuple[TextStream, ...]


def probe(ffmpeg: FFmpeg, address: str, *, name: str, head: bytes) -> ProbedSource:
    """Describe the source at `address`; `name` and the first bytes, `head`, are used to explain a refusal.

    Raises SourceRefused if the source is not a film, and a retryable error if it could not be read.
    """
    found = _describe(ffmpeg, address, name=name, head=head)
    streams: list[dict[str, Any]] = found.get("streams", [])
    video = next((s for s in streams if s["codec_type"] == "video" and not s["disposition"]["attached_pic"]), None)
    if video is None:
        raise SourceRefused(f"{name} holds no picture, only sound or data. Upload a film with a video track.")
    container = found["format"]["format_name"]
    stated_s = float(found["format"].get("duration") or 0)
    width, height = _display_size(video, name=name)
    origin = Fraction(found["format"].get("start_time") or 0)
    packets = _packets(ffmpeg, address, video["index"], stated_s)
    rate, variable = frame_rate(
        Fraction(video["r_frame_rate"]) if video["r_frame_rate"] != "0/0" else Fraction(0),
        Fraction(video["avg_frame_rate"]) if video["avg_frame_rate"] != "0/0" else Fraction(0),
        [at for at, _ in packets],
    )
    first = min((at for at, _ in packets), default=origin) - origin
    shift = first if first <= _HEAD_START_S else first - round(first * rate) / rate
    indexed = stated_s > 0 and not UNINDEXED & set(container.split(","))
    end = max((at + (lasts or 1 / rate) for at, lasts in packets), default=origin) - origin
    # Matroska measures the duration from 0, MP4 from the start of the film
    if indexed and end + max(origin, Fraction(0)) < _stated_end(video, stated_s) - _TOLERATED_LOSS_S:
        raise SourceRefused(
            f"{name} is cut off: it should last {stated_s:.0f} s, but its picture cannot be read "
            f"to the end. Upload the whole file again."
        )
    return ProbedSource(
        container=container,
        duration_s=stated_s,
        indexed=indexed,
        width=width,
        height=height,
        grid=FrameGrid(rate, max(1, round((end - shift) * rate))),
        picture=PicturePlan(
            stream=video["index"],
            codec=str(video.get("codec_name", "")),
            shift=shift,
            variable_rate=variable,
            deinterlace=video.get("field_order") in ("tt", "bb", "tb", "bt"),
            tone_map=video.get("color_transfer") in HDR_TRANSFERS,
        ),
        audio=tuple(
            AudioStream(
                index=s["index"],
                channels=int(s["channels"]),
                sample_rate=int(s["sample_rate"]),
                language=_tag(s, "language"),
                title=_tag(s, "title"),
                lasts=Fraction(s["duration"]) if "duration" in s else None,
            )
            for s in streams
            if s["codec_type"] == "audio" and int(s.get("channels") or 0) > 0 and int(s.get("sample_rate") or 0) > 0
        ),
        text=tuple(
            TextStream(s["index"], _tag(s, "language"), _tag(s, "title"))
            for s in streams
            if s["codec_type"] == "subtitle" and s.get("codec_name") in TEXT_CODECS
        ),
    )


def frame_rate(real: Fraction, average: Fraction, shown_at: Sequence[Fraction]) -> tuple[Fraction, bool]:
    """Return the frame rate of the published grid, and whether the frame rate of the source varies.

    `real` and `average` come from ffprobe: the lowest rate that can express every timestamp, and the number of frames
    divided by the duration. `shown_at` contains presentation times, in seconds, of a sample of frames. If the rate of
    the source varies, the result is the lowest standard rate, at most 60, at which no frame of the sample is lost.
    """
    gaps = sorted(late - early for early, late in pairwise(sorted(set(shown_at))) if 0 < late - early < 1)
    typical = gaps[len(gaps) // 2] if gaps else (1 / average if average else Fraction(1, 25))
    # Packets arrive in decode order, so the last packets of a sample lack their neighbours; ignore the few long gaps.
    near, short, long = max(Fraction(3, 1000), typical / 20), _quantile(gaps, 2), _quantile(gaps, 90)
    even = not gaps or (typical - short <= near and long - typical <= near)
    if even:
        stated = next((r for r in (average, real) if r and abs(r * typical - 1) < Fraction(1, 20)), 1 / typical)
        return _at_most_60(_snapped(stated)), False
    if real in STANDARD_RATES and abs(real * short - 1) < Fraction(3, 100):
        return real, True
    lowest = next((r for r in STANDARD_RATES if r * short >= Fraction(97, 100)), STANDARD_RATES[-1])
    whole = lowest * Fraction(1001, 1000)
    # A rate that is a thousandth too high occasionally repeats a frame; a rate that is too low loses frames.
    exact = abs(lowest * short - 1) < Fraction(1, 2000)
    return (whole if whole in STANDARD_RATES and not exact else lowest), True


def _quantile(ordered: Sequence[Fraction], percent: int) -> Fraction:
    return ordered[len(ordered) * percent // 100] if ordered else Fraction(0)


def _snapped(rate: Fraction) -> Fraction:
    """Return the standard rate within 0.05 % of `rate`, or else `rate` itself as a simple fraction."""
    nearest = min(STANDARD_RATES, key=lambda standard: abs(standard / rate - 1))
    return nearest if abs(nearest / rate - 1) < Fraction(5, 10_000) else rate.limit_denominator(1001)


def _at_most_60(rate: Fraction) -> Fraction:
    while rate > STANDARD_RATES[-1]:
        rate /= 2
    return rate


def _describe(ffmpeg: FFmpeg, address: str, *, name: str, head: bytes) -> dict[str, Any]:
    if not head:
        raise SourceRefused(f"{name} is empty. Upload the film again.")
    result = ffmpeg.probe(address, "-show_format", "-show_streams", "-of", "json")
    if result.status == 0:
        found: dict[str, Any] = json.loads(result.output)
        return found
    ffmpeg.raise_if_unreachable(result)
    raise SourceRefused(_why_unreadable(name, head, result.errors))


def _why_unreadable(name: str, head: bytes, errors: str) -> str:
    """Return a sentence that explains to the uploader why the file is not a film."""
    if head.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF")) and b"AVI" not in head[:16]:
        return f"{name} is an image or a sound file, not a film. Upload the film itself."
    if head.lstrip().startswith((b"#EXTM3U", b"ffconcat", b"<?xml", b"<MPD")):
        return f"{name} is a playlist, not a film. Upload the film that it points to."
    if all(byte in b"\t\n\r\f" or byte >= 32 for byte in head):
        return f"{name} is text, not a film. Upload the film itself."
    if head[4:8] in _MP4_BEGINNINGS and "moov atom not found" in errors:
        return f"{name} is cut off: the index of the MP4 file is missing. Upload the whole file again."
    return f"{name} cannot be read as a film. Upload an MP4, MOV, MKV, WebM, AVI or MPEG-TS file."


def _packets(ffmpeg: FFmpeg, address: str, stream: int, duration_s: float) -> list[tuple[Fraction, Fraction]]:
    """Return presentation time and duration, in seconds, of the first and last packets; unreadable ones are omitted."""
    tail = f",{max(0.0, duration_s - _TAIL_S):.3f}%+{_TAIL_S * 5}" if duration_s else ""
    result = ffmpeg.probe(
        address,
        *("-select_streams", str(stream), "-read_intervals", f"%+#{_HEAD_PACKETS}{tail}"),
        *("-show_entries", "packet=pts_time,duration_time", "-of", "csv=p=0"),
    )
    ffmpeg.raise_if_unreachable(result)
    packets = []
    for line in result.output.splitlines():
        at, _, lasts = line.strip().rstrip(",").partition(",")
        if at and at != "N/A":
            packets.append((Fraction(at), Fraction(lasts.split(",")[0]) if lasts not in ("", "N/A") else Fraction(0)))
    return packets


def _stated_end(video: dict[str, Any], stated_s: float) -> float:
    """Return the stated length of the picture: the duration of its stream, the Matroska tag, or the file's duration."""
    if "duration" in video:
        return min(float(video["duration"]), stated_s)
    tag = _tag(video, "DURATION").split(":")
    if len(tag) == 3:
        return min(int(tag[0]) * 3600 + int(tag[1]) * 60 + float(tag[2]), stated_s)
    return stated_s


def _display_size(video: dict[str, Any], *, name: str) -> tuple[int, int]:
    width, height = int(video.get("width") or 0), int(video.get("height") or 0)
    if not width or not height:
        raise SourceRefused(f"{name} has a picture without a size; it may be damaged. Upload the original again.")
    if max(width, height) > MAX_WIDTH or min(width, height) > MAX_HEIGHT:
        raise SourceRefused(
            f"{name} is {width}x{height}; the limit is {MAX_WIDTH}x{MAX_HEIGHT}. Upload a smaller version."
        )
    pixel = video.get("sample_aspect_ratio", "1:1").split(":")
    if len(pixel) == 2 and int(pixel[0]) > 0 and int(pixel[1]) > 0:
        width = round(width * int(pixel[0]) / int(pixel[1]))
    turned = next((d.get("rotation", 0) for d in video.get("side_data_list", []) if "rotation" in d), 0)
    return (height, width) if round(turned / 90) % 2 else (width, height)


def _tag(stream: dict[str, Any], key: str) -> str:
    return str(stream.get("tags", {}).get(key, ""))
