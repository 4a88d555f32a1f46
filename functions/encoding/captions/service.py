"""Begin automatic captions for the titles that get some, and request their steps."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.encoding.captions.rule import CaptionsMode, captioned_by
from functions.encoding.captions_encode import captions_step, missing_pieces
from functions.encoding.steps import being_encoded
from functions.platform.messages import MakeCaptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from functions.encoding.captions.ports import Captions
    from functions.encoding.claims import Claims
    from functions.encoding.lifecycle import JobLifecycle
    from functions.encoding.model import EncodeJob
    from functions.encoding.ports import EncodeJobs
    from functions.encoding.spending.budget import EncodeBudget
    from functions.platform.queues import Queues

log = logging.getLogger(__name__)

DECIDE_AGAIN_AFTER = timedelta(days=1)
"""A title that gets no captions is considered again then, because the settings may have changed."""

DECIDED_AT_ONCE = 20
READ_AT_ONCE = 8
"""How many titles are considered, and how many unfinished captions are read, each time the timer runs."""


class CaptionsService:
    """Decides which titles get automatic captions; `languages` are those that the model knows."""

    def __init__(
        self,
        mode: CaptionsMode,
        languages: Sequence[str],
        jobs: EncodeJobs,
        captions: Captions,
        claims: Claims,
        lifecycle: JobLifecycle,
        budget: EncodeBudget,
        queues: Callable[[], Queues],
        now: Callable[[], datetime],
    ) -> None:
        self._mode = mode
        self._languages = languages
        self._jobs = jobs
        self._captions = captions
        self._claims = claims
        self._lifecycle = lifecycle
        self._budget = budget
        self._queues = queues
        self._now = now

    def start_due(self) -> int:
        """Begin the captions of titles that get some, and request the steps of captions; return their number.

        Steps are requested as soon as no film is being encoded, unless messages wait in the queue.
        """
        if self._mode is CaptionsMode.NEVER:
            return 0
        now = self._now()
        again_at = now + DECIDE_AGAIN_AFTER
        due = self._captions.take_undecided(now=now, again_at=again_at, limit=DECIDED_AT_ONCE)
        begun = [job_id for job_id in due if self._begins(self._jobs.get_job(job_id))]
        if begun:
            log.info("%d titles get automatic captions", len(begun))
        return self._request_steps()

    def _begins(self, job: EncodeJob) -> bool:
        """Begin the captions of a job if it gets some; return whether they were begun."""
        captioned = captioned_by(job, self._mode, self._languages)
        if captioned is None or not self._lifecycle.is_published(job):
            return False
        return self._captions.begin_encode(job.id, at=self._now(), captioned=captioned)

    def _request_steps(self) -> int:
        """Enqueue a message for each piece that no encoder works on, and one for captions that have all pieces."""
        unfinished = self._captions.list_unfinished(limit=READ_AT_ONCE)
        if not unfinished or self._budget.permitted(being_encoded(self._jobs.list_work())):
            return 0
        if self._queues().has_waiting(MakeCaptions.QUEUE):
            return 0
        held = self._claims.held()
        count = 0
        for job in map(self._jobs.get_job, unfinished):
            missing = missing_pieces(job)
            count += sum((job.id, captions_step(piece)) not in held for piece in missing) if missing else 1
        self._queues().send_all(MakeCaptions() for _ in range(count))
        return count
