"""The functions of encoding: `encoder` is for the encoder app, which has ffmpeg; `app` is for the API app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap, bootstrap_av1, bootstrap_captions, bootstrap_renditions, bootstrap_studio
from functions.platform.errors import Conflict, NotFound
from functions.platform.triggers import OWNER, SliceApp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.encoding.progress import JobProgress
    from functions.encoding.schemas import (
        EncodingQuery,
        EncodingReport,
        Job,
        JobPage,
        JobQuery,
        LimitEdit,
        MonthlyLimit,
    )
    from functions.platform.field_types import JobId
    from functions.platform.messages import (
        EncodeAudio,
        EncodeAv1,
        EncodeChunk,
        EncodeFront,
        EncodeRenditions,
        MakeCaptions,
        PlanEncode,
        PrepareEncode,
        PublishTitle,
    )

encoder = SliceApp(bootstrap)
app = SliceApp(bootstrap, "functions.encoding.schemas")


@encoder.queue("plan-encode")
def plan_encode(message: PlanEncode) -> None:
    """Plan a job, or compare a planned one with storage, and enqueue its steps, beginning with the first picture."""
    bootstrap.encode_steps().run_message(message)


@encoder.queue("prepare-encode")
def prepare_encode(message: PrepareEncode) -> None:
    """Plan a job whose upload has to be read for long, so that the plans of other films do not wait for it."""
    bootstrap.encode_steps().run_message(message)


@encoder.queue("prepare-encode")
def prepare_encode_beside(message: PrepareEncode) -> None:
    """Do the same as `prepare_encode`, at the same time, so that two large uploads do not wait for each other."""
    bootstrap.encode_steps().run_message(message)


@encoder.queue("encode-front")
def encode_front(message: EncodeFront) -> None:
    """Encode the first chunk of a job and the beginning of its sound."""
    bootstrap.encode_steps().run_message(message)


@encoder.queue("encode-chunk")
def encode_chunk(message: EncodeChunk) -> None:
    """Encode the next chunk of the job whose turn it is, for every rung."""
    bootstrap.encode_steps().run_message(message)


@encoder.queue("encode-audio")
def encode_audio(message: EncodeAudio) -> None:
    """Encode an audio track of a job, or convert a subtitle track to WebVTT."""
    bootstrap.encode_steps().run_message(message)


@encoder.queue("encode-av1")
def encode_av1(message: EncodeAv1) -> None:
    """Encode the next chunk in AV1 of the title whose encode was begun first; wait while films are being encoded."""
    del message
    bootstrap_av1.av1_steps().run_next()


@encoder.queue("encode-renditions")
def encode_renditions(message: EncodeRenditions) -> None:
    """Encode the next chunk of renditions that viewers want, of the title whose encode was begun first."""
    bootstrap_renditions.rendition_steps().run(message)


@encoder.queue("make-captions")
def make_captions(message: MakeCaptions) -> None:
    """Transcribe the next piece of a title for its automatic captions; wait while films are being encoded."""
    del message
    bootstrap_captions.captions_steps().run_next()


@encoder.queue("publish-title")
def publish_title(message: PublishTitle) -> None:
    """Write manifests that list everything a job has finished, or verify a job that is ready."""
    bootstrap.encode_steps().run_message(message)


@encoder.dead_letters("plan-encode")
def plan_encode_poison(message: PlanEncode) -> None:
    """Log that a message for planning used up its attempts; `reconcile_work` enqueues another if it is due."""
    bootstrap.encode_steps().bury_message(message)


@encoder.dead_letters("prepare-encode")
def prepare_encode_poison(message: PrepareEncode) -> None:
    """Log that a message for a long plan used up its attempts; `reconcile_work` enqueues another if it is due."""
    bootstrap.encode_steps().bury_message(message)


@encoder.dead_letters("encode-front")
def encode_front_poison(message: EncodeFront) -> None:
    """Log that a message for a front used up its attempts; `reconcile_work` enqueues another if it is due."""
    bootstrap.encode_steps().bury_message(message)


@encoder.dead_letters("encode-chunk")
def encode_chunk_poison(message: EncodeChunk) -> None:
    """Log that a message for a chunk used up its attempts; `reconcile_work` enqueues the chunks that are due."""
    bootstrap.encode_steps().bury_message(message)


@encoder.dead_letters("encode-audio")
def encode_audio_poison(message: EncodeAudio) -> None:
    """Log that a message for a track used up its attempts; `reconcile_work` enqueues another if it is due."""
    bootstrap.encode_steps().bury_message(message)


@encoder.dead_letters("encode-av1")
def encode_av1_poison(message: EncodeAv1) -> None:
    """Log that a message for AV1 used up its attempts; `start_av1` enqueues the chunks that are due."""
    del message
    bootstrap_av1.av1_steps().bury_message()


@encoder.dead_letters("encode-renditions")
def encode_renditions_poison(message: EncodeRenditions) -> None:
    """Log that a message for renditions used up its attempts; `sweep_titles` enqueues the chunks that are due."""
    del message
    bootstrap_renditions.rendition_steps().bury_message()


@encoder.dead_letters("make-captions")
def make_captions_poison(message: MakeCaptions) -> None:
    """Log that a message for captions used up its attempts; `start_av1` enqueues the pieces that are due."""
    del message
    bootstrap_captions.captions_steps().bury_message()


@encoder.dead_letters("publish-title")
def publish_title_poison(message: PublishTitle) -> None:
    """Log that a message for manifests used up its attempts; `reconcile_work` enqueues another if they are due."""
    bootstrap.encode_steps().bury_message(message)


@app.get("jobs", caller=OWNER)
def list_jobs(query: JobQuery) -> JobPage:
    """Return a page of encode jobs, newest first."""
    from functions.encoding.schemas import JobPage, MonthCost

    page = bootstrap.encodes().list_jobs(query.cursor, query.limit)
    return JobPage(_shown(page.entries), page.cursor, MonthCost.of(bootstrap.encodes().spending()))


@app.get("reports/encoding", caller=OWNER)
def report_encoding(query: EncodingQuery) -> EncodingReport:
    """Return films and failures of the last days, what is in storage, and spending by month."""
    from functions.encoding.schemas import EncodingReport

    return EncodingReport.of(bootstrap_studio.encode_reports().encoding(query.days))


@app.get("jobs/{id}", caller=OWNER)
def get_job(id: JobId) -> Job:
    """Return the progress of an encode job."""
    job = bootstrap.encodes().progress(id)
    if job is None:
        raise NotFound(f"There is no encode job {id}.")
    return _shown([job])[0]


@app.post("jobs/{id}/retry", caller=OWNER, status=202, raises=(Conflict,))
def retry_job(id: JobId) -> Job:
    """Continue a failed or stuck job, or verify and repair a ready one; only missing parts are encoded."""
    return _shown([bootstrap.encodes().retry_job(id)])[0]


@app.post("jobs/{id}/verification", caller=OWNER, status=202, raises=(Conflict,))
def verify_job(id: JobId) -> Job:
    """Verify the published files of a ready job in the background; the job shows the result."""
    return _shown([bootstrap.encodes().verify_job(id)])[0]


@app.post("jobs/{id}/dismissal", caller=OWNER, raises=(Conflict,))
def dismiss_job(id: JobId) -> None:
    """Leave a failed job out of the list of jobs; a retry brings it back."""
    bootstrap.encodes().dismiss_job(id)


@app.get("encoding/limit", caller=OWNER)
def get_encode_limit() -> MonthlyLimit:
    """Return the monthly limit on encoding."""
    from functions.encoding.schemas import MonthlyLimit

    return MonthlyLimit.of(bootstrap_studio.encode_limit().in_effect())


@app.put("encoding/limit", caller=OWNER)
def set_encode_limit(body: LimitEdit, owner: str) -> MonthlyLimit:
    """Set the monthly limit on encoding. It takes effect at once; films that wait continue within a minute."""
    from functions.encoding.schemas import MonthlyLimit

    return MonthlyLimit.of(bootstrap_studio.encode_limit().change(body.usd, by=owner))


@app.timer("20 */30 * * * *")
def start_av1() -> None:
    """Begin encodes in AV1 and automatic captions of ready titles, and request the steps that are unfinished."""
    bootstrap_av1.av1().start_due()
    bootstrap_captions.captions().start_due()


@app.timer("40 */30 * * * *")
def sweep_titles() -> None:
    """Delete files that nobody can play any more; request and remove renditions on demand."""
    bootstrap.encodes().sweep_due()
    renditions = bootstrap_renditions.renditions()
    renditions.request_steps()
    renditions.remove_unwanted()


def _shown(jobs: Sequence[JobProgress]) -> list[Job]:
    """Return the public form of jobs, with the current names of their titles."""
    from functions.encoding.schemas import Job

    titles = bootstrap.catalogue().known((job.title_id for job in jobs), drafts=True)
    names = {title.id: title.details.name for title in titles.values()}
    blobs_url = str(bootstrap.resources.blob_service().url)
    return [Job.of(job, title_name=names.get(job.title_id), blobs_url=blobs_url) for job in jobs]
