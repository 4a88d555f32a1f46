"""The JSON of encode jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from functions.catalogue.model import SkippablePart
from functions.encoding.damage import largest
from functions.encoding.model import JobStatus
from functions.encoding.spending.costs import replica_microusd, storage_microusd
from functions.encoding.spending.receipt_schemas import JobAv1, JobCaptions, JobOnDemand, JobReceipt
from functions.platform.field_types import Cursor, Day, DayCount, JobId, Limit, NextCursor, Time, TitleId

if TYPE_CHECKING:
    from functions.catalogue.model import Title
    from functions.encoding.damage import DamageReport
    from functions.encoding.progress import JobProgress
    from functions.encoding.spending.costs import MonthSpending
    from functions.encoding.spending.limit import LimitInEffect
    from functions.encoding.spending.reports import EncodingFigures
    from functions.encoding.upkeep.verification import Verification

MAX_PLACES = 20


class JobQuery(Struct, frozen=True):
    """Which page of jobs to return."""

    cursor: Cursor = ""
    limit: Limit = 100


class UploadedFile(Struct, frozen=True):
    """The file that a job encodes."""

    name: str
    size: Annotated[int, Meta(description="Bytes.")]


class ChunkCount(Struct, frozen=True):
    """How many chunks of the film are encoded; `total` is 0 until the job is planned."""

    done: int
    total: int


class DamagedSpan(Struct, frozen=True):
    """A place of the film with damaged frames, in seconds from the start of the film."""

    begin_s: float
    end_s: float
    pictures: int


class JobDamage(Struct, frozen=True):
    """Frames of the film that could not be read and were filled in, with the largest places in order of time."""

    note: Annotated[str, Meta(description="A sentence for the owner.")]
    pictures: int
    percent: Annotated[float, Meta(description="Share of the film's frames.")]
    missing_s: Annotated[float, Meta(description="Seconds at the end of the film that the file lacks.")]
    places: list[DamagedSpan]

    @classmethod
    def of(cls, damage: DamageReport) -> JobDamage:
        """Return the damage of a job as the API shows it."""
        return cls(
            damage.note,
            damage.pictures,
            round(damage.percent, 3),
            round(float(damage.missing_s), 3),
            [DamagedSpan(place.begin_s, place.end_s, place.pictures) for place in largest(damage.places, MAX_PLACES)],
        )


class JobStages(Struct, frozen=True):
    """Seconds that each stage took, null until it has ended; `first_picture_s` counts from the end of the upload."""

    queued_s: float | None
    planning_s: float | None
    first_picture_s: float | None
    encoding_s: float | None
    total_s: float | None


class JobVerification(Struct, frozen=True):
    """The result of verifying a job: whether all files exist and match their manifests, and a sample of them plays."""

    verified_at: Time
    files: int
    size: Annotated[int, Meta(description="Bytes of all files.")]
    damaged: Annotated[int, Meta(description="How many files are missing or cannot be played.")]
    examples: Annotated[list[str], Meta(description="The names of some damaged files, in the folder of the job.")]

    @classmethod
    def of(cls, found: Verification) -> JobVerification:
        """Return a verification as the API shows it."""
        return cls(found.at, found.files, found.size, found.damaged, list(found.examples))


class JobCost(Struct, frozen=True):
    """What the job costs in Azure at list prices, in millionths of a US dollar."""

    estimate_microusd: Annotated[int | None, Meta(description="Estimate for encoding; null until the job is planned.")]
    encode_microusd: Annotated[int, Meta(description="What encoding has cost so far.")]
    storage_microusd: Annotated[
        int | None,
        Meta(description="Storing upload and film for a month: an estimate until verified, null until planned."),
    ]


class MonthCost(Struct, frozen=True):
    """What the encodes of a month have cost, in millionths of a US dollar."""

    month: Annotated[str, Meta(description="For example 2026-11.")]
    encode_microusd: int
    limit_microusd: Annotated[int | None, Meta(description="The monthly limit; null if there is none.")]

    @classmethod
    def of(cls, month: MonthSpending) -> MonthCost:
        """Return a month as the API shows it."""
        limit = None if month.limit_s is None else replica_microusd(month.limit_s)
        return cls(month.month, replica_microusd(month.spent_s), limit)


class MonthlyLimit(Struct, frozen=True):
    """The most that encoding may cost in a calendar month (UTC), in US dollars; 0 means no limit."""

    usd: int
    default_usd: Annotated[int, Meta(description="The limit in the settings, in effect until an owner sets another.")]
    is_set: Annotated[bool, Meta(description="Whether an owner has set the limit.")]

    @classmethod
    def of(cls, limit: LimitInEffect) -> MonthlyLimit:
        """Return the limit as the API shows it."""
        return cls(limit.usd, limit.default_usd, limit.is_set)


class LimitEdit(Struct, frozen=True):
    """A new monthly limit on encoding."""

    usd: Annotated[
        Annotated[int, Meta(ge=0, le=1_000_000)] | None,
        Meta(description="Whole US dollars; 0 for no limit, null for the limit in the settings."),
    ]


class Job(Struct, frozen=True):
    """An encode job."""

    job_id: JobId
    title_id: TitleId
    title_name: Annotated[str | None, Meta(description="The current name of the title; null if it was withdrawn.")]
    trailer_of: Annotated[
        str | None,
        Meta(description="The id of the title that a trailer belongs to, empty while there is none; null for a film."),
    ]
    name: Annotated[str, Meta(description="The name of the uploaded file.")]
    source: UploadedFile
    status: JobStatus
    reason: Annotated[str | None, Meta(description="Why the job failed.")]
    fault: Annotated[str | None, Meta(description="Why the last attempt at a step failed. The step is retried.")]
    paused: Annotated[str | None, Meta(description="Why the job waits for the next month or a higher limit.")]
    damage: Annotated[JobDamage | None, Meta(description="The damage of the film found so far; null if none.")]
    notes: Annotated[
        list[str],
        Meta(description="Sentences about tracks and sizes that are not published, or not as they are in the upload."),
    ]
    passthrough: Annotated[
        str | None,
        Meta(
            description="Whether the film's own pictures are used, or why not; null until the job is planned, and if "
            "`notes` say that they turned out to be unsuitable."
        ),
    ]
    percent: float
    uploaded_percent: Annotated[
        float | None, Meta(description="How much of the upload has arrived; null once it is complete.")
    ]
    eta_s: Annotated[float | None, Meta(description="Estimated seconds until the job is ready.")]
    front_s: Annotated[float, Meta(description="Seconds from the start of the film that can be watched.")]
    duration_s: Annotated[float | None, Meta(description="Length of the film; null until the job is planned.")]
    chunks: ChunkCount
    cpu_s: Annotated[float, Meta(description="CPU-seconds that the encode has taken.")]
    cost: JobCost
    receipt: Annotated[JobReceipt | None, Meta(description="The results; null until the job is ready.")]
    av1: Annotated[JobAv1 | None, Meta(description="The encode in AV1; null if there is none.")]
    on_demand: Annotated[
        JobOnDemand | None,
        Meta(description="Renditions that are made when viewers want them; null if all are made at once."),
    ]
    skippable: Annotated[
        tuple[SkippablePart, ...],
        Meta(description="The intro and the credits that were found because other episodes share their sound."),
    ]
    captions: Annotated[JobCaptions | None, Meta(description="The automatic captions; null if there are none.")]
    stages: JobStages
    manifest_url: Annotated[str | None, Meta(description="Address of the DASH manifest, to be read with a SAS.")]
    hls_url: Annotated[str | None, Meta(description="Address of the HLS playlist, to be read with a SAS.")]
    verification: Annotated[JobVerification | None, Meta(description="The last verification of the published files.")]
    verifying: Annotated[bool, Meta(description="Whether a verification is due or running.")]
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, job: JobProgress, *, title: Title | None, blobs_url: str, trailer_of: str | None = None) -> Job:
        """Return a job as the API shows it; `blobs_url` is the address of blob storage."""
        playback = title.playback if title else None
        base = blobs_url.rstrip("/")
        stages = job.stages
        return cls(
            job_id=job.job_id,
            title_id=job.title_id,
            title_name=title.details.name if title else None,
            trailer_of=trailer_of,
            name=job.name,
            source=UploadedFile(job.name, job.size),
            status=job.status,
            reason=job.reason,
            fault=job.fault,
            paused=job.paused,
            damage=JobDamage.of(job.damage) if job.damage else None,
            notes=list(job.notes),
            passthrough=job.passthrough,
            percent=job.percent,
            uploaded_percent=job.uploaded_percent,
            eta_s=job.eta_s,
            front_s=job.front_s,
            duration_s=job.duration_s,
            chunks=ChunkCount(job.chunks_done, job.chunks),
            cpu_s=job.cpu_s,
            cost=JobCost(job.estimate_microusd, job.encode_microusd, job.storage_microusd),
            receipt=JobReceipt.of(job.receipt) if job.receipt else None,
            av1=JobAv1.of(job.av1) if job.av1 else None,
            on_demand=JobOnDemand.of(job.on_demand) if job.on_demand else None,
            skippable=playback.skippable if playback and playback.job_id == job.job_id else (),
            captions=JobCaptions.of(job.captions, base=base) if job.captions else None,
            stages=JobStages(
                stages.queued_s, stages.planning_s, stages.first_picture_s, stages.encoding_s, stages.total_s
            ),
            manifest_url=f"{base}/{job.manifest}" if job.manifest else None,
            hls_url=f"{base}/{job.hls}" if job.hls else None,
            verification=JobVerification.of(job.verified) if job.verified else None,
            verifying=job.verifying,
            created_at=job.created_at,
            updated_at=job.updated_at,
        )


class JobPage(Struct, frozen=True):
    """Encode jobs, newest first."""

    jobs: list[Job]
    cursor: NextCursor
    spending: MonthCost


class EncodingQuery(Struct, frozen=True):
    """What to report on."""

    days: DayCount = 30


class EncodingDay(Struct, frozen=True):
    """What became of the films that were uploaded on a day."""

    day: Day
    ready: int
    failed: int
    open: Annotated[int, Meta(description="Jobs that are not over yet.")]


class StorageUse(Struct, frozen=True):
    """What is in storage."""

    films: Annotated[int, Meta(description="Films that can be played.")]
    film_size: Annotated[int, Meta(description="Bytes of these films, with all renditions.")]
    upload_size: Annotated[int, Meta(description="Bytes of the uploaded files.")]
    microusd_per_month: Annotated[int, Meta(description="What storing both costs, in millionths of a US dollar.")]


class EncodingReport(Struct, frozen=True):
    """Encode jobs by day, oldest first; storage, and spending by month."""

    days: list[EncodingDay]
    open: Annotated[int, Meta(description="All jobs that are not over yet.")]
    storage: StorageUse
    months: Annotated[list[MonthCost], Meta(description="Months in which something was encoded, and this one.")]
    month: MonthCost

    @classmethod
    def of(cls, figures: EncodingFigures) -> EncodingReport:
        """Return the public form of a report."""
        stored = figures.stored
        month = MonthCost.of(figures.month)
        earlier = [
            MonthCost(name, replica_microusd(seconds), None)
            for name, seconds in sorted(figures.months.items())
            if name < month.month
        ]
        return cls(
            days=[EncodingDay(one.day.isoformat(), one.ready, one.failed, one.open) for one in figures.days],
            open=figures.open,
            storage=StorageUse(
                stored.films,
                stored.film_size,
                stored.upload_size,
                storage_microusd(stored.film_size + stored.upload_size),
            ),
            months=[*earlier, month],
            month=month,
        )
