"""What a step of an encode did, and the messages by which the work goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.platform.messages import EncodeAudio, EncodeChunk, PlanEncode, PublishTitle

if TYPE_CHECKING:
    from functions.encoding.model import EncodeJob

type StepMessage = PlanEncode | EncodeChunk | EncodeAudio | PublishTitle


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What a step did.

    `job` is the job after the step, None if it could not be read. `messages` are to be sent, hidden for `delay_s`.
    `ended` says that this step made the job ready or failed. `encode_s` is how long the encode of a chunk took.
    """

    job: EncodeJob | None
    messages: tuple[StepMessage, ...] = ()
    delay_s: int = 0
    ended: bool = False
    encode_s: float | None = None


def missing_work(job: EncodeJob) -> tuple[StepMessage, ...]:
    """Return the messages of all that is left to do of a job, those for its first picture and first sound first."""
    if job.plan is None:
        return (PlanEncode(job.id),)
    chunks = [EncodeChunk(job.id, index) for index in job.missing_chunks]
    tracks = [EncodeAudio(job.id, name) for name in job.missing_tracks]
    return (*chunks[:1], *tracks, *chunks[1:]) or (PublishTitle(job.id),)


def step_of(message: StepMessage) -> tuple[str, dict[str, str | int]]:
    """Return the name of the step that a message asks for, and what tells it apart from steps of the same name."""
    match message:
        case EncodeChunk():
            return "chunk", {"chunk": message.chunk}
        case EncodeAudio():
            return "track", {"track": message.track}
        case PlanEncode():
            return "plan", {}
        case PublishTitle():
            return "publish", {}
