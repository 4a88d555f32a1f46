"""An upload that is committed in steps has one job, whatever happens to the events of its commits."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.catalogue.model import Status
from functions.encoding.model import JobStatus, Transition
from functions.platform.errors import Conflict
from functions.platform.identifiers import job_id_for
from functions.platform.messages import FetchMetadata, PlanEncode, PrepareEncode
from functions.uploads.commits import stored_upload
from functions.uploads.ports import StoredUpload
from tests.support.catalogue import make_playback
from tests.support.clock import NOON
from tests.unit.uploads.test_service import Gate

if TYPE_CHECKING:
    from functions.catalogue.model import Title
    from functions.encoding.model import EncodeJob

ID = "0123456789ab-abcdef01"
JOB = job_id_for("film.mp4", ID)
WHOLE = 1000


@pytest.fixture
def gate() -> Gate:
    return Gate()


def commit(gate: Gate, etag: str, front: int | None, *, tail: int = 0, upload_id: str = ID) -> StoredUpload:
    """Store a version of an upload; with `front` None, the whole file."""
    gate.clock.forward(seconds=1)
    size = WHOLE if front is None else front + tail
    stored = StoredUpload(etag, size, gate.clock(), upload_id, front, 0 if front is None else WHOLE)
    gate.store.blobs["film.mp4"] = stored
    return stored


def sent(gate: Gate) -> list[object]:
    """Return the messages that were sent."""
    return [message for message, _ in gate.queues.sent]


def test_each_commit_leads_to_the_same_job_and_the_last_one_to_its_plan(gate: Gate) -> None:
    commit(gate, "0x1", 400, tail=50)
    gate.uploads.start_upload("film.mp4")
    job = gate.jobs.get_job(JOB)
    assert (job.status, job.size) == (JobStatus.RECEIVING, WHOLE)
    assert job.reception and (job.reception.front, job.reception.stored) == (400, 450)
    commit(gate, "0x2", 700, tail=50)
    for _ in range(2):
        gate.uploads.start_upload("film.mp4")
    reception = gate.jobs.get_job(JOB).reception
    assert reception and (reception.front, reception.etag) == (700, '"0x2"')
    last = commit(gate, "0x3", None)
    for _ in range(2):
        gate.uploads.start_upload("film.mp4")
    job = gate.jobs.get_job(JOB)
    assert (job.status, job.size, job.etag, job.uploaded_at) == (JobStatus.QUEUED, WHOLE, '"0x3"', last.uploaded_at)
    assert [summary.id for summary in gate.jobs.list_summaries(below=None, limit=9)] == [JOB]
    messages = sent(gate)
    title = gate.world.catalogue.find_title(job.title_id)
    assert title
    describe = FetchMetadata(title.id, "film")
    assert messages == [describe, *[PrepareEncode(JOB)] * 3, *[describe, PlanEncode(JOB)] * 2]


def test_a_commit_whose_event_was_lost_is_found_by_the_timer(gate: Gate) -> None:
    commit(gate, "0x1", 400)
    gate.uploads.start_upload("film.mp4")
    for etag, front, status in (("0x2", 700, JobStatus.RECEIVING), ("0x3", None, JobStatus.QUEUED)):
        commit(gate, etag, front)
        gate.clock.forward(minutes=2)
        assert gate.uploads.start_missed_uploads() == 1
        assert gate.jobs.get_job(JOB).status is status
        assert gate.uploads.start_missed_uploads() == 0


def test_an_upload_that_was_given_up_continues_with_its_next_commit(gate: Gate) -> None:
    commit(gate, "0x1", 400)
    gate.uploads.start_upload("film.mp4")
    gate.clock.forward(hours=25)
    assert gate.encodes.give_up_stopped() == 1
    assert gate.status("film.mp4") is Status.FAILED
    gate.uploads.start_upload("film.mp4")
    assert gate.jobs.get_job(JOB).status is JobStatus.FAILED, "an event that comes again is no new commit"
    assert gate.status("film.mp4") is Status.FAILED
    commit(gate, "0x2", 700)
    gate.uploads.start_upload("film.mp4")
    assert gate.jobs.get_job(JOB).status is JobStatus.RECEIVING
    gate.clock.forward(hours=25)
    gate.encodes.give_up_stopped()
    commit(gate, "0x3", None)
    gate.uploads.start_upload("film.mp4")
    assert gate.jobs.get_job(JOB).status is JobStatus.QUEUED
    assert gate.status("film.mp4") is Status.ENCODING


def test_an_upload_that_is_given_up_once_more_as_it_ends_is_planned(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that has seen only the first commit gives the job up after the last commit has resumed it."""
    commit(gate, "0x1", 400)
    gate.uploads.start_upload("film.mp4")
    gate.clock.forward(hours=25)
    gate.encodes.give_up_stopped()
    commit(gate, "0x2", None)
    change = gate.jobs.change_status

    def give_up_after_it_resumes(job_id: str, transition: Transition, **fields: Any) -> EncodeJob | None:
        changed = change(job_id, transition, **fields)
        if transition is Transition.RESUME:
            monkeypatch.undo()
            assert change(job_id, Transition.GIVE_UP, reason="It stopped.", ended_at=gate.clock())
        return changed

    monkeypatch.setattr(gate.jobs, "change_status", give_up_after_it_resumes)
    gate.uploads.start_upload("film.mp4")
    assert gate.jobs.get_job(JOB).status is JobStatus.QUEUED
    assert gate.status("film.mp4") is Status.ENCODING


def test_an_upload_that_ends_while_it_is_given_up_is_planned(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    commit(gate, "0x1", 400)
    gate.uploads.start_upload("film.mp4")
    gate.clock.forward(hours=25)
    mark_failed = gate.world.catalogue.mark_failed

    def end_first(title_id: str, reason: str) -> Title:
        monkeypatch.undo()
        commit(gate, "0x2", None)
        gate.uploads.start_upload("film.mp4")
        return mark_failed(title_id, reason)

    monkeypatch.setattr(gate.world.catalogue, "mark_failed", end_first)
    assert gate.encodes.give_up_stopped() == 0
    assert gate.jobs.get_job(JOB).status is JobStatus.QUEUED
    assert gate.status("film.mp4") is Status.ENCODING


def test_no_encoder_is_asked_for_a_film_that_can_be_watched_only_once_it_is_uploaded(gate: Gate) -> None:
    commit(gate, "0x1", 400)
    gate.uploads.start_upload("film.mp4")
    gate.jobs.note_front(JOB, published=None, waits_because="its sound has to be encoded")
    gate.queues.sent.clear()
    commit(gate, "0x2", 700)
    gate.uploads.start_upload("film.mp4")
    assert sent(gate) == []
    commit(gate, "0x3", None)
    gate.uploads.start_upload("film.mp4")
    assert PlanEncode(JOB) in sent(gate)


def test_a_film_that_was_uploaded_in_steps_can_be_encoded_again(gate: Gate) -> None:
    commit(gate, "0x1", 400)
    gate.uploads.start_upload("film.mp4")
    commit(gate, "0x2", None)
    gate.uploads.start_upload("film.mp4")
    title_id = gate.jobs.get_job(JOB).title_id
    gate.world.catalogue.mark_playable(title_id, make_playback(JOB, opened_at=gate.clock()), complete=True)
    gate.jobs.set_status(JOB, JobStatus.READY)
    gate.clock.forward(seconds=60)
    job_id = gate.uploads.encode_again(title_id)
    assert job_id != JOB
    assert gate.jobs.get_job(job_id).status is JobStatus.QUEUED
    assert gate.jobs.get_job(job_id).reception is None


def test_a_film_whose_upload_stopped_cannot_be_encoded_again(gate: Gate) -> None:
    commit(gate, "0x1", 400)
    gate.uploads.start_upload("film.mp4")
    title_id = gate.jobs.get_job(JOB).title_id
    gate.world.catalogue.mark_playable(title_id, make_playback(JOB, opened_at=gate.clock()), complete=False)
    gate.clock.forward(hours=25)
    gate.encodes.give_up_stopped()
    with pytest.raises(Conflict, match=r"The upload of film\.mp4 is not complete"):
        gate.uploads.encode_again(title_id)


@pytest.mark.parametrize("failed", [False, True], ids=["still running", "failed in planning"])
def test_a_partial_upload_cannot_be_planned_by_hand(gate: Gate, failed: bool) -> None:
    commit(gate, "0x1", 400)
    gate.uploads.start_upload("film.mp4")
    if failed:
        gate.lifecycle.fail(gate.jobs.get_job(JOB), "Something else went wrong.")
    with pytest.raises(Conflict, match=r"The upload of film\.mp4 is not complete"):
        gate.encodes.retry_job(JOB)


def test_an_upload_of_a_withdrawn_or_replaced_film_does_not_continue(gate: Gate) -> None:
    commit(gate, "0x1", 400)
    gate.uploads.start_upload("film.mp4")
    gate.encodes.cancel(gate.jobs.get_job(JOB).title_id, "Its title was withdrawn.")
    commit(gate, "0x2", 700)
    gate.uploads.start_upload("film.mp4")
    job = gate.jobs.get_job(JOB)
    assert (job.status, job.reason) == (JobStatus.FAILED, "Its title was withdrawn.")
    assert gate.uploads.issue_ticket("film.mp4", size=WHOLE).upload_id not in ("", ID[:12])


def test_only_a_new_film_may_be_committed_in_steps_and_keeps_its_id(gate: Gate) -> None:
    first = gate.uploads.issue_ticket("film.mp4", size=WHOLE)
    assert len(first.upload_id) == 12
    assert gate.uploads.issue_ticket("film.mp4", size=WHOLE).upload_id != first.upload_id
    commit(gate, "0x1", 400)
    again = gate.uploads.issue_ticket("film.mp4", size=WHOLE)
    assert (again.upload_id, again.replaces) == (ID[:12], False)
    commit(gate, "0x2", None)
    whole = gate.uploads.issue_ticket("film.mp4", size=WHOLE)
    assert (whole.upload_id, whole.replaces) == ("", True)
    assert gate.uploads.issue_ticket("film.en.srt", size=9).upload_id == ""
    gate.uploads.start_upload("film.mp4")
    other = gate.uploads.issue_ticket("film.mkv", size=9)
    assert (other.existing, other.upload_id) == ("film.mp4", "")


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (None, ("", None, 0)),
        ({"upload": ID}, (ID, None, 0)),
        ({"upload": ID, "front": "80", "whole": "1000"}, (ID, 80, 1000)),
        ({"upload": "of mine", "front": "80", "whole": "1000"}, ("", None, 0)),
        ({"upload": ID, "front": "101", "whole": "1000"}, ("", None, 0)),
        ({"upload": ID, "front": "80", "whole": "100"}, ("", None, 0)),
        ({"upload": ID, "front": "-8", "whole": "1000"}, ("", None, 0)),
        ({"upload": ID, "front": "0", "whole": "1000"}, ("", None, 0)),
        ({"upload": ID, "front": "80"}, ("", None, 0)),
    ],
)
def test_metadata_that_contradicts_itself_counts_as_none(
    metadata: dict[str, str] | None, expected: tuple[str, int | None, int]
) -> None:
    found = stored_upload("0x1", 100, NOON + timedelta(days=1), metadata)
    assert (found.upload_id, found.front, found.whole_size) == expected


def test_of_two_versions_of_a_second_the_one_that_is_in_storage_is_encoded(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Storage states whole seconds. The event of the first version is handled slowly."""
    uploaded_at = gate.clock()
    gate.store.blobs["film.mp4"] = StoredUpload("0x1", WHOLE, uploaded_at)
    open_job = gate.encodes.open_job

    def open_after_the_next_version(*given: Any, **named: Any) -> str:
        monkeypatch.undo()
        gate.clock.forward(seconds=0.1)
        gate.store.blobs["film.mp4"] = StoredUpload("0x2", WHOLE, uploaded_at)
        gate.uploads.start_upload("film.mp4")
        gate.clock.forward(seconds=0.1)
        return open_job(*given, **named)

    monkeypatch.setattr(gate.encodes, "open_job", open_after_the_next_version)
    gate.uploads.start_upload("film.mp4")
    assert gate.jobs.get_job(job_id_for("film.mp4", "0x2")).status is JobStatus.QUEUED
    assert gate.jobs.get_job(job_id_for("film.mp4", "0x1")).status is JobStatus.FAILED
