"""The store of encode jobs in memory; the tests in tests/integration/encoding run with it and with Mongo."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from datetime import UTC, datetime
from threading import RLock
from typing import TYPE_CHECKING, Any, Unpack

from functions.encoding.audience import Audience, ListedPart
from functions.encoding.job_documents import position_of
from functions.encoding.model import RECEPTION_CHANGES, EncodeJob, JobStatus, JobSummary, Transition
from functions.encoding.on_demand_encode import estimates_of
from functions.encoding.publication.presentation import front_s_of
from functions.encoding.spending.costs import EncodeCost, estimated_s, estimated_size
from functions.encoding.steps import JobWork, track_shares
from functions.encoding.track_state import TrackState
from functions.encoding.tracks import notes_of
from functions.encoding.upkeep.remakes import without_parts
from functions.encoding.upkeep.retention import sweep_time
from functions.platform.errors import NotFound
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.encoding.audience import ChunkWait
    from functions.encoding.changed_fields import ChangedFields
    from functions.encoding.copying.reception import Reception
    from functions.encoding.damage import DamagedRun
    from functions.encoding.losses import Loss
    from functions.encoding.model import StepFault
    from functions.encoding.spending.receipts import ChunkResult
    from functions.encoding.steps import StepRequest
    from functions.encoding.upkeep.verification import Verification


class MemoryEncodeJobs:
    """Encode jobs in memory, with their upkeep and their audience; `calls` counts the calls of each method.

    If `away` is set, methods raise it. `sweeps` has the time at which each job is due to be swept.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: NOON) -> None:
        self.calls: Counter[str] = Counter()
        self.away: Exception | None = None
        self.sweeps: dict[str, datetime | None] = {}
        self.av1_dues: dict[str, datetime | None] = {}
        self.intros_dues: dict[str, datetime | None] = {}
        self.intros_compared: dict[str, str] = {}
        self.captions_dues: dict[str, datetime | None] = {}
        self.replica_s: dict[str, float] = {}
        self._jobs: dict[str, EncodeJob] = {}
        self._fronts: dict[str, float] = {}
        self._served: dict[str, datetime] = {}
        self._dismissed: set[str] = set()
        self._requests: dict[str, dict[str, StepRequest]] = {}
        self._now = now
        self._lock = RLock()

    def add_job(self, job: EncodeJob) -> bool:
        self._called("add_job")
        with self._lock:
            if job.id in self._jobs:
                return False
            self._jobs[job.id] = job
            return True

    def get_job(self, job_id: str) -> EncodeJob:
        self._called("get_job")
        return self._known(job_id)

    def find_summary(self, job_id: str) -> JobSummary | None:
        self._called("find_summary")
        return self._summary(self._jobs[job_id]) if job_id in self._jobs else None

    def latest_summary(self, title_id: str) -> JobSummary | None:
        self._called("latest_summary")
        found = next((job for job in self._newest_first() if job.title_id == title_id), None)
        return self._summary(found) if found else None

    def list_summaries(self, *, below: str | None, limit: int) -> list[JobSummary]:
        self._called("list_summaries")
        shown = [job for job in self._newest_first() if job.id not in self._dismissed]
        found = [job for job in shown if not below or position_of(job) < below]
        return [self._summary(job) for job in found[:limit]]

    def open_summaries(self) -> list[JobSummary]:
        self._called("open_summaries")
        return [self._summary(job) for job in self._jobs.values() if job.is_open]

    def list_work(self) -> list[JobWork]:
        self._called("list_work")
        return [self._work(job) for job in self._jobs.values() if job.is_open]

    def next_works(self, *, fronts: bool, skip: int, limit: int) -> list[JobWork]:
        self._called("next_works")
        lacking = [job for job in self._jobs.values() if job.status is JobStatus.ENCODING and job.missing_chunks]
        by_age = sorted(lacking, key=lambda job: (job.planned_at or job.created_at, job.id))
        if fronts:
            found = [job for job in by_age if 0 in job.missing_chunks]
        else:  # jobs that had no turn come first
            never = datetime.min.replace(tzinfo=UTC)
            found = sorted(by_age, key=lambda job: self._served.get(job.id, never))
        return [self._work(job) for job in found[skip : skip + limit]]

    def note_requests(self, job_id: str, requests: Mapping[str, StepRequest]) -> None:
        self._called("note_requests")
        self._requests[job_id] = dict(requests)

    def take_turn(self, job_id: str, *, at: datetime) -> EncodeJob | None:
        self._called("take_turn")
        with self._lock:
            if job_id not in self._jobs or self._jobs[job_id].status is not JobStatus.ENCODING:
                return None
            self._served[job_id] = at
            return self._jobs[job_id]

    def add_wait(self, job: EncodeJob, viewer: str, wait: ChunkWait, *, begins_part: bool) -> bool:
        self._called("add_wait")
        with self._lock:
            there = self._jobs.get(job.id)
            if there is None or there.status is not JobStatus.ENCODING:
                return False
            waits = {name: each for name, each in there.audience.waits.items() if each.is_valid(wait.at)}
            parts = dict(there.audience.parts)
            if begins_part:
                listed = parts.get(str(wait.chunk), ListedPart(wait.from_s))
                parts[str(wait.chunk)] = listed
            self._jobs[job.id] = replace(there, audience=Audience({**waits, viewer: wait}, parts, wait.at))
            return True

    def awaited_works(self, *, since: datetime) -> list[JobWork]:
        self._called("awaited_works")
        encoding = (job for job in self._jobs.values() if job.status is JobStatus.ENCODING)
        return [self._work(job) for job in encoding if job.audience.waited_at and job.audience.waited_at > since]

    def note_listed(self, job_id: str, ends: Mapping[int, float]) -> None:
        self._called("note_listed")
        with self._lock:
            there = self._known(job_id)
            parts = dict(there.audience.parts)
            for chunk, end in ends.items():
                parts[str(chunk)] = replace(parts[str(chunk)], until_s=max(end, parts[str(chunk)].until_s))
            self._jobs[job_id] = replace(there, audience=replace(there.audience, parts=parts))

    def dismiss_job(self, job_id: str, *, at: datetime) -> bool:
        del at
        self._called("dismiss_job")
        with self._lock:
            if job_id not in self._jobs or self._jobs[job_id].status is not JobStatus.FAILED:
                return False
            self._dismissed.add(job_id)
            return True

    def supersede_jobs(self, by: EncodeJob | JobSummary, *, reason: str, at: datetime) -> None:
        self._called("supersede_jobs")
        for job in list(self._jobs.values()):
            if job.title_id == by.title_id and job.id != by.id and job.is_open and job.created_at <= by.created_at:
                change = Transition.GIVE_UP if job.status is JobStatus.RECEIVING else Transition.FAIL
                self._set(job.id, status=change.target, reason=reason, ended_at=at, **_reception_of(job, change))

    def change_status(self, job_id: str, transition: Transition, **fields: Unpack[ChangedFields]) -> EncodeJob | None:
        self._called("change_status")
        with self._lock:
            there = self._jobs.get(job_id)
            if there is None or there.status not in transition.sources:
                return None
            if transition is Transition.RESUME and not (there.reception and there.reception.has_stopped):
                return None
            if "dismissed_at" in fields:
                del fields["dismissed_at"]
                self._dismissed.discard(job_id)
            dues = {"sweep_at": self.sweeps, "av1_due_at": self.av1_dues}
            dues |= {"intros_due_at": self.intros_dues, "captions_due_at": self.captions_dues}
            for name in dues.keys() & fields.keys():
                dues[name][job_id] = fields.pop(name)  # type: ignore[misc] # the names are those of the fields
            if "tracks" in fields:
                self._fronts.pop(job_id, None)
            return self._set(job_id, status=transition.target, **_reception_of(there, transition), **fields)

    def note_received(self, job_id: str, reception: Reception, *, size: int) -> None:
        self._called("note_received")
        with self._lock:
            there = self._jobs.get(job_id)
            if there is None or there.status is not JobStatus.RECEIVING or there.reception is None:
                return
            before, now = there.reception, reception
            if (before.at, before.front) <= (now.at, now.front):
                now = replace(before, etag=now.etag, front=now.front, stored=now.stored, at=now.at)
                self._set(job_id, reception=now, size=size)

    def note_front(self, job_id: str, *, published: str | None, waits_because: str | None) -> None:
        self._called("note_front")
        with self._lock:
            there = self._jobs.get(job_id)
            if there and there.status is JobStatus.RECEIVING and there.reception:
                now = replace(there.reception, published=published, waits_because=waits_because)
                self._jobs[job_id] = replace(there, reception=now)

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
        self._called("finish_chunk")
        with self._lock:
            there = self._known(job.id)
            if index in there.chunks_done:
                return there
            return self._set(
                job.id,
                chunks_done=there.chunks_done | {index},
                codecs={**there.codecs, **codecs},
                live={chunk: count for chunk, count in there.live.items() if chunk != str(index)},
                cpu_s=there.cpu_s + cpu_s,
                tail_frames=there.tail_frames if tail is None else tail,
                chunk_sizes={**there.chunk_sizes, str(index): size},
                damage={**there.damage, str(index): damage} if damage else there.damage,
                results={**there.results, str(index): result} if result else there.results,
            )

    def advance_chunk(self, job: EncodeJob, index: int, segments: int, *, codecs: Mapping[str, str]) -> EncodeJob:
        self._called("advance_chunk")
        with self._lock:
            there = self._known(job.id)
            if index in there.chunks_done:
                return there
            most = max(segments, there.live.get(str(index), 0))
            return self._set(job.id, live={**there.live, str(index): most}, codecs={**there.codecs, **codecs})

    def advance_track(self, job: EncodeJob, track: str, state: TrackState, *, codec: str | None) -> EncodeJob:
        self._called("advance_track")
        with self._lock:
            was_receiving, job = job.status is JobStatus.RECEIVING, self._known(job.id)
            if was_receiving and job.status is not JobStatus.RECEIVING:
                return job
            there = job.tracks.get(track, TrackState())
            if there.complete or (not state.complete and there.segments > state.segments):
                return job
            codecs = {**job.codecs, track: codec} if codec else job.codecs
            return self._set(job.id, tracks={**job.tracks, track: state}, codecs=codecs)

    def note_fault(self, job_id: str, step: str, fault: StepFault) -> None:
        self._called("note_fault")
        self._set(job_id, fault=fault.detail, faults={**self._known(job_id).faults, step: fault})

    def clear_fault(self, job_id: str, step: str) -> None:
        self._called("clear_fault")
        left = {name: fault for name, fault in self._known(job_id).faults.items() if name != step}
        self._jobs[job_id] = replace(self._jobs[job_id], faults=left, fault=None)

    def note_published(self, job: EncodeJob, *, front_s: float, at: datetime) -> EncodeJob:
        self._called("note_published")
        with self._lock:
            self._fronts[job.id] = max(front_s, self._fronts.get(job.id, 0.0))
            return self._set(job.id, playable_at=self._known(job.id).playable_at or at)

    def undo_parts(self, job: EncodeJob, loss: Loss) -> EncodeJob:
        self._called("undo_parts")
        with self._lock:
            there = self._known(job.id)
            after = without_parts(there, loss)
            if after == there:
                return there
            self._jobs[job.id] = after
            self._fronts[job.id] = front_s_of(after)
            return self._set(job.id)

    def schedule_verification(self, job_id: str, *, at: datetime | None, repair: bool) -> None:
        self._called("schedule_verification")
        with self._lock:
            repairs = repair or self._known(job_id).verify_repairs
            self._jobs[job_id] = replace(self._jobs[job_id], verify_at=at, verify_repairs=repairs)

    def note_verified(self, job: EncodeJob, verification: Verification) -> EncodeJob:
        self._called("note_verified")
        same = self._known(job.id).late_asked == job.late_asked
        done = {"verify_at": None, "verify_repairs": False} if same else {}
        return self._set(job.id, verified=verification, **done, **({} if verification.damaged else {"remakes": 0}))

    def take_unverified(self, *, now: datetime, again_at: datetime, limit: int) -> list[str]:
        self._called("take_unverified")
        with self._lock:
            due = [job for job in self._jobs.values() if job.status is JobStatus.READY and _is_due(job.verify_at, now)]
            due = sorted(due, key=lambda job: job.verify_at or now)[:limit]
            for job in due:
                self._jobs[job.id] = replace(job, verify_at=again_at)
            return [job.id for job in due]

    def take_unswept(self, *, now: datetime, again_at: datetime, limit: int) -> list[JobSummary]:
        self._called("take_unswept")
        with self._lock:
            ended = [job for job in self._jobs.values() if not job.is_open]
            due = [job for job in ended if _is_due(self.sweeps.get(job.id), now)]
            due = sorted(due, key=lambda job: self.sweeps[job.id] or now)[:limit]
            for job in due:
                self.sweeps[job.id] = again_at
            return [self._summary(job) for job in due]

    def note_swept(self, job_id: str, *, taken_until: datetime, sweep_at: datetime | None) -> None:
        self._called("note_swept")
        with self._lock:
            if self.sweeps.get(job_id) == taken_until:
                self.sweeps[job_id] = sweep_at

    def schedule_sweep(self, job_id: str, *, at: datetime) -> None:
        self._called("schedule_sweep")
        self.sweeps[job_id] = sweep_time(self.sweeps.get(job_id), at)

    def summaries_of_title(self, title_id: str) -> list[JobSummary]:
        self._called("summaries_of_title")
        return [self._summary(job) for job in self._newest_first() if job.title_id == title_id]

    def all_jobs(self) -> list[EncodeJob]:
        """Return all jobs, in any order."""
        return list(self._jobs.values())

    def put_job(self, job: EncodeJob) -> None:
        """Store a job as it is, in place of the one with its id."""
        self._jobs[job.id] = job

    def set_status(self, job_id: str, status: JobStatus, **fields: Any) -> EncodeJob:
        """Set the status of a job, even if the transition is not allowed."""
        return self._set(job_id, status=status, **fields)

    def _called(self, method: str) -> None:
        self.calls[method] += 1
        if self.away:
            raise self.away

    def _known(self, job_id: str) -> EncodeJob:
        if job_id not in self._jobs:
            raise NotFound(f"There is no encode job {job_id}.")
        return self._jobs[job_id]

    def _set(self, job_id: str, **values: Any) -> EncodeJob:
        self._jobs[job_id] = replace(self._jobs[job_id], updated_at=self._now(), **values)
        return self._jobs[job_id]

    def _newest_first(self) -> list[EncodeJob]:
        return sorted(self._jobs.values(), key=position_of, reverse=True)

    def _summary(self, job: EncodeJob) -> JobSummary:
        plan = job.plan
        done = [chunk for chunk in plan.chunks if chunk.index in job.chunks_done] if plan else []
        same = {name.name: getattr(job, name.name) for name in fields(JobSummary) if hasattr(job, name.name)}
        counted = {
            "duration_s": float(plan.duration) if plan else None,
            "chunks": len(plan.chunks) if plan else 0,
            "chunks_done": len(done),
            "segments": plan.grid.segments if plan else 0,
            "segments_stored": sum(chunk.segments for chunk in done) + sum(job.live.values()),
            "tracks": track_shares(plan, job.tracks) if plan else {},
            "front_s": self._fronts.get(job.id, 0.0),
            "grid": replace(plan.grid, cuts=()) if plan else None,
            "passthrough": plan.passthrough if plan else None,
            "missing": plan.missing if plan else 0,
            "notes": notes_of(job),
            "cost": self._cost(job),
            "av1": replace(job.av1, results={}, codecs={}, attempts={}) if job.av1 else None,
            "captions": replace(job.captions, pieces={}, attempts={}) if job.captions else None,
            "on_demand": replace(job.on_demand, sizes={}, codecs={}, attempts={}) if job.on_demand else None,
            "renditions_on_demand": estimates_of(plan.on_demand, plan.grid) if plan else (),
        }
        if job.plan and job.plan.copied and job.plan.copied.is_provisional:
            counted["provisional"] = job.plan.copied.rendition.name
        return JobSummary(**{**same, **counted})

    def _work(self, job: EncodeJob) -> JobWork:
        same = {name.name: getattr(job, name.name) for name in fields(JobWork) if hasattr(job, name.name)}
        counted = {
            "chunks": len(job.plan.chunks) if job.plan else 0,
            "tracks": track_shares(job.plan, job.tracks) if job.plan else {},
            "served_at": self._served.get(job.id),
            "cost": self._cost(job),
            "requests": self._requests.get(job.id, {}),
        }
        return JobWork(**{**same, **counted})

    def _cost(self, job: EncodeJob) -> EncodeCost:
        plan, spent_s = job.plan, self.replica_s.get(job.id, 0.0)
        return EncodeCost(estimated_s(plan), spent_s, estimated_size(plan)) if plan else EncodeCost(0, spent_s)


def _reception_of(job: EncodeJob, transition: Transition) -> dict[str, Reception | None]:
    changes: dict[str, Any] = {**RECEPTION_CHANGES.get(transition, {})}
    return {"reception": job.reception and replace(job.reception, **changes)} if changes else {}


def _is_due(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now
