"""The steps of encodes on demand. A message names no chunk: the encode that was begun first is continued.

Somebody watches the title already, in the renditions that it has. So these steps run beside those of films, with a low
priority. If an encode fails, the title stays as it is, and the job says why.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from functions.encoding.claims import ClaimLost
from functions.encoding.lifecycle import VERIFY_AFTER
from functions.encoding.on_demand_encode import (
    MOST_ATTEMPTS,
    REMOVED_KEPT,
    OnDemandStatus,
    missing_on_demand,
    on_demand_plan,
    on_demand_step,
)
from functions.encoding.spending.costs import chunk_s
from functions.encoding.steps import Taken
from functions.platform.errors import DiskUnavailable, EncodeFault, SourceRefused, StoreUnavailable
from functions.platform.messages import EncodeRenditions

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.encoding.claims import Claims
    from functions.encoding.job_telemetry import JobTelemetry
    from functions.encoding.lifecycle import JobLifecycle
    from functions.encoding.model import EncodeJob
    from functions.encoding.on_demand.worker import OnDemandWorker
    from functions.encoding.on_demand_encode import OnDemandEncode
    from functions.encoding.planning.planner import Planner
    from functions.encoding.ports import EncodeJobs, JobUpkeep, OnDemandEncodes
    from functions.encoding.publication.manifests import ManifestPublisher
    from functions.encoding.spending.budget import EncodeBudget
    from functions.encoding.upkeep.verifier import TitleVerifier
    from functions.platform.queues import Queues

log = logging.getLogger(__name__)

READ_AT_ONCE = 8
"""How many unfinished encodes are read at once; the later ones wait until one of these is complete."""

STOPPED = "The encoder was stopped several times while it worked on the same part."
REPLACED = "The title was withdrawn, or another version of it was uploaded."


class OnDemandPipeline:
    """Runs the steps that messages request."""

    def __init__(
        self,
        jobs: EncodeJobs,
        encodes: OnDemandEncodes,
        upkeep: JobUpkeep,
        claims: Claims,
        lifecycle: JobLifecycle,
        planner: Planner,
        worker: OnDemandWorker,
        publisher: ManifestPublisher,
        verifier: TitleVerifier,
        budget: EncodeBudget,
        telemetry: JobTelemetry,
        queues: Queues,
        now: Callable[[], datetime],
    ) -> None:
        self._jobs = jobs
        self._encodes = encodes
        self._upkeep = upkeep
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

    def run(self, message: EncodeRenditions) -> None:
        """Encode the next chunk on demand, or publish an encode that has all of them.

        A message that begins the encode of a job first requests its other chunks. Raises an exception if the same may
        succeed later; otherwise, the timer `sweep_titles` requests again what is not done now.
        """
        if message.begins:
            missing = missing_on_demand(self._jobs.get_job(message.begins))
            self._queues.send_all(EncodeRenditions() for _ in missing[1:])
        for job_id in self._encodes.list_unfinished(limit=READ_AT_ONCE):
            job = self._jobs.get_job(job_id)
            if not self._is_current(job):
                self._abandon(job, REPLACED)
                continue
            missing = missing_on_demand(job)
            if not missing:
                self._complete(job)
                return
            chunk = next((each for each in missing if self._is_claimed(job, each)), None)
            if chunk is not None:
                self._run_claimed(job, chunk)
                return

    def bury_message(self) -> None:
        """Log a message that used up its attempts; the timer `sweep_titles` enqueues the chunks that are due."""
        log.warning("A message for a chunk on demand was delivered too often.")

    def _is_current(self, job: EncodeJob) -> bool:
        """Return whether a job is what its title plays, and nothing newer was uploaded: its source may be replaced."""
        newest = self._jobs.latest_summary(job.title_id)
        return newest is not None and newest.id == job.id and self._lifecycle.is_published(job)

    def _is_claimed(self, job: EncodeJob, chunk: int) -> bool:
        """Claim a chunk; return whether no other encoder has it."""
        return self._claims.take(job.id, on_demand_step(chunk)) is not Taken.BUSY

    def _run_claimed(self, job: EncodeJob, chunk: int) -> None:
        admission = None
        try:
            if plan := job.current_plan:
                admission = self._budget.admit_seconds(chunk_s(on_demand_plan(plan), plan.chunks[chunk]))
            if admission:
                with self._telemetry.step(job.id, "on demand", chunk=chunk):
                    self._encode(job, chunk)
        finally:
            if admission:
                self._budget.settle(job.id, admission)
            self._claims.release(job.id, on_demand_step(chunk))

    def _encode(self, job: EncodeJob, chunk: int) -> None:
        """Make one attempt at a chunk. It is counted before it begins, so that one whose encoder is killed counts."""
        encode = self._encodes.count_attempt(job.id, chunk, by=1)
        if encode is None or chunk in encode.done:
            return
        attempts = encode.attempts[str(chunk)]
        if attempts > MOST_ATTEMPTS:
            self._abandon(job, STOPPED)
            return
        proceed = partial(self._claims.confirm, job.id, on_demand_step(chunk))
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
            log.exception("job %s: chunk %d cannot be encoded on demand", job.id, chunk)
            self._abandon(job, error.detail if isinstance(error, EncodeFault) else "An unexpected error stopped it.")
            return
        if not self._is_current(job):  # the chunk may be from a newer upload
            self._abandon(job, REPLACED)
            return
        done = self._encodes.finish_chunk(job.id, chunk, size=made.size, codecs=made.codecs, cpu_s=made.cpu_s)
        if done and not missing_on_demand(job := replace(job, on_demand=done)):
            self._complete(job)

    def _complete(self, job: EncodeJob) -> None:
        """List an encode whose chunks are all stored; what storage has lost is encoded again.

        The manifests are written first: if the process is killed in between, the next message repeats this.
        """
        encode = job.on_demand
        if encode is None or job.plan is None or encode.status is not OnDemandStatus.ENCODING:
            return
        if lost := self._verifier.find_lost_on_demand(job):
            self._encodes.undo_chunks(job.id, lost.on_demand)
            self._queues.send_all(EncodeRenditions() for _ in lost.on_demand)
            return
        self._publisher.publish_again(replace(job, on_demand=_listed(encode)))
        self._encodes.complete_encode(job.id, chunks=len(job.plan.chunks), at=self._now())
        after = self._jobs.get_job(job.id)
        if after.av1 != job.av1:  # manifests that were written meanwhile do not list both
            self._publisher.publish_again(after)
        self._jobs.schedule_verification(job.id, at=self._now() + VERIFY_AFTER, repair=True)
        self._publisher.discard_intermediate(job)
        log.info("job %s lists all renditions: %.1f CPU-s", job.id, encode.cpu_s)

    def _abandon(self, job: EncodeJob, reason: str) -> None:
        log.warning("job %s: its renditions on demand are not made: %s", job.id, reason)
        now = self._now()
        self._encodes.abandon_encode(job.id, reason=reason, at=now)
        self._upkeep.schedule_sweep(job.id, at=now + REMOVED_KEPT)
        self._publisher.discard_intermediate(job)


def _listed(encode: OnDemandEncode) -> OnDemandEncode:
    """Return an encode as it is once it is listed."""
    return replace(encode, status=OnDemandStatus.COMPLETE, edition=encode.edition + 1)
