"""The encode job: its state, what of it is done, and the store that keeps it.

A job moves `queued → planning → encoding → ready | failed` and from `failed` back by a retry. What is done is only ever
added to a set or raised, so that a message that comes twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotations
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import TypeAdapter
from pymongo import DESCENDING, ReturnDocument
from pymongo.errors import DuplicateKeyError

from functions.encoding.model import EncodePlan, SourceRef
from functions.platform.errors import NotFound

if TYPE_CHECKING:
    from pymongo.collection import Collection


class JobStatus(StrEnum):
    """Where an encode job stands."""

    QUEUED = "queued"
    PLANNING = "planning"
    ENCODING = "encoding"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TrackState:
    """How much of an audio track is stored: whole segments and the ticks they last; `complete` when it is all."""

    segments: int = 0
    ticks: int = 0
    complete: bool = False


@dataclass(frozen=True, slots=True)
class EncodeJob:
    """An encode job as it is stored.

    `live` counts the segments stored of chunks that are not done, by chunk; `fault` is what the last attempt met;
    `tail_frames` is the number of frames of the whole film, known when its last chunk is done.
    """

    id: str
    title_id: str
    upload: SourceRef
    etag: str
    size: int
    status: JobStatus
    created_at: datetime
    updated_at: datetime
    uploaded_at: datetime | None = None
    reason: str | None = None
    fault: str | None = None
    plan: EncodePlan | None = None
    chunks_done: frozenset[int] = frozenset()
    tail_frames: int | None = None
    codecs: Mapping[str, str] = field(default_factory=dict)
    tracks: Mapping[str, TrackState] = field(default_factory=dict)
    live: Mapping[str, int] = field(default_factory=dict)
    cpu_s: float = 0.0
    planning_at: datetime | None = None
    planned_at: datetime | None = None
    playable_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def name(self) -> str:
        """Return the file's name as it was uploaded."""
        return self.upload.blob.rpartition("/")[2]

    @property
    def open(self) -> bool:
        """Return whether work on it is still wanted."""
        return self.status not in (JobStatus.READY, JobStatus.FAILED)

    @property
    def missing_chunks(self) -> tuple[int, ...]:
        """Return the indices of the chunks that are not done, in order."""
        return tuple(c.index for c in self.plan.chunks if c.index not in self.chunks_done) if self.plan else ()

    @property
    def missing_tracks(self) -> tuple[str, ...]:
        """Return the names of the audio and subtitle tracks that are not done."""
        done = {name for name, state in self.tracks.items() if state.complete}
        return tuple(name for name in self.plan.tracks if name not in done) if self.plan else ()

    @property
    def all_done(self) -> bool:
        """Return whether every chunk and every track is in storage."""
        return self.plan is not None and not self.missing_chunks and not self.missing_tracks


class Jobs(Protocol):
    """The store of encode jobs."""

    def open(self, job: EncodeJob) -> bool:
        """Store a new job; return False where it is there already."""

    def get(self, job_id: str) -> EncodeJob:
        """Return a job; raise NotFound."""

    def latest(self, title_id: str) -> EncodeJob | None:
        """Return the newest job of a title."""

    def page(self, *, limit: int) -> list[EncodeJob]:
        """Return the newest jobs."""

    def stalled(self, *, since: datetime) -> list[EncodeJob]:
        """Return the open jobs of which nothing has been heard since then, and note that they were asked about."""

    def supersede(self, by: EncodeJob, *, reason: str) -> None:
        """Fail the open jobs of the same title that were opened before."""

    def move(self, job_id: str, *, away_from: tuple[JobStatus, ...], to: JobStatus, **values: object) -> bool:
        """Change the status if it is one of `away_from`, setting `values`; return whether it was."""

    def finish_chunk(
        self, job_id: str, index: int, *, codecs: Mapping[str, str], cpu_s: float, tail: int | None
    ) -> None:
        """Note that a chunk is whole in storage; `tail` is the number of frames of the film's last chunk."""

    def advance_chunk(self, job_id: str, index: int, segments: int, *, codecs: Mapping[str, str]) -> None:
        """Note how many segments of a running chunk are in storage; a second attempt lowers nothing."""

    def advance_track(self, job_id: str, track: str, state: TrackState, *, codec: str | None) -> None:
        """Note how much of a track is in storage; a second attempt lowers nothing."""

    def note_fault(self, job_id: str, fault: str) -> None:
        """Keep what went wrong at the last attempt, in case it was the last."""

    def note_playable(self, job_id: str, at: datetime) -> None:
        """Note when the first manifest was published; later calls change nothing."""


_PLAN: TypeAdapter[EncodePlan] = TypeAdapter(EncodePlan)
_JOB: TypeAdapter[EncodeJob] = TypeAdapter(EncodeJob)


class MongoJobs:
    """Encode jobs in the collection `encode_jobs`."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._jobs = collection
        self._jobs.create_index([("title_id", 1), ("created_at", DESCENDING)])
        self._jobs.create_index([("created_at", DESCENDING)])

    def open(self, job: EncodeJob) -> bool:
        """Store a new job; return False where it is there already."""
        document = _JOB.dump_python(job, mode="json", exclude={"id", "created_at", "updated_at", "chunks_done"})
        document |= {"_id": job.id, "created_at": job.created_at, "updated_at": job.updated_at, "chunks_done": []}
        try:
            self._jobs.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    def get(self, job_id: str) -> EncodeJob:
        """Return a job; raise NotFound."""
        found = self._jobs.find_one({"_id": job_id})
        if found is None:
            raise NotFound(f"There is no encode job {job_id}.")
        return _read(found)

    def latest(self, title_id: str) -> EncodeJob | None:
        """Return the newest job of a title."""
        found = self._jobs.find_one({"title_id": title_id}, sort=[("created_at", DESCENDING)])
        return _read(found) if found else None

    def page(self, *, limit: int) -> list[EncodeJob]:
        """Return the newest jobs."""
        return [_read(found) for found in self._jobs.find(sort=[("created_at", DESCENDING)], limit=limit)]

    def stalled(self, *, since: datetime) -> list[EncodeJob]:
        """Return the open jobs of which nothing has been heard since then; each is returned once in that time."""
        over = [str(JobStatus.READY), str(JobStatus.FAILED)]
        chosen = {"status": {"$nin": over}, "updated_at": {"$lt": since}}
        found = list(self._jobs.find(chosen))
        for document in found:
            self._update({"_id": document["_id"]}, {}, {})
        return [_read(document) for document in found]

    def supersede(self, by: EncodeJob, *, reason: str) -> None:
        """Fail the open jobs of the same title that were opened before."""
        chosen = {
            "title_id": by.title_id,
            "_id": {"$ne": by.id},
            "created_at": {"$lte": by.created_at},
            "status": {"$nin": [str(JobStatus.READY), str(JobStatus.FAILED)]},
        }
        now = datetime.now(UTC)
        values = {"status": str(JobStatus.FAILED), "reason": reason, "updated_at": now, "ended_at": now}
        self._jobs.update_many(chosen, {"$set": values})

    def move(self, job_id: str, *, away_from: tuple[JobStatus, ...], to: JobStatus, **values: object) -> bool:
        """Change the status in one atomic step if it is one of `away_from`."""
        if isinstance(plan := values.get("plan"), EncodePlan):
            values["plan"] = _PLAN.dump_python(plan, mode="json")
        found = self._jobs.find_one_and_update(
            {"_id": job_id, "status": {"$in": [str(status) for status in away_from]}},
            {"$set": {"status": str(to), "updated_at": datetime.now(UTC), **values}},
            return_document=ReturnDocument.AFTER,
        )
        return found is not None

    def finish_chunk(
        self, job_id: str, index: int, *, codecs: Mapping[str, str], cpu_s: float, tail: int | None
    ) -> None:
        """Add the chunk to those done; its CPU-seconds count once."""
        values: dict[str, object] = {f"codecs.{name}": codec for name, codec in codecs.items()}
        if tail is not None:
            values["tail_frames"] = tail
        change = {"$addToSet": {"chunks_done": index}, "$unset": {f"live.{index}": ""}, "$inc": {"cpu_s": cpu_s}}
        self._update({"_id": job_id, "chunks_done": {"$ne": index}}, change, values)

    def advance_chunk(self, job_id: str, index: int, segments: int, *, codecs: Mapping[str, str]) -> None:
        """Raise how many segments of a running chunk are in storage."""
        values: dict[str, object] = {f"codecs.{name}": codec for name, codec in codecs.items()}
        self._update({"_id": job_id, "chunks_done": {"$ne": index}}, {"$max": {f"live.{index}": segments}}, values)

    def advance_track(self, job_id: str, track: str, state: TrackState, *, codec: str | None) -> None:
        """Raise how much of a track is in storage, unless all of it is already."""
        values: dict[str, object] = {
            f"tracks.{track}": {"segments": state.segments, "ticks": state.ticks, "complete": state.complete}
        }
        if codec:
            values[f"codecs.{track}"] = codec
        chosen: dict[str, object] = {"_id": job_id, f"tracks.{track}.complete": {"$ne": True}}
        if not state.complete:
            chosen[f"tracks.{track}.segments"] = {"$not": {"$gt": state.segments}}
        self._update(chosen, {}, values)

    def note_fault(self, job_id: str, fault: str) -> None:
        """Keep what went wrong at the last attempt."""
        self._update({"_id": job_id}, {}, {"fault": fault})

    def note_playable(self, job_id: str, at: datetime) -> None:
        """Note when the first manifest was published, once."""
        self._update({"_id": job_id, "playable_at": None}, {}, {"playable_at": at})

    def _update(self, chosen: dict[str, object], change: dict[str, object], values: dict[str, object]) -> None:
        self._jobs.update_one(chosen, {**change, "$set": {"updated_at": datetime.now(UTC), **values}})


def _read(document: dict[str, Any]) -> EncodeJob:
    return _JOB.validate_python({**document, "id": document["_id"]})
