"""Plans and encode jobs of a short film, with two rungs and one sound track."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from functions.encoding.frame_grid import FrameGrid
from functions.encoding.ladder import renditions_for
from functions.encoding.model import AudioPlan, Chunk, EncodeJob, EncodePlan, JobStatus, SourceRef
from functions.encoding.picture_plan import PicturePlan
from tests.support.clock import NOON

if TYPE_CHECKING:
    from functions.encoding.renditions import Rendition
    from functions.encoding.text_plan import TextPlan


def make_audio_plan(name: str = "a0", **changes: Any) -> AudioPlan:
    """Return the plan of an English stereo track at 48 kHz."""
    plan = AudioPlan(name, 1, "en", "English", 2, 48_000, 128, None)
    return replace(plan, **changes)


def cut(grid: FrameGrid, runs: tuple[int, ...]) -> tuple[Chunk, ...]:
    """Return chunks with the given numbers of segments; the last chunk takes the remainder of the film."""
    chunks: list[Chunk] = []
    first = 0
    for run in runs:
        left = grid.segments - first
        segments = left if len(chunks) == len(runs) - 1 else min(run, left)
        if segments > 0:
            end_frame = min((first + segments) * grid.gop, grid.frames)
            chunks.append(Chunk(len(chunks), first * grid.gop, end_frame, first, segments))
            first += segments
    return tuple(chunks)


def make_plan(
    *,
    frames: int = 1000,
    rate: Fraction = Fraction(24),
    runs: tuple[int, ...] = (1, 3, 4, 3),
    audio: tuple[AudioPlan, ...] | None = None,
    text: tuple[TextPlan, ...] = (),
    renditions: tuple[Rendition, ...] | None = None,
    target_lufs: int = 0,
    **picture: Any,
) -> EncodePlan:
    """Return a plan of two rungs and one sound track, in chunks of `runs` segments; by default, 11 in 4 chunks."""
    grid = FrameGrid(rate, frames)
    seen = PicturePlan(
        stream=0, codec="h264", shift=Fraction(0), variable_rate=False, deinterlace=False, tone_map=False
    )
    return EncodePlan(
        source=SourceRef("uploads", "film.mkv"),
        grid=grid,
        picture=replace(seen, **picture),
        renditions=renditions or renditions_for(640, 360),
        chunks=cut(grid, runs),
        audio=(make_audio_plan(),) if audio is None else audio,
        text=text,
        preset="veryfast",
        ffmpeg_version="7.1.5",
        target_lufs=target_lufs,
    )


def make_job(job_id: str = "0123456789ab", **changes: Any) -> EncodeJob:
    """Return a job that was just opened."""
    job = EncodeJob(
        id=job_id,
        title_id="film-1a2b3c",
        upload=SourceRef("uploads", "film.mkv"),
        etag="0x1",
        size=1000,
        status=JobStatus.QUEUED,
        created_at=NOON,
        updated_at=NOON,
        uploaded_at=NOON,
    )
    return replace(job, **changes)
