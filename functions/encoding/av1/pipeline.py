"""Encodes in AV1, which take place after that in H.264, and wait while any film is being encoded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from functions.encoding.av1.rule import Av1Mode, av1_chunk_s
from functions.encoding.av1.worker import Av1Chunk
from functions.encoding.av1_encode import MOST_ATTEMPTS, av1_step, missing_av1
from functions.encoding.later_pipeline import LaterPipeline
from functions.encoding.steps import being_encoded
from functions.platform.messages import EncodeAv1

if TYPE_CHECKING:
    from collections.abc import Collection

    from functions.encoding.av1.ports import Av1Encodes
    from functions.encoding.av1.worker import Av1Worker
    from functions.encoding.later_pipeline import LaterParts
    from functions.encoding.model import EncodeJob, EncodePlan
    from functions.encoding.ports import LaterEncode


class Av1Pipeline(LaterPipeline[Av1Chunk]):
    """Runs the steps that messages request; the timer `start_later_work` requests again what is not done."""

    kind = "av1"
    most_attempts = MOST_ATTEMPTS

    def __init__(self, mode: Av1Mode, encodes: Av1Encodes, worker: Av1Worker, parts: LaterParts) -> None:
        super().__init__(encodes, worker, parts)
        self._mode = mode
        self._encodes = encodes

    def run_next(self) -> None:
        """Encode the next chunk in AV1, or publish an encode that has all of them; do nothing while a film is encoded.

        If nothing is done now, the timer `start_later_work` requests it again. Raises an exception if the same may
        succeed later.
        """
        if self._mode is not Av1Mode.NEVER and not self._budget.permitted(being_encoded(self._jobs.list_work())):
            super().run_next()

    @staticmethod
    def step(chunk: int) -> str:
        return av1_step(chunk)

    @staticmethod
    def missing(job: EncodeJob) -> tuple[int, ...]:
        return missing_av1(job)

    @staticmethod
    def seconds(plan: EncodePlan, chunk: int) -> float:
        return av1_chunk_s(plan, plan.chunks[chunk])

    def find_lost(self, job: EncodeJob) -> Collection[int]:
        return self._verifier.find_lost_av1(job).av1

    def finish_chunk(self, job: EncodeJob, chunk: int, made: Av1Chunk) -> EncodeJob | None:
        done = self._encodes.finish_chunk(job.id, chunk, result=made.result, codecs=made.codecs, cpu_s=made.cpu_s)
        return replace(job, av1=done) if done else None

    @staticmethod
    def encode_of(job: EncodeJob) -> LaterEncode | None:
        return job.av1

    def request_chunks(self, number: int) -> None:
        self._queues.send_all(EncodeAv1() for _ in range(number))
