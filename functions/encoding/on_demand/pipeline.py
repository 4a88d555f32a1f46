"""Encodes of renditions on demand, which run beside those of films, with a low priority.

Somebody watches the title already, in the renditions that it has.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from functions.encoding.later_pipeline import LaterPipeline
from functions.encoding.on_demand.worker import OnDemandChunk
from functions.encoding.on_demand_encode import (
    MOST_ATTEMPTS,
    missing_on_demand,
    on_demand_plan,
    on_demand_step,
)
from functions.encoding.spending.costs import chunk_s
from functions.platform.messages import EncodeRenditions

if TYPE_CHECKING:
    from collections.abc import Collection

    from functions.encoding.later_pipeline import LaterParts
    from functions.encoding.model import EncodeJob, EncodePlan
    from functions.encoding.on_demand.ports import OnDemandEncodes
    from functions.encoding.on_demand.worker import OnDemandWorker
    from functions.encoding.ports import LaterEncode


class OnDemandPipeline(LaterPipeline[OnDemandChunk]):
    """Runs the steps that messages request; the timer `sweep_titles` requests again what is not done."""

    kind = "on demand"
    most_attempts = MOST_ATTEMPTS

    def __init__(self, encodes: OnDemandEncodes, worker: OnDemandWorker, parts: LaterParts) -> None:
        super().__init__(encodes, worker, parts)
        self._encodes = encodes

    def run(self, message: EncodeRenditions) -> None:
        """Encode the next chunk on demand, or publish an encode that has all of them.

        A message that begins the encode of a job first requests its other chunks. Raises an exception if the same may
        succeed later; otherwise, the timer `sweep_titles` requests again what is not done now.
        """
        if message.begins:
            self.request_chunks(len(missing_on_demand(self._jobs.get_job(message.begins))) - 1)
        self.run_next()

    @staticmethod
    def step(chunk: int) -> str:
        return on_demand_step(chunk)

    @staticmethod
    def missing(job: EncodeJob) -> tuple[int, ...]:
        return missing_on_demand(job)

    @staticmethod
    def seconds(plan: EncodePlan, chunk: int) -> float:
        return chunk_s(on_demand_plan(plan), plan.chunks[chunk])

    def find_lost(self, job: EncodeJob) -> Collection[int]:
        return self._verifier.find_lost_on_demand(job).on_demand

    def finish_chunk(self, job: EncodeJob, chunk: int, made: OnDemandChunk) -> EncodeJob | None:
        done = self._encodes.finish_chunk(job.id, chunk, size=made.size, codecs=made.codecs, cpu_s=made.cpu_s)
        return replace(job, on_demand=done) if done else None

    @staticmethod
    def encode_of(job: EncodeJob) -> LaterEncode | None:
        return job.on_demand

    def request_chunks(self, number: int) -> None:
        self._queues.send_all(EncodeRenditions() for _ in range(number))
