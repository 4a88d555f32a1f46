"""What an encode costs in Azure: estimated from its plan, and computed from the time that encoders spent on it.

An encoder is billed by the second for the whole replica, so times are measured in replica-seconds: seconds of one
replica of `infra/encoder.bicep`. Amounts are millionths of a US dollar, from the list prices of `platform.prices`. The
free grants of a month are ignored, so a bill can only be lower. If Notflix runs on a single machine, the figures say
what the same work would cost in Azure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from functions.platform.prices import usd

if TYPE_CHECKING:
    from functions.encoding.model import Chunk, EncodePlan

CORES = 4
MEMORY_GIB = 8
"""The size of a replica in `infra/encoder.bicep`."""

CORE_S_PER_MEGAPIXEL = 0.0174
"""Core-seconds for a million encoded pixels with the preset `veryfast`, decoding and sound included.

Measured: 1.6 core-hours for an hour of film of 24 frames per second, with the five rungs of 1080p (3.84 megapixels per
frame in all). Other presets take longer; the measured cost takes that into account.
"""

START_S = 60
"""How long a replica is billed before it takes its first message."""

COOL_DOWN_S = 300
"""How long, at most, an idle replica is billed before the platform stops it."""

WAKE_S = START_S + COOL_DOWN_S

PLAN_S = 30
"""Replica-seconds that are set aside for planning a film, or for encoding one of its tracks."""

CHUNKS_PER_REPLICA = 4
MOST_REPLICAS = 10
"""The defaults of `infra/encoder.bicep`: how many waiting chunks start another replica, and the maximum."""

FILL = 0.84
"""The average bitrate of a rendition, relative to its maximum: an hour of 1080p with five rungs takes 4 GB."""

GB = 10**9


@dataclass(frozen=True, slots=True)
class EncodeCost:
    """The estimated and the measured replica-seconds of a job, and the estimated size of its film in bytes.

    Each is 0 until it is known.
    """

    estimate_s: float = 0.0
    replica_s: float = 0.0
    estimate_size: int = 0


NO_COST = EncodeCost()


@dataclass(frozen=True, slots=True)
class MonthSpending:
    """How many replica-seconds the encodes of a month have used; `limit_s` is None if they are not limited.

    `until` is the beginning of the next month.
    """

    month: str
    until: datetime
    spent_s: float
    limit_s: float | None = None

    @property
    def left_s(self) -> float:
        """Return how many replica-seconds may still be used."""
        return float("inf") if self.limit_s is None else self.limit_s - self.spent_s


def replica_microusd(seconds: float) -> int:
    """Return the price of replica-seconds."""
    return round(seconds * (CORES * usd("containers-vcpu-s") + MEMORY_GIB * usd("containers-gib-s")) * 1e6)


def replica_s_for(limit_usd: int) -> float:
    """Return how many replica-seconds can be bought for an amount."""
    return limit_usd * 1e6 / replica_microusd(1)


def storage_microusd(size: int) -> int:
    """Return the price of storing bytes for a month."""
    return round(size / GB * usd("storage") * 1e6)


def estimated_s(plan: EncodePlan) -> float:
    """Return the replica-seconds that an encode will take, including the time to start and stop its replicas."""
    replicas = min(MOST_REPLICAS, -(-len(plan.chunks) // CHUNKS_PER_REPLICA))
    tracks = PLAN_S * len(plan.tracks) / CORES
    return round(sum(chunk_s(plan, chunk) for chunk in plan.chunks) + tracks + replicas * WAKE_S, 1)


def estimated_size(plan: EncodePlan) -> int:
    """Return the number of bytes that a film will take in storage, without a provisional rendition."""
    copied = (plan.copied.rendition,) if plan.copied and not plan.copied.is_provisional else ()
    kbps = sum(rendition.maxrate_kbps for rendition in (*copied, *plan.renditions)) * FILL
    kbps += sum(audio.bitrate_kbps for audio in plan.audio)
    return int(kbps * 125 * plan.duration)


def estimate_fields(plan: EncodePlan) -> dict[str, float]:
    """Return the fields of a stored job that have its estimates."""
    return {"cost.estimate_s": estimated_s(plan), "cost.estimate_size": estimated_size(plan)}


def chunk_s(plan: EncodePlan, chunk: Chunk) -> float:
    """Return the replica-seconds that a chunk will take if the whole replica works on it."""
    pixels = sum(rendition.width * rendition.height for rendition in plan.renditions)
    megapixels = (chunk.end_frame - chunk.first_frame) * pixels / 1e6
    return megapixels * CORE_S_PER_MEGAPIXEL / CORES


def month_of(now: datetime) -> str:
    """Return the month of a time, such as 2026-11."""
    return f"{now.astimezone(UTC):%Y-%m}"


def next_month(now: datetime) -> datetime:
    """Return the beginning of the month after a time."""
    year, month = divmod(now.astimezone(UTC).year * 12 + now.astimezone(UTC).month, 12)
    return datetime(year, month + 1, 1, tzinfo=UTC)
