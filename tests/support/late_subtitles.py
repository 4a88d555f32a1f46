"""The store of late subtitles in memory; the tests in tests/integration/encoding run with it and with Mongo."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from functions.encoding.model import JobStatus

if TYPE_CHECKING:
    from datetime import datetime

    from functions.encoding.late_text import LateSubtitles
    from functions.encoding.model import EncodeJob
    from tests.support.encoding_jobs import MemoryEncodeJobs


class MemoryLateSubtitles:
    """The late subtitles of the jobs in a store in memory."""

    def __init__(self, jobs: MemoryEncodeJobs) -> None:
        self._jobs = jobs
        self._lock = Lock()

    def ask(self, job_id: str, *, at: datetime) -> bool:
        with self._lock:
            job = next((job for job in self._jobs.all_jobs() if job.id == job_id), None)
            if job is None or job.status is not JobStatus.READY:
                return False
            asked = replace(job, late_asked=job.late_asked + 1, verify_at=at, verify_repairs=True)
            self._jobs.put_job(asked)
            return True

    def store_late(self, job: EncodeJob, late: LateSubtitles) -> EncodeJob | None:
        with self._lock:
            there = self._jobs.get_job(job.id)
            if there.status is not JobStatus.READY or there.late.edition != job.late.edition:
                return None
            self._jobs.put_job(replace(there, late=late))
            return replace(there, late=late)
