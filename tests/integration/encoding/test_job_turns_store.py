"""Which steps of open jobs are left, and whose turn it is: the contract of the stores in memory and in Mongo."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.encoding.losses import Loss
from functions.encoding.model import JobStatus, StepFault, Transition
from functions.encoding.repository import MongoEncodeJobs
from functions.encoding.steps import StepRequest
from functions.encoding.text_plan import TextPlan
from functions.encoding.track_state import TrackState
from tests.support.clock import NOON
from tests.support.encoding_job_stores import JOB, with_status
from tests.support.encoding_plans import make_job, make_plan

if TYPE_CHECKING:
    from pymongo.collection import Collection

    from functions.encoding.model import EncodeJob
    from functions.encoding.ports import EncodeJobs


def test_work_of_open_jobs_is_what_is_left_of_them(jobs: EncodeJobs) -> None:
    text = (TextPlan("t0", "en", "English", None, "film.en.srt"),)
    for job_id, status in (("open", JobStatus.QUEUED), ("queued", JobStatus.QUEUED), ("over", JobStatus.FAILED)):
        jobs.add_job(make_job(job_id, status=status))
    with_status(jobs, "open", JobStatus.PLANNING)
    job = jobs.change_status("open", Transition.FINISH_PLANNING, plan=make_plan(text=text), planned_at=NOON)
    assert job
    (open_work,) = [work for work in jobs.list_work() if work.id == "open"]
    assert (open_work.chunks, open_work.chunks_done, open_work.tracks) == (4, frozenset(), {"a0": 0.0, "t0": 0.0})
    job = jobs.finish_chunk(job, 1, codecs={}, cpu_s=1, tail=None)
    job = jobs.advance_track(job, "a0", TrackState(5, 5 * 192_512), codec="mp4a")
    jobs.advance_track(job, "t0", TrackState(complete=True), codec=None)
    fault = StepFault("It broke.", passing=True, attempts=3, retry_at=NOON + timedelta(seconds=4))
    jobs.note_fault("open", "chunk 2", fault)
    work = {each.id: each for each in jobs.list_work()}
    assert sorted(work) == ["open", "queued"]
    assert work["open"].chunks_done == {1}
    assert work["open"].tracks["a0"] == pytest.approx(5 * 192_512 / 48_000 / (1000 / 24))
    assert work["open"].tracks["t0"] == 1
    assert work["open"].faults == {"chunk 2": fault}
    assert work["open"].due_steps(set(), NOON) == ("chunk 0", "chunk 3")
    jobs.finish_chunk(job, 0, codecs={}, cpu_s=1, tail=None)
    (front_done,) = [each for each in jobs.list_work() if each.id == "open"]
    assert front_done.due_steps(set(), NOON) == ("chunk 3", "track a0")
    assert work["queued"].due_steps(set(), NOON) == ("plan",)
    jobs.change_status("queued", Transition.START_PLANNING, prepares=True)
    (prepared,) = [each for each in jobs.list_work() if each.id == "queued"]
    assert prepared.due_steps(set(), NOON) == ("prepare",)
    assert jobs.get_job("queued").prepares
    jobs.clear_fault("open", "chunk 2")
    assert jobs.get_job("open").faults == {}
    assert jobs.get_job("open").fault is None
    summaries = {each.id: each for each in jobs.open_summaries()}
    assert sorted(summaries) == ["open", "queued"]
    assert summaries["open"].tracks == work["open"].tracks
    assert summaries["open"] == jobs.find_summary("open")


def test_turn_is_recorded_and_returns_the_job_only_while_it_is_encoded(jobs: EncodeJobs) -> None:
    for job_id in ("open", "queued"):
        jobs.add_job(make_job(job_id))
    with_status(jobs, "open", JobStatus.PLANNING)
    jobs.change_status("open", Transition.FINISH_PLANNING, plan=make_plan(), planned_at=NOON)
    assert jobs.take_turn("queued", at=NOON) is None
    assert jobs.take_turn("nothing", at=NOON) is None
    job = jobs.take_turn("open", at=NOON + timedelta(seconds=7))
    assert job == jobs.get_job("open")
    assert {work.id: work.served_at for work in jobs.list_work()} == {
        "open": NOON + timedelta(seconds=7),
        "queued": None,
    }


def planned(jobs: EncodeJobs, job_id: str, *, after_s: int) -> EncodeJob:
    """Open and plan a job."""
    jobs.add_job(make_job(job_id))
    jobs.change_status(job_id, Transition.START_PLANNING)
    at = NOON + timedelta(seconds=after_s)
    job = jobs.change_status(job_id, Transition.FINISH_PLANNING, plan=make_plan(), planned_at=at)
    assert job
    return job


def in_turn(jobs: EncodeJobs, *, fronts: bool) -> list[str]:
    return [work.id for work in jobs.next_works(fronts=fronts, skip=0, limit=9)]


def test_works_are_in_the_order_of_their_turns(jobs: EncodeJobs) -> None:
    for job_id, after_s in (("late", 9), ("first", 1), ("b", 5), ("a", 5)):
        planned(jobs, job_id, after_s=after_s)
    jobs.add_job(make_job("queued"))
    order = ["first", "a", "b", "late"]
    assert in_turn(jobs, fronts=True) == in_turn(jobs, fronts=False) == order
    assert [work.id for work in jobs.next_works(fronts=True, skip=1, limit=2)] == ["a", "b"]
    for at, job_id in enumerate(("a", "first")):
        jobs.take_turn(job_id, at=NOON + timedelta(seconds=20 + at))
    assert in_turn(jobs, fronts=True) == order
    assert in_turn(jobs, fronts=False) == ["b", "late", "a", "first"]
    jobs.finish_chunk(jobs.get_job("first"), 0, codecs={}, cpu_s=1, tail=None)
    assert in_turn(jobs, fronts=True) == ["a", "b", "late"]
    assert in_turn(jobs, fronts=False) == ["b", "late", "a", "first"]
    jobs.change_status("late", Transition.FAIL, reason="It failed.")
    assert in_turn(jobs, fronts=True) == ["a", "b"]
    jobs.change_status("late", Transition.RETRY_ENCODING)
    assert in_turn(jobs, fronts=True) == ["a", "b", "late"]


def test_job_without_missing_chunks_has_no_turn_until_one_is_lost(jobs: EncodeJobs) -> None:
    job = planned(jobs, JOB, after_s=1)
    for index in (3, 0, 1, 2):
        job = jobs.finish_chunk(job, index, codecs={}, cpu_s=1, tail=None)
    assert in_turn(jobs, fronts=True) == in_turn(jobs, fronts=False) == []
    job = jobs.undo_parts(job, Loss(chunks=frozenset({2}), files=frozenset({"v360/s00001.m4s"})))
    assert (in_turn(jobs, fronts=True), in_turn(jobs, fronts=False)) == ([], [JOB])
    jobs.undo_parts(job, Loss(chunks=frozenset({0}), files=frozenset({"v360/s00000.m4s"})))
    assert in_turn(jobs, fronts=True) == in_turn(jobs, fronts=False) == [JOB]


def test_requests_of_waiting_steps_are_part_of_the_work(jobs: EncodeJobs) -> None:
    planned(jobs, JOB, after_s=1)
    request = StepRequest(NOON, NOON + timedelta(minutes=2))
    jobs.note_requests(JOB, {"track a0": request})
    (work,) = jobs.list_work()
    assert work.requests == {"track a0": request}
    jobs.note_requests(JOB, {})
    (work,) = jobs.list_work()
    assert not work.requests


@pytest.mark.parametrize("status", [JobStatus.ENCODING, JobStatus.FAILED])
def test_job_of_the_version_before_gets_the_shares_of_its_tracks_and_its_turn(
    collection: Collection[dict[str, Any]], status: JobStatus
) -> None:
    jobs = MongoEncodeJobs(collection, lambda: NOON)
    tracks = {"a0": TrackState(11, 11 * 192_512, complete=True)}
    jobs.add_job(make_job(JOB, plan=make_plan(), status=status, tracks=tracks))
    collection.update_one({"_id": JOB}, {"$unset": {"summary.tracks": "", "turn": "", "front_turn": ""}})
    later = MongoEncodeJobs(collection, lambda: NOON)
    later.change_status(JOB, Transition.RETRY_ENCODING)
    (work,) = later.list_work()
    assert work.tracks == {"a0": 1}
    assert in_turn(later, fronts=True) == in_turn(later, fronts=False) == [JOB]
