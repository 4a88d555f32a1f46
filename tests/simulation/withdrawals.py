"""Titles that the owner withdraws: only an upload that arrives afterwards may bring one back."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from functions import bootstrap
from functions.catalogue.model import Status
from functions.encoding.model import OPEN
from functions.platform.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from functions.encoding.model import EncodeJob
    from tests.simulation.kernel import Simulation
    from tests.support.catalogue import MemoryTitles
    from tests.support.encoding_jobs import MemoryEncodeJobs


class Withdrawals:
    """What was withdrawn in a run, and when."""

    def __init__(self, simulation: Simulation, titles: MemoryTitles, jobs: MemoryEncodeJobs) -> None:
        self._simulation = simulation
        self._titles = titles
        self._jobs = jobs
        self._running: Counter[str] = Counter()
        self._ended: dict[str, set[str]] = {}
        """The jobs that the withdrawal of a title has ended for good."""
        self.at: dict[str, datetime] = {}

    def __contains__(self, title_id: str) -> bool:
        """Return whether a title was ever withdrawn."""
        return title_id in self.at

    def withdraw(self, title_id: str) -> None:
        """Withdraw a title as the route does."""
        self.at[title_id] = self._simulation.now
        self._running[title_id] += 1
        try:
            bootstrap.catalogue().withdraw_title(title_id)
            bootstrap.encodes().end_withdrawn(title_id)
        except NotFound:
            if self._running[title_id] == 1:  # otherwise, an earlier try is suspended, and may still withdraw it
                self.at.pop(title_id, None)
        else:
            title, jobs = self._titles.get(title_id), self._jobs_of(title_id)
            if title and title.status is Status.WITHDRAWN and not any(job.status in OPEN for job in jobs):
                self._ended.setdefault(title_id, set()).update(job.id for job in jobs)
        finally:
            self._running[title_id] -= 1

    def broken(self) -> Iterator[str]:
        """Yield a sentence for each title that is back, although nothing has arrived since it was withdrawn."""
        for title_id, ended in sorted(self._ended.items()):
            title, jobs = self._titles.get(title_id), self._jobs_of(title_id)
            if title and title.status is not Status.WITHDRAWN and {job.id for job in jobs} <= ended:
                yield f"{title_id} was withdrawn, but is {title.status} without another upload: {title.failure}"

    def _jobs_of(self, title_id: str) -> list[EncodeJob]:
        return [job for job in self._jobs.all_jobs() if job.title_id == title_id]
