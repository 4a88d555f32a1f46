"""The outcome of an encode step, and the messages that continue the work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.platform.messages import EncodeAudio, EncodeChunk, PlanEncode, PublishTitle

if TYPE_CHECKING:
    from functions.encoding.model import EncodeJob

type StepMessage = PlanEncode | EncodeChunk | EncodeAudio | PublishTitle


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """The outcome of a step.

    `job` is the job after the step, or None if it could not be read. `messages` must be sent; they stay invisible for
    `delay_s` seconds. `ended` is true if this step made the job ready or failed. `encode_s` is the duration of encoding
    a chunk, in seconds.
    """

    job: EncodeJob | None
    messages: tuple[StepMessage, ...] = ()
    delay_s: int = 0
    ended: bool = False
    encode_s: float | None = None


def missing_work(job: EncodeJob) -> tuple[StepMessage, ...]:
    """Return a message for each remaining step of a job; steps for the first picture and first sound come first."""
    if job.plan is None:
        return (PlanEncode(job.id),)
    chunks = [EncodeChunk(job.id, index) for index in job.missing_chunks]
    tracks = [EncodeAudio(job.id, name) for name in job.missing_tracks]
    return (*chunks[:1], *tracks, *chunks[1:]) or (PublishTitle(job.id),)


def step_of(message: StepMessage) -> tuple[str, dict[str, str | int]]:
    """Return the name of the step that a message requests, and attributes that identify the chunk or track."""
    match message:
        case EncodeChunk():
            return "chunk", {"chunk": message.chunk}
        case EncodeAudio():
            return "track", {"track": message.track}
        case PlanEncode():
            return "plan", {}
        case PublishTitle():
            return "publish", {}
