"""The previews of the seek bar: a WebVTT file that refers to one thumbnail per segment in the strips of the chunks."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from functions.encoding.ffmpeg_commands import THUMBNAIL_WIDTH
from functions.encoding.formats.webvtt import webvtt_time

if TYPE_CHECKING:
    from functions.encoding.model import EncodePlan
    from functions.encoding.publication.presentation import Presentation


def thumbnail_height(plan: EncodePlan) -> int:
    """Return the height in pixels of a thumbnail, as ffmpeg computes it from the picture's proportions."""
    lowest = plan.renditions[-1]
    return max(2, round(Fraction(THUMBNAIL_WIDTH * lowest.height, lowest.width) / 2) * 2)


def write_thumbnails(plan: EncodePlan, presentation: Presentation) -> str:
    """Return a WebVTT file in which each cue refers to a rectangle of a strip by the media fragment `#xywh=`."""
    durations = presentation.video_segments.durations
    timescale = presentation.video_segments.timescale
    height = thumbnail_height(plan)
    cues = ["WEBVTT", ""]
    at = 0
    for number, duration in enumerate(durations):
        chunk = next(c for c in reversed(plan.chunks) if c.first_segment <= number)
        left = (number - chunk.first_segment) * THUMBNAIL_WIDTH
        cues += [
            f"{webvtt_time(Fraction(at, timescale))} --> {webvtt_time(Fraction(at + duration, timescale))}",
            f"thumbnails/c{chunk.index:05d}.jpg#xywh={left},0,{THUMBNAIL_WIDTH},{height}",
            "",
        ]
        at += duration
    return "\n".join(cues)
