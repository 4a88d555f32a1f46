"""Automatic captions in memory, stored in the jobs of `MemoryEncodeJobs`; tests run them and those in Mongo."""

from __future__ import annotations

from dataclasses import replace
from threading import RLock
from typing import TYPE_CHECKING

from functions.encoding.captions_encode import CaptionsEncode, CaptionsStatus
from functions.encoding.model import JobStatus
from tests.support.av1 import atomic

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from functions.encoding.captions.rule import Captioned
    from functions.encoding.captions_encode import CaptionCue
    from tests.support.encoding_jobs import MemoryEncodeJobs


class MemoryCaptions:
    """The automatic captions of jobs in memory."""

    def __init__(self, jobs: MemoryEncodeJobs) -> None:
        self._jobs = jobs
        self._lock = RLock()

    @atomic
    def take_undecided(self, *, now: datetime, again_at: datetime, limit: int) -> list[str]:
        dues = self._jobs.captions_dues
        due = [(at, job_id) for job_id, at in dues.items() if at and at <= now and self._is_undecided(job_id)]
        taken = [job_id for _, job_id in sorted(due)[:limit]]
        dues.update(dict.fromkeys(taken, again_at))
        return taken

    @atomic
    def begin_encode(self, job_id: str, *, at: datetime, captioned: Captioned) -> bool:
        if not self._is_undecided(job_id):
            return False
        self._put(job_id, CaptionsEncode(CaptionsStatus.ENCODING, at, **captioned._asdict()))
        self._jobs.captions_dues[job_id] = None
        return True

    def list_unfinished(self, *, limit: int) -> list[str]:
        ready = [job for job in self._jobs.all_jobs() if job.status is JobStatus.READY and job.captions]
        unfinished = [each for each in ready if each.captions and (each.captions.is_ending or self._made(each.id))]
        found = [(job.captions.begun_at, job.id) for job in unfinished if job.captions]
        return [job_id for _, job_id in sorted(found)[:limit]]

    @atomic
    def count_attempt(self, job_id: str, chunk: int, *, by: int) -> CaptionsEncode | None:
        captions = self._made(job_id)
        if captions is None:
            return None
        attempts = {**captions.attempts, str(chunk): captions.attempts.get(str(chunk), 0) + by}
        return self._put(job_id, replace(captions, attempts=attempts))

    @atomic
    def finish_chunk(
        self, job_id: str, chunk: int, *, cues: Sequence[CaptionCue], cpu_s: float
    ) -> CaptionsEncode | None:
        captions = self._made(job_id)
        if captions is None or chunk in captions.done:
            return self._jobs.get_job(job_id).captions
        return self._put(
            job_id,
            replace(
                captions,
                done=captions.done | {chunk},
                cpu_s=captions.cpu_s + cpu_s,
                pieces={**captions.pieces, str(chunk): tuple(cues)},
                attempts={name: count for name, count in captions.attempts.items() if name != str(chunk)},
                reason=None,
            ),
        )

    @atomic
    def undo_chunks(self, job_id: str, chunks: Collection[int]) -> CaptionsEncode | None:
        captions = self._jobs.get_job(job_id).captions
        if captions is None:
            return None
        undone = captions.done & set(chunks)
        names = {str(chunk) for chunk in undone}
        captions = replace(
            captions,
            done=captions.done - undone,
            pieces={name: cues for name, cues in captions.pieces.items() if name not in names},
            attempts={name: count for name, count in captions.attempts.items() if name not in names},
        )
        if captions.status is CaptionsStatus.COMPLETE:
            edition = captions.edition + 1
            captions = replace(captions, status=CaptionsStatus.ENCODING, ended_at=None, edition=edition)
        return self._put(job_id, captions)

    @atomic
    def note_joined(self, job_id: str, *, cues: int, size: int) -> None:
        if captions := self._made(job_id):
            self._put(job_id, replace(captions, cues=cues, size=size))

    @atomic
    def note_hindrance(self, job_id: str, reason: str | None) -> None:
        if captions := self._made(job_id):
            self._put(job_id, replace(captions, reason=reason))

    @atomic
    def complete_encode(self, job_id: str, *, chunks: int) -> CaptionsEncode | None:
        captions = self._made(job_id)
        if captions is None or len(captions.done) != chunks:
            return None
        edition = captions.edition + 1
        complete = replace(captions, status=CaptionsStatus.COMPLETE, pieces={}, reason=None, edition=edition)
        return self._put(job_id, complete)

    @atomic
    def abandon_encode(self, job_id: str, *, reason: str) -> CaptionsEncode | None:
        captions = self._made(job_id)
        if captions is None:
            return None
        edition = captions.edition + 1
        abandoned = replace(captions, status=CaptionsStatus.ABANDONED, reason=reason, pieces={}, edition=edition)
        return self._put(job_id, abandoned)

    @atomic
    def end_encode(self, job_id: str, *, edition: int, at: datetime) -> None:
        captions = self._jobs.get_job(job_id).captions
        if captions and captions.is_ending and captions.edition == edition:
            self._put(job_id, replace(captions, ended_at=at))

    def _is_undecided(self, job_id: str) -> bool:
        job = self._jobs.get_job(job_id)
        return job.status is JobStatus.READY and job.captions is None

    def _made(self, job_id: str) -> CaptionsEncode | None:
        captions = self._jobs.get_job(job_id).captions
        return captions if captions and captions.status is CaptionsStatus.ENCODING else None

    def _put(self, job_id: str, captions: CaptionsEncode) -> CaptionsEncode:
        self._jobs.put_job(replace(self._jobs.get_job(job_id), captions=captions))
        return captions
