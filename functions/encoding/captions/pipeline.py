"""Automatic captions, which are made once a title is ready, and wait while any film is being encoded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from functions.encoding.captions.rule import CaptionsMode
from functions.encoding.captions.worker import CaptionedPiece
from functions.encoding.captions_encode import (
    MOST_ATTEMPTS,
    PIECE_S,
    captions_step,
    missing_pieces,
    piece_count,
)
from functions.encoding.later_pipeline import READ_AT_ONCE, LaterPipeline
from functions.encoding.spending.costs import CORES
from functions.encoding.steps import being_encoded
from functions.platform.messages import MakeCaptions

if TYPE_CHECKING:
    from collections.abc import Collection

    from functions.encoding.captions.ports import Captions
    from functions.encoding.captions.worker import CaptionsWorker
    from functions.encoding.later_pipeline import LaterParts
    from functions.encoding.model import EncodeJob, EncodePlan
    from functions.encoding.ports import LaterEncode

SPEED = 12
"""Seconds of film that one core transcribes in a second, with tiny.en; measured, see docs/media.md."""


class CaptionsPipeline(LaterPipeline[CaptionedPiece]):
    """Runs the steps that messages request; the timer `start_av1` requests again what is not done."""

    kind = "captions"
    most_attempts = MOST_ATTEMPTS
    reads_upload = False

    def __init__(self, mode: CaptionsMode, captions: Captions, worker: CaptionsWorker, parts: LaterParts) -> None:
        super().__init__(captions, worker, parts)
        self._mode = mode
        self._captions = captions
        self._transcriber = worker

    def run_next(self) -> None:
        """Transcribe the next piece, or publish captions that have all of them; do nothing while a film is encoded.

        If no captions can be made here, the jobs say why. If nothing is done now, the timer `start_av1` requests
        it again. Raises an exception if the same may succeed later.
        """
        if self._mode is CaptionsMode.NEVER or self._budget.permitted(being_encoded(self._jobs.list_work())):
            return
        unfinished = self._captions.list_unfinished(limit=READ_AT_ONCE)
        if unfinished and (reason := self._transcriber.hindrance()):
            for job_id in unfinished:
                self._captions.note_hindrance(job_id, reason)
            return
        super().run_next()

    @staticmethod
    def step(chunk: int) -> str:
        return captions_step(chunk)

    @staticmethod
    def missing(job: EncodeJob) -> tuple[int, ...]:
        return missing_pieces(job)

    @staticmethod
    def count(job: EncodeJob) -> int:
        return piece_count(job)

    @staticmethod
    def seconds(plan: EncodePlan, chunk: int) -> float:
        del chunk
        return min(PIECE_S, float(plan.duration)) / SPEED / CORES

    def find_lost(self, job: EncodeJob) -> Collection[int]:
        return ()  # the cues of pieces are part of the job

    def finish_chunk(self, job: EncodeJob, chunk: int, made: CaptionedPiece) -> EncodeJob | None:
        done = self._captions.finish_chunk(job.id, chunk, cues=made.cues, cpu_s=made.cpu_s)
        return replace(job, captions=done) if done else None

    @staticmethod
    def encode_of(job: EncodeJob) -> LaterEncode | None:
        return job.captions

    def request_chunks(self, number: int) -> None:
        self._queues.send_all(MakeCaptions() for _ in range(number))

    def _complete(self, job: EncodeJob) -> None:
        """Join the cues of all pieces into one file before it is listed; a film without speech gets no file."""
        if job.captions and not job.captions.is_complete:
            cues = job.captions.joined
            size = self._transcriber.store(job, cues) if cues else 0
            self._captions.note_joined(job.id, cues=len(cues), size=size)
        super()._complete(job)

    def _publish(self, job: EncodeJob) -> None:
        self._publisher.publish_subtitles(job)
