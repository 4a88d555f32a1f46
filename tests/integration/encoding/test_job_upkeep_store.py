"""Jobs that are due to be verified or swept, in memory and in Mongo."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from functions.encoding.model import JobStatus, Transition
from functions.encoding.repository import MongoEncodeJobs
from functions.encoding.upkeep.retention import SWEEP_RULES
from functions.encoding.upkeep.store import MongoJobUpkeep
from functions.encoding.upkeep.verification import Verification
from tests.support.clock import NOON
from tests.support.encoding_plans import make_job

if TYPE_CHECKING:
    from pymongo.collection import Collection

    from functions.encoding.ports import EncodeJobs, JobUpkeep


JOBS = 8


def test_verification_is_due_until_it_is_recorded(jobs: EncodeJobs, upkeep: JobUpkeep) -> None:
    for job_id, status in (("ready", JobStatus.READY), ("open", JobStatus.ENCODING), ("later", JobStatus.READY)):
        jobs.add_job(make_job(job_id, status=status))
        jobs.schedule_verification(job_id, at=NOON + timedelta(minutes=job_id == "later"), repair=job_id == "ready")
    hour = NOON + timedelta(hours=1)
    jobs.schedule_verification("ready", at=NOON, repair=False)
    assert jobs.get_job("ready").verify_repairs, "a repair that is due stays due"
    assert upkeep.take_unverified(now=NOON, again_at=hour, limit=9) == ["ready"]
    assert upkeep.take_unverified(now=NOON, again_at=hour, limit=9) == []
    assert upkeep.take_unverified(now=hour, again_at=hour + timedelta(hours=1), limit=1) == ["later"]
    found = Verification(NOON, files=20, size=2000, damaged=1, examples=("v360/s00001.m4s",))
    after = jobs.note_verified(jobs.get_job("ready"), found)
    assert after == jobs.get_job("ready")
    assert (after.verified, after.verify_at, after.verify_repairs) == (found, None, False)
    summary = jobs.find_summary("ready")
    assert summary
    assert summary.verified == found
    assert "ready" not in upkeep.take_unverified(now=hour, again_at=hour, limit=9)


def test_remakes_count_from_zero_again_once_a_job_was_found_whole(jobs: EncodeJobs) -> None:
    jobs.add_job(make_job("aa", status=JobStatus.READY, remakes=3))
    damaged = Verification(NOON, files=20, size=2000, damaged=1, examples=("v360/s00001.m4s",))
    assert jobs.note_verified(jobs.get_job("aa"), damaged).remakes == 3
    assert jobs.note_verified(jobs.get_job("aa"), replace(damaged, damaged=0, examples=())).remakes == 0


def test_ended_job_is_swept_when_it_is_due_and_by_one_caller(jobs: EncodeJobs, upkeep: JobUpkeep) -> None:
    for number in range(JOBS):
        jobs.add_job(make_job(f"{number}", title_id=f"film-{number % 2}", created_at=NOON + timedelta(seconds=number)))
        jobs.change_status(f"{number}", Transition.FAIL, sweep_at=NOON)
    jobs.add_job(make_job("open"))
    upkeep.schedule_sweep("open", at=NOON)
    hour = NOON + timedelta(hours=1)
    assert upkeep.take_unswept(now=NOON - timedelta(seconds=1), again_at=hour, limit=9) == []
    with ThreadPoolExecutor(2) as pool:
        taken = list(pool.map(lambda limit: upkeep.take_unswept(now=NOON, again_at=hour, limit=limit), (JOBS,) * 2))
    assert sorted(job.id for each in taken for job in each) == [f"{number}" for number in range(JOBS)]
    upkeep.note_swept("0", taken_until=hour, sweep_at=None)
    upkeep.note_swept("1", taken_until=hour, sweep_at=hour + timedelta(hours=1))
    upkeep.note_swept("2", taken_until=NOON, sweep_at=None)
    due = [job.id for job in upkeep.take_unswept(now=hour, again_at=hour + timedelta(hours=2), limit=99)]
    assert sorted(due) == [f"{number}" for number in range(2, JOBS)]
    assert [job.id for job in upkeep.summaries_of_title("film-0")] == ["6", "4", "2", "0"]


def test_sweep_that_is_due_earlier_is_not_postponed(jobs: EncodeJobs, upkeep: JobUpkeep) -> None:
    jobs.add_job(make_job("aa", status=JobStatus.READY))
    hour = timedelta(hours=1)
    upkeep.schedule_sweep("unknown", at=NOON)
    for at in (NOON + 2 * hour, NOON + hour, NOON + 3 * hour):
        upkeep.schedule_sweep("aa", at=at)
    assert upkeep.take_unswept(now=NOON + hour - timedelta(minutes=1), again_at=NOON + 9 * hour, limit=9) == []
    assert [job.id for job in upkeep.take_unswept(now=NOON + hour, again_at=NOON + 9 * hour, limit=9)] == ["aa"]


def test_sweep_that_is_requested_during_another_one_takes_place(jobs: EncodeJobs, upkeep: JobUpkeep) -> None:
    jobs.add_job(make_job("aa", status=JobStatus.READY))
    hour = timedelta(hours=1)
    for at in (NOON + timedelta(minutes=1), NOON + 24 * hour):  # before and after the sweep is repeated anyway
        upkeep.schedule_sweep("aa", at=NOON)
        assert upkeep.take_unswept(now=NOON, again_at=NOON + hour, limit=9)
        upkeep.schedule_sweep("aa", at=at)
        upkeep.note_swept("aa", taken_until=NOON + hour, sweep_at=None)
        assert upkeep.take_unswept(now=NOON + hour, again_at=NOON + 48 * hour, limit=9)
        upkeep.note_swept("aa", taken_until=NOON + 48 * hour, sweep_at=None)


def test_ended_jobs_of_a_version_that_swept_less_are_due_once(collection: Collection[dict[str, Any]]) -> None:
    jobs = MongoEncodeJobs(collection, lambda: NOON)
    for job_id in ("older", "old", "newer"):
        jobs.add_job(make_job(job_id, status=JobStatus.FAILED))
    collection.update_one({"_id": "older"}, {"$unset": {"sweep_at": "", "sweep_rules": ""}})
    collection.update_one({"_id": "old"}, {"$set": {"sweep_rules": SWEEP_RULES - 1}})
    upkeep = MongoJobUpkeep(collection, lambda: NOON)
    due = upkeep.take_unswept(now=NOON, again_at=NOON + timedelta(hours=1), limit=9)
    assert {job.id for job in due} == {"older", "old"}
    again = MongoJobUpkeep(collection, lambda: NOON + timedelta(minutes=1))
    assert again.take_unswept(now=NOON + timedelta(minutes=1), again_at=NOON, limit=9) == [], "only once"
