"""Compare the segments of an encoded chunk with the plan: their number, and the start and duration of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.platform.errors import EncodeFault

if TYPE_CHECKING:
    from functions.encoding.damage import DamagedRun
    from functions.encoding.model import Chunk, EncodePlan
    from functions.encoding.segment_uploader import ClosingTrack

TAIL_TOLERANCE_S = 0.5


def frames_of(plan: EncodePlan, chunk: Chunk, track: ClosingTrack, damage: tuple[DamagedRun, ...]) -> int:
    """Return the number of frames of a track. Raises EncodeFault unless its segments match the plan.

    The film's last chunk may be shorter by the frames at its end that cannot be decoded.
    """
    grid = plan.grid
    begin, segments = chunk.first_frame * grid.frame_ticks, track.segments
    last = chunk.end_frame == grid.frames
    whole = whole_segments(plan, chunk, track)
    at = segments[whole - 1].end if whole else begin
    if whole < len(segments):
        short = segments[whole]
        if whole + 1 < len(segments) or short.start != at or short.duration > grid.longest * grid.frame_ticks:
            raise EncodeFault("A part of the video came out in the wrong place or with the wrong length.")
        at = short.end
    frames = (at - begin) // grid.frame_ticks
    planned = chunk.end_frame - chunk.first_frame
    tolerated = max(2, round(TAIL_TOLERANCE_S * grid.rate)) if last else 0
    if plan.copied:  # copied pictures end exactly where planned
        tolerated = 0
    elif last and damage and damage[-1].end_frame >= chunk.end_frame:
        tolerated += damage[-1].end_frame - damage[-1].first_frame
    if not frames or abs(frames - planned) > tolerated:
        raise EncodeFault(
            f"The picture ends early: of the frames from {chunk.first_frame} to {chunk.end_frame}, only {frames} of "
            f"{planned} could be encoded. If this happens again, the file is cut off or damaged: upload it again."
        )
    return frames


def whole_segments(plan: EncodePlan, chunk: Chunk, track: ClosingTrack) -> int:
    """Return how many segments, from the first, have the planned start and length and start with a key frame."""
    grid, at = plan.grid, chunk.first_frame * plan.grid.frame_ticks
    count = len(track.segments)
    # on an even grid, the last segment may extend beyond the planned end, up to its full length
    lengths = grid.lengths(chunk.first_segment, chunk.first_segment + count) if grid.cuts else [grid.gop] * count
    for number, (segment, frames) in enumerate(zip(track.segments, lengths, strict=False)):
        if segment.start != at or segment.duration != frames * grid.frame_ticks or not segment.starts_with_sync:
            return number
        at = segment.end
    return min(count, len(lengths))


def codecs_of(plan: EncodePlan, tracks: list[ClosingTrack]) -> dict[str, str]:
    """Return the codec of each rendition whose init segment exists."""
    return {r.name: track.init.codec for r, track in zip(plan.renditions, tracks, strict=True) if track.init}
