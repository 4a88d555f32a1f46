"""Creates the services of the encoding slice with their dependencies."""

from __future__ import annotations

import atexit
import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.encoding.audience_store import MongoAudience
from functions.encoding.av1.assembly import mode_of
from functions.encoding.av1.store import MongoAv1Encodes
from functions.encoding.captions.assembly import captions_of
from functions.encoding.claim_repository import MongoClaims
from functions.encoding.claims import Claims
from functions.encoding.late_subtitles.assembly import arrivals_of, late_worker
from functions.encoding.lifecycle import JobLifecycle
from functions.encoding.model import JobStatus
from functions.encoding.on_demand.store import MongoOnDemandEncodes
from functions.encoding.repository import MongoEncodeJobs
from functions.encoding.service import EncodeService
from functions.encoding.spending.budget import EncodeBudget
from functions.encoding.spending.limit import EncodeLimit
from functions.encoding.spending.limit_store import MongoEncodeLimit
from functions.encoding.spending.store import MongoSpending
from functions.encoding.upkeep.store import MongoJobUpkeep
from functions.encoding.upkeep.sweep import TitleSweep
from functions.platform.errors import SettingMissing
from functions.platform.film_keys import film_keys_of
from functions.platform.lazy import lazy
from functions.platform.messages import SendMail

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.catalogue.service import Catalogue
    from functions.encoding.audience_service import EncodeAudience
    from functions.encoding.av1.pipeline import Av1Pipeline
    from functions.encoding.av1.service import Av1Service
    from functions.encoding.captions.pipeline import CaptionsPipeline
    from functions.encoding.captions.service import CaptionsService
    from functions.encoding.copying.instant import InstantFront
    from functions.encoding.copying.receiver import UploadReceiver
    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.intros.pipeline import IntroPipeline
    from functions.encoding.intros.service import IntroService
    from functions.encoding.later_pipeline import LaterParts
    from functions.encoding.on_demand.pipeline import OnDemandPipeline
    from functions.encoding.on_demand.service import RenditionDemand, RenditionUpkeep
    from functions.encoding.publication.manifests import ManifestPublisher
    from functions.encoding.spending.reports import EncodeReports
    from functions.encoding.step_runner import StepRunner
    from functions.encoding.storage import BlobFolders, BlobMedia
    from functions.platform.resources import Resources
    from functions.platform.viewer import Recipient

FIRST_SEGMENTS = 4
"""How many segments of an upload that is still running the API app publishes; the encoder publishes the others."""

PAUSED = "encoding_paused"
"""The kind of email that tells the owners that encoding is paused."""


def paused_email(pause: str, owner: Recipient) -> SendMail:
    """Return the email to an owner; it has the same id each time, so that an owner receives only one for each pause."""
    email_id = hashlib.sha256(f"{PAUSED} {pause} {owner.email}".encode()).hexdigest()[:32]
    return SendMail(PAUSED, owner.email, email_id=email_id, language=owner.language)


def assemble(resources: Resources, catalogue: Catalogue, owners: Callable[[], list[Recipient]]) -> EncodeService:
    """Return the service for encode jobs; each connection is opened at its first use.

    `owners` returns whom to notify when encoding is paused.
    """

    def tell_owners(pause: str) -> None:
        resources.queues().send_all(paused_email(pause, owner) for owner in owners())

    @lazy
    def folders() -> BlobFolders:  # the import loads the client library of storage, which only a sweep needs
        from functions.encoding.storage import BlobFolders

        return BlobFolders(resources.blob_service())

    @lazy
    def fronts() -> tuple[UploadReceiver, InstantFront]:  # loads modules that only a new film needs
        from functions.encoding.copying.instant import InstantFront
        from functions.encoding.copying.passthrough import CopyLimits
        from functions.encoding.copying.receiver import UploadReceiver
        from functions.encoding.publication.manifests import ManifestPublisher

        settings = resources.settings()
        media, ffmpeg = _tools(resources)  # ffmpeg is not run: there may be none
        publisher = ManifestPublisher(media, catalogue, ffmpeg, work_dir=settings.work_dir, now=resources.now)
        limits, work_dir, keys = CopyLimits.of(settings), settings.work_dir, film_keys_of(settings)
        return (
            UploadReceiver(jobs, media, publisher, lifecycle, limits=limits, work_dir=work_dir, keys=keys),
            InstantFront(jobs, media, publisher, lifecycle, limits=limits, work_dir=work_dir, keys=keys),
        )

    def publish_front(job_id: str) -> bool:
        receiver, front = fronts()
        job = jobs.get_job(job_id)
        if job.status is not JobStatus.RECEIVING:
            return front.publish(job_id)
        return job.playable_at is None and receiver.receive(job, most_segments=FIRST_SEGMENTS).playable_at is not None

    collection = resources.mongo_database()["encode_jobs"]
    jobs, upkeep = MongoEncodeJobs(collection, resources.now), MongoJobUpkeep(collection, resources.now)
    lifecycle = JobLifecycle(jobs, catalogue, resources.now, film_keys_of(resources.settings()))
    sweep = TitleSweep(jobs, upkeep, folders, catalogue, resources.now)
    return EncodeService(
        jobs,
        _claims(resources),
        lifecycle,
        resources.queues,
        resources.now,
        upkeep,
        sweep,
        _budget(resources),
        tell_owners,
        publish_front,
        arrivals_of(resources, catalogue),
        upload_patience=timedelta(hours=resources.settings().upload_patience_hours),
    )


def assemble_steps(resources: Resources, catalogue: Catalogue) -> StepRunner:
    """Delete the work folders of killed processes; return the step runner for the encoder app, which has ffmpeg."""
    from functions.encoding.copying.passthrough import CopyLimits
    from functions.encoding.copying.receiver import UploadReceiver
    from functions.encoding.damage import DamageLimits
    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.job_telemetry import JobTelemetry
    from functions.encoding.loudness import check_target
    from functions.encoding.pipeline import EncodePipeline
    from functions.encoding.planning.detail import RenditionChoice
    from functions.encoding.planning.planner import Planner
    from functions.encoding.publication.manifests import ManifestPublisher
    from functions.encoding.step_runner import StepRunner
    from functions.encoding.surround import SurroundChoice
    from functions.encoding.turns import Turns
    from functions.encoding.upkeep.repair import JobRepair
    from functions.encoding.upkeep.verifier import TitleVerifier
    from functions.encoding.work_folders import sweep_work_folders
    from functions.encoding.worker import EncodeWorker

    settings = resources.settings()
    check_target(settings.loudness_lufs)
    if settings.encode_renditions not in set(RenditionChoice):
        raise SettingMissing(
            f"ENCODE_RENDITIONS must be {' or '.join(RenditionChoice)}, not {settings.encode_renditions!r}."
        )
    if settings.surround_sound not in set(SurroundChoice):
        raise SettingMissing(f"SURROUND_SOUND must be {' or '.join(SurroundChoice)}, not {settings.surround_sound!r}.")
    limits = DamageLimits.of(settings)
    sweep_work_folders(settings.work_dir)
    collection = resources.mongo_database()["encode_jobs"]
    jobs, audience = MongoEncodeJobs(collection, resources.now), MongoAudience(collection)
    claims, budget = _claims(resources), _budget(resources)
    atexit.register(claims.release_all)  # others continue the interrupted steps; no attempt is counted
    media, ffmpeg = _tools(resources)
    vmaf = FFmpeg(settings.vmaf_ffmpeg, settings.ffprobe, settings.ffmpeg_memory_mb) if settings.vmaf_ffmpeg else None
    lifecycle = JobLifecycle(jobs, catalogue, resources.now)
    planner = Planner(ffmpeg, media, settings)
    work_dir, keys = settings.work_dir, film_keys_of(settings)
    publisher = ManifestPublisher(media, catalogue, ffmpeg, work_dir=work_dir, now=resources.now, keys=keys)
    verifier = TitleVerifier(media, ffmpeg, work_dir=work_dir, now=resources.now, keys=keys)
    pipeline = EncodePipeline(
        jobs,
        audience,
        claims,
        Turns(jobs, audience, claims, resources.now, budget),
        lifecycle,
        planner,
        EncodeWorker(
            jobs,
            claims,
            media,
            ffmpeg,
            work_dir=work_dir,
            limits=limits,
            vmaf=vmaf,
            measured_s=settings.encode_measured_s,
            keys=keys,
        ),
        publisher,
        JobRepair(
            jobs,
            lifecycle,
            planner,
            publisher,
            verifier,
            MongoAv1Encodes(collection, resources.now),
            MongoOnDemandEncodes(collection),
            captions_of(resources),
            late_worker(resources, media, jobs, MongoJobUpkeep(collection, resources.now), publisher),
        ),
        resources.now,
        budget,
        limits,
        UploadReceiver(jobs, media, publisher, lifecycle, limits=CopyLimits.of(settings), work_dir=work_dir, keys=keys),
    )
    return StepRunner(pipeline, JobTelemetry(resources.telemetry()), resources.queues())


def assemble_av1(resources: Resources, catalogue: Catalogue, watched_min: Callable[[str], int]) -> Av1Service:
    """Return the service that begins encodes in AV1; `watched_min` is that of `Av1Service`. Raises SettingMissing."""
    from functions.encoding.av1.service import Av1Service
    from functions.platform.prices import usd

    collection = resources.mongo_database()["encode_jobs"]
    jobs = MongoEncodeJobs(collection, resources.now)
    has_cdn = bool(resources.settings().cdn_token_key)
    return Av1Service(
        mode_of(resources.settings()),
        jobs,
        MongoAv1Encodes(collection, resources.now),
        _claims(resources),
        JobLifecycle(jobs, catalogue, resources.now),
        _budget(resources),
        resources.queues,
        watched_min,
        resources.now,
        egress_usd=usd("cdn-standard" if has_cdn else "egress"),
    )


def assemble_av1_steps(resources: Resources, catalogue: Catalogue) -> Av1Pipeline:
    """Return what runs the steps of encodes in AV1, for the encoder app. Raises SettingMissing."""
    from functions.encoding.av1.pipeline import Av1Pipeline
    from functions.encoding.av1.worker import Av1Worker

    settings = resources.settings()
    media, ffmpeg = _tools(resources)
    return Av1Pipeline(
        mode_of(resources.settings()),
        MongoAv1Encodes(resources.mongo_database()["encode_jobs"], resources.now),
        Av1Worker(media, ffmpeg, work_dir=settings.work_dir, keys=film_keys_of(settings)),
        _later_parts(resources, catalogue, media, ffmpeg),
    )


def assemble_captions(resources: Resources, catalogue: Catalogue) -> CaptionsService:
    """Return the service that begins automatic captions. Raises SettingMissing."""
    from functions.encoding.captions.assembly import mode_of, service_of

    mode = mode_of(resources.settings())
    jobs = MongoEncodeJobs(resources.mongo_database()["encode_jobs"], resources.now)
    lifecycle = JobLifecycle(jobs, catalogue, resources.now)
    return service_of(resources, mode, jobs, _claims(resources), lifecycle, _budget(resources))


def assemble_captions_steps(resources: Resources, catalogue: Catalogue) -> CaptionsPipeline:
    """Return what runs the steps of automatic captions, for the encoder app. Raises SettingMissing."""
    from functions.encoding.captions.assembly import pipeline_of

    media, ffmpeg = _tools(resources)
    return pipeline_of(resources, media, ffmpeg, _later_parts(resources, catalogue, media, ffmpeg))


def assemble_demand(resources: Resources, may_begin: Callable[[str], bool]) -> RenditionDemand:
    """Return what notes that viewers open titles; a viewer waits for it. `may_begin` limits what an account begins."""
    from functions.encoding.on_demand.service import RenditionDemand

    collection = resources.mongo_database()["encode_jobs"]
    return RenditionDemand(MongoOnDemandEncodes(collection), resources.interactive_queues, resources.now, may_begin)


def assemble_renditions(resources: Resources, catalogue: Catalogue) -> RenditionUpkeep:
    """Return the upkeep of renditions on demand."""
    from functions.encoding.on_demand.service import RenditionUpkeep

    @lazy
    def publisher() -> ManifestPublisher:  # loads modules that only a removal needs
        from functions.encoding.publication.manifests import ManifestPublisher

        media, ffmpeg = _tools(resources)  # ffmpeg is not run: there may be none
        work_dir = resources.settings().work_dir
        return ManifestPublisher(media, catalogue, ffmpeg, work_dir=work_dir, now=resources.now)

    collection = resources.mongo_database()["encode_jobs"]
    return RenditionUpkeep(
        MongoEncodeJobs(collection, resources.now),
        MongoOnDemandEncodes(collection),
        MongoJobUpkeep(collection, resources.now),
        _claims(resources),
        publisher,
        resources.queues,
        resources.now,
        kept_days=resources.settings().renditions_kept_days,
    )


def assemble_rendition_steps(resources: Resources, catalogue: Catalogue) -> OnDemandPipeline:
    """Return what runs the steps of encodes on demand, for the encoder app."""
    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.on_demand.pipeline import OnDemandPipeline
    from functions.encoding.on_demand.worker import OnDemandWorker

    settings = resources.settings()
    collection = resources.mongo_database()["encode_jobs"]
    media, ffmpeg = _tools(resources)
    vmaf = FFmpeg(settings.vmaf_ffmpeg, settings.ffprobe, settings.ffmpeg_memory_mb) if settings.vmaf_ffmpeg else None
    work_dir, keys = settings.work_dir, film_keys_of(settings)
    return OnDemandPipeline(
        MongoOnDemandEncodes(collection),
        OnDemandWorker(media, ffmpeg, work_dir=work_dir, vmaf=vmaf, keys=keys),
        _later_parts(resources, catalogue, media, ffmpeg),
    )


def assemble_intros(resources: Resources, catalogue: Catalogue) -> IntroService:
    """Return the service that requests comparisons of episodes. Raises SettingMissing."""
    from functions.encoding.intros.assembly import assemble

    jobs = MongoEncodeJobs(resources.mongo_database()["encode_jobs"], resources.now)
    return assemble(resources, catalogue, jobs, _budget(resources))


def assemble_intro_steps(resources: Resources, catalogue: Catalogue) -> IntroPipeline:
    """Return what compares episodes, for the encoder app. Raises SettingMissing."""
    from functions.encoding.intros.assembly import assemble_steps

    jobs = MongoEncodeJobs(resources.mongo_database()["encode_jobs"], resources.now)
    return assemble_steps(resources, catalogue, jobs, _budget(resources))


def assemble_audience(resources: Resources) -> EncodeAudience:
    """Return the audience of films that are being encoded."""
    from functions.encoding.audience_service import EncodeAudience

    collection = resources.mongo_database()["encode_jobs"]
    jobs, store = MongoEncodeJobs(collection, resources.now), MongoAudience(collection)
    return EncodeAudience(jobs, store, resources.queues, resources.now)


def assemble_limit(resources: Resources) -> EncodeLimit:
    """Return the monthly limit on encoding."""
    store = MongoEncodeLimit(resources.mongo_database()["encode_limit"])
    return EncodeLimit(store, default_usd=resources.settings().encode_monthly_limit_usd)


def assemble_reports(resources: Resources, catalogue: Catalogue) -> EncodeReports:
    """Return the reports on encoding for the owner."""
    from functions.encoding.spending.record_store import MongoJobRecords
    from functions.encoding.spending.reports import EncodeReports

    database = resources.mongo_database()
    spending = MongoSpending(database["encode_months"], database["encode_jobs"])
    records = MongoJobRecords(database["encode_jobs"])
    return EncodeReports(records, spending, _budget(resources), catalogue.list_ids, resources.now)


def _budget(resources: Resources) -> EncodeBudget:
    database = resources.mongo_database()
    store = MongoSpending(database["encode_months"], database["encode_jobs"])
    return EncodeBudget(store, resources.now, limit_usd=assemble_limit(resources).usd)


def _claims(resources: Resources) -> Claims:
    return Claims(MongoClaims(resources.mongo_database()["encode_claims"]), resources.now)


def _tools(resources: Resources) -> tuple[BlobMedia, FFmpeg]:
    """Return the storage of media, and ffmpeg, which only the encoder app has."""
    from functions.encoding.ffmpeg import FFmpeg
    from functions.encoding.storage import BlobMedia

    settings = resources.settings()
    ffmpeg = FFmpeg(settings.ffmpeg, settings.ffprobe, settings.ffmpeg_memory_mb)
    return BlobMedia(resources.blob_service(), resources.signer()), ffmpeg


def _later_parts(resources: Resources, catalogue: Catalogue, media: BlobMedia, ffmpeg: FFmpeg) -> LaterParts:
    """Return what the pipelines of all later encodes use; their claims are released when the process ends."""
    from functions.encoding.job_telemetry import JobTelemetry
    from functions.encoding.later_pipeline import LaterParts
    from functions.encoding.planning.planner import Planner
    from functions.encoding.publication.manifests import ManifestPublisher
    from functions.encoding.upkeep.verifier import TitleVerifier

    settings = resources.settings()
    collection = resources.mongo_database()["encode_jobs"]
    jobs, claims = MongoEncodeJobs(collection, resources.now), _claims(resources)
    atexit.register(claims.release_all)  # others continue the interrupted chunks
    work_dir, keys = settings.work_dir, film_keys_of(settings)
    return LaterParts(
        jobs,
        MongoJobUpkeep(collection, resources.now),
        claims,
        JobLifecycle(jobs, catalogue, resources.now),
        Planner(ffmpeg, media, settings),
        ManifestPublisher(media, catalogue, ffmpeg, work_dir=work_dir, now=resources.now, keys=keys),
        TitleVerifier(media, ffmpeg, work_dir=work_dir, now=resources.now, keys=keys),
        _budget(resources),
        JobTelemetry(resources.telemetry()),
        resources.queues(),
        resources.now,
    )
