"""Encode jobs in Mongo: one document per job. Lists read only the summary in it, not the plan.

Uses only features of Cosmos DB for MongoDB (request units): every sort is by one indexed field. `position` combines
the time at which a job was opened with its id, so it is unique and sorts by age.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Unpack

import msgspec
from pymongo import DESCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from functions.encoding.model import OPEN, EncodeJob, EncodePlan, JobSummary, Transition, position_of
from functions.encoding.presentation import front_s_of
from functions.platform.errors import NotFound
from functions.platform.mongo import store_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pymongo.collection import Collection

    from functions.encoding.model import StepFault, TrackState
    from functions.encoding.ports import ChangedFields

_OPEN = [str(status) for status in OPEN]
_NOT_IN_SUMMARY = {"plan": 0, "chunks_done": 0, "codecs": 0, "tracks": 0, "faults": 0}
_ROUNDS = 5


class MongoEncodeJobs:
    """The collection `encode_jobs`; its indexes are created at first use."""

    def __init__(self, collection: Collection[dict[str, Any]], now: Callable[[], datetime]) -> None:
        self._collection = collection
        self._now = now
        self._prepared = False

    @store_errors
    def add_job(self, job: EncodeJob) -> bool:
        document = _plain(job)
        document |= {"_id": document.pop("id"), "position": position_of(job), "summary": _summary_fields(job)}
        try:
            self._jobs().insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    @store_errors
    def get_job(self, job_id: str) -> EncodeJob:
        found = self._jobs().find_one({"_id": job_id})
        if found is None:
            raise NotFound(f"There is no encode job {job_id}.")
        return _job(found)

    @store_errors
    def find_summary(self, job_id: str) -> JobSummary | None:
        found = self._jobs().find_one({"_id": job_id}, _NOT_IN_SUMMARY)
        return _summary(found) if found else None

    @store_errors
    def latest_summary(self, title_id: str) -> JobSummary | None:
        newest_first = [("created_at", DESCENDING)]
        found = self._jobs().find_one({"title_id": title_id}, _NOT_IN_SUMMARY, sort=newest_first)
        return _summary(found) if found else None

    @store_errors
    def list_summaries(self, *, below: str | None, limit: int) -> list[JobSummary]:
        # both bounds: without a lower bound, some stores scan documents that lack the field
        chosen = {"position": {"$gt": "0", "$lt": below or "9"}}
        newest_first = [("position", DESCENDING)]
        return [_summary(found) for found in self._jobs().find(chosen, _NOT_IN_SUMMARY, sort=newest_first, limit=limit)]

    @store_errors
    def take_stalled(self, *, since: datetime) -> list[EncodeJob]:
        found = list(self._jobs().find({"status": {"$in": _OPEN}, "updated_at": {"$lt": since}}))
        for document in found:
            self._jobs().update_one({"_id": document["_id"]}, {"$set": {"updated_at": self._now()}})
        return [_job(document) for document in found]

    @store_errors
    def supersede_jobs(self, by: EncodeJob, *, reason: str, at: datetime) -> None:
        chosen = {
            "title_id": by.title_id,
            "_id": {"$ne": by.id},
            "created_at": {"$lte": by.created_at},
            "status": {"$in": [str(status) for status in Transition.FAIL.sources]},
        }
        values = {"status": str(Transition.FAIL.target), "reason": reason, "updated_at": self._now(), "ended_at": at}
        self._jobs().update_many(chosen, {"$set": values})

    @store_errors
    def change_status(self, job_id: str, transition: Transition, **fields: Unpack[ChangedFields]) -> EncodeJob | None:
        values: dict[str, Any] = {name: _plain(value) for name, value in fields.items()}
        if plan := fields.get("plan"):
            values |= {f"summary.{name}": value for name, value in _planned_fields(plan).items()}
        chosen = {"_id": job_id, "status": {"$in": [str(status) for status in transition.sources]}}
        found = self._jobs().find_one_and_update(
            chosen,
            {"$set": {"status": str(transition.target), "updated_at": self._now(), **values}},
            return_document=ReturnDocument.AFTER,
        )
        return _job(found) if found else None

    @store_errors
    def finish_chunk(
        self, job: EncodeJob, index: int, *, codecs: Mapping[str, str], cpu_s: float, tail: int | None
    ) -> EncodeJob:
        segments = next((chunk.segments for chunk in job.plan.chunks if chunk.index == index), 0) if job.plan else 0
        counted = {"cpu_s": cpu_s, "summary.chunks_done": 1, "summary.segments_done": segments}
        change = {"$addToSet": {"chunks_done": index}, "$unset": {f"live.{index}": ""}, "$inc": counted}
        values: dict[str, object] = {f"codecs.{name}": codec for name, codec in codecs.items()}
        if tail is not None:
            values["tail_frames"] = tail
        return self._update(job, {"chunks_done": {"$ne": index}}, change, values)

    @store_errors
    def advance_chunk(self, job: EncodeJob, index: int, segments: int, *, codecs: Mapping[str, str]) -> EncodeJob:
        values: dict[str, object] = {f"codecs.{name}": codec for name, codec in codecs.items()}
        return self._update(job, {"chunks_done": {"$ne": index}}, {"$max": {f"live.{index}": segments}}, values)

    @store_errors
    def advance_track(self, job: EncodeJob, track: str, state: TrackState, *, codec: str | None) -> EncodeJob:
        values: dict[str, object] = {f"tracks.{track}": _plain(state)}
        if codec:
            values[f"codecs.{track}"] = codec
        chosen: dict[str, object] = {f"tracks.{track}.complete": {"$ne": True}}
        if not state.complete:
            chosen[f"tracks.{track}.segments"] = {"$not": {"$gt": state.segments}}
        return self._update(job, chosen, {}, values)

    @store_errors
    def note_fault(self, job_id: str, step: str, fault: StepFault) -> None:
        values = {"fault": fault.detail, f"faults.{step}": _plain(fault), "updated_at": self._now()}
        self._jobs().update_one({"_id": job_id}, {"$set": values})

    @store_errors
    def note_published(self, job: EncodeJob, *, front_s: float, at: datetime) -> EncodeJob:
        front: dict[str, object] = {"$max": {"summary.front_s": front_s}}
        if job.playable_at is None and (first := self._updated(job, {"playable_at": None}, front, {"playable_at": at})):
            return first
        return self._update(job, {}, front, {})

    def _update(
        self, job: EncodeJob, chosen: dict[str, object], change: dict[str, object], values: dict[str, object]
    ) -> EncodeJob:
        """Change a job and return it; a job that no longer matches `chosen` is returned unchanged."""
        return self._updated(job, chosen, change, values) or self.get_job(job.id)

    def _updated(
        self, job: EncodeJob, chosen: dict[str, object], change: dict[str, object], values: dict[str, object]
    ) -> EncodeJob | None:
        found = self._jobs().find_one_and_update(
            {"_id": job.id, **chosen},
            {**change, "$set": {"updated_at": self._now(), **values}},
            projection={"plan": 0},  # the plan never changes
            return_document=ReturnDocument.AFTER,
        )
        return replace(_job(found), plan=job.plan) if found else None

    def _jobs(self) -> Collection[dict[str, Any]]:
        """Return the collection, after creating its indexes if necessary."""
        if not self._prepared:  # no lock: preparing twice is harmless, and no thread waits for an unavailable store
            self._prepare()
            self._prepared = True
        return self._collection

    def _prepare(self) -> None:
        """Create the indexes, and add position and summary to documents written by versions before 0.2."""
        self._collection.create_index([("title_id", 1), ("created_at", DESCENDING)])
        self._collection.create_index([("position", DESCENDING)])
        for _ in range(_ROUNDS):
            old = list(self._collection.find({"position": None}))
            for document in old:
                job = _job(document)
                added = {"position": position_of(job), "summary": _summary_fields(job)}
                # a job that has changed since it was read is read again in the next round
                self._collection.update_one({"_id": job.id, "updated_at": document["updated_at"]}, {"$set": added})
            if not old:
                return


def _plain(value: object) -> Any:
    """Convert a value to the form stored in Mongo: fractions become strings such as 30000/1001, times are unchanged."""
    return msgspec.to_builtins(value, builtin_types=(datetime,), enc_hook=str)


def _read_fraction(kind: type, value: Any) -> Any:
    return kind(value) if kind is Fraction else value


def _job(document: dict[str, Any]) -> EncodeJob:
    return msgspec.convert({**document, "id": document["_id"]}, EncodeJob, dec_hook=_read_fraction)


def _summary(document: dict[str, Any]) -> JobSummary:
    counts = dict(document.get("summary", ()))
    running = sum(document["live"].values())
    counts["segments_stored"] = counts.pop("segments_done", 0) + running
    return msgspec.convert({**document, "id": document["_id"], **counts}, JobSummary)


def _planned_fields(plan: EncodePlan) -> dict[str, object]:
    return {"duration_s": float(plan.duration), "chunks": len(plan.chunks), "segments": plan.grid.segments}


def _summary_fields(job: EncodeJob) -> dict[str, object]:
    """Return the stored part of a job's summary, computed from its plan."""
    done = [chunk for chunk in job.plan.chunks if chunk.index in job.chunks_done] if job.plan else []
    return {
        **(_planned_fields(job.plan) if job.plan else {}),
        "chunks_done": len(done),
        "segments_done": sum(chunk.segments for chunk in done),
        "front_s": front_s_of(job),
    }
