"""The functions of encoding: accepted input, responses, and malformed input, which never makes them raise."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any, Never, cast

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

import encoder_app
import function_app
from functions import bootstrap, bootstrap_renditions, bootstrap_studio
from functions.encoding import triggers
from functions.encoding.late_subtitles.service import SubtitleArrivals
from functions.encoding.late_subtitles.store import MongoLateSubtitles
from functions.encoding.lifecycle import JobLifecycle
from functions.encoding.repository import MongoEncodeJobs
from functions.encoding.service import EncodeService
from functions.encoding.spending.budget import EncodeBudget
from functions.encoding.spending.limit import EncodeLimit
from functions.encoding.spending.limit_store import MongoEncodeLimit
from functions.encoding.spending.store import MongoSpending
from functions.encoding.upkeep.store import MongoJobUpkeep
from functions.encoding.upkeep.sweep import TitleSweep
from functions.platform.errors import EncodeFault, SourceRefused
from functions.platform.messages import (
    EncodeAudio,
    EncodeChunk,
    EncodeFront,
    PlanEncode,
    PrepareEncode,
    PublishTitle,
    encode,
)
from tests.support.api import call
from tests.support.encoding_world import EncodeWorld, no_front
from tests.support.on_demand_world import demand_and_upkeep
from tests.support.owners import AS_OPERATOR, FakeAccess
from tests.support.queues import handle, tick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from functions.encoding.publication.manifests import ManifestPublisher
    from functions.platform.messages import Message
    from functions.platform.queues import Queues

POISON = (
    triggers.plan_encode_poison,
    triggers.prepare_encode_poison,
    triggers.encode_front_poison,
    triggers.encode_chunk_poison,
    triggers.encode_audio_poison,
    triggers.publish_title_poison,
)
FUNCTIONS = (
    triggers.plan_encode,
    triggers.prepare_encode,
    triggers.encode_front,
    triggers.encode_chunk,
    triggers.encode_audio,
    triggers.publish_title,
)
NAMING_NO_JOB = (triggers.encode_chunk, triggers.encode_chunk_poison)
MALFORMED = (b"not json", b"", b"[]", b"{}", b'{"job_id": 7}', b'{"job_id": "NOT HEX"}', b"\xff\xfe")


class Blobs:
    url = "https://storage.invalid/"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> EncodeWorld:
    """Return an in-memory encoding service, which the functions use."""
    made = EncodeWorld()
    upkeep = demand_and_upkeep(made, cast("ManifestPublisher", made.crew))[1]
    monkeypatch.setattr(bootstrap_renditions, "renditions", lambda: upkeep)
    monkeypatch.setattr(bootstrap, "access", FakeAccess)
    monkeypatch.setattr(bootstrap, "encodes", lambda: made.service)
    monkeypatch.setattr(bootstrap, "encode_steps", lambda: made.steps)
    monkeypatch.setattr(bootstrap, "catalogue", lambda: made.world.catalogue)
    monkeypatch.setattr(bootstrap.resources, "queues", lambda: made.queues)
    monkeypatch.setattr(bootstrap.resources, "blob_service", Blobs)
    return made


class Throttled:
    """A collection of Cosmos DB whose request units are used up."""

    def create_index(self, *_: object) -> Never:
        raise OperationFailure("Request rate is large.", code=16500)


@pytest.fixture(params=["unreachable", "throttled"])
def without_mongo(
    request: pytest.FixtureRequest, world: EncodeWorld, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Make the functions use a Mongo that does not answer or temporarily refuses requests."""
    client: MongoClient[dict[str, Any]] = MongoClient("mongodb://127.0.0.1:1", serverSelectionTimeoutMS=20)
    collection = cast("Any", Throttled()) if request.param == "throttled" else client["notflix"]["encode_jobs"]
    jobs = MongoEncodeJobs(collection, world.clock)
    lifecycle = JobLifecycle(jobs, world.world.catalogue, world.clock)
    upkeep, queues = MongoJobUpkeep(collection, world.clock), cast("Queues", world.queues)
    sweep = TitleSweep(jobs, upkeep, lambda: world.folders, world.world.catalogue, world.clock)
    limit = EncodeLimit(MongoEncodeLimit(collection), default_usd=0)
    budget = EncodeBudget(MongoSpending(collection, collection), world.clock, limit_usd=limit.usd)
    service = EncodeService(
        jobs,
        world.encoder(),
        lifecycle,
        lambda: queues,
        world.clock,
        upkeep,
        sweep,
        budget,
        world.told.append,
        no_front,
        SubtitleArrivals(MongoLateSubtitles(collection), world.world.catalogue, lambda: queues, world.clock),
    )
    monkeypatch.setattr(bootstrap, "encodes", lambda: service)
    yield
    client.close()


@pytest.mark.parametrize("body", MALFORMED)
@pytest.mark.parametrize("function", [*FUNCTIONS, *POISON], ids=lambda function: str(function._function._name))
def test_malformed_message_is_parked_at_once(world: EncodeWorld, function: Callable[..., Any], body: bytes) -> None:
    if function in NAMING_NO_JOB and body.startswith(b"{"):
        pytest.skip("a message for a chunk has no fields")
    handle(function, body)
    ((queue, parked, reason),) = world.queues.parked
    assert parked == body
    assert queue in reason
    assert (world.queues.sent, world.queues.dead) == ([], [])


@pytest.mark.parametrize("function", POISON, ids=lambda function: str(function._function._name))
def test_dead_letter_of_an_unknown_job_is_parked(world: EncodeWorld, function: Callable[..., Any]) -> None:
    handle(function, b'{"job_id": "0123", "track": "a0"}')
    assert len(world.queues.parked) == (function not in NAMING_NO_JOB)


@pytest.mark.parametrize("large", [False, True])
def test_messages_lead_a_film_from_its_plan_to_ready(world: EncodeWorld, *, large: bool) -> None:
    job_id = world.upload()
    world.crew.large = large
    functions: dict[type[Message], Callable[..., Any]] = {
        PlanEncode: triggers.plan_encode,
        PrepareEncode: triggers.prepare_encode,
        EncodeFront: triggers.encode_front,
        EncodeChunk: triggers.encode_chunk,
        EncodeAudio: triggers.encode_audio,
        PublishTitle: triggers.publish_title,
    }
    world.queues.send(PlanEncode(job_id))
    done = 0
    while done < len(world.queues.sent):
        message = world.queues.messages[done]
        handle(functions[type(message)], encode(message))
        done += 1
    assert world.jobs.get_job(job_id).status == "ready"
    assert (PrepareEncode(job_id) in world.queues.messages) == large


def test_refused_source_ends_the_job_without_another_attempt(world: EncodeWorld) -> None:
    job_id = world.upload()
    world.crew.troubles = [SourceRefused("film.mkv is text, not a film.")]
    handle(triggers.plan_encode, encode(PlanEncode(job_id)))
    assert world.jobs.get_job(job_id).reason == "film.mkv is text, not a film."
    assert (world.queues.sent, world.queues.dead) == ([], [])


def test_fault_is_raised_so_that_the_queue_delivers_the_message_again(world: EncodeWorld) -> None:
    job_id = world.upload()
    world.crew.troubles = [EncodeFault("ffmpeg did not finish.")]
    with pytest.raises(EncodeFault):
        handle(triggers.plan_encode, encode(PlanEncode(job_id)))
    assert world.jobs.get_job(job_id).fault == "ffmpeg did not finish."
    handle(triggers.plan_encode_poison, encode(PlanEncode(job_id)))
    assert world.jobs.get_job(job_id).is_open, "attempts are counted in the job"


def test_track_that_the_plan_does_not_have_goes_to_the_dead_letters_and_is_parked(world: EncodeWorld) -> None:
    job_id = world.planned()
    body = encode(EncodeAudio(job_id, "a9"))
    handle(triggers.encode_audio, body)
    assert world.queues.dead == [("encode-audio", body)]
    handle(triggers.encode_audio_poison, body)
    assert len(world.queues.parked) == 1
    assert world.jobs.get_job(job_id).is_open


def test_jobs_are_listed_shown_and_retried(world: EncodeWorld) -> None:
    job_id = world.planned()
    status, listed = call(triggers.list_jobs, "jobs", headers=AS_OPERATOR)
    assert (status, listed["cursor"], len(listed["jobs"])) == (200, None, 1)
    status, job = call(triggers.get_job, f"jobs/{job_id}", route={"id": job_id}, headers=AS_OPERATOR)
    assert (status, job) == (200, listed["jobs"][0])
    assert (job["status"], job["chunks"], job["created_at"]) == (
        "encoding",
        {"done": 0, "total": 4},
        "2026-11-24T12:00:01Z",
    )
    retry = f"jobs/{job_id}/retry"
    world.lifecycle.fail(world.jobs.get_job(job_id), "Stopped.")
    status, job = call(triggers.retry_job, retry, route={"id": job_id}, headers=AS_OPERATOR)
    assert (status, job["status"], job["reason"]) == (202, "encoding", None)
    assert world.queues.messages == [PlanEncode(job_id)]
    assert call(triggers.get_job, "jobs/ffff", route={"id": "ffff"}, headers=AS_OPERATOR)[0] == 404


def test_ready_job_is_verified_in_the_background_and_shows_the_result(world: EncodeWorld) -> None:
    job_id = world.planned()
    verify = f"jobs/{job_id}/verification"
    status, refused = call(triggers.verify_job, verify, route={"id": job_id}, headers=AS_OPERATOR)
    assert (status, refused["error"]) == (409, "conflict")
    world.complete(job_id)
    status, job = call(triggers.verify_job, verify, route={"id": job_id}, headers=AS_OPERATOR)
    assert (status, job["status"], job["verification"]) == (202, "ready", None)
    handle(triggers.publish_title, encode(world.queues.messages[-1]))
    _, job = call(triggers.get_job, f"jobs/{job_id}", route={"id": job_id}, headers=AS_OPERATOR)
    assert job["verification"] == {
        "verified_at": "2026-11-24T12:00:00Z",
        "files": 20,
        "size": 2000,
        "damaged": 0,
        "examples": [],
    }


def test_an_owner_sees_and_changes_the_monthly_limit(
    world: EncodeWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bootstrap_studio, "encode_limit", lambda: world.limit)
    shown = call(triggers.get_encode_limit, "encoding/limit", headers=AS_OPERATOR)
    assert shown == (200, {"usd": 0, "default_usd": 0, "is_set": False})
    for usd in (20, 20, 0):
        answer = call(triggers.set_encode_limit, "encoding/limit", body={"usd": usd}, headers=AS_OPERATOR)
        assert answer == (200, {"usd": usd, "default_usd": 0, "is_set": True})
        _, listed = call(triggers.list_jobs, "jobs", headers=AS_OPERATOR)
        assert listed["spending"]["limit_microusd"] == (usd * 1_000_000 or None)
    answer = call(triggers.set_encode_limit, "encoding/limit", body={"usd": None}, headers=AS_OPERATOR)
    assert answer == (200, {"usd": 0, "default_usd": 0, "is_set": False})
    told = [record.getMessage() for record in caplog.records if "monthly limit" in record.getMessage()]
    assert told == [
        f"The monthly limit on encoding: {after} instead of {before}, changed by operator."
        for before, after in (("none (the settings)", "$20"), ("$20", "none"), ("none", "none (the settings)"))
    ], "a repeated request is no change"


@pytest.mark.parametrize("body", [{"usd": -1}, {"usd": 1_000_001}, {"usd": 1.5}, {"usd": "20"}, {}])
def test_what_is_no_amount_is_no_limit(world: EncodeWorld, monkeypatch: pytest.MonkeyPatch, body: object) -> None:
    monkeypatch.setattr(bootstrap_studio, "encode_limit", lambda: world.limit)
    assert call(triggers.set_encode_limit, "encoding/limit", body=body, headers=AS_OPERATOR)[0] == 422
    assert world.limits.find_limit_usd() is None


def test_timer_sweeps_titles(world: EncodeWorld) -> None:
    job_id = world.complete(world.planned())
    world.clock.forward(days=2)
    container = f"title-{world.title_id}"
    world.folders.files[container] = {f"{job_id}/manifest.mpd", "0123/manifest.mpd", "0123/v360/s00000.m4s"}
    tick(triggers.sweep_titles)
    assert world.folders.files[container] == {f"{job_id}/manifest.mpd"}


def test_jobs_are_paged(world: EncodeWorld) -> None:
    opened = [world.upload(f"0x{number}") for number in range(3)]
    _, first = call(triggers.list_jobs, "jobs?limit=2", headers=AS_OPERATOR)
    assert [job["job_id"] for job in first["jobs"]] == [opened[2], opened[1]]
    _, second = call(triggers.list_jobs, f"jobs?limit=2&cursor={first['cursor']}", headers=AS_OPERATOR)
    assert ([job["job_id"] for job in second["jobs"]], second["cursor"]) == ([opened[0]], None)
    for wrong in ("limit=0", "limit=101", "limit=x", "cursor=!"):
        assert call(triggers.list_jobs, f"jobs?{wrong}", headers=AS_OPERATOR)[0] == 422


def test_jobs_of_a_withdrawn_title_have_no_title_name(world: EncodeWorld) -> None:
    job_id = world.upload()
    _, job = call(triggers.get_job, f"jobs/{job_id}", route={"id": job_id}, headers=AS_OPERATOR)
    assert job["title_name"] == world.title.details.name
    world.world.catalogue.withdraw_title(world.title_id)
    _, job = call(triggers.get_job, f"jobs/{job_id}", route={"id": job_id}, headers=AS_OPERATOR)
    assert job["title_name"] is None


def test_steps_run_in_the_encoder_app_and_routes_in_the_api_app() -> None:
    def names(app: Any) -> set[str]:
        return {builder._function.get_function_name() for builder in app._function_builders}

    encodes = {f"encode_{part}" for part in ("front", "chunk", "audio", "av1", "renditions")}
    steps = {"plan_encode", "prepare_encode", *encodes, "compare_sound", "make_captions", "publish_title"}
    second = {"prepare_encode_beside"}
    assert names(encoder_app.app) == steps | second | {f"{name}_poison" for name in steps}
    assert {"list_jobs", "get_job", "retry_job", "verify_job", "sweep_titles"} <= names(function_app.app)
    assert not names(encoder_app.app) & names(function_app.app)


@pytest.mark.usefixtures("without_mongo")
def test_routes_answer_503_while_mongo_does_not_answer() -> None:
    for function, address, route in (
        (triggers.list_jobs, "jobs", {}),
        (triggers.get_job, "jobs/0123", {"id": "0123"}),
        (triggers.retry_job, "jobs/0123/retry", {"id": "0123"}),
        (triggers.verify_job, "jobs/0123/verification", {"id": "0123"}),
    ):
        status, body = call(function, address, route=route, headers=AS_OPERATOR)
        assert (status, body["error"]) == (503, "store_unavailable"), address


def test_cold_start_of_the_jobs_imports_neither_pydantic_nor_a_driver() -> None:
    names = ("pydantic", "pymongo", "msgspec", "azure.storage")
    code = f"import functions.encoding.triggers, sys; print([name for name in {names} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
