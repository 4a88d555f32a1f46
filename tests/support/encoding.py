"""Encode jobs and storage in memory, that keep the contracts of the real ones, and plans to go with them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from threading import Lock
from typing import TYPE_CHECKING, Any

from functions.encoding.jobs import EncodeJob, JobStatus, TrackState
from functions.encoding.ladder import renditions_for
from functions.encoding.model import AudioPlan, Chunk, EncodePlan, FrameGrid, Picture, SourceRef
from functions.platform.errors import EncodeFault, NotFound
from tests.support.catalogue import NOON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime, timedelta
    from pathlib import Path

    from functions.encoding.model import Rendition, TextPlan


def make_audio_plan(name: str = "a0", **changes: Any) -> AudioPlan:
    """Return the plan of an English stereo track at 48 kHz."""
    plan = AudioPlan(name, 1, "en", "English", 2, 48_000, 128, None)
    return replace(plan, **changes)


def cut(grid: FrameGrid, runs: tuple[int, ...]) -> tuple[Chunk, ...]:
    """Return chunks of so many segments each, as far as the film goes; the last takes all that is left."""
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
    """Return a plan of two rungs and one sound track, cut into `runs` of segments; the default has 11 in 4 chunks."""
    grid = FrameGrid(rate, frames)
    seen = Picture(stream=0, codec="h264", shift=Fraction(0), variable_rate=False, deinterlace=False, tone_map=False)
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


class MemoryJobs:
    """Encode jobs in memory."""

    def __init__(self, now: Callable[[], datetime] = lambda: NOON) -> None:
        self._jobs: dict[str, EncodeJob] = {}
        self._now = now
        self._lock = Lock()

    def open(self, job: EncodeJob) -> bool:
        with self._lock:
            if job.id in self._jobs:
                return False
            self._jobs[job.id] = job
            return True

    def get(self, job_id: str) -> EncodeJob:
        if job_id not in self._jobs:
            raise NotFound(f"There is no encode job {job_id}.")
        return self._jobs[job_id]

    def latest(self, title_id: str) -> EncodeJob | None:
        return next((job for job in self._newest_first() if job.title_id == title_id), None)

    def page(self, *, limit: int) -> list[EncodeJob]:
        return self._newest_first()[:limit]

    def supersede(self, by: EncodeJob, *, reason: str) -> None:
        for job in list(self._jobs.values()):
            if job.title_id == by.title_id and job.id != by.id and job.open and job.created_at <= by.created_at:
                self._set(job.id, status=JobStatus.FAILED, reason=reason, ended_at=self._now())

    def move(self, job_id: str, *, away_from: tuple[JobStatus, ...], to: JobStatus, **values: Any) -> bool:
        with self._lock:
            if job_id not in self._jobs or self._jobs[job_id].status not in away_from:
                return False
            self._set(job_id, status=to, **values)
            return True

    def finish_chunk(
        self, job_id: str, index: int, *, codecs: Mapping[str, str], cpu_s: float, tail: int | None
    ) -> None:
        with self._lock:
            job = self._jobs[job_id]
            if index in job.chunks_done:
                return
            self._set(
                job_id,
                chunks_done=job.chunks_done | {index},
                codecs={**job.codecs, **codecs},
                live={chunk: count for chunk, count in job.live.items() if chunk != str(index)},
                cpu_s=job.cpu_s + cpu_s,
                tail_frames=job.tail_frames if tail is None else tail,
            )

    def stalled(self, *, since: datetime) -> list[EncodeJob]:
        with self._lock:
            found = [job for job in self._jobs.values() if job.open and job.updated_at < since]
            for job in found:
                self._set(job.id)
            return found

    def advance_chunk(self, job_id: str, index: int, segments: int, *, codecs: Mapping[str, str]) -> None:
        with self._lock:
            job = self._jobs[job_id]
            if index not in job.chunks_done:
                most = max(segments, job.live.get(str(index), 0))
                self._set(job_id, live={**job.live, str(index): most}, codecs={**job.codecs, **codecs})

    def advance_track(self, job_id: str, track: str, state: TrackState, *, codec: str | None) -> None:
        with self._lock:
            job = self._jobs[job_id]
            there = job.tracks.get(track, TrackState())
            if there.complete or (not state.complete and there.segments > state.segments):
                return
            codecs = {**job.codecs, track: codec} if codec else job.codecs
            self._set(job_id, tracks={**job.tracks, track: state}, codecs=codecs)

    def note_fault(self, job_id: str, fault: str) -> None:
        self._set(job_id, fault=fault)

    def note_playable(self, job_id: str, at: datetime) -> None:
        if self._jobs[job_id].playable_at is None:
            self._set(job_id, playable_at=at)

    def _set(self, job_id: str, **values: Any) -> None:
        self._jobs[job_id] = replace(self._jobs[job_id], updated_at=self._now(), **values)

    def _newest_first(self) -> list[EncodeJob]:
        return sorted(self._jobs.values(), key=lambda job: job.created_at, reverse=True)


@dataclass
class MemoryMedia:
    """Storage in memory: blobs by container and name, and the revisions of texts."""

    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    revisions: dict[tuple[str, str], int] = field(default_factory=dict)

    def address(self, source: SourceRef, *, lasts: timedelta) -> str:
        del lasts
        return f"http://storage.invalid/{source.container}/{source.blob}?sig=secret"

    def head(self, source: SourceRef, *, length: int) -> bytes:
        if (source.container, source.blob) not in self.blobs:
            raise EncodeFault(f"The upload {source.blob} is no longer in storage. Upload it again.")
        return self.blobs[source.container, source.blob][:length]

    def fetch(self, source: SourceRef, target: Path) -> None:
        target.write_bytes(self.blobs[source.container, source.blob])

    def names(self, container: str, prefix: str) -> Iterator[str]:
        return iter(sorted(name for at, name in self.blobs if at == container and name.startswith(prefix)))

    def ensure(self, container: str) -> None:
        del container

    def put(self, container: str, name: str, path: Path) -> None:
        self.blobs[container, name] = path.read_bytes()

    def put_text(self, container: str, name: str, text: str, *, revision: int) -> None:
        if self.revisions.get((container, name), -1) < revision:
            self.revisions[container, name] = revision
            self.blobs[container, name] = text.encode()

    def remove(self, container: str, name: str) -> None:
        self.blobs.pop((container, name), None)
