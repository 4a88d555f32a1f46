"""What encodes have cost, in Mongo: one small document per month, and a field of each job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pymongo.errors import DuplicateKeyError

from functions.platform.mongo import store_errors

if TYPE_CHECKING:
    from pymongo.collection import Collection


class MongoSpending:
    """The collections `encode_months` and `encode_jobs`."""

    def __init__(self, months: Collection[dict[str, Any]], jobs: Collection[dict[str, Any]]) -> None:
        self._months = months
        self._jobs = jobs

    @store_errors
    def spent_s(self, month: str) -> float:
        found = self._months.find_one({"_id": month})
        return float(found.get("replica_s", 0.0)) if found else 0.0

    @store_errors
    def spent_since(self, month: str) -> dict[str, float]:
        found = self._months.find({"_id": {"$gte": month}, "replica_s": {"$gt": 0}})
        return {document["_id"]: float(document["replica_s"]) for document in found}

    @store_errors
    def add_below(self, month: str, seconds: float, *, limit_s: float) -> bool:
        if seconds > limit_s:  # an upsert would create the month
            return False
        change = {"$inc": {"replica_s": seconds}}
        below = {"_id": month, "replica_s": {"$lte": limit_s - seconds}}
        try:
            self._months.update_one(below, change, upsert=True)
        except DuplicateKeyError:  # the month exists, and is over the limit or was made by another encoder just now
            return self._months.update_one(below, change).matched_count > 0
        return True

    @store_errors
    def add(self, month: str, seconds: float) -> None:
        self._change(month, {"$inc": {"replica_s": seconds}})

    @store_errors
    def add_to_job(self, job_id: str, seconds: float) -> None:
        self._jobs.update_one({"_id": job_id}, {"$inc": {"cost.replica_s": seconds}})

    @store_errors
    def is_announced(self, month: str, limit_s: float) -> bool:
        return self._months.find_one({"_id": month, "announced_limit_s": limit_s}, {"_id": 1}) is not None

    @store_errors
    def note_announced(self, month: str, limit_s: float) -> None:
        self._change(month, {"$set": {"announced_limit_s": limit_s}, "$inc": {"replica_s": 0.0}})

    def _change(self, month: str, change: dict[str, Any]) -> None:
        try:
            self._months.update_one({"_id": month}, change, upsert=True)
        except DuplicateKeyError:  # another process has made the month since the server looked for it
            self._months.update_one({"_id": month}, change)
