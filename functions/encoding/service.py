"""Encode jobs as other slices and people see them: opened by an upload, followed, failed with a reason, tried again."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.encoding.jobs import EncodeJob, JobStatus
from functions.encoding.model import SourceRef
from functions.encoding.presentation import presentation_of
from functions.platform.errors import Conflict, NotFound
from functions.platform.identifiers import container_for, job_id_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.catalogue.service import Catalogue
    from functions.encoding.jobs import Jobs

log = logging.getLogger(__name__)

STALLED_AFTER = timedelta(hours=1)
"""NoopTelemetry after which the messages of an open job are sent again; a message that comes twice changes nothing."""

PLAYBACK_SHARE = 0.99
"""Part of the percentage that segments make up; the rest is publishing the end."""


@dataclass(frozen=True, slots=True)
class Stages:
    """How long each stage took, in seconds from the end of the upload; None until it is over."""

    queued_s: float | None
    planning_s: float | None
    first_picture_s: float | None
    encoding_s: float | None
    total_s: float | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an encode job is; `front_s` seconds of `duration_s` can be watched, `eta_s` are left.

    `fault` is what the last failed attempt at a step met; such a step is tried again.
    """

    job_id: str
    title_id: str
    name: str
    size: int
    status: str
    reason: str | None
    fault: str | None
    percent: float
    eta_s: float | None
    front_s: float
    duration_s: float | None
    chunks_done: int
    chunks: int
    cpu_s: float
    stages: Stages
    manifest: str | None
    hls: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Work:
    """The messages that a step leaves to be sent: job id with chunk index, and job id with track name."""

    job_id: str
    chunks: tuple[int, ...] = ()
    tracks: tuple[str, ...] = ()
    plan: bool = False


class Encodes:
    """The encode jobs."""

    def __init__(self, jobs: Jobs, catalogue: Catalogue, now: Callable[[], datetime]) -> None:
        self._jobs = jobs
        self._catalogue = catalogue
        self._now = now

    def open(self, blob: str, *, etag: str, size: int, title_id: str, uploaded_at: datetime) -> str:
        """Open the job of one version of an upload, once, ending older jobs of its title; return the job's id."""
        now = self._now()
        job = EncodeJob(
            id=job_id_for(blob, etag),
            title_id=title_id,
            upload=SourceRef("uploads", blob),
            etag=etag,
            size=size,
            status=JobStatus.QUEUED,
            created_at=now,
            updated_at=now,
            uploaded_at=min(uploaded_at, now),
        )
        if not self._jobs.open(job):
            job = self._jobs.get(job.id)
        # Said each time: the one who opened it may have died before.
        self._jobs.supersede(job, reason=f"A newer upload of {job.name} has taken its place.")
        return job.id

    def is_over(self, job_id: str) -> bool:
        """Return whether a job is known and no more work on it is wanted."""
        try:
            return not self._jobs.get(job_id).open
        except NotFound:
            return False

    def progress(self, job_id: str) -> Progress | None:
        """Return how far a job is, or None if there is none of that id."""
        try:
            return self._progress_of(self._jobs.get(job_id))
        except NotFound:
            return None

    def latest_for(self, title_id: str) -> Progress | None:
        """Return how far the newest job of a title is."""
        job = self._jobs.latest(title_id)
        return self._progress_of(job) if job else None

    def page(self, *, limit: int = 100) -> list[Progress]:
        """Return the newest jobs, newest first."""
        return [self._progress_of(job) for job in self._jobs.page(limit=limit)]

    def retry(self, job_id: str) -> Work:
        """Take a failed job up again where it stopped; raise Conflict for one that has not failed."""
        job = self._jobs.get(job_id)
        newest = self._jobs.latest(job.title_id)
        if newest and newest.id != job.id:
            raise Conflict(f"Job {job_id} has been replaced by {newest.id}; retry that one.")
        to = JobStatus.ENCODING if job.plan else JobStatus.QUEUED
        if not self._jobs.move(job_id, away_from=(JobStatus.FAILED,), to=to, reason=None, fault=None, ended_at=None):
            raise Conflict(f"Job {job_id} is {job.status}; only a failed job can be retried.")
        self._catalogue.mark_encoding(job.title_id)
        return self.missing(job_id)

    def missing(self, job_id: str) -> Work:
        """Return what is left to do of a job."""
        return _left_of(self._jobs.get(job_id))

    def stalled(self) -> list[Work]:
        """Return what is left to do of open jobs that nothing was heard of: their messages may have been lost."""
        jobs = self._jobs.stalled(since=self._now() - STALLED_AFTER)
        return [_left_of(job) for job in jobs]

    def fail(self, job_id: str, reason: str) -> None:
        """End an open job with a reason; the upload and what is stored stay."""
        job = self._jobs.get(job_id)
        if not job.open:
            return
        # The title first: once the job has failed, no message would come back to say it.
        self._catalogue.mark_failed(job.title_id, reason)
        still_open = (JobStatus.QUEUED, JobStatus.PLANNING, JobStatus.ENCODING)
        if self._jobs.move(job_id, away_from=still_open, to=JobStatus.FAILED, reason=reason, ended_at=self._now()):
            log.warning("job %s failed: %s", job_id, reason)

    def cancel(self, title_id: str, reason: str) -> None:
        """End the open job of a title, if it has one."""
        job = self._jobs.latest(title_id)
        if job and job.open:
            self.fail(job.id, reason)

    def give_up(self, job_id: str) -> None:
        """Fail a job whose message failed too often, with what the last attempt met."""
        job = self._jobs.get(job_id)
        self.fail(job_id, job.fault or "It failed several times without a reason; the encoder's log has the details.")

    def _progress_of(self, job: EncodeJob) -> Progress:
        plan = job.plan
        shown = presentation_of(job, plan, at=job.updated_at) if plan else None
        total = plan.grid.segments if plan else 0
        stored = sum(job.live.values())
        if plan:
            stored += sum(chunk.segments for chunk in plan.chunks if chunk.index in job.chunks_done)
        share = min(1.0, stored / total) * PLAYBACK_SHARE if total else 0.0
        ready = job.status is JobStatus.READY
        began = job.uploaded_at or job.created_at
        eta_s = None
        if job.open and job.planned_at and share > 0:
            elapsed = (self._now() - job.planned_at).total_seconds()
            eta_s = round(elapsed * (1 - share) / share, 1)
        address = f"{container_for(job.title_id)}/{job.id}" if job.playable_at else None
        return Progress(
            job_id=job.id,
            title_id=job.title_id,
            name=job.name,
            size=job.size,
            status=str(job.status),
            reason=job.reason,
            fault=job.fault,
            percent=100.0 if ready else round(share * 100, 1),
            eta_s=eta_s,
            front_s=float(shown.video_segments.end) if shown else 0.0,
            duration_s=float(plan.duration) if plan else None,
            chunks_done=len(job.chunks_done),
            chunks=len(plan.chunks) if plan else 0,
            cpu_s=round(job.cpu_s, 2),
            stages=Stages(
                queued_s=_between(began, job.planning_at),
                planning_s=_between(job.planning_at, job.planned_at),
                first_picture_s=_between(began, job.playable_at),
                encoding_s=_between(job.planned_at, job.ended_at),
                total_s=_between(began, job.ended_at),
            ),
            manifest=f"{address}/manifest.mpd" if address else None,
            hls=f"{address}/master.m3u8" if address else None,
            created_at=job.created_at,
            updated_at=job.updated_at,
        )


def _left_of(job: EncodeJob) -> Work:
    return Work(job.id, job.missing_chunks, job.missing_tracks, plan=job.plan is None)


def _between(begin: datetime | None, end: datetime | None) -> float | None:
    return round((end - begin).total_seconds(), 2) if begin and end else None
