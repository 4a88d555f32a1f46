"""Encode jobs and storage in memory, which satisfy the contracts of the real stores, and plans for them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from threading import RLock
from typing import TYPE_CHECKING, Any, Unpack, cast

from functions.catalogue.model import Status
from functions.encoding.job_telemetry import JobTelemetry
from functions.encoding.ladder import renditions_for
from functions.encoding.lifecycle import JobLifecycle
from functions.encoding.model import (
    AudioPlan,
    Chunk,
    EncodeJob,
    EncodePlan,
    FrameGrid,
    JobStatus,
    JobSummary,
    PicturePlan,
    SourceRef,
    TrackState,
    Transition,
    position_of,
)
from functions.encoding.pipeline import EncodePipeline
from functions.encoding.presentation import presentation_of
from functions.encoding.service import EncodeService
from functions.encoding.step_runner import StepRunner
from functions.platform.errors import NotFound, SourceRefused
from functions.platform.messages import PlanEncode
from tests.support.catalogue import NOON, World
from tests.support.queues import MemoryQueues
from tests.support.telemetry import Listener

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta
    from pathlib import Path

    from functions.catalogue.model import Title
    from functions.encoding.manifests import ManifestPublisher
    from functions.encoding.model import Rendition, StepFault, TextPlan
    from functions.encoding.planner import Planner
    from functions.encoding.ports import ChangedFields
    from functions.encoding.presentation import Presentation
    from functions.encoding.worker import EncodeWorker
    from functions.platform.queues import Queues


def make_audio_plan(name: str = "a0", **changes: Any) -> AudioPlan:
    """Return the plan of an English stereo track at 48 kHz."""
    plan = AudioPlan(name, 1, "en", "English", 2, 48_000, 128, None)
    return replace(plan, **changes)


def cut(grid: FrameGrid, runs: tuple[int, ...]) -> tuple[Chunk, ...]:
    """Return chunks with the given numbers of segments; the last chunk takes the remainder of the film."""
    chunks: list[Chunk] = []
    first = 0
    for run in runs:
        left = grid.segments - first
        segments = left if len(chunks) == len(runs) - 1 else min(run, left)
        if segments > 0:
            end_frame = min((first + segments) * grid.gop, grid.frames)
            chunks.append(Chunk(len(chunks), first * grid.gop, end_frame, first, segments))
            first += segments
    return tuple(chunks)


def make_plan(
    *,
    frames: int = 1000,
    rate: Fraction = Fraction(24),
    runs: tuple[int, ...] = (1, 3, 4, 3),
    audio: tuple[AudioPlan, ...] | None = None,
    text: tuple[TextPlan, ...] = (),
    renditions: tuple[Rendition, ...] | None = None,
    **picture: Any,
) -> EncodePlan:
    """Return a plan of two rungs and one sound track, in chunks of `runs` segments; by default, 11 in 4 chunks."""
    grid = FrameGrid(rate, frames)
    seen = PicturePlan(
        stream=0, codec="h264", shift=Fraction(0), variable_rate=False, deinterlace=False, tone_map=False
    )
    return EncodePlan(
        source=SourceRef("uploads", "film.mkv"),
        grid=grid,
        picture=replace(seen, **picture),
        renditions=renditions or renditions_for(640, 360),
        chunks=cut(grid, runs),
        audio=(make_audio_plan(),) if audio is None else audio,
        text=text,
        preset="veryfast",
        ffmpeg_version="7.1.5",
    )


def make_job(job_id: str = "0123456789ab", **changes: Any) -> EncodeJob:
    """Return a job that was just opened."""
    job = EncodeJob(
        id=job_id,
        title_id="film-1a2b3c",
        upload=SourceRef("uploads", "film.mkv"),
        etag="0x1",
        size=1000,
        status=JobStatus.QUEUED,
        created_at=NOON,
        updated_at=NOON,
        uploaded_at=NOON,
    )
    return replace(job, **changes)


class MemoryEncodeJobs:
    """Encode jobs in memory; `calls` counts the calls of each method; if `away` is set, methods raise it."""

    def __init__(self, now: Callable[[], datetime] = lambda: NOON) -> None:
        self.calls: Counter[str] = Counter()
        self.away: Exception | None = None
        self._jobs: dict[str, EncodeJob] = {}
        self._fronts: dict[str, float] = {}
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
        found = [job for job in self._newest_first() if not below or position_of(job) < below]
        return [self._summary(job) for job in found[:limit]]

    def take_stalled(self, *, since: datetime) -> list[EncodeJob]:
        self._called("take_stalled")
        with self._lock:
            found = [job for job in self._jobs.values() if job.is_open and job.updated_at < since]
            for job in found:
                self._set(job.id)
            return found

    def supersede_jobs(self, by: EncodeJob, *, reason: str, at: datetime) -> None:
        self._called("supersede_jobs")
        for job in list(self._jobs.values()):
            if job.title_id == by.title_id and job.id != by.id and job.is_open and job.created_at <= by.created_at:
                self._set(job.id, status=Transition.FAIL.target, reason=reason, ended_at=at)

    def change_status(self, job_id: str, transition: Transition, **fields: Unpack[ChangedFields]) -> EncodeJob | None:
        self._called("change_status")
        with self._lock:
            if job_id not in self._jobs or self._jobs[job_id].status not in transition.sources:
                return None
            return self._set(job_id, status=transition.target, **fields)

    def finish_chunk(
        self, job: EncodeJob, index: int, *, codecs: Mapping[str, str], cpu_s: float, tail: int | None
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
            job = self._known(job.id)
            there = job.tracks.get(track, TrackState())
            if there.complete or (not state.complete and there.segments > state.segments):
                return job
            codecs = {**job.codecs, track: codec} if codec else job.codecs
            return self._set(job.id, tracks={**job.tracks, track: state}, codecs=codecs)

    def note_fault(self, job_id: str, step: str, fault: StepFault) -> None:
        self._called("note_fault")
        self._set(job_id, fault=fault.detail, faults={**self._known(job_id).faults, step: fault})

    def note_published(self, job: EncodeJob, *, front_s: float, at: datetime) -> EncodeJob:
        self._called("note_published")
        with self._lock:
            self._fronts[job.id] = max(front_s, self._fronts.get(job.id, 0.0))
            return self._set(job.id, playable_at=self._known(job.id).playable_at or at)

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
            "front_s": self._fronts.get(job.id, 0.0),
        }
        return JobSummary(**{**same, **counted})


@dataclass
class MemoryMedia:
    """Storage in memory: blobs by container and name, and the revisions of texts."""

    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    revisions: dict[tuple[str, str], int] = field(default_factory=dict)

    def signed_address(self, source: SourceRef, *, lasts: timedelta) -> str:
        del lasts
        return f"http://storage.invalid/{source.container}/{source.blob}?sig=secret"

    def read_head(self, source: SourceRef, *, length: int) -> bytes:
        if (source.container, source.blob) not in self.blobs:
            raise SourceRefused(f"The upload {source.blob} is no longer in storage. Upload it again.")
        return self.blobs[source.container, source.blob][:length]

    def download_file(self, source: SourceRef, target: Path) -> None:
        target.write_bytes(self.blobs[source.container, source.blob])

    def list_names(self, container: str, prefix: str) -> list[str]:
        return sorted(name for at, name in self.blobs if at == container and name.startswith(prefix))

    def create_container(self, container: str) -> None:
        del container

    def store_file(self, container: str, name: str, path: Path) -> None:
        self.blobs[container, name] = path.read_bytes()

    def store_text(self, container: str, name: str, text: str, *, revision: int) -> None:
        if self.revisions.get((container, name), -1) < revision:
            self.revisions[container, name] = revision
            self.blobs[container, name] = text.encode()

    def delete_blob(self, container: str, name: str) -> None:
        self.blobs.pop((container, name), None)


class DoneAtOnce:
    """Planner, worker and publisher in one: completes each step without ffmpeg, or raises the errors in `troubles`."""

    def __init__(self, jobs: MemoryEncodeJobs) -> None:
        self.jobs = jobs
        self.troubles: list[Exception] = []
        self.asked: Counter[str] = Counter()
        self.stills: list[str] = []
        self.discarded: list[str] = []

    def plan(self, job: EncodeJob) -> EncodePlan:
        self._take(f"plan {job.id}")
        return make_plan()

    def encode_chunk(self, job: EncodeJob, index: int, *, publish: Callable[[EncodeJob], object]) -> EncodeJob:
        self._take(f"chunk {index}")
        if index in job.chunks_done:
            return job
        codecs = {"v360": "avc1", "v234": "avc1"}
        publish(self.jobs.advance_chunk(job, index, 1, codecs=codecs))
        return self.jobs.finish_chunk(job, index, codecs=codecs, cpu_s=2.5, tail=None)

    def encode_track(self, job: EncodeJob, name: str, *, publish: Callable[[EncodeJob], object]) -> EncodeJob:
        self._take(f"track {name}")
        del publish
        return self.jobs.advance_track(job, name, TrackState(11, 11 * 192_512, True), codec="mp4a")

    def publish(self, job: EncodeJob) -> Presentation | None:
        self._take(f"publish {job.id}")
        return presentation_of(job, job.plan, at=NOON) if job.plan else None

    def attach_early_still(self, job: EncodeJob, presentation: Presentation) -> None:
        del presentation
        self.stills.append(job.id)

    def discard_intermediate(self, job: EncodeJob) -> None:
        self.discarded.append(job.id)

    def _take(self, what: str) -> None:
        self.asked[what] += 1
        if self.troubles:
            raise self.troubles.pop(0)


class EncodeWorld:
    """All of encoding with a store, queues and a catalogue in memory; steps complete immediately."""

    title_id = "film-1a2b3c"

    def __init__(self) -> None:
        self.world = World()
        self.clock = self.world.clock
        self.jobs = MemoryEncodeJobs(self.clock)
        self.queues = MemoryQueues()
        self.telemetry = Listener()
        self.crew = DoneAtOnce(self.jobs)
        self.lifecycle = JobLifecycle(self.jobs, self.world.catalogue, self.clock)
        self.service = EncodeService(self.jobs, self.lifecycle, self.queues.send_all, self.clock)
        self.pipeline = self.pipeline_with(self.crew)
        self.steps = StepRunner(self.pipeline, JobTelemetry(self.telemetry), cast("Queues", self.queues))

    def pipeline_with(self, crew: DoneAtOnce) -> EncodePipeline:
        """Return a pipeline whose steps are run by `crew`."""
        return EncodePipeline(
            self.jobs,
            self.lifecycle,
            cast("Planner", crew),
            cast("EncodeWorker", crew),
            cast("ManifestPublisher", crew),
            self.clock,
        )

    def upload(self, etag: str = "0x1", blob: str = "film.mkv") -> str:
        """Open the job for a version of the film and return its id."""
        self.clock.forward(seconds=1)
        self.world.catalogue.open_title(self.title_id, stem="film", status=Status.ENCODING)
        return self.service.open_job(blob, etag=etag, size=1000, title_id=self.title_id, uploaded_at=self.clock())

    def planned(self) -> str:
        """Open and plan a job and return its id."""
        job_id = self.upload()
        self.pipeline.run_step(PlanEncode(job_id))
        return job_id

    @property
    def title(self) -> Title:
        """Return the title of the film."""
        return self.world.catalogue.get(self.title_id)
