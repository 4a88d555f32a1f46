"""A title that is ready, and its automatic captions without a model, on stores in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from functions.encoding.captions.pipeline import CaptionsPipeline
from functions.encoding.captions.rule import CaptionsMode
from functions.encoding.captions.service import CaptionsService
from functions.encoding.captions.worker import CaptionedPiece
from functions.encoding.captions_encode import CaptionCue, CaptionsEncode
from functions.encoding.job_telemetry import JobTelemetry
from functions.encoding.later_pipeline import LaterParts
from functions.platform.messages import MakeCaptions
from tests.support.encoding_world import EncodeWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from functions.encoding.captions.worker import CaptionsWorker
    from functions.encoding.model import EncodeJob
    from functions.encoding.planning.planner import Planner
    from functions.encoding.publication.manifests import ManifestPublisher
    from functions.encoding.upkeep.verifier import TitleVerifier
    from functions.platform.queues import Queues

PIECE_MS, SIZE = 16_000, 500


class CaptionsAtOnce:
    """Hears one cue in each piece, or nothing if `silent`, or raises a trouble; `files` has what was stored."""

    def __init__(self) -> None:
        self.troubles: list[BaseException] = []
        self.made: list[int] = []
        self.files: list[tuple[CaptionCue, ...]] = []
        self.missing: str | None = None
        self.silent = False
        self.during: Callable[[], None] = lambda: None

    def hindrance(self) -> str | None:
        return self.missing

    def encode_chunk(self, job: EncodeJob, index: int, *, proceed: Callable[[], None]) -> CaptionedPiece:
        del job
        self.during()
        proceed()
        if self.troubles:
            raise self.troubles.pop(0)
        self.made.append(index)
        cue = CaptionCue(index * PIECE_MS, index * PIECE_MS + 1000, (f"Piece {index}.",))
        return CaptionedPiece(() if self.silent else (cue,), 3.0)

    def store(self, job: EncodeJob, cues: Sequence[CaptionCue]) -> int:
        del job
        self.files.append(tuple(cues))
        return SIZE


class CaptionsWorld(EncodeWorld):
    """The encoding slice with a ready title, whose sound is in English."""

    def __init__(self, mode: CaptionsMode = CaptionsMode.MARKED, *, language: str = "en", limit_usd: int = 0) -> None:
        super().__init__(limit_usd=limit_usd)
        self.worker = CaptionsAtOnce()
        self.captions_service = self.captions_service_with(mode)
        self.captions_pipeline = self.captions_pipeline_with(mode)
        self.job_id = self.complete(self.planned())
        job = self.jobs.get_job(self.job_id)
        assert job.plan
        audio = tuple(replace(track, language=language) for track in job.plan.audio)
        self.jobs.put_job(replace(job, plan=replace(job.plan, audio=audio)))
        self.queues.sent.clear()

    def captions_service_with(self, mode: CaptionsMode) -> CaptionsService:
        """Return the service of another process."""
        return CaptionsService(
            mode,
            ["en"],
            self.jobs,
            self.captions,
            self.encoder(),
            self.lifecycle,
            self.budget(),
            lambda: cast("Queues", self.queues),
            self.clock,
        )

    def captions_pipeline_with(self, mode: CaptionsMode) -> CaptionsPipeline:
        """Return the pipeline of another encoder."""
        return CaptionsPipeline(
            mode,
            self.captions,
            cast("CaptionsWorker", self.worker),
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
    def found(self) -> CaptionsEncode | None:
        """Return the captions of the title."""
        return self.jobs.get_job(self.job_id).captions

    def begin(self) -> CaptionsEncode:
        """Begin the captions of the title, and return them."""
        assert self.captions_service.start_due()
        assert self.found
        return self.found

    def run_all(self) -> CaptionsEncode:
        """Handle messages until the queue is empty, and return the captions."""
        while self.waiting:
            self.queues.sent.pop(0)
            self.captions_pipeline.run_next()
        assert self.found
        return self.found

    @property
    def waiting(self) -> int:
        """Return how many messages for captions wait; there must be no others."""
        assert {type(message) for message in self.queues.messages} <= {MakeCaptions}
        return len(self.queues.messages)
