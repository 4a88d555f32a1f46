"""The second encode of a title, in AV1: which renditions it has, and how far it is.

It follows the encode in H.264, which stays published without it. Its segments are those of the frame grid
of the plan, so both encodes have the same segments. Nothing that goes wrong here affects the title.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - msgspec reads the annotations when it decodes a stored job
from dataclasses import dataclass, field, replace
from datetime import datetime  # noqa: TC003
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from functions.encoding.model import EncodeJob, EncodePlan
    from functions.encoding.renditions import Rendition

MOST_ATTEMPTS = 5
"""How many attempts at a chunk may fail before the encode in AV1 is given up."""

CAP = 0.6
"""The maximum bitrate of a rendition, relative to that of the same rung in H.264."""


SMALLEST = 64
"""SVT-AV1 refuses pictures with fewer pixels in width or height ("Source Height must be at least 64")."""


class Av1Status(StrEnum):
    """The state of an encode in AV1."""

    ENCODING = "encoding"
    COMPLETE = "complete"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Av1Result:
    """A stored chunk: the bytes of all its segments and, by rendition, the bitrate of the largest, in bits a second."""

    size: int
    peaks_bps: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Av1Encode:
    """An encode in AV1: `reason` is the sentence that says why it began or was abandoned.

    `done` has the indices of the stored chunks, `results` and `codecs` what is known about them and about their
    renditions. `attempts` has the number of attempts at each chunk that were begun and have not succeeded. `edition`
    grows whenever the manifests begin or cease to list AV1, so that a newer manifest replaces an older one. `ended_at`
    is None until the manifests say whether it is complete.
    """

    status: Av1Status
    begun_at: datetime
    reason: str
    done: frozenset[int] = frozenset()
    size: int = 0
    cpu_s: float = 0.0
    results: Mapping[str, Av1Result] = field(default_factory=dict)
    codecs: Mapping[str, str] = field(default_factory=dict)
    attempts: Mapping[str, int] = field(default_factory=dict)
    ended_at: datetime | None = None
    edition: int = 0

    @property
    def is_complete(self) -> bool:
        """Return whether manifests list the encode."""
        return self.status is Av1Status.COMPLETE

    @property
    def is_ending(self) -> bool:
        """Return whether the encode is complete or was given up, but the manifests may not say so yet."""
        return self.status is not Av1Status.ENCODING and self.ended_at is None


def av1_renditions(plan: EncodePlan) -> tuple[Rendition, ...]:
    """Return the renditions of an encode in AV1, best first: one for each rung of the ladder, copied or encoded.

    Rungs that the encoder refuses as too small are left out; there may be no other.
    """
    replaced = plan.copied.replaces if plan.copied else None
    rungs = ((replaced,) if replaced else ()) + plan.renditions
    return tuple(
        replace(rung, name=f"a{rung.name}", maxrate_kbps=max(1, round(rung.maxrate_kbps * CAP)))
        for rung in rungs
        if min(rung.width, rung.height) >= SMALLEST
    )


def av1_step(chunk: int) -> str:
    """Return the name of the step that encodes a chunk in AV1; claims are stored under it."""
    return f"av1 {chunk}"


def is_av1(step: str) -> bool:
    """Return whether a step encodes in AV1."""
    return step.startswith("av1 ")


def missing_av1(job: EncodeJob) -> tuple[int, ...]:
    """Return the indices of the chunks that an unfinished encode in AV1 lacks, in order; none if there is no encode."""
    if job.plan is None or job.av1 is None or job.av1.status is not Av1Status.ENCODING:
        return ()
    return tuple(chunk.index for chunk in job.plan.chunks if chunk.index not in job.av1.done)


def listed_av1(job: EncodeJob) -> Av1Encode | None:
    """Return the encode in AV1 that manifests list: it is complete; otherwise None."""
    return job.av1 if job.av1 and job.av1.status is Av1Status.COMPLETE else None
