"""Encodes in AV1 in memory, stored in the jobs of `MemoryEncodeJobs`; tests run them and those in Mongo."""

from __future__ import annotations

from dataclasses import replace
from functools import wraps
from threading import RLock
from typing import TYPE_CHECKING, Any

from functions.encoding.av1_encode import Av1Encode, Av1Status
from functions.encoding.model import JobStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from functions.encoding.av1_encode import Av1Result
    from tests.support.encoding_jobs import MemoryEncodeJobs


def atomic[**P, R](method: Callable[P, R]) -> Callable[P, R]:
    """Return a method that no other method of the same store interrupts."""

    @wraps(method)
    def locked(*args: P.args, **options: P.kwargs) -> R:
        store: Any = args[0]
        with store._lock:
            return method(*args, **options)

    return locked


class MemoryAv1Encodes:
    """The encodes in AV1 of jobs in memory."""

    def __init__(self, jobs: MemoryEncodeJobs) -> None:
        self._jobs = jobs
        self._lock = RLock()

    @atomic
    def take_undecided(self, *, now: datetime, again_at: datetime, limit: int) -> list[str]:
        dues = self._jobs.av1_dues
        due = [(at, job_id) for job_id, at in dues.items() if at and at <= now and self._is_undecided(job_id)]
        taken = [job_id for _, job_id in sorted(due)[:limit]]
        dues.update(dict.fromkeys(taken, again_at))
        return taken

    @atomic
    def begin_encode(self, job_id: str, *, at: datetime, reason: str) -> bool:
        if not self._is_undecided(job_id):
            return False
        self._put(job_id, Av1Encode(Av1Status.ENCODING, at, reason))
        self._jobs.av1_dues[job_id] = None
        return True

    def list_unfinished(self, *, limit: int) -> list[str]:
        ready = [job for job in self._jobs.all_jobs() if job.status is JobStatus.READY and job.av1]
        unfinished = [each for each in ready if each.av1 and (each.av1.is_ending or self._made(each.id))]
        found = [(job.av1.begun_at, job.id) for job in unfinished if job.av1]
        return [job_id for _, job_id in sorted(found)[:limit]]

    @atomic
    def count_attempt(self, job_id: str, chunk: int, *, by: int) -> Av1Encode | None:
        encode = self._made(job_id)
        if encode is None:
            return None
        attempts = {**encode.attempts, str(chunk): encode.attempts.get(str(chunk), 0) + by}
        return self._put(job_id, replace(encode, attempts=attempts))

    @atomic
    def finish_chunk(
        self, job_id: str, chunk: int, *, result: Av1Result, codecs: Mapping[str, str], cpu_s: float
    ) -> Av1Encode | None:
        encode = self._made(job_id)
        if encode is None or chunk in encode.done:
            return self._jobs.get_job(job_id).av1
        return self._put(
            job_id,
            replace(
                encode,
                done=encode.done | {chunk},
                size=encode.size + result.size,
                cpu_s=encode.cpu_s + cpu_s,
                results={**encode.results, str(chunk): result},
                codecs={**encode.codecs, **codecs},
                attempts={name: count for name, count in encode.attempts.items() if name != str(chunk)},
            ),
        )

    @atomic
    def undo_chunks(self, job_id: str, chunks: Collection[int]) -> Av1Encode | None:
        encode = self._jobs.get_job(job_id).av1
        if encode is None:
            return None
        undone = encode.done & set(chunks)
        names = {str(chunk) for chunk in undone}
        encode = replace(
            encode,
            done=encode.done - undone,
            size=encode.size - sum(encode.results[name].size for name in names),
            results={name: result for name, result in encode.results.items() if name not in names},
            attempts={name: count for name, count in encode.attempts.items() if name not in names},
        )
        if encode.status is Av1Status.COMPLETE:
            encode = replace(encode, status=Av1Status.ENCODING, ended_at=None, edition=encode.edition + 1)
        return self._put(job_id, encode)

    @atomic
    def complete_encode(self, job_id: str, *, chunks: int) -> Av1Encode | None:
        encode = self._made(job_id)
        if encode is None or len(encode.done) != chunks:
            return None
        return self._put(job_id, replace(encode, status=Av1Status.COMPLETE, edition=encode.edition + 1))

    @atomic
    def abandon_encode(self, job_id: str, *, reason: str) -> Av1Encode | None:
        encode = self._made(job_id)
        if encode is None:
            return None
        abandoned = replace(encode, status=Av1Status.ABANDONED, reason=reason, edition=encode.edition + 1)
        return self._put(job_id, abandoned)

    @atomic
    def end_encode(self, job_id: str, *, edition: int, at: datetime) -> None:
        encode = self._jobs.get_job(job_id).av1
        if encode and encode.is_ending and encode.edition == edition:
            self._put(job_id, replace(encode, ended_at=at))

    def _is_undecided(self, job_id: str) -> bool:
        job = self._jobs.get_job(job_id)
        return job.status is JobStatus.READY and job.av1 is None

    def _made(self, job_id: str) -> Av1Encode | None:
        encode = self._jobs.get_job(job_id).av1
        return encode if encode and encode.status is Av1Status.ENCODING else None

    def _put(self, job_id: str, encode: Av1Encode) -> Av1Encode:
        self._jobs.put_job(replace(self._jobs.get_job(job_id), av1=encode))
        return encode
