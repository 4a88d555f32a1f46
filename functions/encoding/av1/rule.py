"""When a title is worth a second encode in AV1: the rule, its prices and its figures (decision 54).

The encode and the storage of its result cost money once the film is encoded; every hour that is watched in AV1 instead
of H.264 saves egress. Nobody knows how often a title will be watched. The rule expects as much as it has been watched
so far, which is the median of what follows if nothing else is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from functions.encoding.av1_encode import CAP, av1_renditions
from functions.encoding.spending.costs import (
    CHUNKS_PER_REPLICA,
    CORE_S_PER_MEGAPIXEL,
    CORES,
    FILL,
    GB,
    MOST_REPLICAS,
    WAKE_S,
    replica_microusd,
)
from functions.platform.prices import usd

if TYPE_CHECKING:
    from functions.encoding.model import Chunk, EncodeJob, EncodePlan

CPU_RATIO = 2.05
"""CPU time of SVT-AV1 with the preset of `av1_commands`, relative to x264 `veryfast`; measured, as are all figures of
`costs`."""

SAVED = 0.4
"""The share of the bytes of H.264 that AV1 saves a viewer: less than at equal quality, because not everybody gets the
best rendition."""

KEPT_MONTHS = 12
"""For how many months the result is stored while it is watched as much as expected."""


class Av1Mode(StrEnum):
    """Which titles are encoded in AV1, as set by ENCODE_AV1."""

    NEVER = "never"
    ALWAYS = "always"
    RULE = "rule"


@dataclass(frozen=True, slots=True)
class Av1Case:
    """What the rule knows about a title. Amounts are in US dollars.

    `watched_h` are the hours watched so far on devices that play AV1. `gb_per_h` are the gigabytes of an hour in the
    best rendition of H.264, `egress_usd` the price of one. `encode_usd` is the price of the encode in AV1, `size_gb`
    the size of its result, and `storage_usd` the price of storing a gigabyte for a month.
    """

    watched_h: float
    gb_per_h: float
    egress_usd: float
    encode_usd: float
    size_gb: float
    storage_usd: float

    @property
    def price_usd(self) -> float:
        """Return what the encode and the storage of its result cost."""
        return self.encode_usd + self.size_gb * self.storage_usd * KEPT_MONTHS

    @property
    def saved_per_h_usd(self) -> float:
        """Return what an hour watched in AV1 saves."""
        return self.gb_per_h * SAVED * self.egress_usd

    @property
    def break_even_h(self) -> float:
        """Return the hours from which on the encode pays; infinite if an hour saves nothing."""
        return self.price_usd / self.saved_per_h_usd if self.saved_per_h_usd > 0 else float("inf")

    @property
    def pays(self) -> bool:
        """Return whether the encode saves more than it costs if the title is watched as much again."""
        return self.watched_h >= self.break_even_h


def av1_case(job: EncodeJob, plan: EncodePlan, *, watched_h: float, egress_usd: float) -> Av1Case:
    """Return what is known about a ready job."""
    hours = float(plan.duration) / 3600
    return Av1Case(
        watched_h=watched_h,
        gb_per_h=_best_size(job, plan) / GB / hours,
        egress_usd=egress_usd,
        encode_usd=replica_microusd(av1_estimated_s(plan)) / 1e6,
        size_gb=sum(each.maxrate_kbps for each in av1_renditions(plan)) * FILL * 125 * float(plan.duration) / GB,
        storage_usd=usd("storage"),
    )


def av1_chunk_s(plan: EncodePlan, chunk: Chunk) -> float:
    """Return the replica-seconds that a chunk will take in AV1 if the whole replica works on it."""
    pixels = sum(rendition.width * rendition.height for rendition in av1_renditions(plan))
    return (chunk.end_frame - chunk.first_frame) * pixels / 1e6 * CORE_S_PER_MEGAPIXEL * CPU_RATIO / CORES


def av1_estimated_s(plan: EncodePlan) -> float:
    """Return the replica-seconds that an encode in AV1 will take, including the time to start and stop its replicas."""
    replicas = min(MOST_REPLICAS, -(-len(plan.chunks) // CHUNKS_PER_REPLICA))
    return round(sum(av1_chunk_s(plan, chunk) for chunk in plan.chunks) + replicas * WAKE_S, 1)


def _best_size(job: EncodeJob, plan: EncodePlan) -> float:
    """Return the bytes of the best rendition of H.264; if they are unknown, an estimate."""
    if plan.copied and (size := job.tracks[plan.copied.rendition.name].size):
        return size
    if job.receipt and job.receipt.renditions and not plan.copied:
        return job.receipt.renditions[0].size
    best_kbps = av1_renditions(plan)[0].maxrate_kbps / CAP
    return best_kbps * FILL * 125 * float(plan.duration)
