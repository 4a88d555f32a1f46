"""Automatic captions in Mongo: the field `captions` of the documents of their jobs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pymongo import ASCENDING, ReturnDocument

from functions.encoding.captions_encode import CaptionsEncode, CaptionsStatus
from functions.encoding.job_documents import plain
from functions.encoding.model import JobStatus
from functions.platform.decoding import convert
from functions.platform.mongo import store_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from pymongo.collection import Collection as MongoCollection

    from functions.encoding.captions.rule import Captioned
    from functions.encoding.captions_encode import CaptionCue

_READY = str(JobStatus.READY)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""A lower bound for ranges of an index; without one, some stores scan every null."""


class MongoCaptions:
    """The collection `encode_jobs`, searched by automatic captions; its indexes are created at first use."""

    def __init__(self, collection: MongoCollection[dict[str, Any]], now: Callable[[], datetime]) -> None:
        self._collection = collection
        self._now = now
        self._prepared = False

    @store_errors
    def take_undecided(self, *, now: datetime, again_at: datetime, limit: int) -> list[str]:
        due = {"captions_due_at": {"$gt": _EARLIEST, "$lte": now}, "status": _READY, "captions": None}
        found = list(self._jobs().find(due, {"captions_due_at": 1}, sort=[("captions_due_at", ASCENDING)], limit=limit))
        taken = []
        for each in found:
            unchanged = {"_id": each["_id"], "captions_due_at": each["captions_due_at"]}
            if self._jobs().update_one(unchanged, {"$set": {"captions_due_at": again_at}}).matched_count:
                taken.append(str(each["_id"]))
        return taken

    @store_errors
    def begin_encode(self, job_id: str, *, at: datetime, captioned: Captioned) -> bool:
        encode = {"status": str(CaptionsStatus.ENCODING), "begun_at": at, **captioned._asdict()}
        values = {"captions": encode, "captions_begun_at": at, "captions_due_at": None}
        chosen = {"_id": job_id, "status": _READY, "captions": None}
        return self._jobs().update_one(chosen, {"$set": values}).matched_count == 1

    @store_errors
    def list_unfinished(self, *, limit: int) -> list[str]:
        chosen = {"captions_begun_at": {"$gt": _EARLIEST}, "status": _READY}
        found = self._jobs().find(chosen, {"_id": 1}, sort=[("captions_begun_at", ASCENDING)], limit=limit)
        return [str(each["_id"]) for each in found]

    @store_errors
    def count_attempt(self, job_id: str, chunk: int, *, by: int) -> CaptionsEncode | None:
        return self._changed(job_id, {}, {"$inc": {f"captions.attempts.{chunk}": by}})

    @store_errors
    def finish_chunk(
        self, job_id: str, chunk: int, *, cues: Sequence[CaptionCue], cpu_s: float
    ) -> CaptionsEncode | None:
        change = {
            "$addToSet": {"captions.done": chunk},
            "$inc": {"captions.cpu_s": cpu_s},
            "$set": {f"captions.pieces.{chunk}": plain(tuple(cues)), "captions.reason": None},
            "$unset": {f"captions.attempts.{chunk}": ""},
        }
        return self._changed(job_id, {"captions.done": {"$ne": chunk}}, change) or self._find(job_id)

    @store_errors
    def undo_chunks(self, job_id: str, chunks: Collection[int]) -> CaptionsEncode | None:
        encode = self._find(job_id)
        for chunk in encode.done & set(chunks) if encode else ():
            change = {
                "$pull": {"captions.done": chunk},
                "$unset": {f"captions.pieces.{chunk}": "", f"captions.attempts.{chunk}": ""},
            }
            self._jobs().update_one({"_id": job_id, "captions.done": chunk}, change)
        again = {
            "captions.status": str(CaptionsStatus.ENCODING),
            "captions.ended_at": None,
            "captions_begun_at": self._now(),
        }
        chosen = {"_id": job_id, "captions.status": str(CaptionsStatus.COMPLETE)}
        self._jobs().update_one(chosen, {"$set": again, "$inc": {"captions.edition": 1}})
        return self._find(job_id)

    @store_errors
    def note_joined(self, job_id: str, *, cues: int, size: int) -> None:
        self._changed(job_id, {}, {"$set": {"captions.cues": cues, "captions.size": size}})

    @store_errors
    def note_hindrance(self, job_id: str, reason: str | None) -> None:
        self._changed(job_id, {}, {"$set": {"captions.reason": reason}})

    @store_errors
    def complete_encode(self, job_id: str, *, chunks: int) -> CaptionsEncode | None:
        status = {"captions.status": str(CaptionsStatus.COMPLETE)}
        values: dict[str, Any] = {**status, "captions.pieces": {}, "captions.reason": None}
        change = {"$set": values, "$inc": {"captions.edition": 1}}
        done = {"captions.done": {"$size": chunks}} if chunks else {"captions.done.0": {"$exists": False}}
        return self._changed(job_id, done, change)

    @store_errors
    def abandon_encode(self, job_id: str, *, reason: str) -> CaptionsEncode | None:
        values = {
            "captions.status": str(CaptionsStatus.ABANDONED),
            "captions.reason": reason,
            "captions.pieces": {},
        }
        return self._changed(job_id, {}, {"$set": values, "$inc": {"captions.edition": 1}})

    @store_errors
    def end_encode(self, job_id: str, *, edition: int, at: datetime) -> None:
        ended = [str(CaptionsStatus.COMPLETE), str(CaptionsStatus.ABANDONED)]
        chosen = {
            "_id": job_id,
            "captions.edition": edition,
            "captions.status": {"$in": ended},
            "captions.ended_at": None,
        }
        self._jobs().update_one(chosen, {"$set": {"captions.ended_at": at, "captions_begun_at": None}})

    def _changed(self, job_id: str, chosen: dict[str, Any], change: dict[str, Any]) -> CaptionsEncode | None:
        """Change captions that are being made and return them; return None if none match."""
        found = self._jobs().find_one_and_update(
            {"_id": job_id, "captions.status": str(CaptionsStatus.ENCODING), **chosen},
            change,
            projection={"captions": 1},
            return_document=ReturnDocument.AFTER,
        )
        return _captions_of(found)

    def _find(self, job_id: str) -> CaptionsEncode | None:
        return _captions_of(self._jobs().find_one({"_id": job_id}, {"captions": 1}))

    def _jobs(self) -> MongoCollection[dict[str, Any]]:
        """Return the collection; at first use, create its indexes and make jobs of earlier versions due."""
        if not self._prepared:  # no lock: preparing twice is harmless
            self._collection.create_index([("captions_due_at", ASCENDING)])
            self._collection.create_index([("captions_begun_at", ASCENDING)])
            older = {"status": _READY, "captions_due_at": {"$exists": False}}
            self._collection.update_many(older, {"$set": {"captions_due_at": self._now()}})
            self._prepared = True
        return self._collection


def _captions_of(document: Mapping[str, Any] | None) -> CaptionsEncode | None:
    """Return the captions in a stored job, or None if it has none."""
    stored = document.get("captions") if document else None
    return convert(stored, CaptionsEncode) if stored else None
