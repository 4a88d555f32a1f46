"""Probe a source: its streams, the frame grid of its picture, and whether it can become a film.

The source is read by range requests, never downloaded whole. A source that cannot become a film raises SourceRefused
with a reason that the uploader can act on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.encoding.chapters import read_chapters
from functions.encoding.ffmpeg import PROBE_LIMIT_S
from functions.encoding.picture_plan import HdrTransfer, PicturePlan
from functions.encoding.planning.refusals import (
    check_kind,
    check_protection,
    check_streams,
    check_track_count,
    why_unreadable,
)
from functions.encoding.planning.scan import stated_field_order
from functions.encoding.planning.timeline import read_timeline
from functions.encoding.tracks import audio_streams, text_streams
from functions.platform.errors import SourceRefused

if TYPE_CHECKING:
    from functions.encoding.chapters import Chapter
    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.frame_grid import FrameGrid
    from functions.encoding.tracks import AudioStream, TextStream

UNINDEXED = {"mpegts", "avi", "mpeg", "flv", "asf", "mxf"}
"""Containers without frame-exact seeks; they are remuxed once before they are divided into chunks."""

MOST_STREAMS = 128
"""A source with more streams than this is also remuxed, with only the streams that are used, because ffmpeg analyses
all streams at each start."""

DESCRIBE_CPU_S = 5
"""CPU-seconds in which the streams of a source must be found; a film of several hours takes less than one."""

FIRST_PACKETS = ("-show_entries", "packet_side_data=side_data_type", "-read_intervals", "%+#8")
"""Options that also report the side data of the first packets, which tells whether the packets are encrypted."""

HDR_TRANSFERS = frozenset(HdrTransfer)
HDR_COLOURS = {"color_primaries": "bt2020", "color_space": "bt2020nc"}
"""The colours of HDR10 and HLG (ITU-R BT.2100), in which AV1 keeps pictures in HDR; others are only tone-mapped."""

MAX_WIDTH, MAX_HEIGHT = 8192, 4320


@dataclass(frozen=True, slots=True)
class ProbedSource:
    """The properties of a source; `width` and `height` describe the displayed picture: rotated, with square pixels.

    `missing` is the number of frames after the end of `grid` that were cut off.
    """

    container: str
    duration_s: float
    indexed: bool
    width: int
    height: int
    grid: FrameGrid
    missing: int
    field_order: str
    picture: PicturePlan
    audio: tuple[AudioStream, ...]
    text: tuple[TextStream, ...]
    chapters: tuple[Chapter, ...] = ()


def probe(ffmpeg: FFmpeg, address: str, *, name: str, head: bytes, limit_s: float = PROBE_LIMIT_S) -> ProbedSource:
    """Describe the source at `address`; `name` and the first bytes, `head`, are used to explain a refusal.

    Raises SourceRefused if the source is not a film, RunTooLong if one of its parts takes longer than `limit_s`
    seconds, and a retryable error if it could not be read.
    """
    found = _describe(ffmpeg, address, name=name, head=head, limit_s=limit_s)
    check_kind(name, head)
    check_protection(name, found)
    streams: list[dict[str, Any]] = found.get("streams", [])
    decodable = ffmpeg.decodable()
    video = check_streams(name, streams, decodable)
    container = found["format"]["format_name"]
    stated_s = float(found["format"].get("duration") or 0)
    width, height = _display_size(video, name=name)
    indexed = stated_s > 0 and not UNINDEXED & set(container.split(",")) and len(streams) <= MOST_STREAMS
    timeline = read_timeline(ffmpeg, address, video, found["format"], limit_s=limit_s)
    if timeline is None:
        raise SourceRefused(_too_long(name))
    picture = PicturePlan(
        stream=video["index"],
        codec=str(video.get("codec_name", "")),
        shift=timeline.shift,
        variable_rate=timeline.variable_rate,
        origin=timeline.origin,
        deinterlace=bool(stated_field_order(video)),
        tone_map=video.get("color_transfer") in HDR_TRANSFERS,
        hdr=_hdr_of(video),
    )
    return ProbedSource(
        container=container,
        duration_s=stated_s,
        indexed=indexed,
        width=width,
        height=height,
        grid=timeline.grid,
        missing=timeline.missing if indexed else 0,
        field_order=stated_field_order(video),
        picture=picture,
        audio=audio_streams(streams, decodable),
        text=text_streams(streams),
        chapters=read_chapters(found.get("chapters", ()), picture),
    )


def _describe(ffmpeg: FFmpeg, address: str, *, name: str, head: bytes, limit_s: float) -> dict[str, Any]:
    if not head:
        raise SourceRefused(f"{name} is empty. Upload the film again.")
    entries = ("-show_format", "-show_streams", "-show_chapters", *FIRST_PACKETS)
    result = ffmpeg.probe(address, *entries, "-of", "json", limit_s=limit_s, cpu_s=DESCRIBE_CPU_S)
    if result.ran_out:
        raise SourceRefused(_too_long(name))
    check_track_count(name, result.errors)
    if result.status == 0:
        found: dict[str, Any] = json.loads(result.output)
        return found
    ffmpeg.raise_if_unreachable(result)
    raise SourceRefused(why_unreadable(name, head, result.errors))


def _too_long(name: str) -> str:
    return f"{name} takes too long to analyse; it may be damaged. Upload the original again."


def _display_size(video: dict[str, Any], *, name: str) -> tuple[int, int]:
    width, height = int(video.get("width") or 0), int(video.get("height") or 0)
    if not width or not height:
        raise SourceRefused(f"{name} has a video without a frame size; it may be damaged. Upload the original again.")
    if max(width, height) > MAX_WIDTH or min(width, height) > MAX_HEIGHT:
        raise SourceRefused(
            f"{name} is {width}x{height}; the limit is {MAX_WIDTH}x{MAX_HEIGHT}. Upload a smaller version."
        )
    pixel = video.get("sample_aspect_ratio", "1:1").split(":")
    if len(pixel) == 2 and int(pixel[0]) > 0 and int(pixel[1]) > 0:
        width = round(width * int(pixel[0]) / int(pixel[1]))
    turned = next((d.get("rotation", 0) for d in video.get("side_data_list", []) if "rotation" in d), 0)
    return (height, width) if round(turned / 90) % 2 else (width, height)


def _hdr_of(video: dict[str, Any]) -> HdrTransfer | None:
    """Return the transfer function of pictures that can stay in HDR; None for all others."""
    transfer = video.get("color_transfer")
    if transfer not in HDR_TRANSFERS or any(video.get(key) != value for key, value in HDR_COLOURS.items()):
        return None
    return HdrTransfer(transfer)


def _tag(stream: dict[str, Any], key: str) -> str:
    return str(stream.get("tags", {}).get(key, ""))
