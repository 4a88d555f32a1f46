"""Queries for the jobs that are due to be verified or swept, in the collection of encode jobs.

Each due time is a field with an index of its own, and a job that is not due has null in it. A query therefore reads
only the jobs that are due.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pymongo import ASCENDING, DESCENDING

from functions.encoding.job_documents import NOT_IN_SUMMARY, summary_of
from functions.encoding.model import OPEN, JobStatus
from functions.encoding.upkeep.retention import SWEEP_RULES, sweep_time
from functions.platform.mongo import store_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from pymongo.collection import Collection

    from functions.encoding.model import JobSummary

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""A lower bound for ranges of an index; without one, some stores scan every null."""


class MongoJobUpkeep:
    """The collection `encode_jobs`, searched by due times; their indexes are created at first use."""

    def __init__(self, collection: Collection[dict[str, Any]], now: Callable[[], datetime]) -> None:
        self._collection = collection
        self._now = now
        self._prepared = False

    @store_errors
    def take_unverified(self, *, now: datetime, again_at: datetime, limit: int) -> list[str]:
        ready = {"status": str(JobStatus.READY)}
        return [str(found["_id"]) for found in self._take("verify_at", ready, now, again_at, limit)]

    @store_errors
    def take_unswept(self, *, now: datetime, again_at: datetime, limit: int) -> list[JobSummary]:
        ended = {"status": {"$nin": [str(status) for status in OPEN]}}
        return [summary_of(found) for found in self._take("sweep_at", ended, now, again_at, limit)]

    @store_errors
    def note_swept(self, job_id: str, *, taken_until: datetime, sweep_at: datetime | None) -> None:
        self._jobs().update_one({"_id": job_id, "sweep_at": taken_until}, {"$set": {"sweep_at": sweep_at}})

    @store_errors
    def schedule_sweep(self, job_id: str, *, at: datetime) -> None:
        while (found := self._jobs().find_one({"_id": job_id}, {"sweep_at": 1})) is not None:
            due = found.get("sweep_at")
            unchanged = {"_id": job_id, "sweep_at": due}
            if self._jobs().update_one(unchanged, {"$set": {"sweep_at": sweep_time(due, at)}}).matched_count:
                return

    @store_errors
    def summaries_of_title(self, title_id: str) -> list[JobSummary]:
        newest_first = [("created_at", DESCENDING)]
        return [
            summary_of(found) for found in self._jobs().find({"title_id": title_id}, NOT_IN_SUMMARY, sort=newest_first)
        ]

    def _take(
        self, field: str, chosen: dict[str, Any], now: datetime, again_at: datetime, limit: int
    ) -> list[dict[str, Any]]:
        """Return jobs whose time `field` has come, longest due first, and move the time; another caller skips them."""
        due = {field: {"$gt": _EARLIEST, "$lte": now}, **chosen}
        found = self._jobs().find(due, NOT_IN_SUMMARY, sort=[(field, ASCENDING)], limit=limit)
        taken = []
        for document in list(found):
            unchanged = {"_id": document["_id"], field: document[field]}
            if self._jobs().update_one(unchanged, {"$set": {field: again_at}}).matched_count:
                taken.append(document)
        return taken

    def _jobs(self) -> Collection[dict[str, Any]]:
        """Return the collection; at first use, create its indexes, and make due what earlier rules have swept."""
        if not self._prepared:  # no lock: preparing twice is harmless
            self._collection.create_index([("verify_at", ASCENDING)])
            self._collection.create_index([("sweep_at", ASCENDING)])
            self._collection.create_index([("sweep_rules", ASCENDING)])
            earlier = {"sweep_rules": {"$in": [None, *range(SWEEP_RULES)]}}
            self._collection.update_many(earlier, {"$set": {"sweep_at": self._now(), "sweep_rules": SWEEP_RULES}})
            self._prepared = True
        return self._collection
