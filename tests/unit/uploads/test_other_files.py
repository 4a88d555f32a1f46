"""Several files are uploaded in steps under one name: what storage has in the end is encoded, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from functions.catalogue.model import Status
from functions.encoding.copying.reception import Reception
from functions.encoding.model import JobStatus
from functions.platform.identifiers import job_id_for, title_id_for
from tests.support.catalogue import make_playback
from tests.unit.uploads.test_commits import WHOLE, commit
from tests.unit.uploads.test_service import Gate

FILM = "film.mp4"
TITLE = title_id_for(FILM)
A, B = "0123456789ab-aaaaaaaa", "0123456789ab-bbbbbbbb"
"""Two files, uploaded with tickets that continue one another."""
JOB_A, JOB_B = job_id_for(FILM, A), job_id_for(FILM, B)


@pytest.fixture
def gate() -> Gate:
    return Gate()


def arrive(gate: Gate, etag: str, front: int | None, upload_id: str) -> None:
    """Commit a version of an upload, and handle its event."""
    commit(gate, etag, front, upload_id=upload_id)
    gate.uploads.start_upload(FILM)


def published(gate: Gate, job_id: str, *, complete: bool) -> None:
    """Record that the film of a job can be watched."""
    job = gate.jobs.get_job(job_id)
    gate.world.catalogue.mark_playable(TITLE, make_playback(job_id, opened_at=job.created_at), complete=complete)


def test_a_file_that_continues_after_another_of_its_name_is_encoded(gate: Gate) -> None:
    arrive(gate, "0x1", 400, A)
    arrive(gate, "0x2", 300, B)
    gate.uploads.cancel_upload(FILM, upload_id=B)
    arrive(gate, "0x3", 700, A)
    assert gate.jobs.get_job(JOB_A).status is JobStatus.RECEIVING
    arrive(gate, "0x4", None, A)
    assert gate.jobs.get_job(JOB_A).status is JobStatus.QUEUED
    assert gate.encodes.is_encoding(TITLE)
    assert gate.status(FILM) is Status.ENCODING


def test_a_film_that_continues_takes_the_place_of_what_was_published_meanwhile(gate: Gate) -> None:
    arrive(gate, "0x1", 400, A)
    gate.uploads.cancel_upload(FILM, upload_id=A)
    arrive(gate, "0x2", 300, B)
    published(gate, JOB_B, complete=False)
    gate.uploads.cancel_upload(FILM, upload_id=B)
    arrive(gate, "0x3", 700, A)
    assert gate.status(FILM) is Status.ENCODING, "it is being received again"
    arrive(gate, "0x4", None, A)
    published(gate, JOB_A, complete=True)
    title = gate.world.catalogue.get(TITLE)
    assert title.playback
    assert (title.status, title.playback.job_id) == (Status.READY, JOB_A)


def test_a_ticket_continues_the_upload_of_the_same_file_only(gate: Gate) -> None:
    """Another file gets a job of its own, so what has become of the job of an earlier upload does not matter."""
    arrive(gate, "0x1", 400, A)
    same, other = (gate.uploads.issue_ticket(FILM, size=WHOLE, mark=each[13:]).upload_id for each in (A, B))
    assert same == A[:12]
    assert other not in ("", A[:12])
    arrive(gate, "0x2", None, A)
    arrive(gate, "0x3", 300, B)  # with an old ticket, in place of a whole film
    gate.uploads.cancel_upload(FILM, upload_id=B)
    assert gate.jobs.get_job(JOB_A).status is JobStatus.FAILED
    again = f"{gate.uploads.issue_ticket(FILM, size=WHOLE, mark=A[13:]).upload_id}-{A[13:]}"
    arrive(gate, "0x4", None, again)
    assert gate.jobs.get_job(job_id_for(FILM, again)).status is JobStatus.QUEUED
    assert gate.status(FILM) is Status.ENCODING


def test_a_ticket_names_the_version_that_its_upload_may_replace(gate: Gate) -> None:
    """So the Studio commits nothing over a film that became whole after the ticket was issued."""
    assert gate.uploads.issue_ticket(FILM, size=WHOLE).version is None
    arrive(gate, "0x1", 400, A)
    assert gate.uploads.issue_ticket(FILM, size=WHOLE).version == '"0x1"'
    arrive(gate, "0x2", None, A)
    whole = gate.uploads.issue_ticket(FILM, size=WHOLE)
    assert (whole.version, whole.replaces) == ('"0x2"', True)


def test_two_files_that_are_sent_at_once_end_as_the_one_that_storage_has(gate: Gate) -> None:
    other = "aaaaaaaaaaaa-11111111"
    arrive(gate, "0x1", 400, A)
    arrive(gate, "0x2", 300, other)
    arrive(gate, "0x3", 700, A)
    assert gate.jobs.get_job(job_id_for(FILM, other)).status is JobStatus.FAILED
    arrive(gate, "0x4", None, A)
    newest = gate.jobs.latest_summary(TITLE)
    assert newest
    assert (newest.id, newest.status) == (JOB_A, JobStatus.QUEUED)


def test_a_late_event_of_another_file_does_not_take_the_place_of_the_present_one(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A's second commit is read, and handled only after those of B."""
    arrive(gate, "0x1", 400, A)
    commit(gate, "0x2", 500, upload_id=A)
    claim = gate.world.catalogue.claim_title

    def claim_late(*given: Any, **named: Any) -> object:
        monkeypatch.undo()
        arrive(gate, "0x3", 300, B)
        arrive(gate, "0x4", 600, B)
        return claim(*given, **named)

    monkeypatch.setattr(gate.world.catalogue, "claim_title", claim_late)
    gate.uploads.start_upload(FILM)
    job = gate.jobs.get_job(JOB_B)
    assert job.reception
    assert (job.status, job.reception.front) == (JobStatus.RECEIVING, 600)
    assert gate.jobs.get_job(JOB_A).status is JobStatus.FAILED
    assert gate.status(FILM) is Status.ENCODING


@pytest.mark.parametrize("method", ["latest_summary", "change_status"])
def test_of_two_files_whose_commits_are_handled_at_once_one_remains(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """The process that records A's commit is suspended in the middle, while B begins."""
    arrive(gate, "0x1", 400, A)
    gate.uploads.cancel_upload(FILM, upload_id=A)
    later = commit(gate, "0x2", 500, upload_id=A)
    call = getattr(gate.jobs, method)

    def suspended(*given: Any, **named: Any) -> object:
        monkeypatch.undo()
        found = call(*given, **named) if method == "latest_summary" else None
        arrive(gate, "0x3", 300, B)
        return found if method == "latest_summary" else call(*given, **named)

    monkeypatch.setattr(gate.jobs, method, suspended)
    gate.lifecycle.open_job(
        FILM,
        etag='"0x2"',
        size=WHOLE,
        title_id=TITLE,
        uploaded_at=later.uploaded_at,
        upload_id=A,
        reception=Reception('"0x2"', 500, 500, later.uploaded_at),
    )
    newest = gate.jobs.latest_summary(TITLE)
    assert newest
    assert (newest.id, newest.status) == (JOB_B, JobStatus.RECEIVING)
    assert gate.jobs.get_job(JOB_A).status is JobStatus.FAILED
