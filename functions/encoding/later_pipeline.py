"""What the encodes of a title that is published already have in common; a subclass says what they make.

A message names neither title nor chunk: the encode that was begun first is continued. If an encode fails, the title
stays as it is, and the job says why.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from functions.encoding.claims import ClaimLost
from functions.encoding.lifecycle import VERIFY_AFTER
from functions.encoding.steps import Taken
from functions.platform.errors import DiskUnavailable, EncodeFault, SourceRefused, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from functions.encoding.claims import Claims
    from functions.encoding.job_telemetry import JobTelemetry
    from functions.encoding.lifecycle import JobLifecycle
    from functions.encoding.model import EncodeJob, EncodePlan
    from functions.encoding.planning.planner import Planner
    from functions.encoding.ports import EncodeJobs, LaterEncode, LaterEncodes, LaterWorker
    from functions.encoding.publication.manifests import ManifestPublisher
    from functions.encoding.spending.budget import EncodeBudget
    from functions.encoding.upkeep.verifier import TitleVerifier
    from functions.platform.queues import Queues

log = logging.getLogger(__name__)

READ_AT_ONCE = 8
"""How many unfinished encodes are read at once; the later ones wait until one of these is complete."""

STOPPED = "The encoder was stopped several times while it worked on the same part."
UNEXPECTED = "An unexpected error stopped the encode."
REPLACED = "The title was withdrawn, or another version of it was uploaded."


@dataclass(frozen=True, slots=True)
class LaterParts:
    """What the pipelines of all kinds of encodes use."""

    jobs: EncodeJobs
    claims: Claims
    lifecycle: JobLifecycle
    planner: Planner
    publisher: ManifestPublisher
    verifier: TitleVerifier
    budget: EncodeBudget
    telemetry: JobTelemetry
    queues: Queues
    now: Callable[[], datetime]


class LaterPipeline[Chunk](ABC):
    """Encodes the chunks of one kind of encode, one for each message, and publishes an encode that has all of them."""

    kind: ClassVar[str]
    """The name of the kind in logs and telemetry."""
    most_attempts: ClassVar[int]
    """How many attempts at a chunk may fail before an encode is given up."""

    def __init__(self, encodes: LaterEncodes[LaterEncode], worker: LaterWorker[Chunk], parts: LaterParts) -> None:
        self._later = encodes
        self._worker = worker
        self._jobs = parts.jobs
        self._claims = parts.claims
        self._lifecycle = parts.lifecycle
        self._planner = parts.planner
        self._publisher = parts.publisher
        self._verifier = parts.verifier
        self._budget = parts.budget
        self._telemetry = parts.telemetry
        self._queues = parts.queues
        self._now = parts.now

    @staticmethod
    @abstractmethod
    def step(chunk: int) -> str:
        """Return the name of the step that encodes a chunk; claims are stored under it."""

    @staticmethod
    @abstractmethod
    def missing(job: EncodeJob) -> tuple[int, ...]:
        """Return the indices of the chunks that an unfinished encode lacks, in order; none if there is no encode."""

    @staticmethod
    @abstractmethod
    def seconds(plan: EncodePlan, chunk: int) -> float:
        """Return the estimated CPU time of a chunk, in seconds."""

    @abstractmethod
    def find_lost(self, job: EncodeJob) -> Collection[int]:
        """Return the stored chunks of an encode in which a file is missing or has another size."""

    @abstractmethod
    def finish_chunk(self, job: EncodeJob, chunk: int, made: Chunk) -> EncodeJob | None:
        """Record that a chunk is stored; return the updated job, or None if its encode has ended."""

    @abstractmethod
    def listed(self, job: EncodeJob) -> EncodeJob | None:
        """Return an unfinished job as it is once its encode is listed; None if its encode is not being made."""

    @abstractmethod
    def lists_others(self, job: EncodeJob, before: EncodeJob) -> bool:
        """Return whether an encode of another kind has changed since."""

    @abstractmethod
    def request_chunks(self, number: int) -> None:
        """Enqueue a message for each of so many chunks."""

    def run_next(self) -> None:
        """Encode the next chunk, or publish an encode that has all of them.

        Raises an exception if the same may succeed later; otherwise, a timer requests again what is not done now.
        """
        for job_id in self._later.list_unfinished(limit=READ_AT_ONCE):
            job = self._jobs.get_job(job_id)
            if not self._is_current(job):
                self.abandon(job, REPLACED)
                continue
            missing = self.missing(job)
            if not missing:
                self._complete(job)
                return
            chunk = next((each for each in missing if self._is_claimed(job, each)), None)
            if chunk is not None:
                self._run_claimed(job, chunk)
                return

    def bury_message(self) -> None:
        """Log a message that used up its attempts; a timer enqueues the chunks that are due."""
        log.warning("A message for a chunk (%s) was delivered too often.", self.kind)

    def abandon(self, job: EncodeJob, reason: str) -> None:
        """Give up the encode of a job; the title stays as it is."""
        log.warning("job %s is not encoded (%s): %s", job.id, self.kind, reason)
        self._later.abandon_encode(job.id, reason=reason, at=self._now())
        self._publisher.discard_intermediate(job)

    def _is_current(self, job: EncodeJob) -> bool:
        """Return whether a job is what its title plays, and nothing newer was uploaded: its source may be replaced."""
        newest = self._jobs.latest_summary(job.title_id)
        return newest is not None and newest.id == job.id and self._lifecycle.is_published(job)

    def _is_claimed(self, job: EncodeJob, chunk: int) -> bool:
        """Claim a chunk; return whether no other encoder has it."""
        return self._claims.take(job.id, self.step(chunk)) is not Taken.BUSY

    def _run_claimed(self, job: EncodeJob, chunk: int) -> None:
        admission = None
        try:
            if plan := job.current_plan:
                admission = self._budget.admit_seconds(self.seconds(plan, chunk))
            if admission:
                with self._telemetry.step(job.id, self.kind, chunk=chunk):
                    self._encode(job, chunk)
        finally:
            if admission:
                self._budget.settle(job.id, admission)
            self._claims.release(job.id, self.step(chunk))

    def _encode(self, job: EncodeJob, chunk: int) -> None:
        """Make one attempt at a chunk. It is counted before it begins, so that one whose encoder is killed counts."""
        encode = self._later.count_attempt(job.id, chunk, by=1)
        if encode is None or chunk in encode.done:
            return
        attempts = encode.attempts[str(chunk)]
        if attempts > self.most_attempts:
            self.abandon(job, STOPPED)
            return
        proceed = partial(self._claims.confirm, job.id, self.step(chunk))
        try:
            self._planner.restore_copy(job)
            made = self._worker.encode_chunk(job, chunk, proceed=proceed)
            proceed()
        except ClaimLost as lost:
            log.warning("%s", lost)
            return
        except (StoreUnavailable, DiskUnavailable):
            self._later.count_attempt(job.id, chunk, by=-1)
            raise
        except SourceRefused as error:
            self.abandon(job, error.detail)
            return
        except Exception as error:
            if attempts < self.most_attempts:
                raise
            log.exception("job %s: chunk %d cannot be encoded (%s)", job.id, chunk, self.kind)
            self.abandon(job, error.detail if isinstance(error, EncodeFault) else UNEXPECTED)
            return
        if not self._is_current(job):  # the chunk may be from a newer upload
            self.abandon(job, REPLACED)
            return
        done = self.finish_chunk(job, chunk, made)
        if done and not self.missing(done):
            self._complete(done)

    def _complete(self, job: EncodeJob) -> None:
        """List an encode whose chunks are all stored; what storage has lost is encoded again.

        The manifests are written first: if the process is killed in between, the next message repeats this.
        """
        listed = self.listed(job)
        if listed is None or job.plan is None:
            return
        if lost := self.find_lost(job):
            self._later.undo_chunks(job.id, lost)
            self.request_chunks(len(lost))
            return
        self._publisher.publish_again(listed)
        self._later.complete_encode(job.id, chunks=len(job.plan.chunks), at=self._now())
        after = self._jobs.get_job(job.id)
        if self.lists_others(after, job):  # manifests that were written meanwhile do not list both
            self._publisher.publish_again(after)
        self._jobs.schedule_verification(job.id, at=self._now() + VERIFY_AFTER, repair=True)
        self._publisher.discard_intermediate(job)
        log.info("job %s lists its renditions (%s)", job.id, self.kind)
