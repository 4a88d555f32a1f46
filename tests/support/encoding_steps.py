"""The steps of an encode without ffmpeg."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from functions.encoding.losses import Loss
from functions.encoding.planning.planner import Planned
from functions.encoding.publication.presentation import part_of, presentation_of
from functions.encoding.track_state import TrackFault, TrackState
from functions.encoding.upkeep.verification import Verification
from tests.support.clock import NOON
from tests.support.encoding_plans import make_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

    from functions.encoding.av1_encode import Av1Encode
    from functions.encoding.captions_encode import CaptionsEncode
    from functions.encoding.formats.mp4_index import IndexedTrack
    from functions.encoding.model import EncodeJob
    from functions.encoding.on_demand_encode import OnDemandEncode
    from functions.encoding.publication.presentation import Presentation
    from tests.support.encoding_jobs import MemoryEncodeJobs


class DoneAtOnce:
    """Planner, worker, publisher and verifier in one: completes each step without ffmpeg, or raises a trouble."""

    def __init__(self, jobs: MemoryEncodeJobs) -> None:
        self.jobs = jobs
        self.troubles: list[Exception] = []
        self.asked: Counter[str] = Counter()
        self.stills: list[str] = []
        self.discarded: list[str] = []
        self.restored: list[str] = []
        self.lost = Loss()
        self.listed: Av1Encode | None = None
        self.listed_on_demand: OnDemandEncode | None = None
        self.listed_captions: CaptionsEncode | None = None
        self.remakes = True
        self.large = False
        self.copied = True

    def plan(self, job: EncodeJob, *, at_once: bool = False) -> Planned | None:
        self._take(f"plan {job.id}")
        return None if at_once and self.large else Planned(make_plan())

    def copies_pause(self) -> AbstractContextManager[None]:
        return nullcontext()

    def copy_beginnings(
        self, job: EncodeJob, tracks: Sequence[IndexedTrack], *, publish: Callable[[EncodeJob], object]
    ) -> EncodeJob:
        del tracks, publish
        return job

    def encode_front(self, job: EncodeJob, index: int, *, publish: Callable[[EncodeJob], object]) -> EncodeJob:
        for track in job.plan.audio if job.plan else ():
            self.jobs.advance_track(job, track.name, TrackState(1, 192_512), codec="mp4a")
        return replace(self.encode_chunk(job, index, publish=publish))

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

    def leave_out(self, job: EncodeJob, name: str) -> EncodeJob:
        return self.jobs.advance_track(job, name, TrackState(complete=True, fault=TrackFault.DAMAGED), codec=None)

    def publish(self, job: EncodeJob) -> Presentation | None:
        self._take(f"publish {job.id}")
        return presentation_of(job, job.plan, at=NOON) if job.plan else None

    def publish_again(self, job: EncodeJob) -> None:
        self._take(f"publish again {job.id}")
        self.listed, self.listed_on_demand = job.av1, job.on_demand

    def publish_subtitles(self, job: EncodeJob) -> None:
        self.publish_again(job)
        self.listed_captions = job.captions

    def publish_parts(self, job: EncodeJob) -> dict[int, float]:
        found = {int(chunk): part_of(job, int(chunk), at=NOON) for chunk in job.audience.parts}
        return {chunk: float(part.video_segments.end) for chunk, part in found.items() if part}

    def attach_early_still(self, job: EncodeJob, presentation: Presentation) -> None:
        del presentation
        self.stills.append(job.id)

    def discard_intermediate(self, job: EncodeJob) -> None:
        self.discarded.append(job.id)

    def discard_manifests(self, job: EncodeJob, names: Iterable[str]) -> None:
        self.discarded += [f"{job.id}/{name}" for name in names]

    def restore_source(self, job: EncodeJob) -> None:
        self._take(f"restore {job.id}")
        self.restored.append(job.id)

    def restore_copy(self, job: EncodeJob) -> None:
        if self.lacks_copy(job):
            self.restore_source(job)

    def is_large(self, job: EncodeJob) -> bool:
        del job
        return self.large

    def lacks_copy(self, job: EncodeJob) -> bool:
        del job
        return not self.copied

    def can_remake(self, job: EncodeJob) -> bool:
        del job
        return self.remakes

    def find_lost(self, job: EncodeJob) -> Loss:
        """Return the loss in `lost`; later calls find no loss."""
        self._take(f"find lost {job.id}")
        lost, self.lost = self.lost, Loss()
        return lost

    def find_lost_on_demand(self, job: EncodeJob) -> Loss:
        return self.find_lost(job)

    def find_lost_av1(self, job: EncodeJob) -> Loss:
        return self.find_lost(job)

    def inspect(self, job: EncodeJob) -> tuple[Verification, Loss]:
        self._take(f"inspect {job.id}")
        lost = self.find_lost(job)
        return Verification(NOON, 20, 2000, len(lost.files), tuple(sorted(lost.files))), lost

    def _take(self, what: str) -> None:
        self.asked[what] += 1
        if self.troubles:
            raise self.troubles.pop(0)
