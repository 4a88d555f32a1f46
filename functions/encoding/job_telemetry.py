"""What is told of encode jobs as they go: a span a step, and at the end the way from the upload to the whole film."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from functions.encoding.jobs import JobStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.encoding.service import Progress
    from functions.platform.telemetry import Telemetry, Value


class Jobs(Protocol):
    """Whoever knows how far a job is."""

    def progress(self, job_id: str) -> Progress | None:
        """Return how far a job is."""


class Reports:
    """Reports steps of jobs."""

    def __init__(self, jobs: Jobs, telemetry: Telemetry) -> None:
        self._jobs = jobs
        self._telemetry = telemetry

    @contextmanager
    def step(self, job_id: str, name: str, **attributes: Value) -> Iterator[None]:
        """Report a step, and whether the job became ready or failed in it."""
        before = self._status(job_id)
        began = time.monotonic()
        try:
            with self._telemetry.span(f"job:{job_id}", name, **attributes):
                yield
            if name == "chunk":
                self._telemetry.record("notflix.chunk.encode_s", time.monotonic() - began)
        finally:
            after = self._status(job_id)
            if after != before and after in (JobStatus.READY, JobStatus.FAILED):
                self._over(job_id)

    def _status(self, job_id: str) -> str | None:
        job = self._jobs.progress(job_id)
        return job.status if job else None

    def _over(self, job_id: str) -> None:
        job = self._jobs.progress(job_id)
        if job is None:
            return
        total_s = job.stages.total_s
        began = job.updated_at - timedelta(seconds=total_s) if total_s is not None else job.created_at
        self._telemetry.root_span(
            f"job:{job_id}", "upload to ready", began=began, ended=job.updated_at, status=job.status, cpu_s=job.cpu_s
        )
        if job.status == JobStatus.FAILED:
            self._telemetry.record("notflix.job.failed", 1)
            return
        for figure, seconds in (("first_picture_s", job.stages.first_picture_s), ("ready_s", total_s)):
            if seconds is not None:
                self._telemetry.record(f"notflix.job.{figure}", seconds)
