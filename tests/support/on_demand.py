"""Encodes of renditions on demand in memory, stored in the jobs of `MemoryEncodeJobs`."""

from __future__ import annotations

from dataclasses import replace
from threading import RLock
from typing import TYPE_CHECKING

from functions.encoding.model import JobStatus
from functions.encoding.on_demand_encode import OnDemandEncode, OnDemandStatus
from tests.support.av1 import atomic

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from tests.support.encoding_jobs import MemoryEncodeJobs

ENCODING = OnDemandStatus.ENCODING


class MemoryOnDemandEncodes:
    """The encodes on demand of jobs in memory; `wanted` says when each was wanted last."""

    def __init__(self, jobs: MemoryEncodeJobs) -> None:
        self.wanted: dict[str, datetime] = {}
        self._jobs = jobs
        self._lock = RLock()

    @atomic
    def note_wanted(self, job_id: str, *, at: datetime) -> OnDemandEncode | None:
        encode = self._jobs.get_job(job_id).on_demand
        if encode is None or encode.status is not OnDemandStatus.LEAVING:
            self.wanted[job_id] = at
        return encode

    @atomic
    def begin_encode(self, job_id: str, *, at: datetime) -> OnDemandEncode | None:
        job = self._jobs.get_job(job_id)
        if job.status is not JobStatus.READY or (job.on_demand and not job.on_demand.may_begin(at)):
            return None
        self.wanted[job_id] = at
        begun = OnDemandEncode(OnDemandStatus.ENCODING, at)
        return self._put(job_id, job.on_demand.begun_again(at) if job.on_demand else begun)

    def list_unfinished(self, *, limit: int) -> list[str]:
        ready = [job for job in self._jobs.all_jobs() if job.status is JobStatus.READY]
        encodes = {job.id: job.on_demand for job in ready if job.on_demand}
        unfinished = {id: each for id, each in encodes.items() if each.is_ending or each.status is ENCODING}
        found = [(max(each.begun_at, self.wanted.get(id, each.begun_at)), id) for id, each in unfinished.items()]
        return [job_id for _, job_id in sorted(found, reverse=True)[:limit]]

    @atomic
    def count_attempt(self, job_id: str, chunk: int, *, by: int) -> OnDemandEncode | None:
        encode = self._made(job_id)
        if encode is None:
            return None
        attempts = {**encode.attempts, str(chunk): encode.attempts.get(str(chunk), 0) + by}
        return self._put(job_id, replace(encode, attempts=attempts))

    @atomic
    def finish_chunk(
        self, job_id: str, chunk: int, *, size: int, codecs: Mapping[str, str], cpu_s: float
    ) -> OnDemandEncode | None:
        encode = self._made(job_id)
        if encode is None or chunk in encode.done:
            return self._jobs.get_job(job_id).on_demand
        return self._put(
            job_id,
            replace(
                encode,
                done=encode.done | {chunk},
                sizes={**encode.sizes, str(chunk): size},
                size=encode.size + size,
                cpu_s=encode.cpu_s + cpu_s,
                codecs={**encode.codecs, **codecs},
                attempts={name: count for name, count in encode.attempts.items() if name != str(chunk)},
            ),
        )

    @atomic
    def undo_chunks(self, job_id: str, chunks: Collection[int]) -> OnDemandEncode | None:
        encode = self._jobs.get_job(job_id).on_demand
        if encode is None:
            return None
        names = {str(chunk) for chunk in encode.done & set(chunks)}
        encode = replace(
            encode,
            done=encode.done - set(chunks),
            size=encode.size - sum(encode.sizes[name] for name in names),
            sizes={name: size for name, size in encode.sizes.items() if name not in names},
            attempts={name: count for name, count in encode.attempts.items() if name not in names},
        )
        if encode.status is OnDemandStatus.COMPLETE:
            encode = replace(encode, status=OnDemandStatus.ENCODING, ended_at=None, edition=encode.edition + 1)
        return self._put(job_id, encode)

    @atomic
    def complete_encode(self, job_id: str, *, chunks: int) -> OnDemandEncode | None:
        encode = self._made(job_id)
        if encode is None or len(encode.done) != chunks:
            return None
        return self._put(job_id, replace(encode, status=OnDemandStatus.COMPLETE, edition=encode.edition + 1))

    @atomic
    def abandon_encode(self, job_id: str, *, reason: str) -> OnDemandEncode | None:
        encode = self._made(job_id)
        if encode is None:
            return None
        abandoned = replace(encode, status=OnDemandStatus.ABANDONED, reason=reason, edition=encode.edition + 1)
        return self._put(job_id, abandoned)

    @atomic
    def end_encode(self, job_id: str, *, edition: int, at: datetime) -> None:
        encode = self._jobs.get_job(job_id).on_demand
        if encode and encode.is_ending and encode.edition == edition:
            self._put(job_id, replace(encode, ended_at=at))

    def list_unwanted(self, *, since: datetime, limit: int) -> list[str]:
        stored = {job.id: job.on_demand for job in self._jobs.all_jobs() if job.status is JobStatus.READY}
        kept = (OnDemandStatus.COMPLETE, OnDemandStatus.LEAVING)
        ids = [job_id for job_id, encode in stored.items() if encode and encode.status in kept]
        found = sorted((self.wanted[job_id], job_id) for job_id in ids if self.wanted[job_id] <= since)
        return [job_id for _, job_id in found[:limit]]

    @atomic
    def begin_removal(self, job_id: str, *, since: datetime) -> bool:
        job = self._jobs.get_job(job_id)
        encode = job.on_demand
        if encode is None or job.status is not JobStatus.READY:
            return False
        if encode.status is OnDemandStatus.COMPLETE and self.wanted[job_id] <= since:
            encode = self._put(job_id, replace(encode, status=OnDemandStatus.LEAVING, edition=encode.edition + 1))
        return encode.status is OnDemandStatus.LEAVING

    @atomic
    def end_removal(self, job_id: str, *, at: datetime) -> None:
        encode = self._jobs.get_job(job_id).on_demand
        if encode and encode.status is OnDemandStatus.LEAVING:
            self.wanted.pop(job_id, None)
            self._put(job_id, replace(encode, status=OnDemandStatus.REMOVED, ended_at=at))

    def _made(self, job_id: str) -> OnDemandEncode | None:
        encode = self._jobs.get_job(job_id).on_demand
        return encode if encode and encode.status is OnDemandStatus.ENCODING else None

    def _put(self, job_id: str, encode: OnDemandEncode) -> OnDemandEncode:
        self._jobs.put_job(replace(self._jobs.get_job(job_id), on_demand=encode))
        return encode
