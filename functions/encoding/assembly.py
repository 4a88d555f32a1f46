"""How the parts of encoding fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.encoding.lifecycle import JobLifecycle
from functions.encoding.repository import MongoEncodeJobs
from functions.encoding.service import EncodeService

if TYPE_CHECKING:
    from functions.catalogue.service import Catalogue
    from functions.encoding.step_runner import StepRunner
    from functions.platform.resources import Resources


def assemble(resources: Resources, catalogue: Catalogue) -> EncodeService:
    """Return the service for encode jobs; each connection is opened at its first use."""
    jobs = MongoEncodeJobs(resources.mongo_database()["encode_jobs"], resources.now)
    lifecycle = JobLifecycle(jobs, catalogue, resources.now)
    return EncodeService(jobs, lifecycle, lambda messages: resources.queues().send_all(messages), resources.now)


def assemble_steps(resources: Resources, catalogue: Catalogue) -> StepRunner:
    """Delete the work folders of killed processes; return the step runner for the encoder app, which has ffmpeg."""
    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.job_telemetry import JobTelemetry
    from functions.encoding.manifests import ManifestPublisher
    from functions.encoding.pipeline import EncodePipeline
    from functions.encoding.planner import Planner
    from functions.encoding.step_runner import StepRunner
    from functions.encoding.storage import BlobMedia
    from functions.encoding.work_folders import sweep_work_folders
    from functions.encoding.worker import EncodeWorker

    settings = resources.settings()
    sweep_work_folders(settings.work_dir)
    jobs = MongoEncodeJobs(resources.mongo_database()["encode_jobs"], resources.now)
    ffmpeg = FFmpeg(settings.ffmpeg, settings.ffprobe, settings.ffmpeg_memory_mb)
    media = BlobMedia(resources.blob_service(), resources.signer())
    pipeline = EncodePipeline(
        jobs,
        JobLifecycle(jobs, catalogue, resources.now),
        Planner(ffmpeg, media, settings),
        EncodeWorker(jobs, media, ffmpeg, work_dir=settings.work_dir),
        ManifestPublisher(media, catalogue, ffmpeg, work_dir=settings.work_dir, now=resources.now),
        resources.now,
    )
    return StepRunner(pipeline, JobTelemetry(resources.telemetry()), resources.queues())
