"""The viewers who wait for parts of films that are being encoded, in the documents of their jobs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pymongo import ASCENDING

from functions.encoding.job_documents import IN_WORK, work_of
from functions.encoding.model import JobStatus
from functions.platform.mongo import store_errors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pymongo.collection import Collection

    from functions.encoding.audience import ChunkWait
    from functions.encoding.model import EncodeJob
    from functions.encoding.steps import JobWork

_ENCODING = str(JobStatus.ENCODING)


class MongoAudience:
    """The collection `encode_jobs`, searched by the time of the last wait; its index is created at first use."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._collection = collection
        self._prepared = False

    @store_errors
    def add_wait(self, job: EncodeJob, viewer: str, wait: ChunkWait, *, begins_part: bool) -> bool:
        values: dict[str, Any] = {
            f"audience.waits.{viewer}": asdict(wait),
            "audience.waited_at": wait.at,
        }
        change: dict[str, Any] = {"$set": values}
        if begins_part:
            values[f"audience.parts.{wait.chunk}.from_s"] = wait.from_s
            change["$max"] = {f"audience.parts.{wait.chunk}.until_s": 0.0}
        over = [name for name, each in job.audience.waits.items() if name != viewer and not each.is_valid(wait.at)]
        if over:
            change["$unset"] = {f"audience.waits.{name}": "" for name in over}
        return self._jobs().update_one({"_id": job.id, "status": _ENCODING}, change).matched_count == 1

    @store_errors
    def awaited_works(self, *, since: datetime) -> list[JobWork]:
        chosen = {"audience.waited_at": {"$gt": since}, "status": _ENCODING}
        return [work_of(found) for found in self._jobs().find(chosen, IN_WORK)]

    @store_errors
    def note_listed(self, job_id: str, ends: Mapping[int, float]) -> None:
        if ends:
            change = {"$max": {f"audience.parts.{chunk}.until_s": end for chunk, end in ends.items()}}
            self._jobs().update_one({"_id": job_id}, change)

    def _jobs(self) -> Collection[dict[str, Any]]:
        """Return the collection, after creating its index if necessary."""
        if not self._prepared:
            self._collection.create_index([("audience.waited_at", ASCENDING)])
            self._prepared = True
        return self._collection
