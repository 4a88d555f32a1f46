"""The whole encoding slice in one process: its services on stores in memory, with steps that complete immediately."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from functions.catalogue.model import Status
from functions.encoding.claims import Claims
from functions.encoding.job_telemetry import JobTelemetry
from functions.encoding.late_subtitles.service import SubtitleArrivals
from functions.encoding.late_text_worker import LateSubtitlesWorker
from functions.encoding.lifecycle import JobLifecycle
from functions.encoding.pipeline import EncodePipeline
from functions.encoding.service import EncodeService
from functions.encoding.spending.budget import EncodeBudget
from functions.encoding.spending.limit import EncodeLimit
from functions.encoding.step_runner import StepRunner
from functions.encoding.steps import RETRY_S
from functions.encoding.turns import Turns
from functions.encoding.upkeep.repair import JobRepair
from functions.encoding.upkeep.sweep import TitleSweep
from functions.platform.film_keys import NO_KEYS
from functions.platform.messages import EncodeAudio, PlanEncode, PublishTitle
from tests.support.av1 import MemoryAv1Encodes
from tests.support.captions import MemoryCaptions
from tests.support.catalogue import World, make_playback
from tests.support.encoding_claims import MemoryClaims
from tests.support.encoding_jobs import MemoryEncodeJobs
from tests.support.encoding_spending import MemoryEncodeLimit, MemorySpending
from tests.support.encoding_steps import DoneAtOnce
from tests.support.encoding_storage import MemoryFolders, MemoryMedia
from tests.support.late_subtitles import MemoryLateSubtitles
from tests.support.on_demand import MemoryOnDemandEncodes
from tests.support.queues import MemoryQueues
from tests.support.telemetry import Listener

if TYPE_CHECKING:
    from datetime import datetime

    from functions.catalogue.model import Title
    from functions.encoding.outcomes import StepMessage, StepOutcome
    from functions.encoding.planning.planner import Planner
    from functions.encoding.ports import MediaStore
    from functions.encoding.publication.manifests import ManifestPublisher
    from functions.encoding.upkeep.verifier import TitleVerifier
    from functions.encoding.worker import EncodeWorker
    from functions.platform.film_keys import FilmKeys
    from functions.platform.queues import Queues


UPLOAD_ID = "0123456789ab-abcdef01"


def no_front(job_id: str) -> bool:
    """Return False: the first seconds of a job are left to its encoder."""
    del job_id
    return False


class EncodeWorld:
    """The whole encoding slice with a store, queues and a catalogue in memory; steps complete immediately."""

    title_id = "film-1a2b3c"

    def __init__(self, *, limit_usd: int = 0, keys: FilmKeys = NO_KEYS) -> None:
        self.limits = MemoryEncodeLimit()
        self.limit = EncodeLimit(self.limits, default_usd=limit_usd)
        self.ticks = 0.0
        self.told: list[str] = []
        self.world = World()
        self.clock = self.world.clock
        self.jobs = MemoryEncodeJobs(self.clock)
        self.av1 = MemoryAv1Encodes(self.jobs)
        self.captions = MemoryCaptions(self.jobs)
        self.on_demand = MemoryOnDemandEncodes(self.jobs)
        self.late = MemoryLateSubtitles(self.jobs)
        self.late_media = MemoryMedia()
        self.spending = MemorySpending(self.jobs)
        self.claims = MemoryClaims()
        self.queues = MemoryQueues()
        self.telemetry = Listener()
        self.crew = DoneAtOnce(self.jobs)
        self.lifecycle = JobLifecycle(self.jobs, self.world.catalogue, self.clock, keys)
        self.folders = MemoryFolders()
        queues = cast("Queues", self.queues)
        sweep = TitleSweep(self.jobs, self.jobs, lambda: self.folders, self.world.catalogue, self.clock)
        self.service = self.service_with(queues, sweep)
        self.pipeline = self.pipeline_with(self.crew)
        self.steps = StepRunner(self.pipeline, JobTelemetry(self.telemetry), queues)

    def budget(self) -> EncodeBudget:
        """Return the budget of another process."""
        return EncodeBudget(self.spending, self.clock, limit_usd=self.limit.usd, ticks=lambda: self.ticks)

    def service_with(self, queues: Queues, sweep: TitleSweep) -> EncodeService:
        """Return the service of another process."""
        return EncodeService(
            self.jobs,
            self.encoder(),
            self.lifecycle,
            lambda: queues,
            self.clock,
            self.jobs,
            sweep,
            self.budget(),
            self.told.append,
            no_front,
            SubtitleArrivals(self.late, self.world.catalogue, lambda: queues, self.clock),
        )

    def encoder(self) -> Claims:
        """Return the claims of another process; nothing renews them."""
        return Claims(self.claims, self.clock, beat_s=None)

    def pipeline_with(self, crew: DoneAtOnce) -> EncodePipeline:
        """Return the pipeline of another encoder, whose steps are run by `crew`."""
        claims, budget = self.encoder(), self.budget()
        return EncodePipeline(
            self.jobs,
            self.jobs,
            claims,
            Turns(self.jobs, self.jobs, claims, self.clock, budget),
            self.lifecycle,
            cast("Planner", crew),
            cast("EncodeWorker", crew),
            cast("ManifestPublisher", crew),
            self.repair_with(crew),
            self.clock,
            budget,
        )

    def run(self, message: StepMessage, pipeline: EncodePipeline | None = None) -> StepOutcome | None:
        """Run the step that a message requests and return its outcome; None if there was nothing to do."""
        pipeline = pipeline or self.pipeline
        step = pipeline.choose_step(message)
        return pipeline.run_step(step) if step else None

    def outcome_of(self, message: StepMessage) -> StepOutcome:
        """Run the step that a message requests, and return its outcome; the step must have something to do."""
        outcome = self.run(message)
        assert outcome
        return outcome

    def fail_step(self, message: StepMessage, error: Exception, times: int = 1) -> None:
        """Run a step that raises an error, as often as the queue delivers its message."""
        for _ in range(times):
            self.crew.troubles = [error]
            with pytest.raises(type(error)):
                self.run(message)
            self.clock.forward(seconds=RETRY_S)

    def finish(self, job_id: str, *chunks: int) -> None:
        """Record chunks of a job as done."""
        for chunk in chunks:
            self.crew.encode_chunk(self.jobs.get_job(job_id), chunk, publish=lambda _: None)

    def repair_with(self, crew: DoneAtOnce) -> JobRepair:
        """Return the repair of jobs whose steps are run by `crew`."""
        planner, publisher, verifier = (
            cast("Planner", crew),
            cast("ManifestPublisher", crew),
            cast("TitleVerifier", crew),
        )
        late = self.late_worker(self.late_media, publisher, work_dir="")
        return JobRepair(
            self.jobs, self.lifecycle, planner, publisher, verifier, self.av1, self.on_demand, self.captions, late
        )

    def late_worker(self, media: MediaStore, publisher: ManifestPublisher, *, work_dir: str) -> LateSubtitlesWorker:
        """Return what adds late subtitles, for an encoder."""
        return LateSubtitlesWorker(media, self.jobs, self.late, self.jobs, publisher, self.clock, work_dir=work_dir)

    def upload(self, etag: str = "0x1", blob: str = "film.mkv", size: int = 1000) -> str:
        """Open the job for a version of the film and return its id."""
        self.clock.forward(seconds=1)
        self.world.catalogue.open_title(self.title_id, stem="film", status=Status.ENCODING)
        return self.service.open_job(blob, etag=etag, size=size, title_id=self.title_id, uploaded_at=self.clock())

    def commit(
        self, etag: str, *, blob: str, size: int, front: int | None, stored: int, at: datetime | None = None
    ) -> str:
        """Record a commit of an upload that is committed in steps, made at `at` or now; return the id of its job."""
        self.clock.forward(seconds=1)
        if self.world.titles.get(self.title_id) is None:
            self.world.catalogue.open_title(self.title_id, stem="film", status=Status.ENCODING)
        return self.service.open_job(
            blob,
            etag=etag,
            size=size,
            title_id=self.title_id,
            uploaded_at=at or self.clock(),
            upload_id=UPLOAD_ID,
            front=front,
            stored=stored,
        )

    def prepared(self) -> str:
        """Open a job whose plan is left to a step of its own, and return its id."""
        job_id = self.upload()
        self.crew.large = True
        self.run(PlanEncode(job_id))
        return job_id

    def planned(self) -> str:
        """Open and plan a job and return its id."""
        job_id = self.upload()
        self.run(PlanEncode(job_id))
        return job_id

    def complete(self, job_id: str) -> str:
        """Run all steps of a planned job, until it is ready, and return its id."""
        self.complete_parts(job_id)
        self.world.catalogue.mark_playable(self.title_id, make_playback(job_id), complete=True)
        assert self.outcome_of(PublishTitle(job_id)).ended
        return job_id

    def complete_parts(self, job_id: str) -> None:
        """Record all chunks and tracks of a planned job as done."""
        self.finish(job_id, 0, 1, 2, 3)
        self.run(EncodeAudio(job_id, "a0"))

    @property
    def title(self) -> Title:
        """Return the title of the film."""
        return self.world.catalogue.get(self.title_id)
