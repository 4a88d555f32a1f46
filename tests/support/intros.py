"""Comparisons of episodes in memory, beside the jobs of `MemoryEncodeJobs`; tests run them and those in Mongo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.encoding.intros.ports import DueJob
from functions.encoding.model import JobStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tests.support.encoding_jobs import MemoryEncodeJobs


class MemoryComparisons:
    """What is stored about comparisons of jobs in memory."""

    def __init__(self, jobs: MemoryEncodeJobs) -> None:
        self._jobs = jobs

    def take_due(self, *, now: datetime, again_at: datetime, limit: int) -> list[DueJob]:
        dues = self._jobs.intros_dues
        ready = {job.id: job for job in self._jobs.all_jobs() if job.status is JobStatus.READY}
        due = sorted((at, job_id) for job_id, at in dues.items() if at and at <= now and job_id in ready)[:limit]
        dues.update({job_id: again_at for _, job_id in due})
        return [DueJob(job_id, ready[job_id].title_id) for _, job_id in due]

    def drop_job(self, job_id: str) -> None:
        self._jobs.intros_dues[job_id] = None

    def compared_with(self, job_ids: Sequence[str]) -> dict[str, str]:
        return {job_id: digest for job_id, digest in self._jobs.intros_compared.items() if job_id in job_ids}

    def note_compared(self, job_id: str, digest: str) -> None:
        self._jobs.intros_compared[job_id] = digest
