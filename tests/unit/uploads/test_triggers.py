"""The functions of uploads: the permitted requests, and the messages sent when a blob arrives."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions import bootstrap
from functions.encoding.model import JobStatus
from functions.platform.errors import StoreUnavailable
from functions.platform.identifiers import job_id_for
from functions.platform.messages import FetchMetadata, PlanEncode
from functions.uploads import triggers
from functions.uploads.ports import StoredUpload
from functions.uploads.reference import BlobReference
from tests.support.api import call
from tests.support.owners import AS_ADMINISTRATOR, AS_OPERATOR, AS_VIEWER, FakeAccess
from tests.support.queues import MemoryQueues, handle
from tests.unit.uploads.test_service import Gate


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    made = Gate()
    monkeypatch.setattr(bootstrap, "access", FakeAccess)
    monkeypatch.setattr(bootstrap, "uploads", lambda: made.uploads)
    monkeypatch.setattr(bootstrap, "encodes", lambda: made.encodes)
    return made


@pytest.fixture
def queues(gate: Gate) -> MemoryQueues:
    return gate.queues


def arrive(blob: str) -> None:
    built: Any = triggers.start_title
    built._function.get_user_function()(BlobReference("uploads", blob))


def test_film_sends_for_its_description_and_its_plan(gate: Gate, queues: MemoryQueues) -> None:
    job_id = gate.put("film.mkv")
    arrive("film.mkv")
    title_id = gate.uploads.issue_ticket("film.mkv", size=1).title_id
    assert queues.messages == [FetchMetadata(title_id, "film"), PlanEncode(job_id)]


def test_sidecar_sends_for_the_description_alone(gate: Gate, queues: MemoryQueues) -> None:
    gate.put("film.json")
    arrive("film.json")
    assert [type(message) for message in queues.messages] == [FetchMetadata]


def test_subtitles_and_deleted_blobs_send_nothing(gate: Gate, queues: MemoryQueues) -> None:
    gate.put("film.en.srt")
    arrive("film.en.srt")
    arrive("gone.mkv")
    assert queues.messages == []


def test_event_is_repeated_if_a_message_cannot_be_sent(gate: Gate) -> None:
    class Away(MemoryQueues):
        def send(self, message: object, *, delay_s: int = 0) -> None:
            raise StoreUnavailable("The queue does not answer.")

    gate.queues = Away()
    gate.put("film.mkv")
    with pytest.raises(StoreUnavailable):
        arrive("film.mkv")
    assert not gate.arrivals.marks


def lost(blob: str, container: str = "uploads") -> bytes:
    """Return the dead letter that the Functions host sends when the function for a blob has failed in all attempts."""
    content = {
        "Type": "BlobTrigger",
        "FunctionId": "Host.Functions.start_title",
        "BlobType": "BlockBlob",
        "ContainerName": container,
        "BlobName": blob,
        "ETag": '"0x1"',
    }
    return json.dumps(content).encode()


def test_upload_whose_function_failed_is_started_once_the_store_answers(gate: Gate, queues: MemoryQueues) -> None:
    job_id = gate.put("film.mkv")
    gate.jobs.away = StoreUnavailable("The document store does not answer.")
    with pytest.raises(StoreUnavailable):
        handle(triggers.start_title_poison, lost("film.mkv"))
    gate.jobs.away = None
    handle(triggers.start_title_poison, lost("film.mkv"))
    assert queues.messages == [FetchMetadata(gate.jobs.get_job(job_id).title_id, "film"), PlanEncode(job_id)]


@pytest.mark.parametrize("body", [b"not json", b"{}", b"\xff", lost("film.mkv", "elsewhere")])
def test_lost_blob_that_cannot_be_read_is_parked(gate: Gate, monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    monkeypatch.setattr(bootstrap.resources, "queues", lambda: gate.queues)
    gate.put("film.mkv")
    handle(triggers.start_title_poison, body)
    assert [(queue, kept) for queue, kept, _ in gate.queues.parked] == [("webjobs-blobtrigger-poison", body)]
    assert not gate.jobs.list_summaries(below=None, limit=9)


def test_timer_starts_the_upload_whose_event_was_lost(gate: Gate, queues: MemoryQueues) -> None:
    job_id = gate.put("film.mkv")
    gate.clock.forward(seconds=61)
    built: Any = triggers.reconcile_work
    built._function.get_user_function()(None)
    assert PlanEncode(job_id) in queues.messages


@pytest.mark.parametrize("headers", [AS_OPERATOR, AS_ADMINISTRATOR])
def test_owner_gets_a_ticket(gate: Gate, headers: dict[str, str]) -> None:
    status, ticket = call(triggers.create_upload, "uploads", body={"name": "film.mkv", "size": 9}, headers=headers)
    assert (status, ticket["blob"], ticket["replaces"]) == (201, "film.mkv", False)
    assert ticket["expires_at"] == "2026-11-25T00:00:00Z"


@pytest.mark.parametrize(("headers", "status"), [({}, 401), (AS_VIEWER, 403)])
def test_nobody_else_gets_one(gate: Gate, headers: dict[str, str], status: int) -> None:
    assert call(triggers.create_upload, "uploads", body={"name": "film.mkv"}, headers=headers)[0] == status


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"size": 1},
        {"name": 7},
        {"name": ""},
        {"name": "."},
        {"name": "a/./b.mp4"},
        {"name": "a\0b.mp4"},
        {"name": "a\u202eb.mp4"},
        {"name": "x" * 513},
        {"name": "film.mkv", "size": -1},
        {"name": "film.mkv", "size": 1.5},
        {"name": "film.mkv", "size": "1"},
        {"name": "film.mkv", "size": 10**400},
        {"name": "film.mkv", "size": 2**62},
        b"[]",
        b"{",
    ],
)
def test_request_of_the_wrong_form_is_malformed(gate: Gate, body: object) -> None:
    status, answer = call(triggers.create_upload, "uploads", body=body, headers=AS_OPERATOR)
    assert (status, answer["error"]) == (422, "malformed")


def test_an_owner_cancels_an_upload_that_is_not_complete(gate: Gate) -> None:
    upload_id = "0123456789ab-abcdef01"
    gate.store.blobs["film.mp4"] = StoredUpload("0x1", 400, gate.clock(), upload_id, 400, 1000)
    arrive("film.mp4")
    body = {"blob": "film.mp4", "upload": upload_id}
    assert call(triggers.cancel_upload, "uploads/cancel", body=body, headers=AS_VIEWER)[0] == 403
    for wrong in ({"blob": "film.mp4"}, {**body, "upload": "0123456789ab"}):
        assert call(triggers.cancel_upload, "uploads/cancel", body=wrong, headers=AS_ADMINISTRATOR)[0] == 422
    other = {**body, "upload": "0123456789ab-00000000"}
    assert call(triggers.cancel_upload, "uploads/cancel", body=other, headers=AS_ADMINISTRATOR) == (200, other)
    assert gate.jobs.get_job(job_id_for("film.mp4", upload_id)).status is JobStatus.RECEIVING
    assert call(triggers.cancel_upload, "uploads/cancel", body=body, headers=AS_ADMINISTRATOR) == (200, body)
    assert gate.jobs.get_job(job_id_for("film.mp4", upload_id)).status is JobStatus.FAILED
