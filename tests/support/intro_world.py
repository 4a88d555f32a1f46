"""The comparison of episodes on the stores of an encoding world; tests choose what reads the sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from functions.encoding.intros.pipeline import IntroPipeline
from functions.encoding.intros.service import IntroService
from functions.encoding.job_telemetry import JobTelemetry
from functions.platform.messages import FindIntros
from tests.support.intros import MemoryComparisons

if TYPE_CHECKING:
    from functions.encoding.intros.ports import SoundReader
    from functions.platform.queues import Queues
    from tests.support.encoding_world import EncodeWorld


class IntroParts:
    """The service that requests comparisons, and the pipeline that makes them."""

    def __init__(self, world: EncodeWorld, worker: SoundReader, *, enabled: bool = True) -> None:
        self.world = world
        self.comparisons = MemoryComparisons(world.jobs)
        catalogue = world.world.catalogue
        self.service = IntroService(
            world.jobs,
            self.comparisons,
            catalogue,
            world.budget(),
            lambda: cast("Queues", world.queues),
            world.clock,
            enabled=enabled,
        )
        self.pipeline = IntroPipeline(
            world.jobs,
            self.comparisons,
            worker,
            catalogue,
            world.budget(),
            JobTelemetry(world.telemetry),
            enabled=enabled,
        )

    def run(self) -> list[str]:
        """Request what is due and run all requested steps; return the jobs that were requested."""
        self.service.request_due()
        wanted = [message.job_id for message in self.world.queues.messages if isinstance(message, FindIntros)]
        self.world.queues.sent.clear()
        for job_id in wanted:
            self.pipeline.run(FindIntros(job_id))
        return wanted
