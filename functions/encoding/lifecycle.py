"""The one place where the status of an encode job changes, together with its status in the catalogue.

The table of allowed changes is `model.Transition`:

    queued ─► planning ─► encoding ─► ready
       │          │           │
       └──────────┴───────────┴─────► failed ─► queued | encoding   (retry)
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.encoding.model import OPEN, EncodeJob, JobStatus, SourceRef, Transition
from functions.platform.errors import Conflict
from functions.platform.identifiers import job_id_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.catalogue.service import Catalogue
    from functions.encoding.model import EncodePlan, JobSummary
    from functions.encoding.ports import EncodeJobs

log = logging.getLogger(__name__)


class JobLifecycle:
    """Opens, advances, ends and retries jobs; methods return None if the job's status no longer allows the change."""

    def __init__(self, jobs: EncodeJobs, catalogue: Catalogue, now: Callable[[], datetime]) -> None:
        self._jobs = jobs
        self._catalogue = catalogue
        self._now = now

    def open_job(self, blob: str, *, etag: str, size: int, title_id: str, uploaded_at: datetime) -> EncodeJob:
        """Return the job of one version of an upload, opening it if necessary; fail older jobs of its title.

        An event may arrive late. If its title already has a job for a later upload, the job is opened as failed, with
        an opening time before that of the later job, which therefore stays the newest of the title.
        """
        now = self._now()
        later = self.later_job(title_id, than=uploaded_at)
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
        if later:
            reason = f"A later upload of {later.name} had already taken its place."
            opened_at = min(now, later.created_at - timedelta(milliseconds=1))
            job = replace(job, status=JobStatus.FAILED, created_at=opened_at, ended_at=now, reason=reason)
        if not self._jobs.add_job(job):
            job = self._jobs.get_job(job.id)
        # Repeated for an existing job, because the process that added it may have been killed before this line.
        reason = f"A newer upload of {job.name} has taken its place."
        self._jobs.supersede_jobs(job, reason=reason, at=self._now())
        return job

    def later_job(self, title_id: str, *, than: datetime) -> JobSummary | None:
        """Return the newest job of a title if its upload is later than a time."""
        newest = self._jobs.latest_summary(title_id)
        return newest if newest and newest.uploaded_at and newest.uploaded_at > than else None

    def start_planning(self, job: EncodeJob) -> EncodeJob | None:
        """Move a job to `planning`."""
        return self._jobs.change_status(job.id, Transition.START_PLANNING, planning_at=self._now())

    def finish_planning(self, job: EncodeJob, plan: EncodePlan) -> EncodeJob | None:
        """Store the plan of a job and move it to `encoding`."""
        return self._jobs.change_status(job.id, Transition.FINISH_PLANNING, plan=plan, planned_at=self._now())

    def complete(self, job: EncodeJob) -> EncodeJob | None:
        """Move a job to `ready`."""
        return self._jobs.change_status(job.id, Transition.COMPLETE, ended_at=self._now(), fault=None, reason=None)

    def fail(self, job: EncodeJob | JobSummary, reason: str) -> EncodeJob | None:
        """Move an open job to `failed`; the upload and the stored segments are kept."""
        if job.status not in OPEN:
            return None
        # The title is updated first: a crash in between leaves the job open, and its message is delivered again.
        self._catalogue.mark_failed(job.title_id, reason)
        failed = self._jobs.change_status(job.id, Transition.FAIL, reason=reason, ended_at=self._now())
        if failed:
            log.warning("job %s failed: %s", job.id, reason)
        return failed

    def retry(self, job: EncodeJob) -> EncodeJob:
        """Move a failed job back to the status in which it stopped. Raises Conflict if it has not failed."""
        transition = Transition.RETRY_ENCODING if job.plan else Transition.RETRY_PLANNING
        retried = self._jobs.change_status(job.id, transition, reason=None, fault=None, faults={}, ended_at=None)
        if retried is None:
            raise Conflict(f"Job {job.id} is {job.status}; only a failed job can be retried.")
        self._catalogue.mark_encoding(job.title_id)
        return retried
