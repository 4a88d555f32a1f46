"""Creates what finds intros and credits, with its dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.encoding.intros.store import MongoComparisons
from functions.platform.errors import SettingMissing
from functions.platform.film_keys import film_keys_of

if TYPE_CHECKING:
    from functions.catalogue.service import Catalogue
    from functions.encoding.intros.pipeline import IntroPipeline
    from functions.encoding.intros.service import IntroService
    from functions.encoding.ports import EncodeJobs
    from functions.encoding.spending.budget import EncodeBudget
    from functions.platform.resources import Resources

CHOICES = ("always", "never")
"""The values of FIND_INTROS."""


def assemble(resources: Resources, catalogue: Catalogue, jobs: EncodeJobs, budget: EncodeBudget) -> IntroService:
    """Return the service that requests comparisons. Raises SettingMissing."""
    from functions.encoding.intros.service import IntroService

    collection = resources.mongo_database()["encode_jobs"]
    return IntroService(
        jobs,
        MongoComparisons(collection, resources.now),
        catalogue,
        budget,
        resources.queues,
        resources.now,
        enabled=_enabled(resources),
    )


def assemble_steps(resources: Resources, catalogue: Catalogue, jobs: EncodeJobs, budget: EncodeBudget) -> IntroPipeline:
    """Return what compares episodes, for the encoder app, which has ffmpeg. Raises SettingMissing."""
    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.intros.pipeline import IntroPipeline
    from functions.encoding.intros.worker import FingerprintWorker
    from functions.encoding.job_telemetry import JobTelemetry
    from functions.encoding.storage import BlobMedia

    settings = resources.settings()
    collection = resources.mongo_database()["encode_jobs"]
    ffmpeg = FFmpeg(settings.ffmpeg, settings.ffprobe, settings.ffmpeg_memory_mb)
    media = BlobMedia(resources.blob_service(), resources.signer())
    return IntroPipeline(
        jobs,
        MongoComparisons(collection, resources.now),
        FingerprintWorker(media, ffmpeg, work_dir=settings.work_dir, keys=film_keys_of(settings)),
        catalogue,
        budget,
        JobTelemetry(resources.telemetry()),
        enabled=_enabled(resources),
    )


def _enabled(resources: Resources) -> bool:
    """Return whether intros are found. Raises SettingMissing for an unknown value of the setting."""
    value = resources.settings().find_intros
    if value not in CHOICES:
        raise SettingMissing(f"FIND_INTROS must be {' or '.join(CHOICES)}, not {value!r}.")
    return value == "always"
