"""Late subtitles in Mongo: the fields `late` and `late_asked` of the documents of their jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pymongo import ReturnDocument

from functions.encoding.job_documents import job_of, plain
from functions.encoding.model import JobStatus
from functions.encoding.tracks import notes_of
from functions.platform.mongo import store_errors

if TYPE_CHECKING:
    from datetime import datetime

    from pymongo.collection import Collection

    from functions.encoding.late_text import LateSubtitles
    from functions.encoding.model import EncodeJob

_READY = str(JobStatus.READY)


class MongoLateSubtitles:
    """The collection `encode_jobs`, which other stores index."""

    def __init__(self, collection: Collection[dict[str, Any]]) -> None:
        self._jobs = collection

    @store_errors
    def ask(self, job_id: str, *, at: datetime) -> bool:
        change = {"$inc": {"late_asked": 1}, "$set": {"verify_at": at, "verify_repairs": True}}
        return self._jobs.update_one({"_id": job_id, "status": _READY}, change).matched_count == 1

    @store_errors
    def store_late(self, job: EncodeJob, late: LateSubtitles) -> EncodeJob | None:
        edition = {"$in": [None, 0]} if job.late.edition == 0 else job.late.edition  # earlier versions stored none
        found = self._jobs.find_one_and_update(
            {"_id": job.id, "status": _READY, "late.edition": edition},
            {"$set": {"late": plain(late), "summary.notes": list(notes_of(replace(job, late=late)))}},
            projection={"plan": 0},
            return_document=ReturnDocument.AFTER,
        )
        return replace(job_of(found), plan=job.plan) if found else None
