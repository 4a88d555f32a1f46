"""The steps of an encode job. Each message makes an encoder run one step, and may be delivered more than once.

A step reads the job once, at its start, and returns its outcome. `StepRunner` then records telemetry and sends the
messages that follow from the outcome. Failed attempts are counted in the job, not by the queue: messages for chunks do
not name a chunk, and a message is also delivered again when an encoder was stopped although the step did not fail.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from functions.encoding.claims import LEASE_S, ClaimLost
from functions.encoding.copying.reception import is_partial
from functions.encoding.damage import DamageLimits
from functions.encoding.formats.iso_bmff import MalformedSegment
from functions.encoding.lifecycle import differs_from_front
from functions.encoding.listing import JobEnded
from functions.encoding.model import JobStatus, StepFault
from functions.encoding.outcomes import Step, StepOutcome, missing_work
from functions.encoding.publication.manifests import manifest_names
from functions.encoding.steps import (
    ATTEMPTS,
    PLAN,
    PREPARE,
    PUBLISH,
    VERIFY,
    Taken,
    fault_after,
    is_copy,
    is_deferred,
    is_done,
    next_attempt_s,
)
from functions.encoding.track_state import TrackState
from functions.encoding.tracks import check_sound, is_main
from functions.platform.errors import ContainerMissing, EncodeFault, Malformed, SourceRefused, StoreUnavailable
from functions.platform.messages import (
    EncodeAudio,
    EncodeChunk,
    EncodeFront,
    PlanEncode,
    PrepareEncode,
    PublishTitle,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.encoding.claims import Claims
    from functions.encoding.copying.receiver import UploadReceiver
    from functions.encoding.lifecycle import JobLifecycle
    from functions.encoding.model import EncodeJob
    from functions.encoding.outcomes import StepMessage
    from functions.encoding.planning.planner import Planner
    from functions.encoding.ports import AudienceStore, EncodeJobs
    from functions.encoding.publication.manifests import ManifestPublisher
    from functions.encoding.spending.budget import EncodeBudget
    from functions.encoding.turns import Turns
    from functions.encoding.upkeep.repair import JobRepair
    from functions.encoding.worker import EncodeWorker

log = logging.getLogger(__name__)

UNEXPECTED = "An unexpected error stopped the encode; the encoder's log has the details."
_CLASS_NAME = re.compile(r" \([A-Za-z]+\)")
"""The name of a driver's error, which stores add to their messages for logs."""


class EncodePipeline:
    """Runs the steps that messages request."""

    def __init__(
        self,
        jobs: EncodeJobs,
        audience: AudienceStore,
        claims: Claims,
        turns: Turns,
        lifecycle: JobLifecycle,
        planner: Planner,
        worker: EncodeWorker,
        publisher: ManifestPublisher,
        repair: JobRepair,
        now: Callable[[], datetime],
        budget: EncodeBudget,
        limits: DamageLimits | None = None,
        receiver: UploadReceiver | None = None,
    ) -> None:
        self._jobs = jobs
        self._audience = audience
        self._claims = claims
        self._turns = turns
        self._lifecycle = lifecycle
        self._planner = planner
        self._worker = worker
        self._publisher = publisher
        self._repair = repair
        self._now = now
        self._budget = budget
        self._limits = limits or DamageLimits()
        self._receiver = receiver

    def choose_step(self, message: StepMessage) -> Step | None:
        """Return the step that a message requests, claimed for this encoder; None if there is nothing to do.

        There is nothing to do if the job has ended (for a verification: if none is due), if the step is deferred, if no
        chunk is due, or if the limit of the month forbids the step. The timer `reconcile_work` requests the step again
        once it may run. A step that another encoder works on is returned with `Taken.BUSY`. Raises NotFound for an
        unknown job, Malformed for an unknown track.
        """
        step = self._claimed_step(message)
        if step is None or step.taken is Taken.BUSY:
            return step
        admission = None
        try:
            admission = self._budget.admit(step)
        finally:
            if admission is None:
                self._release(step)
        return replace(step, admission=admission) if admission else None

    def _claimed_step(self, message: StepMessage) -> Step | None:
        if isinstance(message, EncodeChunk):
            turn = self._turns.take_chunk()
            return Step(turn.job, message, turn.taken, chunk=turn.chunk) if turn else None
        step = self.requested_step(message)
        is_due = self._repair.is_due(step.job) if step.key == VERIFY else step.job.is_open
        if not is_due or is_deferred(step.job, step.key, self._now()):
            return None
        if step.key == PUBLISH:  # may run concurrently, so that the last one lists everything
            return step
        taken = self._claims.take(step.job.id, step.key)
        return Step(step.job, message, taken, step.chunk, step.track)

    def requested_step(self, message: PlanEncode | PrepareEncode | EncodeFront | EncodeAudio | PublishTitle) -> Step:
        """Return the step that a message requests, not claimed. Raises NotFound, Malformed."""
        job = self._jobs.get_job(message.job_id)
        track = message.track if isinstance(message, EncodeAudio) else None
        if track and job.plan and job.current_plan and track not in {*job.plan.tracks, *job.current_plan.tracks}:
            raise Malformed(f"Job {job.id} has no track {track}.")
        return Step(job, message, chunk=0 if isinstance(message, EncodeFront) else None, track=track)

    def run_step(self, step: Step) -> StepOutcome:
        """Run a step that was chosen, and release its claim.

        If the source is refused, or the step has failed too often, the job fails. Any other error is recorded in the
        job and raised, so that the queue delivers a message for the step again.
        """
        if step.taken is Taken.BUSY:  # the other encoder finishes the step, or its claim expires
            return StepOutcome(step.job, (step.message,), delay_s=LEASE_S)
        try:
            if step.taken is Taken.EXPIRED and (over := self._note_lost(step)):
                return over
            return self._result_of(step)
        finally:
            if step.admission:
                self._budget.settle(step.job.id, step.admission)
            self._release(step)

    def _release(self, step: Step) -> None:
        if step.key != PUBLISH:
            self._claims.release(step.job.id, step.key)

    def _result_of(self, step: Step) -> StepOutcome:
        try:
            outcome = self._run(step.job, step)
            if step.key in step.job.faults or step.taken is Taken.EXPIRED:
                self._jobs.clear_fault(step.job.id, step.key)
            return outcome
        except SourceRefused as error:
            if step.key not in {PLAN, PREPARE} and self._repair.lacks_copy(step.job):
                return StepOutcome(step.job, (PlanEncode(step.job.id),))
            return self._failed(step.job, error.detail)
        except ContainerMissing:
            # The planning step creates the container again, unless the job has ended because its title was withdrawn.
            job = self._jobs.get_job(step.job.id)
            return StepOutcome(job, (PlanEncode(job.id),) if job.is_open else ())
        except JobEnded as ended:
            return StepOutcome(ended.job)
        except ClaimLost as lost:  # the claim expired, for instance while the store was unavailable
            log.warning("%s", lost)
            return StepOutcome(step.job)
        except Malformed:
            raise
        except Exception as error:
            fault = fault_after(step.job.faults.get(step.key), _fault_of(error), now=self._now())
            try:
                self._jobs.note_fault(step.job.id, step.key, fault)
            except StoreUnavailable:  # the job store itself is unavailable
                raise error from None
            delay_s = next_attempt_s(fault)
            if fault.attempts % ATTEMPTS:
                raise
            log.warning("job %s: %s failed %d times", step.job.id, step.key, fault.attempts, exc_info=error)
            if delay_s is None:
                return self._given_up(step, fault)
            return StepOutcome(step.job, (step.message,), delay_s=delay_s)

    def _note_lost(self, step: Step) -> StepOutcome | None:
        """Count an attempt whose encoder was killed; return an outcome if there must be no further attempt now."""
        if is_done(step.job, step.key):  # the encoder was killed after it had recorded the result
            return None
        fault = fault_after(step.job.faults.get(step.key), None, now=self._now())
        self._jobs.note_fault(step.job.id, step.key, fault)
        delay_s = next_attempt_s(fault)
        if delay_s is None:
            return self._given_up(step, fault)
        return None if fault.attempts % ATTEMPTS else StepOutcome(step.job, (step.message,), delay_s=delay_s)

    def _given_up(self, step: Step, fault: StepFault) -> StepOutcome:
        """Fail the job of a step that has no attempts left.

        A film does not fail because of additional audio tracks or subtitles: a track that cannot be encoded is left
        out. Nor does it fail while it is uploaded: it is planned once it is whole.
        """
        if is_partial(step.job):
            self._lifecycle.leave_front(step.job.id)
            self._jobs.clear_fault(step.job.id, step.key)
            return StepOutcome(step.job)
        plan = step.job.current_plan
        if step.track and plan and not fault.passing and not is_main(plan, step.track):
            return _continued(step, self._worker.leave_out(step.job, step.track))
        return self._failed(step.job, fault.detail)

    def _run(self, job: EncodeJob, step: Step) -> StepOutcome:
        if step.key in {PLAN, PREPARE}:
            with self._worker.copies_pause():
                return self._plan(job, at_once=step.key == PLAN)
        if step.key == PUBLISH:
            return self._publish(job)
        if step.key == VERIFY:
            return self._repair.verify(job)
        if step.track is not None:
            return _continued(step, self._worker.encode_track(job, step.track, publish=self._publish))
        began = time.monotonic()
        chunk = step.chunk or 0
        encode = self._worker.encode_chunk if chunk else self._worker.encode_front
        after = encode(job, chunk, publish=self._publish)
        if chunk not in after.chunks_done and after.is_open:  # the pictures cannot be copied, so all are encoded again
            return StepOutcome(after, missing_work(after))
        outcome = _publish_next(after, encode_s=None if chunk in job.chunks_done else time.monotonic() - began)
        if chunk or not outcome.messages:
            return outcome
        sounds = [EncodeAudio(job.id, name) for name in after.missing_tracks if _is_audio(after, name)]
        # The message was sent for another chunk, which still needs a message.
        again = (step.message,) if isinstance(step.message, EncodeChunk) else ()
        return StepOutcome(after, (*outcome.messages, *sounds, *again), encode_s=outcome.encode_s)

    def _plan(self, job: EncodeJob, *, at_once: bool) -> StepOutcome:
        """Plan a job, or restore a planned one; with `at_once`, leave to a step of its own what takes long."""
        if job.status is JobStatus.RECEIVING:
            return self._receive(job, PLAN if at_once else PREPARE)
        after: EncodeJob | None = job
        if job.plan is None and (after := self._lifecycle.start_planning(job)):
            planned = self._planner.plan(job, at_once=at_once)
            if planned is None:
                after = self._lifecycle.postpone_planning(job)
                if after:
                    return StepOutcome(after, (PrepareEncode(job.id),))
            else:
                if differs_from_front(job, planned.plan):
                    self._publisher.discard_manifests(job, manifest_names(job))
                if after := self._lifecycle.finish_planning(job, planned.plan):
                    after = self._worker.copy_beginnings(after, planned.tracks, publish=self._publish)
        elif job.plan:  # the job was retried, or storage has lost its container
            if at_once and self._repair.takes_long(job):
                return StepOutcome(job, (PrepareEncode(job.id),))
            after = self._repair.restore(job)
        if after is None:  # the job was ended, or planned by another process, at the same time
            after = self._jobs.get_job(job.id)
        return StepOutcome(after, missing_work(after) if after.is_open and after.plan else ())

    def _receive(self, job: EncodeJob, step: str) -> StepOutcome:
        """Publish what has arrived of an upload that is still running; if it is whole by then, plan its job."""
        if self._receiver:
            job = self._receiver.receive(job, proceed=partial(self._claims.confirm, job.id, step))
        is_whole = job.is_open and job.status is not JobStatus.RECEIVING
        return StepOutcome(job, (PlanEncode(job.id),) if is_whole else ())

    def _publish(self, job: EncodeJob) -> StepOutcome:
        """Publish all segments of an open job that may be listed; if the film is then complete, end the job.

        Before a film is published as complete, its segments are compared with what storage holds. If the chunks, which
        may have been encoded at the same time, found too much damage in total, the job fails. Raises SourceRefused if
        none of the sound can be decoded.
        """
        if not job.is_open:
            return StepOutcome(job)
        check_sound(job)
        damage = job.damage_with()
        if damage and self._limits.exceeded_by(damage):
            return self._failed(job, damage.refusal(job.name))
        if job.all_done and (remade := self._repair.remake_lost(job)):
            return remade
        published = self._publisher.publish(job)
        if published is None:
            return StepOutcome(job)
        if job.audience.parts:
            self._audience.note_listed(job.id, self._publisher.publish_parts(job))
        first = job.playable_at is None
        job = self._lifecycle.note_published(job, front_s=float(published.video_segments.end))
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


def _continued(step: Step, job: EncodeJob) -> StepOutcome:
    """Return the outcome of a step that made a track; one that could not be copied is encoded."""
    if step.track and is_copy(step.track) and job.is_open and job.tracks.get(step.track, TrackState()).left_out:
        return StepOutcome(job, missing_work(job))
    return _publish_next(job)


def _is_audio(job: EncodeJob, name: str) -> bool:
    """Return whether a track is sound that is encoded."""
    plan = job.current_plan
    return plan is not None and any(track.name == name and not track.copied for track in plan.audio)


def _fault_of(error: Exception) -> StepFault:
    """Return the fault to show to the owner; the error itself is raised, and the host logs it."""
    if isinstance(error, MalformedSegment):
        return StepFault("A part of the film came out damaged.")
    if isinstance(error, StoreUnavailable):
        return StepFault(_CLASS_NAME.sub("", error.detail), passing=True)
    if isinstance(error, EncodeFault):
        return StepFault(error.detail)
    return StepFault(UNEXPECTED)
