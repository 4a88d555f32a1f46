"""The viewers of a film that is being encoded: the chunks for which they wait, and the parts that they can watch.

A film becomes watchable from its start. If a viewer seeks past this front, encoders take the chunk under the play head
next, and the film is listed from there too. Such a *part* begins with a chunk and grows as the chunks after it are
finished. It has a manifest of its own, because an update of a manifest may only add segments to its end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping  # noqa: TC003 - msgspec reads the annotations when it decodes a stored job
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from functions.encoding.model import Chunk, EncodeJob, EncodePlan

FRONT_MANIFEST = "manifest.mpd"
"""The manifest of a film from its start."""

WAIT_LASTS = timedelta(minutes=10)
"""How long a chunk is preferred for a viewer who does not ask again; after that, the viewer has probably left."""

MOST_PARTS = 50
"""How many parts of a film are listed beside its front; each part that grows is one more manifest to write."""


@dataclass(frozen=True, slots=True)
class ChunkWait:
    """The chunk for which a viewer has waited since `at`, and the times in seconds at which the chunk begins and ends.

    A viewer waits for one chunk at a time.
    """

    chunk: int
    from_s: float
    until_s: float
    at: datetime

    def is_valid(self, now: datetime) -> bool:
        """Return whether the viewer may still be waiting."""
        return now - self.at < WAIT_LASTS

    def covers(self, position_s: float) -> bool:
        """Return whether a position is in the chunk."""
        return self.from_s <= position_s < self.until_s


@dataclass(frozen=True, slots=True)
class ListedPart:
    """A part of a film that begins with a chunk: its beginning and its listed end in seconds, 0 if it is not listed."""

    from_s: float
    until_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Audience:
    """Who waits for what: the waits by viewer, the time of the last wait, and the parts by the index of a chunk."""

    waits: Mapping[str, ChunkWait] = field(default_factory=dict)
    parts: Mapping[str, ListedPart] = field(default_factory=dict)
    waited_at: datetime | None = None

    def awaited(self, now: datetime) -> dict[int, datetime]:
        """Return the chunks for which viewers may be waiting, and since when; those awaited longest come first."""
        since: dict[int, datetime] = {}
        for wait in sorted(self.waits.values(), key=lambda each: (each.at, each.chunk)):
            if wait.is_valid(now):
                since.setdefault(wait.chunk, wait.at)
        return since


NO_AUDIENCE = Audience()


@dataclass(frozen=True, slots=True)
class WatchablePart:
    """A part of a film that can be watched, from `from_s` to `until_s` seconds, and the name of its manifest."""

    from_s: float
    until_s: float
    manifest: str

    def covers(self, position_s: float) -> bool:
        """Return whether a position is in the part."""
        return self.from_s <= position_s < self.until_s


def part_manifest(chunk: int) -> str:
    """Return the name of the manifest of the part that begins with a chunk."""
    return f"from{chunk:05d}.mpd"


def listed_parts(job: EncodeJob) -> list[int]:
    """Return the first chunks of the parts that have been listed beside the front."""
    return sorted(int(chunk) for chunk, part in job.audience.parts.items() if part.until_s > part.from_s)


def chunk_at(plan: EncodePlan, position_s: float) -> Chunk:
    """Return the chunk that contains a position; the last one for positions after the end."""
    frame = int(position_s * plan.grid.rate)
    index = bisect_right([chunk.first_frame for chunk in plan.chunks], frame) - 1
    return plan.chunks[max(0, index)]


def part_with(job: EncodeJob, chunk: int) -> int | None:
    """Return the first chunk of the part that a chunk extends; None if it must begin a new part. The front has 0."""
    missing = job.missing_chunks
    begins = sorted({0, *map(int, job.audience.parts)}, reverse=True)
    return next((begin for begin in begins if begin <= chunk and not _any_between(missing, begin, chunk)), None)


def _any_between(missing: Collection[int], begin: int, end: int) -> bool:
    return any(begin <= index < end for index in missing)
