"""Begin encodes in AV1 for the titles that are worth it, and request their steps."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.encoding.av1.rule import Av1Mode, av1_case, av1_estimated_s
from functions.encoding.av1_encode import av1_renditions, av1_step, missing_av1
from functions.platform.messages import EncodeAv1

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.encoding.av1.ports import Av1Encodes
    from functions.encoding.claims import Claims
    from functions.encoding.lifecycle import JobLifecycle
    from functions.encoding.model import EncodeJob
    from functions.encoding.ports import EncodeJobs
    from functions.encoding.spending.budget import EncodeBudget
    from functions.platform.queues import Queues

log = logging.getLogger(__name__)

DECIDE_AGAIN_AFTER = timedelta(days=1)
"""A title that is not worth it, or for which the limit of the month does not suffice, is considered again then."""

DECIDED_AT_ONCE = 20
READ_AT_ONCE = 8
"""How many titles are considered, and how many unfinished encodes are read, each time the timer runs."""

EVERY_TITLE = "Every title is encoded in AV1 too."


class Av1Service:
    """Decides which titles are encoded in AV1; `watched_min` returns the minutes that devices with AV1 have watched."""

    def __init__(
        self,
        mode: Av1Mode,
        jobs: EncodeJobs,
        encodes: Av1Encodes,
        claims: Claims,
        lifecycle: JobLifecycle,
        budget: EncodeBudget,
        queues: Callable[[], Queues],
        watched_min: Callable[[str], int],
        now: Callable[[], datetime],
        *,
        egress_usd: float,
    ) -> None:
        self._mode = mode
        self._jobs = jobs
        self._encodes = encodes
        self._claims = claims
        self._lifecycle = lifecycle
        self._budget = budget
        self._queues = queues
        self._watched_min = watched_min
        self._now = now
        self._egress_usd = egress_usd

    def start_due(self) -> int:
        """Begin the encodes of titles that are worth it, and request the steps of encodes; return their number.

        Steps are requested as soon as no film is being encoded, unless messages wait in the queue.
        """
        if self._mode is Av1Mode.NEVER:
            return 0
        now = self._now()
        begun = [
            job_id
            for job_id in self._encodes.take_undecided(
                now=now, again_at=now + DECIDE_AGAIN_AFTER, limit=DECIDED_AT_ONCE
            )
            if self._begins(self._jobs.get_job(job_id))
        ]
        if begun:
            log.info("%d titles are encoded in AV1", len(begun))
        return self._request_steps()

    def _begins(self, job: EncodeJob) -> bool:
        """Begin the encode of a job if it is worth it; return whether it was begun.

        Titles that are too small for the encoder have only H.264.
        """
        plan = job.current_plan
        if plan is None or not av1_renditions(plan) or not self._lifecycle.is_published(job):
            return False
        reason: str | None = EVERY_TITLE
        if self._mode is Av1Mode.RULE:
            watched_h = self._watched_min(job.title_id) / 60
            case = av1_case(job, plan, watched_h=watched_h, egress_usd=self._egress_usd)
            reason = (
                f"Watched for {watched_h:.0f} h; AV1 pays from {case.break_even_h:.0f} h on." if case.pays else None
            )
        if reason is None or self._budget.this_month().left_s < av1_estimated_s(plan):
            return False
        return self._encodes.begin_encode(job.id, at=self._now(), reason=reason)

    def _request_steps(self) -> int:
        """Enqueue a message for each chunk that no encoder works on, and one for each encode that has all chunks."""
        unfinished = self._encodes.list_unfinished(limit=READ_AT_ONCE)
        if not unfinished or self._budget.permitted(self._jobs.list_work()):
            return 0
        if self._queues().has_waiting(EncodeAv1.QUEUE):
            return 0
        held = self._claims.held()
        count = 0
        for job in map(self._jobs.get_job, unfinished):
            missing = missing_av1(job)
            count += sum((job.id, av1_step(chunk)) not in held for chunk in missing) if missing else 1
        self._queues().send_all(EncodeAv1() for _ in range(count))
        return count
