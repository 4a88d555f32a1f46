"""The ladder: the renditions for a source, and how its frames are divided into chunks."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from functions.encoding.model import Chunk
from functions.encoding.renditions import Rendition

if TYPE_CHECKING:
    from functions.encoding.frame_grid import FrameGrid


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


SHORT_SEGMENTS = 3
"""A film of up to this many segments is one chunk."""


def chunks_for(grid: FrameGrid) -> tuple[Chunk, ...]:
    """Return the chunks that cover every frame, in order.

    The first chunk is a single segment, so that the first picture of a film delays other films as little as possible.
    The rest is divided into as few chunks as CHUNK_SEGMENTS allows, of nearly equal length. A film of up to
    SHORT_SEGMENTS is one chunk. Segments at key frames of the source differ in length, so their chunks have nearly
    equal numbers of frames instead.
    """
    front = 1 if grid.segments > SHORT_SEGMENTS else 0
    rest = grid.segments - front
    if grid.cuts:
        bounds = _even_cuts(grid, front)
    else:
        count = -(-rest // CHUNK_SEGMENTS)
        lengths = [front] * front + [rest // count + (index < rest % count) for index in range(count)]
        bounds = list(accumulate(lengths, initial=0))
    return tuple(
        Chunk(index, grid.first_frame(first), grid.first_frame(end), first, end - first)
        for index, (first, end) in enumerate(pairwise(bounds))
    )


def _even_cuts(grid: FrameGrid, front: int) -> list[int]:
    """Return the segments at which chunks begin, and the number of segments."""
    begin = grid.first_frame(front)
    count = max(1, -(-(grid.frames - begin) // (CHUNK_SEGMENTS * grid.gop)))
    ideal = (begin + (grid.frames - begin) * number // count for number in range(1, count))
    inner = (bisect_left(grid.cuts, frame, lo=front + 1) for frame in ideal)
    return sorted({0, front, *(cut for cut in inner if cut < grid.segments), grid.segments})


def _even(length: float) -> int:
    return max(2, round(length / 2) * 2)
