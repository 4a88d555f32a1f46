"""Comparisons of episodes: the contract of the stores in memory and in Mongo."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.encoding.intros.ports import DueJob
from functions.encoding.intros.store import MongoComparisons
from functions.encoding.model import Transition
from functions.encoding.repository import MongoEncodeJobs
from tests.support.clock import NOON
from tests.support.encoding_jobs import MemoryEncodeJobs
from tests.support.encoding_plans import make_job, make_plan
from tests.support.intros import MemoryComparisons

if TYPE_CHECKING:
    from pymongo.collection import Collection

    from functions.encoding.intros.ports import Comparisons
    from functions.encoding.ports import EncodeJobs

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
FIRST, SECOND_JOB, THIRD = "aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"


@pytest.fixture
def comparisons(jobs: EncodeJobs) -> Comparisons:
    """Return the comparisons of the jobs in the store."""
    if isinstance(jobs, MemoryEncodeJobs):
        return MemoryComparisons(jobs)
    assert isinstance(jobs, MongoEncodeJobs)
    return MongoComparisons(jobs._collection, lambda: NOON)


def ready(jobs: EncodeJobs, job_id: str, *, due_after: timedelta = timedelta(0)) -> None:
    """Open a job and complete it."""
    jobs.add_job(make_job(job_id, title_id=f"title-{job_id[:6]}"))
    jobs.change_status(job_id, Transition.START_PLANNING)
    jobs.change_status(job_id, Transition.FINISH_PLANNING, plan=make_plan(), planned_at=NOON)
    assert jobs.change_status(job_id, Transition.COMPLETE, intros_due_at=NOON + due_after)


def test_a_ready_job_is_due_again_and_again_until_it_is_dropped(jobs: EncodeJobs, comparisons: Comparisons) -> None:
    ready(jobs, SECOND_JOB, due_after=-SECOND)
    ready(jobs, FIRST)
    ready(jobs, THIRD, due_after=SECOND)
    jobs.add_job(make_job("dddddddddddd"))
    first, second = DueJob(FIRST, "title-aaaaaa"), DueJob(SECOND_JOB, "title-bbbbbb")
    assert comparisons.take_due(now=NOON, again_at=NOON + DAY, limit=1) == [second]
    assert comparisons.take_due(now=NOON, again_at=NOON + DAY, limit=9) == [first]
    assert comparisons.take_due(now=NOON, again_at=NOON + DAY, limit=9) == []
    comparisons.drop_job(SECOND_JOB)
    again = comparisons.take_due(now=NOON + DAY, again_at=NOON + 2 * DAY, limit=9)
    assert {each.job_id for each in again} == {FIRST, THIRD}


def test_a_job_that_is_repaired_is_not_due(jobs: EncodeJobs, comparisons: Comparisons) -> None:
    ready(jobs, FIRST)
    jobs.change_status(FIRST, Transition.REPAIR)
    assert comparisons.take_due(now=NOON, again_at=NOON + DAY, limit=9) == []


def test_what_a_job_was_compared_with_is_kept(jobs: EncodeJobs, comparisons: Comparisons) -> None:
    for job_id in (FIRST, SECOND_JOB):
        ready(jobs, job_id)
    assert comparisons.compared_with([FIRST, SECOND_JOB]) == {}
    comparisons.note_compared(FIRST, "one")
    comparisons.note_compared(FIRST, "two")
    assert comparisons.compared_with([FIRST, SECOND_JOB, "ffffffffffff"]) == {FIRST: "two"}
    assert comparisons.compared_with([SECOND_JOB]) == {}
    assert jobs.get_job(FIRST).id == FIRST


def test_ready_jobs_of_earlier_versions_become_due(collection: Collection[dict[str, Any]]) -> None:
    jobs = MongoEncodeJobs(collection, lambda: NOON)
    ready(jobs, FIRST)
    collection.update_one({"_id": FIRST}, {"$unset": {"intros_due_at": ""}})
    comparisons = MongoComparisons(collection, lambda: NOON)
    assert [each.job_id for each in comparisons.take_due(now=NOON, again_at=NOON + DAY, limit=9)] == [FIRST]
