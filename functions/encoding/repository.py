"""Encode jobs in Mongo: one document per job. Lists of jobs read only its summary.

Uses only features of Cosmos DB for MongoDB (request units): every sort is by one indexed field. `position` combines
the time at which a job was opened with its id, so it is unique and sorts by age.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

from pymongo import ASCENDING, DESCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from functions.encoding.job_documents import (
    IN_WORK,
    NO_TURNS,
    NOT_IN_SUMMARY,
    job_of,
    plain,
    planned_fields,
    position_of,
    summary_fields,
    summary_of,
    turns_of,
    work_of,
)
from functions.encoding.model import (
    OPEN,
    RECEPTION_CHANGES,
    EncodeJob,
    JobStatus,
    JobSummary,
    Transition,
)
from functions.encoding.publication.presentation import front_s_of
from functions.encoding.spending.costs import estimate_fields
from functions.encoding.steps import JobWork, track_shares
from functions.encoding.tracks import note_of, notes_of
from functions.encoding.upkeep.remakes import lost_fields, without_parts
from functions.encoding.upkeep.retention import SWEEP_RULES
from functions.platform.errors import NotFound
from functions.platform.mongo import store_errors
from functions.platform.time import to_sortable_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from pymongo.collection import Collection

    from functions.encoding.changed_fields import ChangedFields
    from functions.encoding.copying.reception import Reception
    from functions.encoding.damage import DamagedRun
    from functions.encoding.losses import Loss
    from functions.encoding.model import StepFault
    from functions.encoding.spending.receipts import ChunkResult
    from functions.encoding.steps import StepRequest
    from functions.encoding.track_state import TrackState
    from functions.encoding.upkeep.verification import Verification

_OPEN = [str(status) for status in OPEN]
_ROUNDS = 5


class MongoEncodeJobs:
    """The collection `encode_jobs`; its indexes are created at first use."""

    def __init__(self, collection: Collection[dict[str, Any]], now: Callable[[], datetime]) -> None:
        self._collection = collection
        self._now = now
        self._prepared = False

    @store_errors
    def add_job(self, job: EncodeJob) -> bool:
        document = plain(job)
        document |= {"_id": document.pop("id"), "position": position_of(job), "summary": summary_fields(job)}
        document |= {"sweep_at": None, "sweep_rules": SWEEP_RULES, **turns_of(job)}
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
        return job_of(found)

    @store_errors
    def find_summary(self, job_id: str) -> JobSummary | None:
        found = self._jobs().find_one({"_id": job_id}, NOT_IN_SUMMARY)
        return summary_of(found) if found else None

    @store_errors
    def latest_summary(self, title_id: str) -> JobSummary | None:
        newest_first = [("created_at", DESCENDING)]
        found = self._jobs().find_one({"title_id": title_id}, NOT_IN_SUMMARY, sort=newest_first)
        return summary_of(found) if found else None

    @store_errors
    def list_summaries(self, *, below: str | None, limit: int) -> list[JobSummary]:
        # both bounds: without a lower bound, some stores scan documents that lack the field
        chosen = {"position": {"$gt": "0", "$lt": below or "9"}, "dismissed_at": None}
        newest_first = [("position", DESCENDING)]
        return [
            summary_of(found) for found in self._jobs().find(chosen, NOT_IN_SUMMARY, sort=newest_first, limit=limit)
        ]

    @store_errors
    def open_summaries(self) -> list[JobSummary]:
        return [summary_of(found) for found in self._jobs().find({"status": {"$in": _OPEN}}, NOT_IN_SUMMARY)]

    @store_errors
    def list_work(self) -> list[JobWork]:
        return [work_of(found) for found in self._jobs().find({"status": {"$in": _OPEN}}, IN_WORK)]

    @store_errors
    def next_works(self, *, fronts: bool, skip: int, limit: int) -> list[JobWork]:
        turn = "front_turn" if fronts else "turn"
        # both bounds, and an index of this field alone: some stores otherwise scan every document
        chosen = {turn: {"$gt": "", "$lt": "~"}, "status": str(JobStatus.ENCODING)}
        in_turn = [(turn, ASCENDING)]
        return [work_of(found) for found in self._jobs().find(chosen, IN_WORK, sort=in_turn, skip=skip, limit=limit)]

    @store_errors
    def note_requests(self, job_id: str, requests: Mapping[str, StepRequest]) -> None:
        self._jobs().update_one({"_id": job_id}, {"$set": {"requests": plain(requests)}})

    @store_errors
    def take_turn(self, job_id: str, *, at: datetime) -> EncodeJob | None:
        found = self._jobs().find_one_and_update(
            {"_id": job_id, "status": str(JobStatus.ENCODING)},
            {"$set": {"served_at": at, "turn": f"{to_sortable_text(at)}/{job_id}"}},
            return_document=ReturnDocument.AFTER,
        )
        return job_of(found) if found else None

    @store_errors
    def dismiss_job(self, job_id: str, *, at: datetime) -> bool:
        failed = {"_id": job_id, "status": str(JobStatus.FAILED)}
        return self._jobs().update_one(failed, {"$set": {"dismissed_at": at}}).matched_count == 1

    @store_errors
    def supersede_jobs(self, by: EncodeJob | JobSummary, *, reason: str, at: datetime) -> None:
        for transition in (Transition.GIVE_UP, Transition.FAIL):  # those that are receiving, then all others
            chosen = {
                "title_id": by.title_id,
                "_id": {"$ne": by.id},
                "created_at": {"$lte": by.created_at},
                "status": {"$in": [str(status) for status in transition.sources]},
            }
            values = {"status": str(transition.target), "reason": reason, "updated_at": self._now(), "ended_at": at}
            self._jobs().update_many(chosen, {"$set": {**values, **_reception_changes(transition), **NO_TURNS}})

    @store_errors
    def change_status(self, job_id: str, transition: Transition, **fields: Unpack[ChangedFields]) -> EncodeJob | None:
        values: dict[str, Any] = {name: plain(value) for name, value in fields.items()}
        if plan := fields.get("plan"):
            values |= {f"summary.{name}": value for name, value in planned_fields(plan).items()}
            values |= estimate_fields(plan)
            age = f"{to_sortable_text(fields.get('planned_at') or self._now())}/{job_id}"
            values |= {"front_turn": age, "turn": f"/{age}"}
        values |= _reception_changes(transition)
        if opened_at := fields.get("created_at"):
            values["position"] = f"{to_sortable_text(opened_at)}/{job_id}"
        if "tracks" in fields:
            values["summary.front_s"] = 0.0
        if transition is Transition.FAIL:
            values |= NO_TURNS
        elif transition is Transition.RETRY_ENCODING:  # the parts of a failed job do not change
            before = self._jobs().find_one({"_id": job_id})
            values |= turns_of(job_of(before)) if before else {}
        chosen: dict[str, Any] = {"_id": job_id, "status": {"$in": [str(status) for status in transition.sources]}}
        if transition is Transition.RESUME:
            chosen["reception.has_stopped"] = True
        found = self._jobs().find_one_and_update(
            chosen,
            {"$set": {"status": str(transition.target), "updated_at": self._now(), **values}},
            return_document=ReturnDocument.AFTER,
        )
        return job_of(found) if found else None

    @store_errors
    def note_received(self, job_id: str, reception: Reception, *, size: int) -> None:
        values = {"etag": reception.etag, "front": reception.front, "stored": reception.stored, "at": reception.at}
        same_time = {"reception.at": reception.at, "reception.front": {"$lte": reception.front}}
        chosen = {
            "_id": job_id,
            "status": str(JobStatus.RECEIVING),
            "$or": [{"reception.at": {"$lt": reception.at}}, same_time],
        }
        changed = {f"reception.{name}": value for name, value in values.items()}
        self._jobs().update_one(chosen, {"$set": {**changed, "size": size, "updated_at": self._now()}})

    @store_errors
    def note_front(self, job_id: str, *, published: str | None, waits_because: str | None) -> None:
        changed = {"reception.published": published, "reception.waits_because": waits_because}
        self._jobs().update_one({"_id": job_id, "status": str(JobStatus.RECEIVING)}, {"$set": changed})

    @store_errors
    def finish_chunk(
        self,
        job: EncodeJob,
        index: int,
        *,
        codecs: Mapping[str, str],
        cpu_s: float,
        tail: int | None,
        damage: tuple[DamagedRun, ...] = (),
        size: int = 0,
        result: ChunkResult | None = None,
    ) -> EncodeJob:
        segments = next((chunk.segments for chunk in job.plan.chunks if chunk.index == index), 0) if job.plan else 0
        counted = {"cpu_s": cpu_s, "summary.chunks_done": 1, "summary.segments_done": segments}
        change = {"$addToSet": {"chunks_done": index}, "$unset": {f"live.{index}": ""}, "$inc": counted}
        values: dict[str, object] = {f"codecs.{name}": codec for name, codec in codecs.items()}
        values[f"chunk_sizes.{index}"] = size
        if tail is not None:
            values["tail_frames"] = tail
        if result:
            values[f"results.{index}"] = plain(result)
        if damage:
            values[f"damage.{index}"] = plain(damage)
        if index == 0:
            values["front_turn"] = None
        after = self._update(job, {"chunks_done": {"$ne": index}}, change, values)
        if after.plan and not after.missing_chunks:
            all_done = {"_id": job.id, "chunks_done": {"$size": len(after.plan.chunks)}}
            self._jobs().update_one(all_done, {"$set": {"turn": None}})
        return after

    @store_errors
    def advance_chunk(self, job: EncodeJob, index: int, segments: int, *, codecs: Mapping[str, str]) -> EncodeJob:
        values: dict[str, object] = {f"codecs.{name}": codec for name, codec in codecs.items()}
        return self._update(job, {"chunks_done": {"$ne": index}}, {"$max": {f"live.{index}": segments}}, values)

    @store_errors
    def advance_track(self, job: EncodeJob, track: str, state: TrackState, *, codec: str | None) -> EncodeJob:
        values: dict[str, object] = {f"tracks.{track}": plain(state)}
        if codec:
            values[f"codecs.{track}"] = codec
        chosen: dict[str, object] = {f"tracks.{track}.complete": {"$ne": True}}
        if not state.complete:
            chosen[f"tracks.{track}.segments"] = {"$not": {"$gt": state.segments}}
        if job.status is JobStatus.RECEIVING:
            chosen["status"] = str(JobStatus.RECEIVING)
        shares = track_shares(job.plan, {**job.tracks, track: state}) if job.plan else {}
        # shares never decrease; if a track cannot be copied, the share of the track encoded instead is added
        change: dict[str, object] = {"$max": {f"summary.tracks.{name}": share for name, share in shares.items()}}
        change = change if shares else {}
        if job.current_plan and (note := note_of(job.current_plan, track, state)):
            change["$addToSet"] = {"summary.notes": note}
        return self._update(job, chosen, change, values)

    @store_errors
    def note_fault(self, job_id: str, step: str, fault: StepFault) -> None:
        values = {"fault": fault.detail, f"faults.{step}": plain(fault), "updated_at": self._now()}
        self._jobs().update_one({"_id": job_id}, {"$set": values})

    @store_errors
    def clear_fault(self, job_id: str, step: str) -> None:
        self._jobs().update_one({"_id": job_id}, {"$unset": {f"faults.{step}": ""}, "$set": {"fault": None}})

    @store_errors
    def note_published(self, job: EncodeJob, *, front_s: float, at: datetime) -> EncodeJob:
        front: dict[str, object] = {"$max": {"summary.front_s": front_s}}
        if job.playable_at is None and (first := self._updated(job, {"playable_at": None}, front, {"playable_at": at})):
            return first
        return self._update(job, {}, front, {})

    @store_errors
    def undo_parts(self, job: EncodeJob, loss: Loss) -> EncodeJob:
        while True:
            job = self.get_job(job.id)
            after = without_parts(job, loss)
            if after == job or job.plan is None:
                return job
            done = sorted(job.chunks_done - after.chunks_done)
            gone = lost_fields(job, after)
            segments = sum(chunk.segments for chunk in job.plan.chunks if chunk.index in done)
            counted = {"remakes": 1, "summary.chunks_done": -len(done), "summary.segments_done": -segments}
            change: dict[str, object] = {"$inc": counted}
            unchanged: dict[str, object] = {"updated_at": job.updated_at}
            if gone:
                change["$unset"] = dict.fromkeys(gone, "")
            if done:
                change["$pull"] = {"chunks_done": {"$in": done}}
                unchanged["chunks_done"] = {"$all": done}
            values: dict[str, object] = {
                "tail_frames": after.tail_frames,
                "summary.front_s": front_s_of(after),
                "summary.tracks": track_shares(job.plan, after.tracks),
                "summary.notes": list(notes_of(after)),
                **turns_of(after),
            }
            if undone := self._updated(job, unchanged, change, values):
                return undone

    @store_errors
    def schedule_verification(self, job_id: str, *, at: datetime | None, repair: bool) -> None:
        values = {"verify_at": at, **({"verify_repairs": True} if repair else {})}
        self._jobs().update_one({"_id": job_id}, {"$set": values})

    @store_errors
    def note_verified(self, job: EncodeJob, verification: Verification) -> EncodeJob:
        values: dict[str, object] = {"verified": plain(verification)}
        if not verification.damaged:
            values["remakes"] = 0
        asked = {"$in": [None, 0]} if job.late_asked == 0 else job.late_asked
        done = {**values, "verify_at": None, "verify_repairs": False}
        return self._updated(job, {"late_asked": asked}, {}, done) or self._update(job, {}, {}, values)

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
        return replace(job_of(found), plan=job.plan) if found else None

    def _jobs(self) -> Collection[dict[str, Any]]:
        """Return the collection, after creating its indexes if necessary."""
        if not self._prepared:  # no lock: preparing twice is harmless, and no thread waits for an unavailable store
            self._prepare()
            self._prepared = True
        return self._collection

    def _prepare(self) -> None:
        """Create the indexes; add what documents of earlier versions lack, if their jobs are or may become open.

        Position and summary were added in 0.2, the tracks in the summary and the turns in 0.3.
        """
        self._collection.create_index([("title_id", 1), ("created_at", DESCENDING)])
        self._collection.create_index([("position", DESCENDING)])
        self._collection.create_index([("status", 1)])
        self._collection.create_index([("front_turn", ASCENDING)])
        self._collection.create_index([("turn", ASCENDING)])
        open_before = {"status": {"$in": [*_OPEN, str(JobStatus.FAILED)]}, "turn": {"$exists": False}}
        for _ in range(_ROUNDS):
            old = [*self._collection.find({"position": None}), *self._collection.find(open_before)]
            for document in old:
                job = job_of(document)
                added: dict[str, Any] = {"position": position_of(job), "summary": summary_fields(job)}
                added |= turns_of(job) if job.is_open else NO_TURNS
                # a job that has changed since it was read is read again in the next round
                self._collection.update_one({"_id": job.id, "updated_at": document["updated_at"]}, {"$set": added})
            if not old:
                return


def _reception_changes(transition: Transition) -> dict[str, bool]:
    """Return the fields of a document that change with the reception of its job."""
    return {f"reception.{name}": value for name, value in RECEPTION_CHANGES.get(transition, {}).items()}
