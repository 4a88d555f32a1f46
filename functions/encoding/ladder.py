"""The ladder: the renditions for a source, and how its frames are divided into chunks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.encoding.model import Chunk, Rendition

if TYPE_CHECKING:
    from functions.encoding.model import FrameGrid


@dataclass(frozen=True, slots=True)
class Rung:
    """A rung of a ladder: the 16:9 box, in pixels, that the picture is fitted into, and its maximum bitrate."""

    width: int
    height: int
    maxrate_kbps: int


H264_LADDER = (
    Rung(1920, 1080, 5000),
    Rung(1280, 720, 2800),
    Rung(960, 540, 1600),
    Rung(640, 360, 800),
    Rung(416, 234, 400),
)
"""Five rungs similar to Apple's HLS authoring specification; the lowest is exactly 16:9."""

CHUNK_SEGMENTS = 7
"""Maximum segments per chunk (28 s). Shorter chunks waste more, because decoding starts at an earlier key frame."""


def renditions_for(width: int, height: int, *, ladder: tuple[Rung, ...] = H264_LADDER) -> tuple[Rendition, ...]:
    """Return the rungs at or below the source's size, best first; a source below all rungs gets a rung of its own size.

    For a portrait source, the boxes are rotated by 90 degrees. Sizes are even, because 4:2:0 requires it.
    """
    renditions = []
    for rung in ladder:
        box = (rung.width, rung.height) if width >= height else (rung.height, rung.width)
        if width < box[0] and height < box[1]:
            continue
        scale = min(box[0] / width, box[1] / height)
        renditions.append(Rendition(f"v{rung.height}", _even(width * scale), _even(height * scale), rung.maxrate_kbps))
    if not renditions:
        renditions.append(Rendition(f"v{min(width, height)}", _even(width), _even(height), ladder[-1].maxrate_kbps))
    return tuple(renditions)


def chunks_for(grid: FrameGrid) -> tuple[Chunk, ...]:
    """Return the chunks that cover every frame, in order: as few as CHUNK_SEGMENTS allows, of nearly equal length."""
    count = -(-grid.segments // CHUNK_SEGMENTS)
    chunks: list[Chunk] = []
    first = 0
    for index in range(count):
        segments = grid.segments // count + (index < grid.segments % count)
        end_frame = min((first + segments) * grid.gop, grid.frames)
        chunks.append(Chunk(index, first * grid.gop, end_frame, first, segments))
        first += segments
    return tuple(chunks)


def _even(length: float) -> int:
    return max(2, round(length / 2) * 2)
