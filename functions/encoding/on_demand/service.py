"""Begin the encodes of renditions that viewers want, and remove renditions that nobody wants any more."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.encoding.on_demand_encode import REMOVED_KEPT, missing_on_demand, on_demand_step
from functions.platform.messages import EncodeRenditions

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.encoding.claims import Claims
    from functions.encoding.on_demand.ports import OnDemandEncodes
    from functions.encoding.ports import EncodeJobs, JobUpkeep
    from functions.encoding.publication.manifests import ManifestPublisher
    from functions.platform.queues import Queues

log = logging.getLogger(__name__)

READ_AT_ONCE = 8
REMOVED_AT_ONCE = 20
"""How many unfinished encodes are read, and how many titles lose renditions, each time the timer runs."""


class RenditionDemand:
    """Notes that viewers open titles whose renditions are made on demand; `queues` are those that fail fast.

    `may_begin` counts an encode that an account begins, and returns false if these are too many.
    """

    def __init__(
        self,
        encodes: OnDemandEncodes,
        queues: Callable[[], Queues],
        now: Callable[[], datetime],
        may_begin: Callable[[str], bool],
    ) -> None:
        self._encodes = encodes
        self._queues = queues
        self._now = now
        self._may_begin = may_begin

    def want(self, job_id: str, *, by: str) -> None:
        """Note that the account `by` watches the film of a job; if its renditions are not there, begin to make them.

        Repeated calls begin one encode, and move it ahead of those that are no longer wanted. If the message is
        lost, the timer `sweep_titles` sends others.
        """
        now = self._now()
        encode = self._encodes.note_wanted(job_id, at=now)
        is_due = encode is None or encode.may_begin(now)
        if is_due and self._may_begin(by) and self._encodes.begin_encode(job_id, at=now):
            self._queues().send(EncodeRenditions(begins=job_id))


class RenditionUpkeep:
    """Requests what is not done yet, and removes renditions of titles that nobody has opened for `kept_days`.

    With `kept_days=0`, they are kept for good.
    """

    def __init__(
        self,
        jobs: EncodeJobs,
        encodes: OnDemandEncodes,
        upkeep: JobUpkeep,
        claims: Claims,
        publisher: Callable[[], ManifestPublisher],
        queues: Callable[[], Queues],
        now: Callable[[], datetime],
        *,
        kept_days: int,
    ) -> None:
        self._jobs = jobs
        self._encodes = encodes
        self._upkeep = upkeep
        self._claims = claims
        self._publisher = publisher
        self._queues = queues
        self._now = now
        self._kept_days = kept_days

    def request_steps(self) -> int:
        """Enqueue a message for each chunk that no encoder works on, and one for each encode that has all chunks.

        Nothing is enqueued while messages wait in the queue. Returns the number of messages.
        """
        unfinished = self._encodes.list_unfinished(limit=READ_AT_ONCE)
        if not unfinished or self._queues().has_waiting(EncodeRenditions.QUEUE):
            return 0
        held = self._claims.held()
        count = 0
        for job in map(self._jobs.get_job, unfinished):
            missing = missing_on_demand(job)
            count += sum((job.id, on_demand_step(chunk)) not in held for chunk in missing) if missing else 1
        self._queues().send_all(EncodeRenditions() for _ in range(count))
        return count

    def remove_unwanted(self) -> int:
        """Cease to list the renditions of titles that nobody has opened lately; return the number of titles.

        The sweep deletes their files once nobody can have begun to play them. The state changes before the manifests
        are written, and once more afterwards: files are deleted only when no manifest lists them any more.
        """
        if not self._kept_days:
            return 0
        since = self._now() - timedelta(days=self._kept_days)
        removed = 0
        for job_id in self._encodes.list_unwanted(since=since, limit=REMOVED_AT_ONCE):
            if not self._encodes.begin_removal(job_id, since=since):
                continue  # somebody has opened the title meanwhile
            self._publisher().publish_again(self._jobs.get_job(job_id))
            now = self._now()
            self._upkeep.schedule_sweep(job_id, at=now + REMOVED_KEPT)
            self._encodes.end_removal(job_id, at=now)
            removed += 1
        if removed:
            log.info("%d titles lost the renditions that nobody watches", removed)
        return removed
