"""What the encodes of a title that is published already have in common; a subclass says what they make.

A message names neither title nor chunk: the encode that was begun first is continued. If an encode fails, the title
stays as it is, and the job says why.

At the end of an encode, the job changes first, and the manifests are written from the stored job. Each change has an
edition, and a manifest replaces those of earlier editions only; so whoever changes the job last lists what it says. The
encode has ended once the manifests are written: until then, each message repeats this.
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
from functions.encoding.upkeep.retention import REPLACED_KEPT
from functions.platform.errors import DiskUnavailable, EncodeFault, SourceRefused, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from functions.encoding.claims import Claims
    from functions.encoding.job_telemetry import JobTelemetry
    from functions.encoding.lifecycle import JobLifecycle
    from functions.encoding.model import EncodeJob, EncodePlan
    from functions.encoding.planning.planner import Planner
    from functions.encoding.ports import EncodeJobs, JobUpkeep, LaterEncode, LaterEncodes, LaterWorker
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
    upkeep: JobUpkeep
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
    reads_upload: ClassVar[bool] = True
    """Whether a chunk is made from the upload, or from its remuxed copy; otherwise, neither has to be there."""

    def __init__(self, encodes: LaterEncodes[LaterEncode], worker: LaterWorker[Chunk], parts: LaterParts) -> None:
        self._later = encodes
        self._worker = worker
        self._jobs = parts.jobs
        self._upkeep = parts.upkeep
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
    def count(job: EncodeJob) -> int:
        """Return the number of chunks of an encode."""
        return len(job.plan.chunks) if job.plan else 0

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

    @staticmethod
    @abstractmethod
    def encode_of(job: EncodeJob) -> LaterEncode | None:
        """Return the encode of a job, or None if it has none."""

    @abstractmethod
    def request_chunks(self, number: int) -> None:
        """Enqueue a message for each of so many chunks."""

    def run_next(self) -> None:
        """Encode the next chunk, or publish an encode that has all of them.

        Raises an exception if the same may succeed later; otherwise, a timer requests again what is not done now.
        """
        for job_id in self._later.list_unfinished(limit=READ_AT_ONCE):
            job = self._jobs.get_job(job_id)
            if (encode := self.encode_of(job)) and encode.is_ending:
                self._end(job_id)
                continue
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
        """Give up the encode of a job; the title stays as it is, and what was stored is deleted later."""
        log.warning("job %s is not encoded (%s): %s", job.id, self.kind, reason)
        self._later.abandon_encode(job.id, reason=reason)
        self._end(job.id)

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
        is_readable = False
        try:
            if self.reads_upload:
                self._planner.restore_copy(job)
            is_readable = True
            made = self._worker.encode_chunk(job, chunk, proceed=proceed)
            proceed()
        except ClaimLost as lost:
            log.warning("%s", lost)
            return
        except (StoreUnavailable, DiskUnavailable):
            self._later.count_attempt(job.id, chunk, by=-1)
            raise
        except SourceRefused as error:
            if is_readable and attempts < self.most_attempts and self._planner.lacks_copy(job):
                raise  # the copy was deleted meanwhile; the next attempt makes it again
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
        """List an encode whose chunks are all stored; what storage has lost is encoded again."""
        encode = self.encode_of(job)
        if encode is None or job.plan is None:
            return
        if lost := self.find_lost(job):
            self._later.undo_chunks(job.id, lost)
            self.request_chunks(len(lost))
            return
        self._later.complete_encode(job.id, chunks=self.count(job))
        self._end(job.id)

    def _end(self, job_id: str) -> None:
        """Write the manifests with an encode that is complete, or without one that was given up.

        The sweep deletes the files of the latter once nobody can have begun to play them, and the copy of the upload if
        it is not deleted here. The files of a job that its title does not play any more are deleted anyway.
        """
        job = self._jobs.get_job(job_id)
        encode = self.encode_of(job)
        if encode is None or not encode.is_ending:
            return
        if self._lifecycle.is_published(job):
            self._publish(job)
        now = self._now()
        if encode.is_complete:
            self._jobs.schedule_verification(job_id, at=now + VERIFY_AFTER, repair=True)
        self._upkeep.schedule_sweep(job_id, at=now + REPLACED_KEPT)
        self._later.end_encode(job_id, edition=encode.edition, at=now)
        self._publisher.discard_intermediate(self._jobs.get_job(job_id))
        log.info("job %s has ended an encode (%s)", job_id, self.kind)

    def _publish(self, job: EncodeJob) -> None:
        """Write the manifests of a job, which list an encode that is complete."""
        self._publisher.publish_again(job)
