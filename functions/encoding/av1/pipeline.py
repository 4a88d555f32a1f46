"""The steps of encodes in AV1. A message names neither title nor chunk: the encode that was begun first is continued.

An encode in AV1 takes place after that in H.264, and waits while any film is being encoded. If it fails, the title
stays as it is, and the job says why it has no AV1.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from functions.encoding.av1.rule import Av1Mode, av1_chunk_s
from functions.encoding.av1_encode import MOST_ATTEMPTS, Av1Status, av1_step, missing_av1
from functions.encoding.claims import ClaimLost
from functions.encoding.lifecycle import VERIFY_AFTER
from functions.encoding.steps import Taken
from functions.platform.errors import DiskUnavailable, EncodeFault, SourceRefused, StoreUnavailable
from functions.platform.messages import EncodeAv1

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.encoding.av1.worker import Av1Worker
    from functions.encoding.av1_encode import Av1Encode
    from functions.encoding.claims import Claims
    from functions.encoding.job_telemetry import JobTelemetry
    from functions.encoding.lifecycle import JobLifecycle
    from functions.encoding.model import EncodeJob
    from functions.encoding.planning.planner import Planner
    from functions.encoding.ports import Av1Encodes, EncodeJobs
    from functions.encoding.publication.manifests import ManifestPublisher
    from functions.encoding.spending.budget import EncodeBudget
    from functions.encoding.upkeep.verifier import TitleVerifier
    from functions.platform.queues import Queues

log = logging.getLogger(__name__)

READ_AT_ONCE = 8
"""How many unfinished encodes are read at once; the later ones wait until one of these is complete."""

STOPPED = "The encoder was stopped several times while it worked on the same part."
REPLACED = "The title was withdrawn, or plays another upload."


class Av1Pipeline:
    """Runs the steps that messages request."""

    def __init__(
        self,
        mode: Av1Mode,
        jobs: EncodeJobs,
        encodes: Av1Encodes,
        claims: Claims,
        lifecycle: JobLifecycle,
        planner: Planner,
        worker: Av1Worker,
        publisher: ManifestPublisher,
        verifier: TitleVerifier,
        budget: EncodeBudget,
        telemetry: JobTelemetry,
        queues: Queues,
        now: Callable[[], datetime],
    ) -> None:
        self._mode = mode
        self._jobs = jobs
        self._encodes = encodes
        self._claims = claims
        self._lifecycle = lifecycle
        self._planner = planner
        self._worker = worker
        self._publisher = publisher
        self._verifier = verifier
        self._budget = budget
        self._telemetry = telemetry
        self._queues = queues
        self._now = now

    def run_next(self) -> None:
        """Encode the next chunk in AV1, or publish an encode that has all of them; do nothing while a film is encoded.

        If nothing is done now, the timer `start_av1` requests it again. Raises an exception if the same may succeed
        later.
        """
        if self._mode is Av1Mode.NEVER or self._budget.permitted(self._jobs.list_work()):
            return
        for job_id in self._encodes.list_unfinished(limit=READ_AT_ONCE):
            job = self._jobs.get_job(job_id)
            if not self._lifecycle.is_published(job):
                self._abandon(job, REPLACED)
                continue
            missing = missing_av1(job)
            if not missing:
                self._complete(job)
                return
            chunk = next((each for each in missing if self._is_claimed(job, each)), None)
            if chunk is not None:
                self._run_claimed(job, chunk)
                return

    def bury_message(self) -> None:
        """Log a message that used up its attempts; the timer `start_av1` enqueues the chunks that are due."""
        log.warning("A message for a chunk in AV1 was delivered too often.")

    def _is_claimed(self, job: EncodeJob, chunk: int) -> bool:
        """Claim a chunk; return whether no other encoder has it."""
        return self._claims.take(job.id, av1_step(chunk)) is not Taken.BUSY

    def _run_claimed(self, job: EncodeJob, chunk: int) -> None:
        admission = None
        try:
            plan = job.current_plan
            admission = self._budget.admit_seconds(av1_chunk_s(plan, plan.chunks[chunk])) if plan else None
            if admission:
                with self._telemetry.step(job.id, "av1", chunk=chunk):
                    self._encode(job, chunk)
        finally:
            if admission:
                self._budget.settle(job.id, admission)
            self._claims.release(job.id, av1_step(chunk))

    def _encode(self, job: EncodeJob, chunk: int) -> None:
        """Make one attempt at a chunk. It is counted before it begins, so that one whose encoder is killed counts."""
        encode = self._encodes.count_attempt(job.id, chunk, by=1)
        if encode is None or chunk in encode.done:
            return
        attempts = encode.attempts[str(chunk)]
        if attempts > MOST_ATTEMPTS:
            self._abandon(job, STOPPED)
            return
        proceed = partial(self._claims.confirm, job.id, av1_step(chunk))
        try:
            self._planner.restore_copy(job)
            made = self._worker.encode_chunk(job, chunk, proceed=proceed)
            proceed()
        except ClaimLost as lost:
            log.warning("%s", lost)
            return
        except (StoreUnavailable, DiskUnavailable):
            self._encodes.count_attempt(job.id, chunk, by=-1)
            raise
        except SourceRefused as error:
            self._abandon(job, error.detail)
            return
        except Exception as error:
            if attempts < MOST_ATTEMPTS:
                raise
            log.exception("job %s: chunk %d cannot be encoded in AV1", job.id, chunk)
            self._abandon(job, error.detail if isinstance(error, EncodeFault) else "An unexpected error stopped it.")
            return
        done = self._encodes.finish_chunk(job.id, chunk, result=made.result, codecs=made.codecs, cpu_s=made.cpu_s)
        if done and not missing_av1(job := replace(job, av1=done)):
            self._complete(job)

    def _complete(self, job: EncodeJob) -> None:
        """List an encode whose chunks are all stored; what storage has lost is encoded again.

        The manifests are written first: if the process is killed in between, the next message repeats this.
        """
        encode = job.av1
        if encode is None or job.plan is None or encode.status is not Av1Status.ENCODING:
            return
        if lost := self._verifier.find_lost_av1(job):
            self._encodes.undo_chunks(job.id, lost.av1)
            self._queues.send_all(EncodeAv1() for _ in lost.av1)
            return
        self._publisher.publish_again(replace(job, av1=_listed(encode)))
        self._encodes.complete_encode(job.id, chunks=len(job.plan.chunks), at=self._now())
        after = self._jobs.get_job(job.id)
        if after.on_demand != job.on_demand:  # manifests that were written meanwhile do not list both
            self._publisher.publish_again(after)
        self._jobs.schedule_verification(job.id, at=self._now() + VERIFY_AFTER, repair=True)
        self._publisher.discard_intermediate(job)
        log.info("job %s is published in AV1: %.1f CPU-s", job.id, encode.cpu_s)

    def _abandon(self, job: EncodeJob, reason: str) -> None:
        log.warning("job %s is not encoded in AV1: %s", job.id, reason)
        self._encodes.abandon_encode(job.id, reason=reason, at=self._now())
        self._publisher.discard_intermediate(job)


def _listed(encode: Av1Encode) -> Av1Encode:
    """Return an encode as it is once it is listed."""
    return replace(encode, status=Av1Status.COMPLETE, edition=encode.edition + 1)
