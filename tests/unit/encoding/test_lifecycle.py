"""The status of a job changes only as the table of transitions allows, and the catalogue shows the result."""

from __future__ import annotations

import ast
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from functions.catalogue.model import Status
from functions.encoding.copying.reception import Reception
from functions.encoding.lifecycle import JobLifecycle
from functions.encoding.model import OPEN, JobStatus, Transition
from functions.platform.errors import Conflict, StoreUnavailable
from tests.support.catalogue import World, make_playback
from tests.support.clock import NOON
from tests.support.encoding_jobs import MemoryEncodeJobs
from tests.support.encoding_plans import make_plan

TITLE = "film-1a2b3c"
ENCODING = Path(__file__).parents[3] / "functions" / "encoding"

ALLOWED = {
    ("receiving", "queued"),
    ("receiving", "failed"),
    ("queued", "planning"),
    ("queued", "failed"),
    ("planning", "planning"),
    ("planning", "encoding"),
    ("planning", "failed"),
    ("encoding", "ready"),
    ("encoding", "failed"),
    ("ready", "encoding"),
    ("ready", "failed"),
    ("failed", "receiving"),
    ("failed", "queued"),
    ("failed", "encoding"),
    ("failed", "failed"),
}
"""Every permitted change of status."""


class Desk:
    """A lifecycle with an in-memory store and catalogue."""

    def __init__(self) -> None:
        self.world = World()
        self.clock = self.world.clock
        self.jobs = MemoryEncodeJobs(self.clock)
        self.lifecycle = JobLifecycle(self.jobs, self.world.catalogue, self.clock)

    def open_job(self, etag: str = "0x1") -> str:
        self.clock.forward(seconds=1)
        self.world.catalogue.open_title(TITLE, stem="film", status=Status.ENCODING)
        job = self.lifecycle.open_job("film.mkv", etag=etag, size=1000, title_id=TITLE, uploaded_at=self.clock())
        return job.id

    @property
    def status(self) -> Status:
        return self.world.catalogue.get(TITLE).status


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_transitions_allow_these_changes_and_no_other() -> None:
    table = {(str(source), str(each.target)) for each in Transition for source in each.sources}
    assert table == ALLOWED


@pytest.mark.parametrize(("status", "transition"), list(product(JobStatus, Transition)))
def test_store_makes_a_transition_only_from_its_sources(desk: Desk, status: JobStatus, transition: Transition) -> None:
    job_id = desk.open_job()
    desk.jobs.set_status(job_id, status, reception=Reception("0x1", 16, 20, NOON, has_stopped=True))
    changed = desk.jobs.change_status(job_id, transition)
    assert (changed is not None) == ((str(status), str(transition.target)) in ALLOWED and status in transition.sources)
    assert desk.jobs.get_job(job_id).status is (transition.target if changed else status)


def test_job_walks_from_queued_to_ready_and_stays_there(desk: Desk) -> None:
    job_id = desk.open_job()
    walked = [desk.jobs.get_job(job_id).status]
    for step in (
        desk.lifecycle.start_planning,
        lambda job: desk.lifecycle.finish_planning(job, make_plan()),
        desk.lifecycle.complete,
    ):
        job = step(desk.jobs.get_job(job_id))
        assert job
        walked.append(job.status)
    assert walked == [JobStatus.QUEUED, JobStatus.PLANNING, JobStatus.ENCODING, JobStatus.READY]
    ready = desk.jobs.get_job(job_id)
    assert ready.ended_at
    assert desk.lifecycle.start_planning(ready) is None
    assert desk.lifecycle.fail(ready, "Too late.") is None
    with pytest.raises(Conflict):
        desk.lifecycle.retry(ready)
    assert desk.jobs.get_job(job_id) == ready


@pytest.mark.parametrize("status", OPEN)
def test_any_open_job_fails_with_its_reason_and_so_does_its_title(desk: Desk, status: JobStatus) -> None:
    job_id = desk.open_job()
    failed = desk.lifecycle.fail(desk.jobs.set_status(job_id, status), "It is text.")
    assert failed
    assert (failed.status, failed.reason, failed.ended_at) == (JobStatus.FAILED, "It is text.", desk.clock())
    title = desk.world.catalogue.get(TITLE)
    assert (title.status, title.failure) == (Status.FAILED, "It is text.")


def test_retry_leads_back_to_where_the_job_stopped(desk: Desk) -> None:
    job_id = desk.open_job()
    desk.lifecycle.fail(desk.jobs.get_job(job_id), "Storage did not answer.")
    retried = desk.lifecycle.retry(desk.jobs.get_job(job_id))
    assert (retried.status, retried.reason, retried.ended_at) == (JobStatus.QUEUED, None, None)
    desk.lifecycle.start_planning(retried)
    desk.lifecycle.finish_planning(retried, make_plan())
    desk.lifecycle.fail(desk.jobs.get_job(job_id), "It is cut off.")
    assert desk.lifecycle.retry(desk.jobs.get_job(job_id)).status is JobStatus.ENCODING
    assert desk.status is Status.ENCODING


@pytest.mark.parametrize("status", [*OPEN, JobStatus.READY])
def test_only_a_failed_job_can_be_retried(desk: Desk, status: JobStatus) -> None:
    job_id = desk.open_job()
    job = desk.jobs.set_status(job_id, status)
    with pytest.raises(Conflict, match=f"is {status}; only a failed job"):
        desk.lifecycle.retry(job)


def test_plan_that_is_finished_after_the_job_has_ended_does_not_bring_it_back(desk: Desk) -> None:
    job_id = desk.open_job()
    planned = desk.lifecycle.start_planning(desk.jobs.get_job(job_id))
    assert planned
    desk.lifecycle.fail(planned, "Its title was withdrawn.")
    assert desk.lifecycle.finish_planning(planned, make_plan()) is None
    job = desk.jobs.get_job(job_id)
    assert (job.status, job.plan) == (JobStatus.FAILED, None)


def test_failure_keeps_a_complete_earlier_version_online(desk: Desk) -> None:
    first = desk.open_job("0x1")
    desk.world.catalogue.mark_playable(TITLE, make_playback(first), complete=True)
    desk.jobs.set_status(first, JobStatus.READY)
    second = desk.open_job("0x2")
    desk.lifecycle.fail(desk.jobs.get_job(second), "It is cut off.")
    title = desk.world.catalogue.get(TITLE)
    assert title.status is Status.READY
    assert title.playback
    assert (title.playback.job_id, title.failure) == (first, "It is cut off.")


def test_job_stays_open_while_the_catalogue_cannot_be_told_that_it_failed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = desk.open_job()

    def away(*_: object) -> None:
        raise StoreUnavailable("Mongo does not answer.")

    with monkeypatch.context() as patched:
        patched.setattr(desk.world.catalogue, "mark_failed", away)
        with pytest.raises(StoreUnavailable):
            desk.lifecycle.fail(desk.jobs.get_job(job_id), "It is text.")
    assert desk.jobs.get_job(job_id).is_open
    desk.lifecycle.fail(desk.jobs.get_job(job_id), "It is text.")
    assert desk.status is Status.FAILED


def test_failure_of_a_job_that_was_replaced_meanwhile_does_not_concern_its_title(desk: Desk) -> None:
    stale = desk.jobs.get_job(desk.open_job("0x1"))
    desk.open_job("0x2")
    assert desk.lifecycle.fail(stale, "It is text.") is None
    title = desk.world.catalogue.get(TITLE)
    assert (title.status, title.failure) == (Status.ENCODING, None)


@pytest.mark.parametrize("marked", ["before the job failed", "after the job failed"])
def test_title_that_another_process_marks_as_encoding_says_in_the_end_that_its_job_failed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, marked: str
) -> None:
    job_id = desk.open_job()
    changed = desk.jobs.change_status

    def change(job: str, transition: Transition, **changes: Any) -> object:
        if marked == "before the job failed":
            desk.world.catalogue.mark_encoding(TITLE)
        return changed(job, transition, **changes)

    monkeypatch.setattr(desk.jobs, "change_status", change)
    desk.lifecycle.fail(desk.jobs.get_job(job_id), "It is text.")
    if marked == "after the job failed":
        desk.open_job()  # a delayed event of the same upload
    title = desk.world.catalogue.get(TITLE)
    assert (title.status, title.failure) == (Status.FAILED, "It is text.")


def test_late_event_of_an_earlier_upload_leaves_the_title_of_a_failed_job_failed(desk: Desk) -> None:
    job_id = desk.open_job("0x2")
    desk.lifecycle.fail(desk.jobs.get_job(job_id), "It is text.")
    desk.world.catalogue.mark_encoding(TITLE)
    earlier = desk.clock() - timedelta(hours=1)
    desk.lifecycle.open_job("film.mkv", etag="0x1", size=1000, title_id=TITLE, uploaded_at=earlier)
    title = desk.world.catalogue.get(TITLE)
    assert (title.status, title.failure) == (Status.FAILED, "It is text.")


def test_retry_whose_title_is_marked_after_the_job_has_failed_again_leaves_the_title_failed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = desk.open_job()
    failed = desk.lifecycle.fail(desk.jobs.get_job(job_id), "It is text.")
    assert failed
    mark = desk.world.catalogue.mark_encoding

    def mark_late(title_id: str) -> object:
        desk.lifecycle.fail(desk.jobs.get_job(job_id), "It is still text.")
        return mark(title_id)

    monkeypatch.setattr(desk.world.catalogue, "mark_encoding", mark_late)
    desk.lifecycle.retry(failed)
    title = desk.world.catalogue.get(TITLE)
    assert (title.status, title.failure) == (Status.FAILED, "It is still text.")


def test_no_other_module_changes_a_status() -> None:
    for path in sorted(ENCODING.rglob("*.py")):
        calls = {
            node.func.attr
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        changing = calls & {"change_status", "supersede_jobs"}
        assert not changing or path.name == "lifecycle.py", f"{path.name} calls {changing}"
