"""The progress of a job, computed from its summary alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.encoding.model import OPEN, JobStatus
from functions.platform.identifiers import container_for

if TYPE_CHECKING:
    from datetime import datetime

    from functions.encoding.model import EncodeJob, JobSummary

SEGMENTS_SHARE = 0.99
"""The share of the progress percentage that encoding segments accounts for; the rest is the final publication."""


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Seconds that each stage took, None until it has ended; `first_picture_s` counts from the end of the upload."""

    queued_s: float | None
    planning_s: float | None
    first_picture_s: float | None
    encoding_s: float | None
    total_s: float | None


@dataclass(frozen=True, slots=True)
class JobProgress:
    """The progress of an encode job: `front_s` seconds of `duration_s` can be watched; `eta_s` seconds remain.

    `fault` is the error of the last failed attempt at a step, which is retried. `manifest` and `hls` are the names of
    the manifests, or None until they are published.
    """

    job_id: str
    title_id: str
    name: str
    size: int
    status: JobStatus
    reason: str | None
    fault: str | None
    percent: float
    eta_s: float | None
    front_s: float
    duration_s: float | None
    chunks_done: int
    chunks: int
    cpu_s: float
    stages: StageTimes
    manifest: str | None
    hls: str | None
    created_at: datetime
    updated_at: datetime


def progress_of(job: JobSummary, *, now: datetime) -> JobProgress:
    """Return the progress of a job at the time `now`."""
    share = min(1.0, job.segments_stored / job.segments) * SEGMENTS_SHARE if job.segments else 0.0
    eta_s = None
    if job.status in OPEN and job.planned_at and share > 0:
        elapsed_s = (now - job.planned_at).total_seconds()
        eta_s = round(elapsed_s * (1 - share) / share, 1)
    folder = f"{container_for(job.title_id)}/{job.id}" if job.playable_at else None
    return JobProgress(
        job_id=job.id,
        title_id=job.title_id,
        name=job.name,
        size=job.size,
        status=job.status,
        reason=job.reason,
        fault=job.fault,
        percent=100.0 if job.status is JobStatus.READY else round(share * 100, 1),
        eta_s=eta_s,
        front_s=job.front_s,
        duration_s=job.duration_s,
        chunks_done=job.chunks_done,
        chunks=job.chunks,
        cpu_s=round(job.cpu_s, 2),
        stages=stage_times_of(job),
        manifest=f"{folder}/manifest.mpd" if folder else None,
        hls=f"{folder}/master.m3u8" if folder else None,
        created_at=job.created_at,
        updated_at=job.updated_at,
    )


def stage_times_of(job: EncodeJob | JobSummary) -> StageTimes:
    """Return how long each stage of a job took."""
    began = job.uploaded_at or job.created_at
    return StageTimes(
        queued_s=_between(began, job.planning_at),
        planning_s=_between(job.planning_at, job.planned_at),
        first_picture_s=_between(began, job.playable_at),
        encoding_s=_between(job.planned_at, job.ended_at),
        total_s=_between(began, job.ended_at),
    )


def _between(begin: datetime | None, end: datetime | None) -> float | None:
    return round((end - begin).total_seconds(), 2) if begin and end else None
