"""Encodes in AV1 in Mongo: the field `av1` of the documents of their jobs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pymongo import ASCENDING, ReturnDocument

from functions.encoding.av1_encode import Av1Encode, Av1Status
from functions.encoding.model import JobStatus
from functions.platform.decoding import convert
from functions.platform.mongo import store_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from pymongo.collection import Collection as MongoCollection

    from functions.encoding.av1_encode import Av1Result

_READY = str(JobStatus.READY)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""A lower bound for ranges of an index; without one, some stores scan every null."""


class MongoAv1Encodes:
    """The collection `encode_jobs`, searched by encodes in AV1; its indexes are created at first use."""

    def __init__(self, collection: MongoCollection[dict[str, Any]], now: Callable[[], datetime]) -> None:
        self._collection = collection
        self._now = now
        self._prepared = False

    @store_errors
    def take_undecided(self, *, now: datetime, again_at: datetime, limit: int) -> list[str]:
        due = {"av1_due_at": {"$gt": _EARLIEST, "$lte": now}, "status": _READY, "av1": None}
        found = list(self._jobs().find(due, {"av1_due_at": 1}, sort=[("av1_due_at", ASCENDING)], limit=limit))
        taken = []
        for each in found:
            unchanged = {"_id": each["_id"], "av1_due_at": each["av1_due_at"]}
            if self._jobs().update_one(unchanged, {"$set": {"av1_due_at": again_at}}).matched_count:
                taken.append(str(each["_id"]))
        return taken

    @store_errors
    def begin_encode(self, job_id: str, *, at: datetime, reason: str) -> bool:
        encode = {"status": str(Av1Status.ENCODING), "begun_at": at, "reason": reason}
        values = {"av1": encode, "av1_begun_at": at, "av1_due_at": None}
        chosen = {"_id": job_id, "status": _READY, "av1": None}
        return self._jobs().update_one(chosen, {"$set": values}).matched_count == 1

    @store_errors
    def list_unfinished(self, *, limit: int) -> list[str]:
        chosen = {"av1_begun_at": {"$gt": _EARLIEST}, "status": _READY}
        found = self._jobs().find(chosen, {"_id": 1}, sort=[("av1_begun_at", ASCENDING)], limit=limit)
        return [str(each["_id"]) for each in found]

    @store_errors
    def count_attempt(self, job_id: str, chunk: int, *, by: int) -> Av1Encode | None:
        return self._changed(job_id, {}, {"$inc": {f"av1.attempts.{chunk}": by}})

    @store_errors
    def finish_chunk(
        self, job_id: str, chunk: int, *, result: Av1Result, codecs: Mapping[str, str], cpu_s: float
    ) -> Av1Encode | None:
        change = {
            "$addToSet": {"av1.done": chunk},
            "$inc": {"av1.size": result.size, "av1.cpu_s": cpu_s},
            "$set": {f"av1.results.{chunk}": asdict(result)}
            | {f"av1.codecs.{name}": each for name, each in codecs.items()},
            "$unset": {f"av1.attempts.{chunk}": ""},
        }
        return self._changed(job_id, {"av1.done": {"$ne": chunk}}, change) or self._find(job_id)

    @store_errors
    def undo_chunks(self, job_id: str, chunks: Collection[int]) -> Av1Encode | None:
        encode = self._find(job_id)
        for chunk in encode.done & set(chunks) if encode else ():
            size = encode.results[str(chunk)].size if encode else 0
            change = {
                "$pull": {"av1.done": chunk},
                "$inc": {"av1.size": -size},
                "$unset": {f"av1.results.{chunk}": "", f"av1.attempts.{chunk}": ""},
            }
            self._jobs().update_one({"_id": job_id, "av1.done": chunk}, change)
        again = {"av1.status": str(Av1Status.ENCODING), "av1.ended_at": None, "av1_begun_at": self._now()}
        if encode and encode.status is Av1Status.COMPLETE:
            chosen = {"_id": job_id, "av1.status": str(Av1Status.COMPLETE)}
            self._jobs().update_one(chosen, {"$set": again, "$inc": {"av1.edition": 1}})
        return self._find(job_id)

    @store_errors
    def complete_encode(self, job_id: str, *, chunks: int) -> Av1Encode | None:
        change = {"$set": {"av1.status": str(Av1Status.COMPLETE)}, "$inc": {"av1.edition": 1}}
        return self._changed(job_id, {"av1.done": {"$size": chunks}}, change)

    @store_errors
    def abandon_encode(self, job_id: str, *, reason: str) -> Av1Encode | None:
        values = {"av1.status": str(Av1Status.ABANDONED), "av1.reason": reason}
        return self._changed(job_id, {}, {"$set": values, "$inc": {"av1.edition": 1}})

    @store_errors
    def end_encode(self, job_id: str, *, edition: int, at: datetime) -> None:
        ended = [str(Av1Status.COMPLETE), str(Av1Status.ABANDONED)]
        chosen = {"_id": job_id, "av1.edition": edition, "av1.status": {"$in": ended}, "av1.ended_at": None}
        self._jobs().update_one(chosen, {"$set": {"av1.ended_at": at, "av1_begun_at": None}})

    def _changed(self, job_id: str, chosen: dict[str, Any], change: dict[str, Any]) -> Av1Encode | None:
        """Change an encode that is being made and return it; return None if none matches."""
        found = self._jobs().find_one_and_update(
            {"_id": job_id, "av1.status": str(Av1Status.ENCODING), **chosen},
            change,
            projection={"av1": 1},
            return_document=ReturnDocument.AFTER,
        )
        return convert(found["av1"], Av1Encode) if found else None

    def _find(self, job_id: str) -> Av1Encode | None:
        found = self._jobs().find_one({"_id": job_id}, {"av1": 1})
        return convert(found["av1"], Av1Encode) if found and found.get("av1") else None

    def _jobs(self) -> MongoCollection[dict[str, Any]]:
        """Return the collection; at first use, create its indexes and make jobs of earlier versions due."""
        if not self._prepared:  # no lock: preparing twice is harmless
            self._collection.create_index([("av1_due_at", ASCENDING)])
            self._collection.create_index([("av1_begun_at", ASCENDING)])
            older = {"status": _READY, "av1_due_at": {"$exists": False}}
            self._collection.update_many(older, {"$set": {"av1_due_at": self._now()}})
            self._prepared = True
        return self._collection
