"""Comparisons of episodes in Mongo: `intros_due_at` and `intros_compared` in the documents of their jobs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pymongo import ASCENDING

from functions.encoding.intros.ports import DueJob
from functions.encoding.model import JobStatus
from functions.platform.mongo import store_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pymongo.collection import Collection as MongoCollection

_READY = str(JobStatus.READY)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""A lower bound for ranges of an index; without one, some stores scan every null."""


class MongoComparisons:
    """The collection `encode_jobs`, searched by comparisons; its index is created at first use."""

    def __init__(self, collection: MongoCollection[dict[str, Any]], now: Callable[[], datetime]) -> None:
        self._collection = collection
        self._now = now
        self._prepared = False

    @store_errors
    def take_due(self, *, now: datetime, again_at: datetime, limit: int) -> list[DueJob]:
        due = {"intros_due_at": {"$gt": _EARLIEST, "$lte": now}, "status": _READY}
        fields = {"intros_due_at": 1, "title_id": 1}
        found = list(self._jobs().find(due, fields, sort=[("intros_due_at", ASCENDING)], limit=limit))
        taken = []
        for each in found:
            unchanged = {"_id": each["_id"], "intros_due_at": each["intros_due_at"]}
            if self._jobs().update_one(unchanged, {"$set": {"intros_due_at": again_at}}).matched_count:
                taken.append(DueJob(str(each["_id"]), each["title_id"]))
        return taken

    @store_errors
    def drop_job(self, job_id: str) -> None:
        self._jobs().update_one({"_id": job_id}, {"$set": {"intros_due_at": None}})

    @store_errors
    def compared_with(self, job_ids: Sequence[str]) -> dict[str, str]:
        found = self._jobs().find({"_id": {"$in": list(job_ids)}}, {"intros_compared": 1})
        return {str(each["_id"]): each["intros_compared"] for each in found if each.get("intros_compared")}

    @store_errors
    def note_compared(self, job_id: str, digest: str) -> None:
        self._jobs().update_one({"_id": job_id}, {"$set": {"intros_compared": digest}})

    def _jobs(self) -> MongoCollection[dict[str, Any]]:
        """Return the collection; at first use, create its index and make jobs of earlier versions due."""
        if not self._prepared:  # no lock: preparing twice is harmless
            self._collection.create_index([("intros_due_at", ASCENDING)])
            older = {"status": _READY, "intros_due_at": {"$exists": False}}
            self._collection.update_many(older, {"$set": {"intros_due_at": self._now()}})
            self._prepared = True
        return self._collection
