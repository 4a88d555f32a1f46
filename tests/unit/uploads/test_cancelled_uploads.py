"""An upload in steps that is cancelled: its job ends at once, may continue, and never brings a withdrawn title back."""

from __future__ import annotations

from typing import Any

import pytest

from functions.catalogue.model import Status
from functions.encoding.model import JobStatus
from functions.platform.identifiers import job_id_for, title_id_for
from tests.unit.uploads.test_commits import ID, JOB, WHOLE, commit
from tests.unit.uploads.test_service import Gate

TITLE = title_id_for("film.mp4")


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_a_cancelled_upload_ends_its_job_at_once_and_continues_with_its_next_commit(gate: Gate) -> None:
    commit(gate, "0x1", 400)
    gate.uploads.start_upload("film.mp4")
    for _ in range(2):
        gate.uploads.cancel_upload("film.mp4", upload_id=ID)
    job = gate.jobs.get_job(JOB)
    assert (job.status, job.reason) == (
        JobStatus.FAILED,
        "The upload of film.mp4 was cancelled. Upload the film again.",
    )
    assert gate.status("film.mp4") is Status.FAILED
    assert gate.uploads.issue_ticket("film.mp4", size=WHOLE).upload_id == ID[:12]
    commit(gate, "0x2", 700)
    gate.uploads.start_upload("film.mp4")
    job = gate.jobs.get_job(JOB)
    assert (job.status, job.reason) == (JobStatus.RECEIVING, None)
    assert gate.status("film.mp4") is Status.ENCODING


def test_the_event_of_a_commit_that_was_cancelled_before_changes_nothing(gate: Gate) -> None:
    commit(gate, "0x1", 400)
    gate.uploads.cancel_upload("film.mp4", upload_id=ID)
    gate.uploads.start_upload("film.mp4")
    gate.clock.forward(minutes=2)
    gate.uploads.start_missed_uploads()
    assert gate.jobs.get_job(JOB).status is JobStatus.FAILED
    assert gate.status("film.mp4") is Status.FAILED


def test_only_an_upload_that_is_not_whole_can_be_cancelled(gate: Gate) -> None:
    gate.uploads.cancel_upload("film.mp4", upload_id=ID)
    assert gate.jobs.list_summaries(below=None, limit=9) == []
    commit(gate, "0x1", None)
    gate.uploads.start_upload("film.mp4")
    gate.uploads.cancel_upload("film.mp4", upload_id=ID)
    assert gate.jobs.get_job(JOB).status is JobStatus.QUEUED
    assert gate.status("film.mp4") is Status.ENCODING


def is_withdrawn(gate: Gate) -> bool:
    title = gate.world.catalogue.find_title(TITLE)
    return title is not None and title.status is Status.WITHDRAWN


def withdraw(gate: Gate) -> None:
    gate.world.catalogue.withdraw_title(TITLE)
    gate.encodes.end_withdrawn(TITLE)


@pytest.mark.parametrize("found_by_timer", [False, True], ids=["event", "timer"])
def test_a_late_event_of_a_cancelled_upload_does_not_bring_a_withdrawn_title_back(
    gate: Gate, found_by_timer: bool
) -> None:
    commit(gate, "0x1", 400)
    gate.uploads.start_upload("film.mp4")
    commit(gate, "0x2", 600)
    gate.uploads.cancel_upload("film.mp4", upload_id=ID)
    withdraw(gate)
    if found_by_timer:
        gate.clock.forward(minutes=2)
        assert gate.uploads.start_missed_uploads() == 0
    else:
        gate.uploads.start_upload("film.mp4")
    assert is_withdrawn(gate)


def test_the_timer_has_nothing_to_do_after_an_upload_was_cancelled(gate: Gate) -> None:
    commit(gate, "0x1", 400)
    gate.uploads.cancel_upload("film.mp4", upload_id=ID)
    gate.clock.forward(minutes=2)
    assert gate.uploads.start_missed_uploads() == 0


@pytest.mark.parametrize("ended", ["cancelled", "stopped", "followed by another"])
def test_no_upload_of_a_withdrawn_title_continues(gate: Gate, ended: str) -> None:
    """Also not with its old ticket; a new one gives it another id, and so another job."""
    commit(gate, "0x1", 400)
    gate.uploads.start_upload("film.mp4")
    if ended == "cancelled":
        gate.uploads.cancel_upload("film.mp4", upload_id=ID)
    elif ended == "stopped":
        gate.clock.forward(hours=25)
        gate.encodes.give_up_stopped()
    else:
        commit(gate, "0x2", 400, upload_id="0123456789ab-bbbbbbbb")
        gate.uploads.start_upload("film.mp4")
    withdraw(gate)
    commit(gate, "0x3", 700)
    gate.uploads.start_upload("film.mp4")
    assert is_withdrawn(gate)
    assert gate.jobs.get_job(JOB).status is JobStatus.FAILED
    digits = gate.uploads.issue_ticket("film.mp4", size=WHOLE).upload_id
    assert digits not in ("", ID[:12])
    again = f"{digits}{ID[12:]}"
    commit(gate, "0x4", 800, upload_id=again)
    gate.uploads.start_upload("film.mp4")
    assert gate.jobs.get_job(job_id_for("film.mp4", again)).status is JobStatus.RECEIVING
    assert gate.status("film.mp4") is Status.ENCODING


def test_an_upload_that_continues_while_its_title_is_withdrawn_ends(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event of the next commit is suspended until the title was withdrawn, after it has found it."""
    commit(gate, "0x1", 400)
    gate.uploads.start_upload("film.mp4")
    gate.uploads.cancel_upload("film.mp4", upload_id=ID)
    commit(gate, "0x2", 700)
    change = gate.jobs.change_status
    end = gate.encodes.end_withdrawn

    def resume_first(*given: Any, **named: Any) -> object:
        """Withdraw the title before the job continues, and look for its jobs before that, too."""
        monkeypatch.setattr(gate.jobs, "change_status", change)
        gate.world.catalogue.withdraw_title(TITLE)
        resumed = change(*given, **named)
        monkeypatch.setattr(gate.jobs, "summaries_of_title", lambda title_id: [stale])
        end(TITLE)
        monkeypatch.undo()
        return resumed

    stale = gate.jobs.summaries_of_title(TITLE)[0]
    monkeypatch.setattr(gate.jobs, "change_status", resume_first)
    gate.uploads.start_upload("film.mp4")
    job = gate.jobs.get_job(JOB)
    assert (job.status, job.reason) == (JobStatus.FAILED, "Its title was withdrawn.")
    assert is_withdrawn(gate)


@pytest.mark.parametrize("ended", ["cancelled", "stopped"])
def test_a_title_that_was_released_stays_so_when_its_upload_continues(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, ended: str
) -> None:
    monkeypatch.setattr(gate.world.catalogue, "_reviewed", True)
    commit(gate, "0x1", 400)
    gate.uploads.start_upload("film.mp4")
    assert gate.world.catalogue.get(TITLE, drafts=True).draft
    gate.world.catalogue.release_title(TITLE)
    if ended == "cancelled":
        gate.uploads.cancel_upload("film.mp4", upload_id=ID)
    else:
        gate.clock.forward(hours=25)
        gate.encodes.give_up_stopped()
    commit(gate, "0x2", 700)
    gate.uploads.start_upload("film.mp4")
    title = gate.world.catalogue.get(TITLE)
    assert (title.draft, title.status) == (False, Status.ENCODING)


@pytest.mark.parametrize("upload_id", ["ffffffffffff-00000000", f"{ID[:12]}-00000000", ""])
def test_who_cancels_an_earlier_upload_does_not_end_the_one_that_runs(gate: Gate, upload_id: str) -> None:
    commit(gate, "0x1", 400)
    gate.uploads.start_upload("film.mp4")
    gate.uploads.cancel_upload("film.mp4", upload_id=upload_id)
    assert gate.jobs.get_job(JOB).status is JobStatus.RECEIVING
    assert gate.status("film.mp4") is Status.ENCODING
