"""Telemetry of encode jobs: one span per step, and one per finished job, from the upload to the complete film."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from functions.encoding.model import JobStatus
from functions.encoding.progress import stage_times_of

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from functions.encoding.model import EncodeJob
    from functions.encoding.outcomes import StepOutcome
    from functions.platform.telemetry import Telemetry, Value


class JobTelemetry:
    """Reports the steps of jobs and their outcomes."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    def step(self, job_id: str, name: str, **attributes: Value) -> AbstractContextManager[None]:
        """Return a context manager that measures a step."""
        return self._telemetry.span(f"job:{job_id}", name, **attributes)

    def report(self, outcome: StepOutcome) -> None:
        """Record the outcome of a step: how long a chunk took, and whether the job became ready or failed."""
        if outcome.encode_s is not None:
            self._telemetry.record("notflix.chunk.encode_s", outcome.encode_s)
        if outcome.ended:
            self._report_end(outcome.job)

    def _report_end(self, job: EncodeJob) -> None:
        stages = stage_times_of(job)
        began = job.updated_at - timedelta(seconds=stages.total_s) if stages.total_s is not None else job.created_at
        self._telemetry.root_span(
            f"job:{job.id}",
            "upload to ready",
            began=began,
            ended=job.updated_at,
            status=str(job.status),
            cpu_s=round(job.cpu_s, 2),
        )
        if job.status is JobStatus.FAILED:
            self._telemetry.record("notflix.job.failed", 1)
            return
        for metric, seconds in (("first_picture_s", stages.first_picture_s), ("ready_s", stages.total_s)):
            if seconds is not None:
                self._telemetry.record(f"notflix.job.{metric}", seconds)
