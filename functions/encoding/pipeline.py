"""The steps of an encode job, each the work of one message, each of which may come twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from functions.encoding.ffmpeg import without_addresses
from functions.encoding.jobs import EncodeJob, JobStatus
from functions.encoding.service import Encodes, Work
from functions.platform.errors import EncodeFault, SourceRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.encoding.jobs import Jobs
    from functions.encoding.planner import Planner
    from functions.encoding.publisher import Publisher
    from functions.encoding.worker import Worker


class Pipeline:
    """Runs the step that a message asks for, and keeps what went wrong on the job."""

    def __init__(
        self,
        jobs: Jobs,
        encodes: Encodes,
        planner: Planner,
        worker: Worker,
        publisher: Publisher,
        now: Callable[[], datetime],
    ) -> None:
        self._jobs = jobs
        self._encodes = encodes
        self._planner = planner
        self._worker = worker
        self._publisher = publisher
        self._now = now

    def plan(self, job_id: str) -> Work:
        """Plan a job unless that is done; return the messages of all that is missing."""
        job = self._jobs.get(job_id)
        before = (JobStatus.QUEUED, JobStatus.PLANNING)
        if job.plan is None and self._jobs.move(
            job_id, away_from=before, to=JobStatus.PLANNING, planning_at=self._now()
        ):
            with _Faults(self._jobs, self._encodes, job_id):
                plan = self._planner.plan(job)
                self._jobs.move(job_id, away_from=before, to=JobStatus.ENCODING, plan=plan, planned_at=self._now())
        job = self._jobs.get(job_id)
        return self._encodes.missing(job_id) if job.open and job.plan else Work(job_id)

    def encode_chunk(self, job_id: str, index: int) -> bool:
        """Encode a chunk of an open job; return whether there is something to publish."""
        return self._work(job_id, lambda job: self._worker.encode_chunk(job, index))

    def encode_track(self, job_id: str, name: str) -> bool:
        """Encode an audio or subtitle track of an open job; return whether there is something to publish."""
        return self._work(job_id, lambda job: self._worker.encode_track(job, name))

    def publish(self, job_id: str) -> None:
        """Publish what is done of a job."""
        with _Faults(self._jobs, self._encodes, job_id):
            self._publisher.publish(job_id)

    def _work(self, job_id: str, step: Callable[[EncodeJob], None]) -> bool:
        job = self._jobs.get(job_id)
        if not job.open:
            return False
        with _Faults(self._jobs, self._encodes, job_id):
            step(job)
        return self._jobs.get(job_id).open


class _Faults:
    """What goes wrong in a step: a source that is refused fails the job at once, a fault is kept and raised again."""

    def __init__(self, jobs: Jobs, encodes: Encodes, job_id: str) -> None:
        self._jobs = jobs
        self._encodes = encodes
        self._job_id = job_id

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, SourceRefused):
            self._encodes.fail(self._job_id, error.detail)
            return True
        if isinstance(error, EncodeFault):
            self._jobs.note_fault(self._job_id, error.detail)
        elif isinstance(error, Exception):
            first_line = without_addresses(str(error)).partition("\n")[0]
            self._jobs.note_fault(self._job_id, f"A store failed in mid-work: {type(error).__name__}: {first_line}")
        return False
