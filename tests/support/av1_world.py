"""A title that is ready, and its encode in AV1 without ffmpeg, on stores in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from functions.encoding.av1.pipeline import Av1Pipeline
from functions.encoding.av1.rule import Av1Mode
from functions.encoding.av1.service import Av1Service
from functions.encoding.av1.worker import Av1Chunk
from functions.encoding.av1_encode import Av1Encode, Av1Result
from functions.encoding.job_telemetry import JobTelemetry
from functions.encoding.later_pipeline import LaterParts
from functions.platform.messages import EncodeAv1
from tests.support.encoding_world import EncodeWorld

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.encoding.av1.worker import Av1Worker
    from functions.encoding.model import EncodeJob
    from functions.encoding.planning.planner import Planner
    from functions.encoding.publication.manifests import ManifestPublisher
    from functions.encoding.upkeep.verifier import TitleVerifier
    from functions.platform.queues import Queues

SIZE, PEAK_BPS = 900, 120_000
"""The bytes of each chunk, and the bitrate of its largest segment."""


class Av1AtOnce:
    """Encodes each chunk at once, or raises a trouble; `during` is called in the middle of an encode."""

    def __init__(self) -> None:
        self.troubles: list[BaseException] = []
        self.encoded: list[int] = []
        self.during: Callable[[], None] = lambda: None

    def encode_chunk(self, job: EncodeJob, index: int, *, proceed: Callable[[], None]) -> Av1Chunk:
        self.during()
        proceed()
        if self.troubles:
            raise self.troubles.pop(0)
        self.encoded.append(index)
        names = [f"a{rendition.name}" for rendition in job.plan.renditions] if job.plan else []
        return Av1Chunk(Av1Result(SIZE, dict.fromkeys(names, PEAK_BPS)), dict.fromkeys(names, "av01.0.00M.08"), 3.0)


class Av1World(EncodeWorld):
    """The encoding slice with a ready title of four chunks; `watched_min` has the minutes watched, by title."""

    def __init__(self, mode: Av1Mode = Av1Mode.ALWAYS, *, limit_usd: int = 0) -> None:
        super().__init__(limit_usd=limit_usd)
        self.watched_min: dict[str, int] = {}
        self.av1_worker = Av1AtOnce()
        self.av1_service = self.av1_service_with(mode)
        self.av1_pipeline = self.av1_pipeline_with(mode)
        self.job_id = self.complete(self.planned())
        self.queues.sent.clear()

    def av1_service_with(self, mode: Av1Mode) -> Av1Service:
        """Return the service of another process."""
        return Av1Service(
            mode,
            self.jobs,
            self.av1,
            self.encoder(),
            self.lifecycle,
            self.budget(),
            lambda: cast("Queues", self.queues),
            lambda title_id: self.watched_min.get(title_id, 0),
            self.clock,
            egress_usd=0.08,
        )

    def av1_pipeline_with(self, mode: Av1Mode) -> Av1Pipeline:
        """Return the pipeline of another encoder."""
        return Av1Pipeline(
            mode,
            self.av1,
            cast("Av1Worker", self.av1_worker),
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
    def encode(self) -> Av1Encode | None:
        """Return the encode in AV1 of the title."""
        return self.jobs.get_job(self.job_id).av1

    def begin(self) -> Av1Encode:
        """Begin the encode of the title, and return it."""
        assert self.av1_service.start_due()
        assert self.encode
        return self.encode

    def run_all(self) -> Av1Encode:
        """Handle messages until the queue is empty, and return the encode."""
        while self.waiting:
            self.queues.sent.pop(0)
            self.av1_pipeline.run_next()
        assert self.encode
        return self.encode

    @property
    def waiting(self) -> int:
        """Return how many messages for chunks in AV1 wait; there must be no others."""
        assert {type(message) for message in self.queues.messages} <= {EncodeAv1}
        return len(self.queues.messages)
