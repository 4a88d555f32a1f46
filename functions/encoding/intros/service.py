"""Request the comparison of episodes whose season has changed since they were compared.

What must be compared follows from the catalogue and from what is stored in the jobs. So a lost message, a new encode,
or a title that becomes an episode of another season leads to a comparison without anybody having to say so.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.encoding.intros.season import job_of, neighbourhoods
from functions.encoding.steps import being_encoded
from functions.platform.messages import FindIntros

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.catalogue.service import Catalogue
    from functions.encoding.intros.ports import Comparisons
    from functions.encoding.ports import EncodeJobs
    from functions.encoding.spending.budget import EncodeBudget
    from functions.platform.queues import Queues

log = logging.getLogger(__name__)

AGAIN_AFTER = timedelta(hours=6)
"""A title is considered again then: somebody may have made it an episode, or a message may have been lost."""

TAKEN_AT_ONCE = 200
"""How many titles are considered each time the timer runs."""


class IntroService:
    """Finds out which episodes must be compared."""

    def __init__(
        self,
        jobs: EncodeJobs,
        comparisons: Comparisons,
        catalogue: Catalogue,
        budget: EncodeBudget,
        queues: Callable[[], Queues],
        now: Callable[[], datetime],
        *,
        enabled: bool,
    ) -> None:
        self._jobs = jobs
        self._comparisons = comparisons
        self._catalogue = catalogue
        self._budget = budget
        self._queues = queues
        self._now = now
        self._enabled = enabled

    def request_due(self) -> int:
        """Enqueue a message for each episode that must be compared; return their number.

        Nothing is requested while films are being encoded, or while such messages wait in their queue.
        """
        if not self._enabled or self._budget.permitted(being_encoded(self._jobs.list_work())):
            return 0
        if self._queues().has_waiting(FindIntros.QUEUE):
            return 0
        now = self._now()
        due = self._comparisons.take_due(now=now, again_at=now + AGAIN_AFTER, limit=TAKEN_AT_ONCE)
        titles = self._catalogue.known((each.title_id for each in due), drafts=True)
        wanted: dict[str, None] = {}
        for each in due:
            title = titles.get(each.title_id)
            if title is None or (title.playback and title.playback.job_id != each.job_id):
                self._comparisons.drop_job(each.job_id)
            elif each.job_id not in wanted and title.details.series:
                wanted |= dict.fromkeys(self._changed_in_season(title.id))
        self._queues().send_all(FindIntros(job_id) for job_id in wanted)
        if wanted:
            log.info("the sound of %d episodes is compared", len(wanted))
        return len(wanted)

    def _changed_in_season(self, title_id: str) -> list[str]:
        """Return the jobs of those episodes of a season that have others near them than when they were compared."""
        season = self._catalogue.season_of(title_id)
        known = self._comparisons.compared_with([job_of(episode) for episode in season]) if season else {}
        found = ((job_of(each.episode), each.digest) for each in neighbourhoods(season))
        return [job_id for job_id, digest in found if known.get(job_id) != digest]
