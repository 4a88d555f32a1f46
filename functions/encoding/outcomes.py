"""The step that a message requests, its outcome, and the messages that continue the work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.encoding.steps import (
    PLAN,
    PREPARE,
    PUBLISH,
    VERIFY,
    Taken,
    chunk_of,
    chunk_step,
    fault_key,
    is_copy,
    track_step,
)
from functions.platform.messages import (
    EncodeAudio,
    EncodeChunk,
    EncodeFront,
    PlanEncode,
    PrepareEncode,
    PublishTitle,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from functions.encoding.model import EncodeJob
    from functions.encoding.spending.budget import Admission

type StepMessage = PlanEncode | PrepareEncode | EncodeFront | EncodeChunk | EncodeAudio | PublishTitle


@dataclass(frozen=True, slots=True)
class Step:
    """A step that an encoder was asked to run: its job as it was stored, the message, and the result of the claim.

    `chunk` is the chunk that the step encodes, `track` the name of its track. `admission` says what the budget has
    charged for the step in advance.
    """

    job: EncodeJob
    message: StepMessage
    taken: Taken = Taken.FREE
    chunk: int | None = None
    track: str | None = None
    admission: Admission | None = None

    @property
    def key(self) -> str:
        """Return the name under which claims on the step are stored, such as "chunk 3"."""
        if self.chunk is not None:
            return chunk_step(self.chunk)
        if self.track is not None:
            return track_step(self.track)
        if isinstance(self.message, PublishTitle):
            return VERIFY if self.message.verify else PUBLISH
        return PREPARE if isinstance(self.message, PrepareEncode) else PLAN

    @property
    def fault_key(self) -> str:
        """Return the name under which faults of the step are stored."""
        return fault_key(self.job, self.key)

    @property
    def kind(self) -> str:
        """Return the kind of the step: "plan", "prepare", "front", "chunk", "track", "publish" or "verify"."""
        return "front" if self.chunk == 0 else self.key.partition(" ")[0]

    @property
    def part(self) -> dict[str, str | int]:
        """Return attributes that identify the chunk or track."""
        if self.chunk is not None:
            return {"chunk": self.chunk}
        return {"track": self.track} if self.track is not None else {}


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """The outcome of a step: the job after it, and the messages that must be sent.

    The messages stay invisible for `delay_s` seconds. `ended` is true if this step made the job ready or failed.
    `encode_s` is the duration of encoding a chunk, in seconds.
    """

    job: EncodeJob
    messages: tuple[StepMessage, ...] = ()
    delay_s: int = 0
    ended: bool = False
    encode_s: float | None = None


def missing_work(job: EncodeJob) -> tuple[StepMessage, ...]:
    """Return the messages for all remaining steps of a job; those for the first picture and first sound come first.

    The front also encodes the beginning of the sound, so the messages for sound are sent once the front is done.
    """
    if job.plan is None:
        return (PrepareEncode(job.id) if job.prepares else PlanEncode(job.id),)
    text = {track.name for track in job.plan.text}
    early = [name for name in job.missing_tracks if is_copy(name)]
    tracks = [name for name in job.missing_tracks if not is_copy(name) and (name in text or 0 in job.chunks_done)]
    steps = [*map(track_step, early), *map(chunk_step, job.missing_chunks), *map(track_step, tracks)]
    return tuple(messages_by_step(job.id, steps or [PUBLISH]).values())


def messages_by_step(job_id: str, steps: Iterable[str]) -> dict[str, StepMessage]:
    """Return a message for each of the steps with these names; the front comes first, other chunks come last."""
    ordered = sorted(steps, key=lambda step: 0 if step == chunk_step(0) else 1 if chunk_of(step) is None else 2)
    return {step: _message_for(job_id, step) for step in ordered}


def _message_for(job_id: str, step: str) -> StepMessage:
    chunk = chunk_of(step)
    if chunk is not None:
        return EncodeChunk() if chunk else EncodeFront(job_id)
    if step == PLAN:
        return PlanEncode(job_id)
    if step == PREPARE:
        return PrepareEncode(job_id)
    if step == PUBLISH:
        return PublishTitle(job_id)
    return EncodeAudio(job_id, step.partition(" ")[2])
