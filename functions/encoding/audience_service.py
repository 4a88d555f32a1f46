"""What viewers of a growing film can watch; encoders take the chunk for which a viewer waits before all others."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from functions.encoding.audience import (
    FRONT_MANIFEST,
    MOST_PARTS,
    ChunkWait,
    WatchablePart,
    chunk_at,
    part_manifest,
    part_with,
)
from functions.encoding.model import JobStatus
from functions.platform.errors import NotFound
from functions.platform.messages import PublishTitle

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.encoding.model import JobSummary
    from functions.encoding.ports import AudienceStore, EncodeJobs
    from functions.platform.queues import Queues

LAST_S = 1.0
"""A position in the last second of a film counts as the beginning of that second: a film may be a little shorter than
planned."""


class EncodeAudience:
    """The audience of films that are being encoded."""

    def __init__(
        self, jobs: EncodeJobs, store: AudienceStore, queues: Callable[[], Queues], now: Callable[[], datetime]
    ) -> None:
        self._jobs = jobs
        self._store = store
        self._queues = queues
        self._now = now

    def request_position(
        self, job_id: str, *, title_id: str, position_s: float, viewer: str
    ) -> tuple[WatchablePart, ...]:
        """Return the parts of a film that can be watched; if none has the position, its chunk is encoded next.

        `viewer` identifies a player: a later request replaces the chunk for which the player waits. Repeated requests
        for the same chunk change nothing. Raises NotFound unless the job belongs to the title.
        """
        job = self._jobs.find_summary(job_id)
        if job is None or job.title_id != title_id:
            raise NotFound("This film has been replaced or removed; open it again.")
        position_s = min(position_s, max(0.0, (job.duration_s or 0.0) - LAST_S))
        parts = watchable_parts(job)
        if job.status is JobStatus.ENCODING and not any(part.covers(position_s) for part in parts):
            self._await_position(job, position_s, hashlib.sha256(viewer.encode()).hexdigest()[:16])
        return parts

    def _await_position(self, summary: JobSummary, position_s: float, viewer: str) -> None:
        """Have the chunk at a position encoded next, unless the viewer waits for it already.

        Copied pictures are listed to their end within seconds, so nobody waits for an encoded chunk of such a film.
        """
        now = self._now()
        known = summary.audience.waits.get(viewer)
        if known and known.covers(position_s) and known.is_valid(now):
            return
        job = self._jobs.get_job(summary.id)
        plan = job.current_plan
        if plan is None or plan.copied:
            return
        chunk = chunk_at(plan, position_s)
        from_s, until_s = (float(plan.grid.seconds(frame)) for frame in (chunk.first_frame, chunk.end_frame))
        begins_part = part_with(job, chunk.index) is None and len(job.audience.parts) < MOST_PARTS
        wait = ChunkWait(chunk.index, from_s, until_s, now)
        stored = self._store.add_wait(job, viewer, wait, begins_part=begins_part)
        if stored and begins_part and chunk.index in job.chunks_done:
            self._queues().send_all([PublishTitle(job.id)])


def watchable_parts(job: JobSummary) -> tuple[WatchablePart, ...]:
    """Return the parts of a film that are listed: its front, then the others in order."""
    parts = sorted((part.from_s, part.until_s, int(chunk)) for chunk, part in job.audience.parts.items())
    listed = [WatchablePart(begin, end, part_manifest(chunk)) for begin, end, chunk in parts if end > begin]
    return (WatchablePart(0.0, job.front_s, FRONT_MANIFEST), *listed)
