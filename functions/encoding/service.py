"""Operations on encode jobs for other slices and for the API: open, report progress, retry, cancel."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from functions.encoding.model import OPEN, position_of
from functions.encoding.outcomes import missing_work
from functions.encoding.progress import progress_of
from functions.platform.errors import Conflict
from functions.platform.pagination import LARGEST_LIMIT, Page, page_of
from functions.platform.pagination import position_of as position_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from functions.encoding.lifecycle import JobLifecycle
    from functions.encoding.outcomes import StepMessage
    from functions.encoding.ports import EncodeJobs
    from functions.encoding.progress import JobProgress

STALLED_AFTER = timedelta(hours=1)
"""Time without a change after which the messages of an open job are sent again; duplicate messages do no harm."""


class EncodeService:
    """Operations on encode jobs; `enqueue` sends the messages for their steps."""

    def __init__(
        self,
        jobs: EncodeJobs,
        lifecycle: JobLifecycle,
        enqueue: Callable[[Iterable[StepMessage]], None],
        now: Callable[[], datetime],
    ) -> None:
        self._jobs = jobs
        self._lifecycle = lifecycle
        self._enqueue = enqueue
        self._now = now

    def open_job(self, blob: str, *, etag: str, size: int, title_id: str, uploaded_at: datetime) -> str:
        """Return the id of the job for one version of an upload, opening it if necessary; fail older jobs of the title.

        The caller sends the job's `PlanEncode`. A job whose title has a later upload is opened as failed.
        """
        return self._lifecycle.open_job(blob, etag=etag, size=size, title_id=title_id, uploaded_at=uploaded_at).id

    def is_over(self, job_id: str) -> bool:
        """Return whether a job exists and has ended."""
        job = self._jobs.find_summary(job_id)
        return job is not None and job.status not in OPEN

    def has_later_upload(self, title_id: str, *, than: datetime) -> bool:
        """Return whether the newest job of a title belongs to an upload that is later than a time."""
        return self._lifecycle.later_job(title_id, than=than) is not None

    def progress(self, job_id: str) -> JobProgress | None:
        """Return the progress of a job, or None if there is no such job."""
        job = self._jobs.find_summary(job_id)
        return progress_of(job, now=self._now()) if job else None

    def latest_for(self, title_id: str) -> JobProgress | None:
        """Return the progress of the newest job of a title, or None if it has none."""
        job = self._jobs.latest_summary(title_id)
        return progress_of(job, now=self._now()) if job else None

    def list_jobs(self, cursor: str = "", limit: int = LARGEST_LIMIT) -> Page[JobProgress]:
        """Return a page of jobs, newest first. Raises Malformed for an invalid cursor."""
        found = self._jobs.list_summaries(below=position_in(cursor), limit=limit + 1)
        page = page_of(found, limit=limit, position=position_of)
        now = self._now()
        return Page(tuple(progress_of(job, now=now) for job in page.entries), page.cursor)

    def retry_job(self, job_id: str) -> JobProgress:
        """Continue a failed job where it stopped. Raises NotFound, or Conflict if the job has not failed."""
        job = self._jobs.get_job(job_id)
        newest = self._jobs.latest_summary(job.title_id)
        if newest and newest.id != job.id:
            raise Conflict(f"Job {job_id} has been replaced by {newest.id}; retry that one.")
        self._enqueue(missing_work(self._lifecycle.retry(job)))
        summary = self._jobs.find_summary(job_id)
        assert summary is not None
        return progress_of(summary, now=self._now())

    def cancel(self, title_id: str, reason: str) -> None:
        """Fail the open job of a title, if it has one."""
        job = self._jobs.latest_summary(title_id)
        if job:
            self._lifecycle.fail(job, reason)

    def repair_stalled(self) -> int:
        """Resend the messages of open jobs that have not changed for an hour, because messages may have been lost.

        Return the number of jobs.
        """
        jobs = self._jobs.take_stalled(since=self._now() - STALLED_AFTER)
        for job in jobs:
            self._enqueue(missing_work(job))
        return len(jobs)
