"""An encoder with the real ffmpeg whose storage is a folder, to encode a source from its upload to its manifests."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from functions.encoding.av1.pipeline import Av1Pipeline
from functions.encoding.av1.rule import Av1Mode
from functions.encoding.av1.worker import Av1Worker
from functions.encoding.av1_encode import missing_av1
from functions.encoding.captions.pipeline import CaptionsPipeline
from functions.encoding.captions.rule import CaptionsMode, captioned_by
from functions.encoding.captions.worker import CaptionsWorker
from functions.encoding.copying.passthrough import CopyLimits
from functions.encoding.copying.receiver import UploadReceiver
from functions.encoding.copying.reception import UploadChanged
from functions.encoding.damage import DamageLimits
from functions.encoding.ffmpeg import FFmpeg
from functions.encoding.job_telemetry import JobTelemetry
from functions.encoding.late_text_worker import LateSubtitlesWorker
from functions.encoding.later_pipeline import LaterParts
from functions.encoding.on_demand.pipeline import OnDemandPipeline
from functions.encoding.on_demand.worker import OnDemandWorker
from functions.encoding.outcomes import Step
from functions.encoding.pipeline import EncodePipeline
from functions.encoding.planning.planner import Planner
from functions.encoding.publication.manifests import ManifestPublisher
from functions.encoding.turns import Turns
from functions.encoding.upkeep.repair import JobRepair
from functions.encoding.upkeep.verifier import TitleVerifier
from functions.encoding.worker import EncodeWorker
from functions.platform.errors import SourceRefused
from functions.platform.film_keys import film_keys_of
from functions.platform.messages import EncodeChunk, EncodeRenditions, PlanEncode, PrepareEncode
from functions.platform.settings import Settings
from tests.support.encoding_world import EncodeWorld
from tests.support.on_demand_world import demand_and_upkeep

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta
    from pathlib import Path

    from functions.encoding.ffmpeg import Finished
    from functions.encoding.model import EncodeJob, EncodePlan, SourceRef
    from functions.encoding.outcomes import StepMessage, StepOutcome
    from functions.encoding.progress import JobProgress
    from functions.platform.film_keys import FilmKey
    from functions.platform.queues import Queues


@dataclass
class FolderMedia:
    """Storage in a folder: `<folder>/<container>/<blob>`; `versions` has all manifests in the order of writing."""

    folder: Path
    revisions: dict[Path, int] = field(default_factory=dict)
    versions: list[tuple[Path, str]] = field(default_factory=list)
    etags: dict[str, str] = field(default_factory=dict)

    def path_of(self, container: str, name: str) -> Path:
        """Return the path of a blob; its folder exists."""
        path = self.folder / container / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def signed_address(self, source: SourceRef, *, lasts: timedelta) -> str:
        del lasts
        return str(self.path_of(source.container, source.blob))

    def read_head(self, source: SourceRef, *, length: int) -> bytes:
        path = self.path_of(source.container, source.blob)
        if not path.exists():
            raise SourceRefused(f"The upload {source.blob} is no longer in storage. Upload it again.")
        with path.open("rb") as file:
            return file.read(length)

    def read_range(self, source: SourceRef, *, offset: int, length: int, etag: str = "") -> bytes:
        path = self.path_of(source.container, source.blob)
        if not path.exists():
            raise SourceRefused(f"The upload {source.blob} is no longer in storage. Upload it again.")
        if etag and self.etag_of(source.container, source.blob) != etag:
            raise UploadChanged(f"The upload {source.blob} was committed again.")
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(length)

    def download_file(self, source: SourceRef, target: Path) -> None:
        shutil.copyfile(self.path_of(source.container, source.blob), target)

    def list_names(self, container: str, prefix: str) -> list[str]:
        root = self.folder / container
        names = (str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
        return sorted(name for name in names if name.startswith(prefix))

    def list_versions(self, container: str, prefix: str) -> dict[str, str]:
        return {name: self.etag_of(container, name) for name in self.list_names(container, prefix)}

    def etag_of(self, container: str, name: str) -> str:
        """Return the ETag of a blob: the one that was set, or else the time at which it was written."""
        return self.etags.get(name) or f'"{self.path_of(container, name).stat().st_mtime_ns}"'

    def list_sizes(self, container: str, prefix: str) -> dict[str, int]:
        names = self.list_names(container, prefix)
        return {name.removeprefix(prefix): self.path_of(container, name).stat().st_size for name in names}

    def read_text(self, container: str, name: str) -> str | None:
        path = self.path_of(container, name)
        return path.read_bytes().decode("utf-8", "replace") if path.exists() else None

    def create_container(self, container: str) -> None:
        (self.folder / container).mkdir(parents=True, exist_ok=True)

    def store_file(self, container: str, name: str, path: Path) -> None:
        shutil.copyfile(path, self.path_of(container, name))

    def store_text(self, container: str, name: str, text: str, *, revision: int) -> None:
        path = self.path_of(container, name)
        if self.revisions.get(path, -1) < revision:
            self.revisions[path] = revision
            self.versions.append((path, text))
            path.write_text(text)

    def delete_blob(self, container: str, name: str) -> None:
        path = self.path_of(container, name)
        path.unlink(missing_ok=True)
        self.revisions.pop(path, None)


class MeasuredFFmpeg(FFmpeg):
    """The real ffmpeg; `peaks_mb` has the peak resident memory of each run."""

    peaks_mb: list[int]

    def __init__(self, memory_mb: int) -> None:
        super().__init__("ffmpeg", "ffprobe", memory_mb)
        object.__setattr__(self, "peaks_mb", [])

    def _run(self, argv: Sequence[str], **options: Any) -> Finished:
        result = super()._run(argv, **options)
        self.peaks_mb.append(result.peak_mb)
        return result


class Encoder:
    """Encodes one upload after the other, with the real ffmpeg unless another is given; `settings` replace defaults."""

    def __init__(self, folder: Path, ffmpeg: FFmpeg | None = None, **settings: str | int) -> None:
        self.media = FolderMedia(folder)
        chosen: dict[str, Any] = {"encode_preset": "ultrafast", **settings}
        self.settings = Settings(storage="", mongo_url="", work_dir=str(folder), **chosen)
        self.keys = film_keys_of(self.settings)
        self.world = EncodeWorld(keys=self.keys)
        ffmpeg = ffmpeg or FFmpeg("ffmpeg", "ffprobe", self.settings.ffmpeg_memory_mb)
        measuring = self.settings.vmaf_ffmpeg
        vmaf = FFmpeg(measuring, "", self.settings.ffmpeg_memory_mb) if measuring else None
        limits = DamageLimits.of(self.settings)
        jobs, clock = self.world.jobs, self.world.clock
        claims, budget = self.world.encoder(), self.world.budget()
        planner = Planner(ffmpeg, self.media, self.settings)
        work_dir, catalogue = str(folder), self.world.world.catalogue
        publisher = ManifestPublisher(self.media, catalogue, ffmpeg, work_dir=work_dir, now=clock, keys=self.keys)
        verifier = TitleVerifier(self.media, ffmpeg, work_dir=work_dir, now=clock, keys=self.keys)
        self.pipeline = EncodePipeline(
            jobs,
            jobs,
            claims,
            Turns(jobs, jobs, claims, clock, budget),
            self.world.lifecycle,
            planner,
            EncodeWorker(
                jobs,
                claims,
                self.media,
                ffmpeg,
                work_dir=work_dir,
                limits=limits,
                vmaf=vmaf,
                measured_s=self.settings.encode_measured_s,
                keys=self.keys,
            ),
            publisher,
            JobRepair(
                jobs,
                self.world.lifecycle,
                planner,
                publisher,
                verifier,
                self.world.av1,
                self.world.on_demand,
                self.world.captions,
                LateSubtitlesWorker(self.media, jobs, self.world.late, jobs, publisher, clock, work_dir=work_dir),
            ),
            clock,
            budget,
            limits,
            UploadReceiver(
                jobs,
                self.media,
                publisher,
                self.world.lifecycle,
                limits=CopyLimits(self.settings.passthrough_percent, self.settings.provisional_percent),
                work_dir=str(folder),
                keys=self.keys,
            ),
        )
        later = LaterParts(
            jobs,
            jobs,
            claims,
            self.world.lifecycle,
            planner,
            publisher,
            verifier,
            budget,
            JobTelemetry(self.world.telemetry),
            cast("Queues", self.world.queues),
            clock,
        )
        self.av1_pipeline = Av1Pipeline(
            Av1Mode.ALWAYS,
            self.world.av1,
            Av1Worker(self.media, ffmpeg, work_dir=work_dir, keys=self.keys),
            later,
        )

        self.on_demand_pipeline = OnDemandPipeline(
            self.world.on_demand,
            OnDemandWorker(self.media, ffmpeg, work_dir=work_dir, keys=self.keys),
            later,
        )
        self.captions_pipeline = CaptionsPipeline(
            CaptionsMode.MARKED,
            self.world.captions,
            CaptionsWorker(
                self.media,
                ffmpeg,
                python=self.settings.captions_python,
                model=self.settings.captions_model,
                work_dir=work_dir,
                keys=self.keys,
            ),
            later,
        )
        self.demand, self.rendition_upkeep = demand_and_upkeep(self.world, publisher)

    def commit(self, source: Path, *, front: int, tail: int = 0) -> str:
        """Store the first and last bytes of a source as an upload that is still running; return the id of its job.

        With `front`, the size of the source, the upload is whole.
        """
        content = source.read_bytes()
        is_whole = front + tail >= len(content)
        blob = content if is_whole else content[:front] + content[len(content) - tail :]
        self.media.path_of("uploads", source.name).write_bytes(blob)
        etag = f"0x{front}"
        self.media.etags[source.name] = etag
        return self.world.commit(
            etag, blob=source.name, size=len(content), front=None if is_whole else front, stored=len(blob)
        )

    def upload(self, source: Path) -> str:
        """Store a source as an upload, open its job, and return the job's id."""
        shutil.copyfile(source, self.media.path_of("uploads", source.name))
        return self.world.upload(blob=source.name, size=source.stat().st_size)

    def upload_beside(self, sidecar: Path) -> None:
        """Store a sidecar of a film that is uploaded afterwards."""
        shutil.copyfile(sidecar, self.media.path_of("uploads", sidecar.name))

    def encode(self, source: Path, *, last_first: bool = False) -> JobProgress:
        """Encode a source to its end, or until it is refused; with `last_first`, its chunks in the opposite order."""
        job_id = self.upload(source)
        return self.continue_job(job_id, [PlanEncode(job_id)], last_first=last_first)

    def continue_job(self, job_id: str, waiting: list[StepMessage], *, last_first: bool = False) -> JobProgress:
        """Run the steps that messages request, and those that follow from them; return the job's progress."""
        while waiting:
            message = waiting.pop(-1 if last_first else 0)
            job = self.world.jobs.get_job(job_id)
            if last_first and isinstance(message, EncodeChunk) and job.is_open and job.missing_chunks:
                step: Step | None = Step(job, message, chunk=job.missing_chunks[-1])
            else:
                step = self.pipeline.choose_step(message)
            waiting += self.pipeline.run_step(step).messages if step else ()
        progress = self.world.service.progress(job_id)
        assert progress
        return progress

    def encode_av1(self, progress: JobProgress) -> EncodeJob:
        """Encode a ready job in AV1 to its end; return the whole job."""
        assert self.world.av1.begin_encode(progress.job_id, at=self.world.clock(), reason="A test encodes it.")
        while missing_av1(self.job(progress)):
            self.av1_pipeline.run_next()
        return self.job(progress)

    def make_captions(self, progress: JobProgress) -> EncodeJob:
        """Make the automatic captions of a ready job with sound in English to their end; return the whole job."""
        self.make_captions_once(progress, CaptionsMode.MARKED)
        while self.world.captions.list_unfinished(limit=1):
            self.captions_pipeline.run_next()
        return self.job(progress)

    def make_captions_once(self, progress: JobProgress, mode: CaptionsMode) -> EncodeJob:
        """Begin the automatic captions of a ready job, and run one step; return the whole job."""
        captioned = captioned_by(self.job(progress), mode, ["en"])
        assert captioned
        assert self.world.captions.begin_encode(progress.job_id, at=self.world.clock(), captioned=captioned)
        self.captions_pipeline.run_next()
        return self.job(progress)

    def make_renditions(self) -> None:
        """Handle the messages for renditions on demand until none is left."""
        while messages := [each for each in self.world.queues.messages if isinstance(each, EncodeRenditions)]:
            self.world.queues.sent.clear()
            for message in messages:
                self.on_demand_pipeline.run(message)

    def planned(self, job_id: str) -> StepOutcome:
        """Plan a job, in a step of its own if the machine is busy; return the outcome of the last step."""
        outcome = self.world.run(PlanEncode(job_id), self.pipeline)
        assert outcome
        if outcome.messages == (PrepareEncode(job_id),):
            outcome = self.world.run(PrepareEncode(job_id), self.pipeline)
            assert outcome
        return outcome

    def plan_only(self, job_id: str) -> EncodePlan:
        """Run only the planning of a job; return the plan."""
        plan = self.planned(job_id).job.plan
        assert plan
        return plan

    def job(self, progress: JobProgress) -> EncodeJob:
        """Return the whole job."""
        return self.world.jobs.get_job(progress.job_id)

    def key(self, progress: JobProgress) -> FilmKey:
        """Return the key of an encrypted film."""
        job = self.job(progress)
        assert job.key_id
        return self.keys.key_of(job.id, job.key_id)

    def published(self, progress: JobProgress) -> Path:
        """Return the folder with the files that the job published."""
        return self.media.folder / f"title-{progress.title_id}" / progress.job_id
