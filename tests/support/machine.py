"""An encoder with the real ffmpeg, and stores in memory."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from functions.catalogue.model import Status
from functions.encoding.ffmpeg import FFmpeg
from functions.encoding.model import JobStatus, SourceRef
from functions.encoding.pipeline import EncodePipeline
from functions.encoding.planning.planner import Planner
from functions.encoding.publication.manifests import ManifestPublisher
from functions.encoding.renditions import Rendition
from functions.encoding.turns import Turns
from functions.encoding.upkeep.repair import JobRepair
from functions.encoding.upkeep.verifier import TitleVerifier
from functions.encoding.worker import EncodeWorker
from functions.platform.identifiers import container_for
from functions.platform.settings import Settings
from tests.support.encoding_plans import cut, make_job, make_plan
from tests.support.encoding_storage import MemoryMedia
from tests.support.encoding_world import EncodeWorld
from tests.support.media import Film

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from functions.encoding.outcomes import StepMessage, StepOutcome

JOB = "0123456789ab"
FILM = Film(frames=24 * 28, width=160, height=90)
"""A film of seven segments; they form one chunk, unless a machine is given another chunk size."""


@dataclass
class LocalMedia(MemoryMedia):
    """In-memory storage whose films ffmpeg reads as files."""

    film: str = ""

    def signed_address(self, source: SourceRef, *, lasts: timedelta) -> str:
        del source, lasts
        return self.film

    def list_sizes(self, container: str, prefix: str) -> dict[str, int]:
        return {"": 1000} if container == "uploads" else super().list_sizes(container, prefix)


class Machine:
    """An encoder with the real ffmpeg and in-memory stores, and a planned film, in chunks of `runs` segments."""

    def __init__(self, film: Path, folder: Path, runs: tuple[int, ...] = (7,)) -> None:
        self.encode = EncodeWorld()
        self.jobs = self.encode.jobs
        self.media = LocalMedia(film=str(film))
        ffmpeg = FFmpeg(shutil.which("ffmpeg") or "", shutil.which("ffprobe") or "", 2048)
        catalogue, clock = self.encode.world.catalogue, self.encode.clock
        planner = Planner(ffmpeg, self.media, Settings(storage="", mongo_url=""))
        publisher = ManifestPublisher(self.media, catalogue, ffmpeg, work_dir=str(folder), now=clock)
        verifier = TitleVerifier(self.media, ffmpeg, work_dir=str(folder), now=clock)
        claims, budget = self.encode.encoder(), self.encode.budget()
        self.pipeline = EncodePipeline(
            self.jobs,
            self.jobs,
            claims,
            Turns(self.jobs, self.jobs, claims, clock, budget),
            self.encode.lifecycle,
            planner,
            EncodeWorker(self.jobs, claims, self.media, ffmpeg, work_dir=str(folder)),
            publisher,
            JobRepair(
                self.jobs,
                self.encode.lifecycle,
                planner,
                publisher,
                verifier,
                self.encode.av1,
                self.encode.on_demand,
                self.encode.captions,
                self.encode.late_worker(self.media, publisher, work_dir=str(folder)),
            ),
            clock,
            budget,
        )
        self.container = container_for(self.encode.title_id)
        catalogue.open_title(self.encode.title_id, stem="film", status=Status.ENCODING)
        rungs = (Rendition("v90", 160, 90, 200), Rendition("v54", 96, 54, 100))
        plan = make_plan(frames=FILM.frames, rate=Fraction(24), renditions=rungs)
        plan = replace(plan, chunks=cut(plan.grid, runs), ffmpeg_version=ffmpeg.version())
        self.jobs.add_job(make_job(JOB, title_id=self.encode.title_id, plan=plan, status=JobStatus.ENCODING))

    def run(self, message: StepMessage) -> StepOutcome:
        """Run the step that a message requests; return its outcome."""
        outcome = self.encode.run(message, self.pipeline)
        assert outcome, f"there was nothing to do for {message}"
        return outcome
