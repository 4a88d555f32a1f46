"""The film of a title is encoded again from its upload; until the new film is ready, the present one plays."""

from __future__ import annotations

import pytest

from functions import bootstrap
from functions.catalogue.model import Status
from functions.encoding.model import JobStatus
from functions.platform.errors import Conflict, NotFound
from functions.platform.identifiers import title_id_for
from functions.platform.messages import PlanEncode
from functions.uploads import triggers
from functions.uploads.ports import StoredUpload
from tests.support.api import call
from tests.support.catalogue import make_playback
from tests.support.owners import AS_OPERATOR, AS_VIEWER, FakeAccess
from tests.unit.uploads.test_service import Gate

TITLE = title_id_for("film.mkv")


@pytest.fixture
def gate() -> Gate:
    """Return uploads with a title whose film is ready."""
    made = Gate()
    job_id = made.put("film.mkv")
    made.uploads.start_upload("film.mkv")
    made.world.catalogue.mark_playable(TITLE, make_playback(job_id, opened_at=made.clock()), complete=True)
    made.jobs.set_status(job_id, JobStatus.READY)
    made.clock.forward(seconds=60)
    made.queues.sent.clear()
    return made


def test_film_is_encoded_again_by_a_new_job_while_the_present_one_plays(gate: Gate) -> None:
    before = gate.world.catalogue.get(TITLE)
    job_id = gate.uploads.encode_again(TITLE)
    after = gate.world.catalogue.get(TITLE)
    assert before.playback and job_id != before.playback.job_id
    assert PlanEncode(job_id) in gate.queues.messages
    assert (after.status, after.playback, after.film) == (Status.READY, before.playback, "film.mkv")
    assert gate.jobs.get_job(job_id).status is JobStatus.QUEUED
    gate.world.catalogue.mark_playable(TITLE, make_playback(job_id, opened_at=gate.clock()), complete=True)
    ready = gate.world.catalogue.get(TITLE)
    assert ready.playback and ready.playback.job_id == job_id


def test_start_that_was_interrupted_is_made_up_for_by_the_timer(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(gate.uploads, "start_upload", lambda blob: None)
        job_id = gate.uploads.encode_again(TITLE)
    assert gate.encodes.progress(job_id) is None
    gate.clock.forward(seconds=600)
    assert gate.uploads.start_missed_uploads() == 1
    assert PlanEncode(job_id) in gate.queues.messages


def test_film_that_is_being_encoded_is_not_started_twice(gate: Gate) -> None:
    gate.uploads.encode_again(TITLE)
    with pytest.raises(Conflict, match="is being encoded already"):
        gate.uploads.encode_again(TITLE)


def test_second_request_joins_the_first_whose_job_is_not_opened_yet(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, second = gate.uploads.start_upload, list[str]()

    def start_after_another_request(blob: str) -> None:
        monkeypatch.setattr(gate.uploads, "start_upload", start)
        second.append(gate.uploads.encode_again(TITLE))
        start(blob)

    monkeypatch.setattr(gate.uploads, "start_upload", start_after_another_request)
    assert [gate.uploads.encode_again(TITLE)] == second
    assert gate.store.renewals == 1
    assert gate.jobs.get_job(second[0]).status is JobStatus.QUEUED
    with pytest.raises(Conflict, match="is being encoded already"):
        gate.uploads.encode_again(TITLE)


def test_film_whose_upload_was_deleted_has_to_be_uploaded_again(gate: Gate) -> None:
    del gate.store.blobs["film.mkv"]
    with pytest.raises(Conflict, match=r"film.mkv is no longer in storage. Upload it again."):
        gate.uploads.encode_again(TITLE)


def test_upload_that_is_replaced_at_the_same_moment_is_left_alone(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    find, newer = gate.store.find_upload, StoredUpload("0x2", 2000, gate.clock())

    def find_then_replace(blob: str) -> StoredUpload | None:
        found = find(blob)
        gate.store.blobs[blob] = newer
        return found

    monkeypatch.setattr(gate.store, "find_upload", find_then_replace)
    with pytest.raises(Conflict, match="just replaced"):
        gate.uploads.encode_again(TITLE)
    assert gate.store.blobs["film.mkv"] == newer


def test_title_without_a_film_and_withdrawn_title_have_nothing_to_encode(gate: Gate) -> None:
    announced = gate.world.catalogue.open_title("soon-000001", stem="soon", status=Status.ANNOUNCED)
    with pytest.raises(Conflict, match="has no film yet"):
        gate.uploads.encode_again(announced.id)
    gate.world.catalogue.withdraw_title(TITLE)
    with pytest.raises(NotFound):
        gate.uploads.encode_again(TITLE)


def test_only_an_owner_encodes_again(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "access", FakeAccess)
    monkeypatch.setattr(bootstrap, "uploads", lambda: gate.uploads)
    address, route = f"titles/{TITLE}/encode", {"id": TITLE}
    assert call(triggers.encode_title_again, address, route=route, headers=AS_VIEWER)[0] == 403
    status, started = call(triggers.encode_title_again, address, route=route, headers=AS_OPERATOR)
    assert status == 202
    assert gate.jobs.get_job(started["job_id"]).title_id == TITLE
