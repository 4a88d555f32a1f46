"""The renditions of a title that are made when viewers want it: which they are, and how far their encode is.

With `ENCODE_RENDITIONS=on-demand`, an upload is encoded in its best rendition and in one for mobile networks only. When
somebody opens the title, the others are encoded from the original on the same frame grid, so all renditions have the
same segments. They are removed once nobody has opened the title for `RENDITIONS_KEPT_DAYS`, and made again when
somebody does.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - msgspec reads the annotations when it decodes a stored job
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from functions.encoding.spending.costs import CORE_S_PER_MEGAPIXEL, FILL
from functions.encoding.upkeep.retention import REPLACED_KEPT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

    from functions.encoding.frame_grid import FrameGrid
    from functions.encoding.model import EncodeJob, EncodePlan
    from functions.encoding.renditions import Rendition

MOBILE_KBPS = 1000
"""The rendition for mobile networks is the best one whose maximum bitrate is no higher."""

MOST_ATTEMPTS = 5
"""How many attempts at a chunk may fail before the encode is given up."""

REMOVED_KEPT = REPLACED_KEPT
"""How long the files are kept after manifests have ceased to list them: somebody may have begun just before."""

REUSED = REMOVED_KEPT - timedelta(hours=1)
"""Until when files that are no longer listed can be listed again; afterwards, they may be deleted at any moment."""

TRIED_AGAIN = timedelta(days=1)
"""An encode that was given up begins anew when somebody opens the title this long afterwards."""


class OnDemandStatus(StrEnum):
    """The state of the renditions: `leaving` until no manifest lists them any more, `removed` afterwards."""

    ENCODING = "encoding"
    COMPLETE = "complete"
    LEAVING = "leaving"
    REMOVED = "removed"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class OnDemandEncode:
    """The encode of the renditions that are made on demand; `reason` is the sentence that says why it was given up.

    `done` has the indices of the stored chunks, `sizes` the bytes of each of them, `size` their sum, and `codecs` the
    codec of each rendition. `cpu_s` is the CPU time of all encodes, also of those whose results were removed.
    `attempts` has the number of attempts at each chunk that were begun and have not succeeded. `edition` grows whenever
    the manifests begin or cease to list the renditions, so that a newer manifest replaces an older one. `ended_at` is
    None until the manifests say whether they are complete.
    """

    status: OnDemandStatus
    begun_at: datetime
    done: frozenset[int] = frozenset()
    sizes: Mapping[str, int] = field(default_factory=dict)
    size: int = 0
    cpu_s: float = 0.0
    codecs: Mapping[str, str] = field(default_factory=dict)
    attempts: Mapping[str, int] = field(default_factory=dict)
    reason: str | None = None
    ended_at: datetime | None = None
    edition: int = 0

    @property
    def is_complete(self) -> bool:
        """Return whether manifests list the renditions."""
        return self.status is OnDemandStatus.COMPLETE

    @property
    def is_ending(self) -> bool:
        """Return whether the encode is complete or was given up, but the manifests may not say so yet."""
        return self.status in (OnDemandStatus.COMPLETE, OnDemandStatus.ABANDONED) and self.ended_at is None

    @property
    def expires_at(self) -> datetime | None:
        """Return when the files may be deleted; None while they are needed."""
        if self.status not in (OnDemandStatus.REMOVED, OnDemandStatus.ABANDONED) or self.ended_at is None:
            return None
        return self.ended_at + REMOVED_KEPT

    def may_begin(self, now: datetime) -> bool:
        """Return whether an encode that has ended begins again when somebody opens the title."""
        if self.status is OnDemandStatus.ABANDONED and self.ended_at:
            return now >= self.ended_at + TRIED_AGAIN
        return self.status is OnDemandStatus.REMOVED

    def begun_again(self, now: datetime) -> OnDemandEncode:
        """Return the encode as it begins again; files that cannot be deleted meanwhile need not be made again."""
        begun = replace(self, status=OnDemandStatus.ENCODING, begun_at=now, ended_at=None, reason=None, attempts={})
        is_stored = self.status is OnDemandStatus.REMOVED and self.ended_at and now < self.ended_at + REUSED
        return begun if is_stored else replace(begun, done=frozenset(), sizes={}, size=0)


@dataclass(frozen=True, slots=True)
class OnDemandRendition:
    """A rendition that is made on demand, with estimates: its bytes, and the CPU time that making it takes."""

    name: str
    width: int
    height: int
    size: int
    cpu_s: float


def split_renditions(
    renditions: Sequence[Rendition], *, copies: int
) -> tuple[tuple[Rendition, ...], tuple[Rendition, ...]]:
    """Return the renditions that are encoded at once, and those that are made on demand; both best first.

    At once, there are the best rendition and the one for mobile networks. Copied pictures, of which there are `copies`
    renditions, are the best one already.
    """
    mobile = next((each for each in renditions if each.maxrate_kbps <= MOBILE_KBPS), renditions[-1])
    chosen = {mobile.name} if copies else {mobile.name, renditions[0].name}
    return (
        tuple(each for each in renditions if each.name in chosen),
        tuple(each for each in renditions if each.name not in chosen),
    )


def estimates_of(renditions: Sequence[Rendition], grid: FrameGrid) -> tuple[OnDemandRendition, ...]:
    """Return the renditions of a film with their estimates."""
    lasts: Fraction = grid.seconds(grid.frames)
    return tuple(
        OnDemandRendition(
            each.name,
            each.width,
            each.height,
            size=int(each.maxrate_kbps * 125 * lasts * FILL),
            cpu_s=round(each.width * each.height / 1e6 * grid.frames * CORE_S_PER_MEGAPIXEL, 1),
        )
        for each in renditions
    )


def on_demand_plan(plan: EncodePlan) -> EncodePlan:
    """Return the plan by which the renditions on demand are encoded: the same frames in the same segments."""
    return replace(plan, renditions=plan.on_demand, on_demand=())


def on_demand_step(chunk: int) -> str:
    """Return the name of the step that encodes a chunk of the renditions; claims are stored under it."""
    return f"on demand {chunk}"


def is_on_demand(step: str) -> bool:
    """Return whether a step encodes renditions on demand."""
    return step.startswith("on demand ")


def missing_on_demand(job: EncodeJob) -> tuple[int, ...]:
    """Return the indices of the chunks that an unfinished encode lacks, in order; none if there is no encode."""
    if job.plan is None or job.on_demand is None or job.on_demand.status is not OnDemandStatus.ENCODING:
        return ()
    return tuple(chunk.index for chunk in job.plan.chunks if chunk.index not in job.on_demand.done)


def listed_on_demand(job: EncodeJob) -> OnDemandEncode | None:
    """Return the encode whose renditions manifests list: it is complete; otherwise None."""
    return job.on_demand if job.on_demand and job.on_demand.status is OnDemandStatus.COMPLETE else None
