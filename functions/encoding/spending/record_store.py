"""Reads the few facts of all encode jobs that reports need, in one query of the collection `encode_jobs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.encoding.model import JobStatus
from functions.encoding.spending.reports import JobRecord
from functions.platform.mongo import store_errors

if TYPE_CHECKING:
    from pymongo.collection import Collection

READ = dict.fromkeys(("title_id", "status", "created_at", "size", "verified.size", "cost.estimate_size"), 1)


class MongoJobRecords:
    """Reads the collection `encode_jobs`, but only the few fields in READ."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._collection = collection

    @store_errors
    def list_records(self) -> list[JobRecord]:
        return [_record(found) for found in self._collection.find({}, READ, batch_size=5000)]


def _record(document: dict[str, Any]) -> JobRecord:
    verified, cost = document.get("verified") or {}, document.get("cost") or {}
    return JobRecord(
        title_id=document["title_id"],
        status=JobStatus(document["status"]),
        created_at=document["created_at"],
        upload_size=document["size"],
        film_size=int(verified.get("size") or cost.get("estimate_size") or 0),
    )
