"""The encode functions: `encodes` run beside ffmpeg in the encoder app, `jobs` answer people in the API app."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, List  # noqa: UP035 - the worker knows no other form

import azure.functions as func

from functions import bootstrap
from functions.platform.errors import Malformed, NotFound
from functions.platform.http import answer, bearer, endpoint, operator_key

if TYPE_CHECKING:
    from functions.encoding.service import Progress, Work

STORAGE = "AzureWebJobsStorage"

Messages = List[str]  # noqa: UP006

encodes = func.Blueprint()  # type: ignore[no-untyped-call]
jobs = func.Blueprint()  # type: ignore[no-untyped-call]


def _read(msg: func.QueueMessage) -> dict[str, Any]:
    body = json.loads(msg.get_body())
    if not isinstance(body, dict) or not isinstance(body.get("job_id"), str):
        raise Malformed(f"A message must be an object with job_id, not {msg.get_body()[:200]!r}.")
    return body


def _messages(work: Work) -> tuple[list[str], list[str]]:
    chunks = [json.dumps({"job_id": work.job_id, "chunk": index}) for index in work.chunks]
    tracks = [json.dumps({"job_id": work.job_id, "track": name}) for name in work.tracks]
    return chunks, tracks


@encodes.function_name("plan_encode")
@encodes.queue_trigger("msg", "plan-encode", STORAGE)
@encodes.queue_output("chunks", "encode-chunk", STORAGE)
@encodes.queue_output("tracks", "encode-audio", STORAGE)
def plan_encode(msg: func.QueueMessage, chunks: func.Out[Messages], tracks: func.Out[Messages]) -> None:
    """Plan a job: {"job_id"}; its chunks and tracks become messages, the first chunk first."""
    job_id = _read(msg)["job_id"]
    with bootstrap.encode_reports().step(job_id, "plan"):
        of_chunks, of_tracks = _messages(bootstrap.pipeline().plan(job_id))
    chunks.set(of_chunks)
    tracks.set(of_tracks)


@encodes.function_name("encode_chunk")
@encodes.queue_trigger("msg", "encode-chunk", STORAGE)
@encodes.queue_output("publish", "publish-title", STORAGE)
def encode_chunk(msg: func.QueueMessage, publish: func.Out[str]) -> None:
    """Encode a chunk on every rung: {"job_id", "chunk"}."""
    body = _read(msg)
    with bootstrap.encode_reports().step(body["job_id"], "chunk", chunk=int(body["chunk"])):
        more = bootstrap.pipeline().encode_chunk(body["job_id"], int(body["chunk"]))
    if more:
        publish.set(json.dumps({"job_id": body["job_id"]}))


@encodes.function_name("encode_audio")
@encodes.queue_trigger("msg", "encode-audio", STORAGE)
@encodes.queue_output("publish", "publish-title", STORAGE)
def encode_audio(msg: func.QueueMessage, publish: func.Out[str]) -> None:
    """Encode an audio track, or turn a subtitle track into WebVTT: {"job_id", "track"}."""
    body = _read(msg)
    with bootstrap.encode_reports().step(body["job_id"], "track", track=str(body["track"])):
        more = bootstrap.pipeline().encode_track(body["job_id"], str(body["track"]))
    if more:
        publish.set(json.dumps({"job_id": body["job_id"]}))


@encodes.function_name("publish_title")
@encodes.queue_trigger("msg", "publish-title", STORAGE)
def publish_title(msg: func.QueueMessage) -> None:
    """Write the manifests of what is done: {"job_id"}."""
    job_id = _read(msg)["job_id"]
    with bootstrap.encode_reports().step(job_id, "publish"):
        bootstrap.pipeline().publish(job_id)


def _give_up(msg: func.QueueMessage) -> None:
    job_id = _read(msg)["job_id"]
    with bootstrap.encode_reports().step(job_id, "give up"):
        bootstrap.encodes().give_up(job_id)


@encodes.function_name("plan_encode_poison")
@encodes.queue_trigger("msg", "plan-encode-poison", STORAGE)
def plan_encode_poison(msg: func.QueueMessage) -> None:
    """Fail a job that could not be planned."""
    _give_up(msg)


@encodes.function_name("encode_chunk_poison")
@encodes.queue_trigger("msg", "encode-chunk-poison", STORAGE)
def encode_chunk_poison(msg: func.QueueMessage) -> None:
    """Fail a job of which a chunk could not be encoded."""
    _give_up(msg)


@encodes.function_name("encode_audio_poison")
@encodes.queue_trigger("msg", "encode-audio-poison", STORAGE)
def encode_audio_poison(msg: func.QueueMessage) -> None:
    """Fail a job of which a track could not be encoded."""
    _give_up(msg)


@encodes.function_name("publish_title_poison")
@encodes.queue_trigger("msg", "publish-title-poison", STORAGE)
def publish_title_poison(msg: func.QueueMessage) -> None:
    """Fail a job whose manifests could not be written."""
    _give_up(msg)


@jobs.function_name("list_jobs")
@jobs.route("jobs", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def list_jobs(req: func.HttpRequest) -> func.HttpResponse:
    """Answer the newest jobs."""
    bootstrap.owners().admit(bearer(req), operator_key(req))
    return answer({"jobs": _shown(bootstrap.encodes().page())})


@jobs.function_name("get_job")
@jobs.route("jobs/{id}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def get_job(req: func.HttpRequest) -> func.HttpResponse:
    """Answer how far one job is."""
    bootstrap.owners().admit(bearer(req), operator_key(req))
    job = bootstrap.encodes().progress(req.route_params["id"])
    if job is None:
        raise NotFound(f"There is no encode job {req.route_params['id']}.")
    return answer(_shown([job])[0])


@jobs.function_name("retry_job")
@jobs.route("jobs/{id}/retry", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
def retry_job(req: func.HttpRequest) -> func.HttpResponse:
    """Take a failed job up again; only what is missing is done."""
    bootstrap.owners().admit(bearer(req), operator_key(req))
    work = bootstrap.encodes().retry(req.route_params["id"])
    bootstrap.dispatch(work)
    job = bootstrap.encodes().progress(work.job_id)
    return answer(_shown([job])[0] if job else {}, status=202)


@jobs.function_name("mend_jobs")
@jobs.timer_trigger("timer", "0 5-59/10 * * * *")
def mend_jobs(timer: func.TimerRequest) -> None:
    """Send the messages of stalled jobs again."""
    del timer
    for work in bootstrap.encodes().stalled():
        bootstrap.dispatch(work)


def _shown(jobs: list[Progress]) -> list[dict[str, Any]]:
    """Return jobs as the API shows them, with the names that their titles have by now."""
    titles = bootstrap.catalogue().known(job.title_id for job in jobs)
    return [
        _job(
            job,
            title.details.name if (title := titles.get(job.title_id)) else None,
            bootstrap.resources.blob_service().url,
        )
        for job in jobs
    ]


def _job(job: Progress, title_name: str | None, blobs: str) -> dict[str, Any]:
    """Return a job with addresses that need a key to be read."""
    base = blobs.rstrip("/")
    return {
        "job_id": job.job_id,
        "title_id": job.title_id,
        "title_name": title_name,
        "name": job.name,
        "source": {"name": job.name, "size": job.size},
        "status": job.status,
        "reason": job.reason,
        "fault": job.fault,
        "percent": job.percent,
        "eta_s": job.eta_s,
        "front_s": job.front_s,
        "duration_s": job.duration_s,
        "chunks": {"done": job.chunks_done, "total": job.chunks},
        "cpu_s": job.cpu_s,
        "stages": asdict(job.stages),
        "manifest_url": f"{base}/{job.manifest}" if job.manifest else None,
        "hls_url": f"{base}/{job.hls}" if job.hls else None,
        "created_at": job.created_at.isoformat(),
        "updated_at": job.updated_at.isoformat(),
    }
