"""Encoding lost parts again: what a job looks like without them, and how many times they are encoded again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from functions.encoding.losses import Loss
    from functions.encoding.model import EncodeJob

MOST_REMAKES = 10
"""How many times lost parts of a job are encoded again before a verification finds it whole; then its storage is
unreliable, and the job fails."""


def without_parts(job: EncodeJob, loss: Loss) -> EncodeJob:
    """Return the job as if the lost parts had not been stored yet; the same job if it has none of these parts."""
    tracks = {name: state for name, state in job.tracks.items() if name not in loss.tracks}
    lost = {str(index) for index in loss.chunks}
    done = job.chunks_done - loss.chunks
    live = {index: count for index, count in job.live.items() if index not in lost}
    if (done, live, tracks) == (job.chunks_done, dict(job.live), dict(job.tracks)):
        return job
    last_is_lost = job.plan is not None and job.plan.chunks[-1].index in loss.chunks
    return replace(
        job,
        chunks_done=done,
        live=live,
        tracks=tracks,
        damage={index: runs for index, runs in job.damage.items() if index not in lost},
        results={index: result for index, result in job.results.items() if index not in lost},
        chunk_sizes={index: size for index, size in job.chunk_sizes.items() if index not in lost},
        tail_frames=None if last_is_lost else job.tail_frames,
        remakes=job.remakes + 1,
    )


def lost_fields(job: EncodeJob, after: EncodeJob) -> list[str]:
    """Return the stored fields of the parts that only `job` has and `after` lacks, such as "live.3"."""
    return [
        f"{kind}.{part}"
        for kind in ("live", "chunk_sizes", "damage", "results", "tracks")
        for part in getattr(job, kind)
        if part not in getattr(after, kind)
    ]
