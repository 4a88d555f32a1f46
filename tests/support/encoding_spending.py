"""What encodes have cost, in memory; tests/integration/encoding/test_spending_store.py tests the same contract."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.encoding_jobs import MemoryEncodeJobs


class MemorySpending:
    """What encodes have cost, in memory; the costs of jobs are those of `jobs`. If `away` is set, methods raise it."""

    def __init__(self, jobs: MemoryEncodeJobs) -> None:
        self.away: Exception | None = None
        self.months: dict[str, float] = {}
        self._jobs = jobs
        self._announced: dict[str, float] = {}
        self._lock = RLock()

    def spent_s(self, month: str) -> float:
        with self._answering():
            return self.months.get(month, 0.0)

    def spent_since(self, month: str) -> dict[str, float]:
        with self._answering():
            return {name: seconds for name, seconds in self.months.items() if name >= month and seconds}

    def add_below(self, month: str, seconds: float, *, limit_s: float) -> bool:
        with self._answering():
            if self.months.get(month, 0.0) + seconds > limit_s:
                return False
            self.months[month] = self.months.get(month, 0.0) + seconds
            return True

    def add(self, month: str, seconds: float) -> None:
        with self._answering():
            self.months[month] = self.months.get(month, 0.0) + seconds

    def add_to_job(self, job_id: str, seconds: float) -> None:
        with self._answering():
            self._jobs.replica_s[job_id] = self._jobs.replica_s.get(job_id, 0.0) + seconds

    def is_announced(self, month: str, limit_s: float) -> bool:
        with self._answering():
            return self._announced.get(month) == limit_s

    def note_announced(self, month: str, limit_s: float) -> None:
        with self._answering():
            self._announced[month] = limit_s

    def _answering(self) -> RLock:
        if self.away:
            raise self.away
        return self._lock


class MemoryEncodeLimit:
    """The limit that an owner has set, in memory; if `away` is set, methods raise it."""

    def __init__(self) -> None:
        self.away: Exception | None = None
        self._usd: int | None = None

    def find_limit_usd(self) -> int | None:
        self._answer()
        return self._usd

    def store_limit_usd(self, usd: int | None) -> None:
        self._answer()
        self._usd = usd

    def _answer(self) -> None:
        if self.away:
            raise self.away
