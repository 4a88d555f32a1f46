"""Encodes of renditions on demand in Mongo: the field `on_demand` of the documents of their jobs.

`on_demand_begun_at` is the time at which an unfinished encode was begun, or wanted since; null for all others.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pymongo import ASCENDING, DESCENDING, ReturnDocument

from functions.encoding.job_documents import plain
from functions.encoding.model import JobStatus
from functions.encoding.on_demand_encode import OnDemandEncode, OnDemandStatus
from functions.platform.decoding import convert
from functions.platform.mongo import store_errors

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pymongo.collection import Collection as MongoCollection

_READY = str(JobStatus.READY)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""A lower bound for ranges of an index; without one, some stores scan every null."""


class MongoOnDemandEncodes:
    """The collection `encode_jobs`, searched by renditions on demand; its indexes are created at first use."""

    def __init__(self, collection: MongoCollection[dict[str, Any]]) -> None:
        self._collection = collection
        self._prepared = False

    @store_errors
    def note_wanted(self, job_id: str, *, at: datetime) -> OnDemandEncode | None:
        # Renditions that are leaving are wanted again once they are removed: until then, the time must not change.
        chosen = {"_id": job_id, "on_demand.status": {"$ne": str(OnDemandStatus.LEAVING)}}
        self._jobs().update_one(chosen, {"$set": {"wanted_at": at}})
        encode = self._find(job_id)
        if encode and encode.status is OnDemandStatus.ENCODING:
            unfinished = {"_id": job_id, "on_demand_begun_at": {"$gt": _EARLIEST}}
            self._jobs().update_one(unfinished, {"$set": {"on_demand_begun_at": at}})
        return encode

    @store_errors
    def begin_encode(self, job_id: str, *, at: datetime) -> OnDemandEncode | None:
        found = self._find(job_id)
        if found and not found.may_begin(at):
            return None
        begun = found.begun_again(at) if found else OnDemandEncode(OnDemandStatus.ENCODING, at)
        unchanged: dict[str, Any] = {"on_demand": None}
        if found:
            unchanged = {"on_demand.status": str(found.status), "on_demand.ended_at": found.ended_at}
        values = {"on_demand": plain(begun), "on_demand_begun_at": at, "wanted_at": at}
        changed = self._jobs().update_one({"_id": job_id, "status": _READY, **unchanged}, {"$set": values})
        return begun if changed.matched_count else None

    @store_errors
    def list_unfinished(self, *, limit: int) -> list[str]:
        chosen = {"on_demand_begun_at": {"$gt": _EARLIEST}, "status": _READY}
        found = self._jobs().find(chosen, {"_id": 1}, sort=[("on_demand_begun_at", DESCENDING)], limit=limit)
        return [str(each["_id"]) for each in found]

    @store_errors
    def count_attempt(self, job_id: str, chunk: int, *, by: int) -> OnDemandEncode | None:
        return self._changed(job_id, {}, {"$inc": {f"on_demand.attempts.{chunk}": by}})

    @store_errors
    def finish_chunk(
        self, job_id: str, chunk: int, *, size: int, codecs: Mapping[str, str], cpu_s: float
    ) -> OnDemandEncode | None:
        change = {
            "$addToSet": {"on_demand.done": chunk},
            "$inc": {"on_demand.size": size, "on_demand.cpu_s": cpu_s},
            "$set": {f"on_demand.sizes.{chunk}": size}
            | {f"on_demand.codecs.{name}": each for name, each in codecs.items()},
            "$unset": {f"on_demand.attempts.{chunk}": ""},
        }
        return self._changed(job_id, {"on_demand.done": {"$ne": chunk}}, change) or self._find(job_id)

    @store_errors
    def undo_chunks(self, job_id: str, chunks: Collection[int]) -> OnDemandEncode | None:
        encode = self._find(job_id)
        if encode is None:
            return None
        for chunk in encode.done & set(chunks):
            size = encode.sizes[str(chunk)]
            change = {
                "$pull": {"on_demand.done": chunk},
                "$inc": {"on_demand.size": -size},
                "$unset": {f"on_demand.sizes.{chunk}": "", f"on_demand.attempts.{chunk}": ""},
            }
            self._jobs().update_one({"_id": job_id, "on_demand.done": chunk}, change)
        complete = {"_id": job_id, "on_demand.status": str(OnDemandStatus.COMPLETE)}
        again = {
            "on_demand.status": str(OnDemandStatus.ENCODING),
            "on_demand.ended_at": None,
            "on_demand_begun_at": encode.begun_at,
        }
        self._jobs().update_one(complete, {"$set": again, "$inc": {"on_demand.edition": 1}})
        return self._find(job_id)

    @store_errors
    def complete_encode(self, job_id: str, *, chunks: int) -> OnDemandEncode | None:
        change = {"$set": {"on_demand.status": str(OnDemandStatus.COMPLETE)}, "$inc": {"on_demand.edition": 1}}
        return self._changed(job_id, {"on_demand.done": {"$size": chunks}}, change)

    @store_errors
    def abandon_encode(self, job_id: str, *, reason: str) -> OnDemandEncode | None:
        values = {"on_demand.status": str(OnDemandStatus.ABANDONED), "on_demand.reason": reason}
        return self._changed(job_id, {}, {"$set": values, "$inc": {"on_demand.edition": 1}})

    @store_errors
    def end_encode(self, job_id: str, *, edition: int, at: datetime) -> None:
        ended = [str(OnDemandStatus.COMPLETE), str(OnDemandStatus.ABANDONED)]
        chosen = {"_id": job_id, "on_demand.edition": edition, "on_demand.status": {"$in": ended}}
        values = {"on_demand.ended_at": at, "on_demand_begun_at": None}
        self._jobs().update_one({**chosen, "on_demand.ended_at": None}, {"$set": values})

    @store_errors
    def list_unwanted(self, *, since: datetime, limit: int) -> list[str]:
        unwanted = {
            "wanted_at": {"$gt": _EARLIEST, "$lte": since},
            "status": _READY,
            "on_demand.status": {"$in": [str(OnDemandStatus.COMPLETE), str(OnDemandStatus.LEAVING)]},
        }
        found = self._jobs().find(unwanted, {"_id": 1}, sort=[("wanted_at", ASCENDING)], limit=limit)
        return [str(each["_id"]) for each in found]

    @store_errors
    def begin_removal(self, job_id: str, *, since: datetime) -> bool:
        complete = {
            "_id": job_id,
            "status": _READY,
            "wanted_at": {"$lte": since},
            "on_demand.status": str(OnDemandStatus.COMPLETE),
        }
        values = {"on_demand.status": str(OnDemandStatus.LEAVING), "on_demand_begun_at": None}
        change = {"$set": values, "$inc": {"on_demand.edition": 1}}
        if self._jobs().update_one(complete, change).matched_count:
            return True
        encode = self._find(job_id)
        return encode is not None and encode.status is OnDemandStatus.LEAVING

    @store_errors
    def end_removal(self, job_id: str, *, at: datetime) -> None:
        leaving = {"_id": job_id, "on_demand.status": str(OnDemandStatus.LEAVING)}
        values = {"on_demand.status": str(OnDemandStatus.REMOVED), "on_demand.ended_at": at, "wanted_at": None}
        self._jobs().update_one(leaving, {"$set": values})

    def _changed(self, job_id: str, chosen: dict[str, Any], change: dict[str, Any]) -> OnDemandEncode | None:
        """Change an encode that is being made and return it; return None if none matches."""
        found = self._jobs().find_one_and_update(
            {"_id": job_id, "on_demand.status": str(OnDemandStatus.ENCODING), **chosen},
            change,
            projection={"on_demand": 1},
            return_document=ReturnDocument.AFTER,
        )
        return _encode_of(found)

    def _find(self, job_id: str) -> OnDemandEncode | None:
        return _encode_of(self._jobs().find_one({"_id": job_id}, {"on_demand": 1}))

    def _jobs(self) -> MongoCollection[dict[str, Any]]:
        """Return the collection; at first use, create its indexes."""
        if not self._prepared:  # no lock: preparing twice is harmless
            self._collection.create_index([("on_demand_begun_at", ASCENDING)])
            self._collection.create_index([("wanted_at", ASCENDING)])
            self._prepared = True
        return self._collection


def _encode_of(document: Mapping[str, Any] | None) -> OnDemandEncode | None:
    """Return the encode in a stored job, or None if there is none."""
    stored = document.get("on_demand") if document else None
    return convert(stored, OnDemandEncode) if stored else None
