"""The steps of a job: their names, which of them are due, and when a failed step is tried again."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - msgspec reads the annotations when it decodes stored work
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from fractions import Fraction
from typing import TYPE_CHECKING

from functions.encoding.audience import NO_AUDIENCE, Audience
from functions.encoding.model import JobStatus, StepFault
from functions.encoding.spending.costs import NO_COST, EncodeCost
from functions.encoding.track_state import TrackState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from functions.encoding.model import EncodeJob, EncodePlan, JobSummary

COPIED = "c"
"""The first letter of the names of copied tracks; the second one is a digit."""

PLAN = "plan"
PREPARE = "prepare"
RECEIVE = "receive"
PUBLISH = "publish"
VERIFY = "verify"

ATTEMPTS = 5
"""Number of attempts at a step in one series; after a series, the step is deferred, or its job fails."""

RETRY_S = 4
"""Minimum time between two attempts of a series, in seconds; shorter than `visibilityTimeout` in host.json."""

DEFERRALS_S = (60, 180, 360, 900, 2100)
"""How long a step is deferred, in seconds, after each exhausted series of attempts; an hour in total.

A stalled machine or a store that is down for minutes must not make a film fail.
"""

LONGEST_WAIT = timedelta(seconds=max(DEFERRALS_S))
"""A step is never deferred longer: a time further ahead comes from a host whose clock was wrong, and is ignored."""

REQUEST_AGAIN = timedelta(seconds=60)
"""The first interval after which a due step is requested again although messages wait in its queue."""

LOST = "The encoder that was working on it was stopped."


class Taken(Enum):
    """The result of claiming a step: it was free, or its former claim had expired, or another encoder works on it."""

    FREE = auto()
    EXPIRED = auto()
    BUSY = auto()


type StepKey = tuple[str, str]
"""The id of a job and the name of one of its steps; claims are recorded under it."""


@dataclass(frozen=True, slots=True)
class StepRequest:
    """When the timer first found and last requested a step that is due although messages wait in its queue.

    A step whose message was lost cannot be distinguished from one whose message waits behind others. It is therefore
    requested again, at intervals that double, so that a long queue does not fill with repeated messages.
    """

    first_at: datetime
    sent_at: datetime

    def is_overdue(self, now: datetime) -> bool:
        """Return whether the step must be requested again."""
        interval = max(REQUEST_AGAIN, self.sent_at - self.first_at)
        return not timedelta(0) <= now - self.sent_at < interval  # it was sent in the future if a clock was wrong


@dataclass(frozen=True, slots=True)
class JobWork:
    """The state of an open job that determines its due steps; unlike the job, it does not contain the plan.

    `tracks` has the stored share of each planned audio and subtitle track, from 0 to 1. `served_at` is the time
    of the job's last turn, when an encoder took a chunk of it. `requests` records when the timer requested each step
    that was due while messages waited in its queue. `prepares` is that of `EncodeJob`.
    """

    id: str
    status: JobStatus
    created_at: datetime
    updated_at: datetime
    planned_at: datetime | None = None
    served_at: datetime | None = None
    chunks: int = 0
    chunks_done: frozenset[int] = frozenset()
    tracks: Mapping[str, float] = field(default_factory=dict)
    faults: Mapping[str, StepFault] = field(default_factory=dict)
    cost: EncodeCost = NO_COST
    requests: Mapping[str, StepRequest] = field(default_factory=dict)
    audience: Audience = NO_AUDIENCE
    prepares: bool = False

    def due_steps(self, held: AbstractSet[StepKey], now: datetime) -> tuple[str, ...]:
        """Return the names of the steps that may be done now: not done, not claimed, and not deferred."""
        return tuple(step for step in self._missing_steps() if (self.id, step) not in held and self._is_due(step, now))

    def _missing_steps(self) -> tuple[str, ...]:
        if self.status is JobStatus.RECEIVING:  # the next commit of the upload requests its step
            return ()
        if self.status is not JobStatus.ENCODING:
            return (PREPARE if self.prepares else PLAN,)
        chunks = tuple(chunk_step(index) for index in range(self.chunks) if index not in self.chunks_done)
        tracks = [name for name, share in self.tracks.items() if share < 1]
        if chunk_step(0) in chunks:  # this step encodes the beginning of the sound; tracks that are not copied follow
            return (*map(track_step, filter(is_copy, tracks)), *chunks)
        return (*chunks, *map(track_step, tracks)) or (PUBLISH,)

    def _is_due(self, step: str, now: datetime) -> bool:
        return not _waits(self.faults.get(step), now)


def being_encoded[Job: (JobWork, JobSummary)](jobs: Iterable[Job]) -> list[Job]:
    """Return the open jobs whose encodes are due: not those of uploads that are still running, or have stopped."""
    return [job for job in jobs if job.status is not JobStatus.RECEIVING]


def is_copy(track: str) -> bool:
    """Return whether a track is copied from the source, according to its name."""
    return track.startswith(COPIED)


def track_shares(plan: EncodePlan, tracks: Mapping[str, TrackState]) -> dict[str, float]:
    """Return the stored share of each planned track, from 0 to 1; only a complete track has the share 1.

    A track that could not be copied has the share 1; the track that is encoded instead has an entry of its own.
    """
    shares = {name: 1.0 for name, state in tracks.items() if state.left_out and name in plan.tracks}
    plan = plan.without_failed_copies(tracks)
    for name in plan.tracks:
        state = tracks.get(name, TrackState())
        audio = next((track for track in plan.audio if track.name == name), None)
        length = (audio.lasts or plan.duration) * audio.sample_rate if audio else Fraction(0)
        if plan.copied and plan.copied.rendition.name == name:
            length = plan.duration * plan.grid.timescale
        shares[name] = 1.0 if state.complete else min(0.99, float(state.ticks / length)) if length else 0.0
    return shares


def chunk_step(index: int) -> str:
    """Return the name of the step that encodes a chunk; the step of chunk 0 also encodes the first sound."""
    return f"chunk {index}"


def track_step(name: str) -> str:
    """Return the name of the step that encodes a track."""
    return f"track {name}"


def chunk_of(step: str) -> int | None:
    """Return the chunk that a step encodes, or None if it does something else."""
    name, _, index = step.partition(" ")
    return int(index) if name == "chunk" else None


def is_done(job: EncodeJob, step: str) -> bool:
    """Return whether a chunk or a track is stored; other steps are never done permanently."""
    chunk = chunk_of(step)
    if chunk is not None:
        return chunk in job.chunks_done
    return any(step == track_step(name) and state.complete for name, state in job.tracks.items())


def fault_key(job: EncodeJob, step: str) -> str:
    """Return the name under which faults of a step are stored.

    While an upload is received, the step that will plan it publishes what has arrived. Attempts at that are counted
    separately, so that all attempts are left to the plan.
    """
    return RECEIVE if job.status is JobStatus.RECEIVING and step in {PLAN, PREPARE} else step


def is_deferred(job: EncodeJob, step: str, now: datetime) -> bool:
    """Return whether a step of a job failed and must not be tried again yet."""
    return _waits(job.faults.get(fault_key(job, step)), now)


def _waits(fault: StepFault | None, now: datetime) -> bool:
    return fault is not None and fault.retry_at is not None and now < fault.retry_at <= now + LONGEST_WAIT


def next_attempt_s(fault: StepFault) -> int | None:
    """Return in how many seconds a failed step is tried again, or None if its job fails."""
    series, attempt = divmod(fault.attempts, ATTEMPTS)
    if attempt:
        return RETRY_S
    return DEFERRALS_S[series - 1] if fault.passing and series <= len(DEFERRALS_S) else None


def fault_after(before: StepFault | None, fault: StepFault | None, *, now: datetime) -> StepFault:
    """Return the fault to store after one more failed attempt, with the time of the next attempt.

    `before` is the fault of the previous attempt. `fault` is None if the encoder was killed during the attempt: then
    the detail of an earlier error is kept, because it says more, and the step need not wait.
    """
    found = fault or (replace(before, passing=True) if before else StepFault(LOST, passing=True))
    counted = replace(found, attempts=before.attempts + 1 if before else 1)
    wait_s = next_attempt_s(counted) or 0
    if fault is None and counted.attempts % ATTEMPTS:
        wait_s = 0
    return replace(counted, retry_at=now + timedelta(seconds=wait_s))
