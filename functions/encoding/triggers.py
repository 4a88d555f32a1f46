"""The functions of encoding: `encoder` is for the encoder app, which has ffmpeg; `app` is for the API app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap
from functions.platform.errors import Conflict, NotFound
from functions.platform.triggers import OWNER, SliceApp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.encoding.progress import JobProgress
    from functions.encoding.schemas import Job, JobPage, JobQuery
    from functions.platform.field_types import JobId
    from functions.platform.messages import EncodeAudio, EncodeChunk, PlanEncode, PublishTitle

encoder = SliceApp(bootstrap)
app = SliceApp(bootstrap, "functions.encoding.schemas")


@encoder.queue("plan-encode")
def plan_encode(message: PlanEncode) -> None:
    """Plan a job and enqueue its chunks and tracks, starting with those for the first picture and sound."""
    bootstrap.encode_steps().run_message(message)


@encoder.queue("encode-chunk")
def encode_chunk(message: EncodeChunk) -> None:
    """Encode a chunk of a job for every rung."""
    bootstrap.encode_steps().run_message(message)


@encoder.queue("encode-audio")
def encode_audio(message: EncodeAudio) -> None:
    """Encode an audio track of a job, or convert a subtitle track to WebVTT."""
    bootstrap.encode_steps().run_message(message)


@encoder.queue("publish-title")
def publish_title(message: PublishTitle) -> None:
    """Write manifests that list everything a job has finished."""
    bootstrap.encode_steps().run_message(message)


@encoder.dead_letters("plan-encode")
def plan_encode_poison(message: PlanEncode) -> None:
    """Fail a job that could not be planned, or defer its planning."""
    bootstrap.encode_steps().give_up_message(message)


@encoder.dead_letters("encode-chunk")
def encode_chunk_poison(message: EncodeChunk) -> None:
    """Fail the job of a chunk that could not be encoded, or defer the chunk."""
    bootstrap.encode_steps().give_up_message(message)


@encoder.dead_letters("encode-audio")
def encode_audio_poison(message: EncodeAudio) -> None:
    """Fail the job of a track that could not be encoded, or defer the track."""
    bootstrap.encode_steps().give_up_message(message)


@encoder.dead_letters("publish-title")
def publish_title_poison(message: PublishTitle) -> None:
    """Fail a job whose manifests could not be written, or defer writing them."""
    bootstrap.encode_steps().give_up_message(message)


@app.get("jobs", caller=OWNER)
def list_jobs(query: JobQuery) -> JobPage:
    """Return a page of encode jobs, newest first."""
    from functions.encoding.schemas import JobPage

    page = bootstrap.encodes().list_jobs(query.cursor, query.limit)
    return JobPage(_shown(page.entries), page.cursor)


@app.get("jobs/{id}", caller=OWNER)
def get_job(id: JobId) -> Job:
    """Return the progress of an encode job."""
    job = bootstrap.encodes().progress(id)
    if job is None:
        raise NotFound(f"There is no encode job {id}.")
    return _shown([job])[0]


@app.post("jobs/{id}/retry", caller=OWNER, status=202, raises=(Conflict,))
def retry_job(id: JobId) -> Job:
    """Retry a failed job; only the missing parts are encoded."""
    return _shown([bootstrap.encodes().retry_job(id)])[0]


@app.timer("0 5-59/10 * * * *")
def repair_jobs() -> None:
    """Enqueue the missing work of stalled jobs again."""
    bootstrap.encodes().repair_stalled()


def _shown(jobs: Sequence[JobProgress]) -> list[Job]:
    """Return the public form of jobs, with the current names of their titles."""
    from functions.encoding.schemas import Job

    titles = bootstrap.catalogue().known(job.title_id for job in jobs)
    names = {title.id: title.details.name for title in titles.values()}
    blobs_url = str(bootstrap.resources.blob_service().url)
    return [Job.of(job, title_name=names.get(job.title_id), blobs_url=blobs_url) for job in jobs]
