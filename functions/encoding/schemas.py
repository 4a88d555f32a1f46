"""The JSON of encode jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from functions.encoding.model import JobStatus
from functions.platform.field_types import Cursor, JobId, Limit, NextCursor, Time, TitleId

if TYPE_CHECKING:
    from functions.encoding.progress import JobProgress


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


class JobStages(Struct, frozen=True):
    """Seconds that each stage took, null until it has ended; `first_picture_s` counts from the end of the upload."""

    queued_s: float | None
    planning_s: float | None
    first_picture_s: float | None
    encoding_s: float | None
    total_s: float | None


class Job(Struct, frozen=True):
    """An encode job."""

    job_id: JobId
    title_id: TitleId
    title_name: Annotated[str | None, Meta(description="The current name of the title; null if it was withdrawn.")]
    name: Annotated[str, Meta(description="The name of the uploaded file.")]
    source: UploadedFile
    status: JobStatus
    reason: Annotated[str | None, Meta(description="Why the job failed.")]
    fault: Annotated[str | None, Meta(description="Why the last attempt at a step failed. The step is retried.")]
    percent: float
    eta_s: Annotated[float | None, Meta(description="Estimated seconds until the job is ready.")]
    front_s: Annotated[float, Meta(description="Seconds from the start of the film that can be watched.")]
    duration_s: Annotated[float | None, Meta(description="Length of the film; null until the job is planned.")]
    chunks: ChunkCount
    cpu_s: Annotated[float, Meta(description="CPU-seconds that the encode has taken.")]
    stages: JobStages
    manifest_url: Annotated[str | None, Meta(description="Address of the DASH manifest, to be read with a SAS.")]
    hls_url: Annotated[str | None, Meta(description="Address of the HLS playlist, to be read with a SAS.")]
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, job: JobProgress, *, title_name: str | None, blobs_url: str) -> Job:
        """Return a job as the API shows it; `blobs_url` is the address of blob storage."""
        base = blobs_url.rstrip("/")
        stages = job.stages
        return cls(
            job_id=job.job_id,
            title_id=job.title_id,
            title_name=title_name,
            name=job.name,
            source=UploadedFile(job.name, job.size),
            status=job.status,
            reason=job.reason,
            fault=job.fault,
            percent=job.percent,
            eta_s=job.eta_s,
            front_s=job.front_s,
            duration_s=job.duration_s,
            chunks=ChunkCount(job.chunks_done, job.chunks),
            cpu_s=job.cpu_s,
            stages=JobStages(
                stages.queued_s, stages.planning_s, stages.first_picture_s, stages.encoding_s, stages.total_s
            ),
            manifest_url=f"{base}/{job.manifest}" if job.manifest else None,
            hls_url=f"{base}/{job.hls}" if job.hls else None,
            created_at=job.created_at,
            updated_at=job.updated_at,
        )


class JobPage(Struct, frozen=True):
    """Encode jobs, newest first."""

    jobs: list[Job]
    cursor: NextCursor
