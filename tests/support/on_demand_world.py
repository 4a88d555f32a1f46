"""A ready title with renditions on demand, which are made without ffmpeg, on stores in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from functions.encoding.job_telemetry import JobTelemetry
from functions.encoding.ladder import renditions_for
from functions.encoding.later_pipeline import LaterParts
from functions.encoding.on_demand.pipeline import OnDemandPipeline
from functions.encoding.on_demand.service import RenditionDemand, RenditionUpkeep
from functions.encoding.on_demand.worker import OnDemandChunk
from functions.platform.messages import EncodeRenditions
from tests.support.encoding_world import EncodeWorld

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.encoding.model import EncodeJob
    from functions.encoding.on_demand.worker import OnDemandWorker
    from functions.encoding.on_demand_encode import OnDemandEncode, OnDemandStatus
    from functions.encoding.planning.planner import Planner
    from functions.encoding.publication.manifests import ManifestPublisher
    from functions.encoding.upkeep.verifier import TitleVerifier
    from functions.platform.queues import Queues

SIZE, CPU_S = 900, 3.0
"""The bytes of each chunk, and the CPU-seconds that it takes."""

KEPT_DAYS = 30


def demand_and_upkeep(
    world: EncodeWorld, publisher: ManifestPublisher, *, kept_days: int = KEPT_DAYS
) -> tuple[RenditionDemand, RenditionUpkeep]:
    """Return what notes demand, and the upkeep of renditions."""
    queues = cast("Queues", world.queues)
    upkeep = RenditionUpkeep(
        world.jobs,
        world.on_demand,
        world.jobs,
        world.encoder(),
        lambda: publisher,
        lambda: queues,
        world.clock,
        kept_days=kept_days,
    )
    return RenditionDemand(world.on_demand, lambda: queues, world.clock, lambda user_id: True), upkeep


class MadeAtOnce:
    """Encodes each chunk at once, or raises a trouble; `during` is called in the middle of an encode."""

    def __init__(self) -> None:
        self.troubles: list[BaseException] = []
        self.encoded: list[int] = []
        self.during: Callable[[], None] = lambda: None

    def encode_chunk(self, job: EncodeJob, index: int, *, proceed: Callable[[], None]) -> OnDemandChunk:
        self.during()
        proceed()
        if self.troubles:
            raise self.troubles.pop(0)
        self.encoded.append(index)
        names = [each.name for each in job.plan.on_demand] if job.plan else []
        return OnDemandChunk(SIZE, dict.fromkeys(names, "avc1.9"), CPU_S)


class OnDemandWorld(EncodeWorld):
    """The encoding slice with a ready title of four chunks; v540 is made on demand, v360 and v234 were made at once."""

    def __init__(self, *, limit_usd: int = 0, kept_days: int = KEPT_DAYS) -> None:
        super().__init__(limit_usd=limit_usd)
        self.worker = MadeAtOnce()
        publisher = cast("ManifestPublisher", self.crew)
        self.demand, self.upkeep = demand_and_upkeep(self, publisher, kept_days=kept_days)
        self.on_demand_pipeline = self.on_demand_pipeline_with(self.worker)
        self.job_id = self.planned()
        job = self.jobs.get_job(self.job_id)
        assert job.plan
        self.jobs.put_job(replace(job, plan=replace(job.plan, on_demand=renditions_for(960, 540)[:1])))
        self.complete(self.job_id)
        self.queues.sent.clear()

    def on_demand_pipeline_with(self, worker: MadeAtOnce) -> OnDemandPipeline:
        """Return the pipeline of another encoder."""
        return OnDemandPipeline(
            self.on_demand,
            cast("OnDemandWorker", worker),
            LaterParts(
                self.jobs,
                self.jobs,
                self.encoder(),
                self.lifecycle,
                cast("Planner", self.crew),
                cast("ManifestPublisher", self.crew),
                cast("TitleVerifier", self.crew),
                self.budget(),
                JobTelemetry(self.telemetry),
                cast("Queues", self.queues),
                self.clock,
            ),
        )

    @property
    def encode(self) -> OnDemandEncode:
        """Return the encode of the title on demand."""
        found = self.jobs.get_job(self.job_id).on_demand
        assert found
        return found

    @property
    def listed(self) -> tuple[OnDemandStatus, int] | None:
        """Return status and edition of the encode with which manifests were written last; None if there was none."""
        found = self.crew.listed_on_demand
        return (found.status, found.edition) if found else None

    def open_title(self) -> None:
        """Note that somebody opens the title."""
        self.demand.want(self.job_id, by="ada")

    def run_next(self) -> None:
        """Handle the next message."""
        message = self.queues.messages[0]
        assert isinstance(message, EncodeRenditions)
        self.queues.sent.pop(0)
        self.on_demand_pipeline.run(message)

    def run_all(self) -> OnDemandEncode:
        """Handle messages until the queue is empty, and return the encode."""
        while self.queues.messages:
            self.run_next()
        return self.encode
