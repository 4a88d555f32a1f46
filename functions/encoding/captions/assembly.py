"""Creates what makes automatic captions; `encoding.assembly` offers it to the composition roots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.encoding.captions.rule import CaptionsMode
from functions.encoding.captions.store import MongoCaptions
from functions.platform.errors import SettingMissing
from functions.platform.film_keys import film_keys_of

if TYPE_CHECKING:
    from functions.encoding.captions.pipeline import CaptionsPipeline
    from functions.encoding.captions.service import CaptionsService
    from functions.encoding.claims import Claims
    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.later_pipeline import LaterParts
    from functions.encoding.lifecycle import JobLifecycle
    from functions.encoding.ports import EncodeJobs, MediaStore
    from functions.encoding.spending.budget import EncodeBudget
    from functions.platform.resources import Resources
    from functions.platform.settings import Settings


def service_of(
    resources: Resources,
    mode: CaptionsMode,
    jobs: EncodeJobs,
    claims: Claims,
    lifecycle: JobLifecycle,
    budget: EncodeBudget,
) -> CaptionsService:
    """Return the service that begins automatic captions."""
    from functions.encoding.captions.service import CaptionsService

    settings = resources.settings()
    return CaptionsService(
        mode,
        settings.captions_languages.lower().split(),
        jobs,
        captions_of(resources),
        claims,
        lifecycle,
        budget,
        resources.queues,
        resources.now,
    )


def pipeline_of(resources: Resources, media: MediaStore, ffmpeg: FFmpeg, parts: LaterParts) -> CaptionsPipeline:
    """Return what runs the steps of automatic captions, for the encoder app. Raises SettingMissing."""
    from functions.encoding.captions.pipeline import CaptionsPipeline
    from functions.encoding.captions.worker import CaptionsWorker

    settings = resources.settings()
    worker = CaptionsWorker(
        media,
        ffmpeg,
        python=settings.captions_python,
        model=settings.captions_model,
        work_dir=settings.work_dir,
        keys=film_keys_of(settings),
    )
    return CaptionsPipeline(mode_of(settings), captions_of(resources), worker, parts)


def captions_of(resources: Resources) -> MongoCaptions:
    """Return the store of automatic captions."""
    return MongoCaptions(resources.mongo_database()["encode_jobs"], resources.now)


def mode_of(settings: Settings) -> CaptionsMode:
    """Return for which sound captions are made. Raises SettingMissing for an unknown value of the setting."""
    value = settings.automatic_captions
    if value not in set(CaptionsMode):
        raise SettingMissing(f"AUTOMATIC_CAPTIONS must be {', '.join(CaptionsMode)}, not {value!r}.")
    return CaptionsMode(value)
