"""The steps of an encode job. Each step handles one message, and a message may be delivered more than once.

A step reads the job once, at its start, and returns its outcome. `StepRunner` then records telemetry and sends the
messages that follow from the outcome.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from functions.encoding.ffmpeg import without_addresses
from functions.encoding.model import StepFault
from functions.encoding.outcomes import StepOutcome, missing_work, step_of
from functions.encoding.worker import JobEnded
from functions.platform.errors import EncodeFault, Malformed, SourceRefused, StoreUnavailable
from functions.platform.messages import EncodeAudio, EncodeChunk, PlanEncode, PublishTitle

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.encoding.lifecycle import JobLifecycle
    from functions.encoding.manifests import ManifestPublisher
    from functions.encoding.model import EncodeJob
    from functions.encoding.outcomes import StepMessage
    from functions.encoding.planner import Planner
    from functions.encoding.ports import EncodeJobs
    from functions.encoding.worker import EncodeWorker

DEFERRALS_S = (60, 180, 360, 900, 2100)
"""How long a step is deferred, in seconds, after each exhausted series of attempts; an hour in total.

A stalled machine or a store that is down for minutes must not make a film fail.
"""

NO_REASON = "It failed several times without a reason; the encoder's log has the details."


class EncodePipeline:
    """Runs the step that a message requests."""

    def __init__(
        self,
        jobs: EncodeJobs,
        lifecycle: JobLifecycle,
        planner: Planner,
        worker: EncodeWorker,
        publisher: ManifestPublisher,
        now: Callable[[], datetime],
    ) -> None:
        self._jobs = jobs
        self._lifecycle = lifecycle
        self._planner = planner
        self._worker = worker
        self._publisher = publisher
        self._now = now

    def run_step(self, message: StepMessage) -> StepOutcome:
        """Run the step that a message requests, unless the job has ended.

        If the source is refused, the job fails at once. Any other error is recorded in the job and raised, so that the
        queue retries the step. Raises NotFound for an unknown job, Malformed for an unknown chunk or track.
        """
        job = self._jobs.get_job(message.job_id)
        if not job.is_open:
            return StepOutcome(job)
        try:
            return self._step(job, message)
        except SourceRefused as error:
            return self._failed(job, error.detail)
        except JobEnded as ended:
            return StepOutcome(ended.job)
        except Malformed:
            raise
        except Exception as error:
            with suppress(StoreUnavailable):  # the job store itself may be unavailable
                self._jobs.note_fault(job.id, _step_name(message), _fault_of(error))
            raise

    def give_up(self, message: StepMessage) -> StepOutcome:
        """Fail the job of a step that has no attempts left, or defer the step if the fault is temporary.

        If no fault was recorded, the store did not answer or the machine stopped; this counts as temporary too.
        """
        try:
            return self._given_up(message)
        except StoreUnavailable:
            if message.deferrals >= len(DEFERRALS_S):
                raise  # the timer that repairs stalled jobs continues the job
            return _deferred(None, message)

    def _given_up(self, message: StepMessage) -> StepOutcome:
        job = self._jobs.get_job(message.job_id)
        if not job.is_open:
            return StepOutcome(job)
        _check_part(job, message)
        fault = job.faults.get(_step_name(message))
        may_pass = fault is None or fault.passing
        if may_pass and message.deferrals < len(DEFERRALS_S):
            return _deferred(job, message)
        return self._failed(job, fault.detail if fault else NO_REASON)

    def _step(self, job: EncodeJob, message: StepMessage) -> StepOutcome:
        match message:
            case PlanEncode():
                return self._plan(job)
            case EncodeChunk():
                _check_part(job, message)
                began = time.monotonic()
                after = self._worker.encode_chunk(job, message.chunk, publish=self._publish)
                return _publish_next(after, encode_s=None if after is job else time.monotonic() - began)
            case EncodeAudio():
                _check_part(job, message)
                return _publish_next(self._worker.encode_track(job, message.track, publish=self._publish))
            case PublishTitle():
                return self._publish(job)

    def _plan(self, job: EncodeJob) -> StepOutcome:
        after: EncodeJob | None = job
        if job.plan is None and (after := self._lifecycle.start_planning(job)):
            after = self._lifecycle.finish_planning(job, self._planner.plan(job))
        if after is None:  # the job was ended, or planned by another process, at the same time
            after = self._jobs.get_job(job.id)
        return StepOutcome(after, missing_work(after) if after.is_open and after.plan else ())

    def _publish(self, job: EncodeJob) -> StepOutcome:
        """Publish all segments of an open job that may be listed; if the film is then complete, end the job."""
        if not job.is_open:
            return StepOutcome(job)
        published = self._publisher.publish(job)
        if published is None:
            return StepOutcome(job)
        first = job.playable_at is None
        job = self._jobs.note_published(job, front_s=float(published.video_segments.end), at=self._now())
        if not published.complete:
            if first:
                self._publisher.attach_early_still(job, published)
            return StepOutcome(job)
        completed = self._lifecycle.complete(job)
        self._publisher.discard_intermediate(job)
        return StepOutcome(completed or job, ended=completed is not None)

    def _failed(self, job: EncodeJob, reason: str) -> StepOutcome:
        failed = self._lifecycle.fail(job, reason)
        return StepOutcome(failed or job, ended=failed is not None)


def _publish_next(job: EncodeJob, *, encode_s: float | None = None) -> StepOutcome:
    messages = (PublishTitle(job.id),) if job.is_open else ()
    return StepOutcome(job, messages, encode_s=encode_s)


def _deferred(job: EncodeJob | None, message: StepMessage) -> StepOutcome:
    again = replace(message, deferrals=message.deferrals + 1)
    return StepOutcome(job, (again,), delay_s=DEFERRALS_S[message.deferrals])


def _check_part(job: EncodeJob, message: StepMessage) -> None:
    """Raise Malformed if the message names a chunk or track that the plan does not have."""
    if job.plan is None:
        return
    if isinstance(message, EncodeChunk) and message.chunk >= len(job.plan.chunks):
        raise Malformed(f"Job {job.id} has no chunk {message.chunk}.")
    if isinstance(message, EncodeAudio) and message.track not in job.plan.tracks:
        raise Malformed(f"Job {job.id} has no track {message.track}.")


def _step_name(message: StepMessage) -> str:
    name, part = step_of(message)
    return " ".join((name, *map(str, part.values())))


def _fault_of(error: Exception) -> StepFault:
    if isinstance(error, EncodeFault | StoreUnavailable):
        return StepFault(error.detail, passing=isinstance(error, StoreUnavailable))
    first_line = without_addresses(str(error)).partition("\n")[0]
    return StepFault(f"An unexpected error stopped it: {type(error).__name__}: {first_line}")
