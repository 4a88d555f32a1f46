"""The viewers who wait for parts of films: the contract of the stores in memory and in Mongo."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.encoding.audience import WAIT_LASTS, Audience, ChunkWait, ListedPart
from functions.encoding.audience_store import MongoAudience
from functions.encoding.model import Transition
from functions.encoding.repository import MongoEncodeJobs
from tests.support.clock import NOON
from tests.support.encoding_jobs import MemoryEncodeJobs
from tests.support.encoding_plans import make_job, make_plan

if TYPE_CHECKING:
    from pymongo.collection import Collection

    from functions.encoding.model import EncodeJob
    from functions.encoding.ports import AudienceStore, EncodeJobs

JOB = "0123456789ab"
SECOND = timedelta(seconds=1)


@pytest.fixture
def audience(jobs: EncodeJobs) -> AudienceStore:
    """Return the viewers of the jobs in the store."""
    if isinstance(jobs, MemoryEncodeJobs):
        return jobs
    assert isinstance(jobs, MongoEncodeJobs)
    return MongoAudience(jobs._collection)


def encoding(jobs: EncodeJobs, job_id: str = JOB) -> EncodeJob:
    """Open and plan a job of a film of four chunks."""
    jobs.add_job(make_job(job_id))
    jobs.change_status(job_id, Transition.START_PLANNING)
    job = jobs.change_status(job_id, Transition.FINISH_PLANNING, plan=make_plan(), planned_at=NOON)
    assert job
    return job


def wait_for(chunk: int, *, after: timedelta = timedelta(0)) -> ChunkWait:
    return ChunkWait(chunk, from_s=16.0 * chunk, until_s=16.0 * chunk + 12.5, at=NOON + after)


def test_a_wait_is_stored_with_the_part_that_it_begins(jobs: EncodeJobs, audience: AudienceStore) -> None:
    job = encoding(jobs)
    assert job.audience == Audience()
    assert audience.add_wait(job, "ada", wait_for(2), begins_part=True)
    assert audience.add_wait(job, "bob", wait_for(3, after=SECOND), begins_part=False)
    stored = jobs.get_job(JOB).audience
    assert stored.waits == {"ada": wait_for(2), "bob": wait_for(3, after=SECOND)}
    assert stored.parts == {"2": ListedPart(32.0, 0.0)}
    assert stored.waited_at == NOON + SECOND
    summary = jobs.find_summary(JOB)
    assert summary and summary.audience == stored


def test_a_viewer_waits_for_one_chunk(jobs: EncodeJobs, audience: AudienceStore) -> None:
    job = encoding(jobs)
    for _ in range(2):  # a request may be repeated
        audience.add_wait(job, "ada", wait_for(2), begins_part=True)
    audience.add_wait(job, "ada", wait_for(3, after=SECOND), begins_part=True)
    assert jobs.get_job(JOB).audience.waits == {"ada": wait_for(3, after=SECOND)}
    assert set(jobs.get_job(JOB).audience.parts) == {"2", "3"}


def test_waits_that_have_expired_are_removed(jobs: EncodeJobs, audience: AudienceStore) -> None:
    job = encoding(jobs)
    audience.add_wait(job, "ada", wait_for(2), begins_part=False)
    audience.add_wait(jobs.get_job(JOB), "bob", wait_for(3, after=WAIT_LASTS), begins_part=False)
    assert set(jobs.get_job(JOB).audience.waits) == {"bob"}


def test_a_part_is_never_listed_less_than_before(jobs: EncodeJobs, audience: AudienceStore) -> None:
    job = encoding(jobs)
    audience.add_wait(job, "ada", wait_for(2), begins_part=True)
    audience.note_listed(JOB, {2: 44.5})
    audience.note_listed(JOB, {2: 40.0})
    audience.note_listed(JOB, {})
    audience.add_wait(jobs.get_job(JOB), "bob", wait_for(2), begins_part=True)
    assert jobs.get_job(JOB).audience.parts == {"2": ListedPart(32.0, 44.5)}


def test_only_jobs_for_which_somebody_waits_are_found(jobs: EncodeJobs, audience: AudienceStore) -> None:
    for job_id in ("aa", "bb", "cc", "dd"):
        encoding(jobs, job_id)
    audience.add_wait(jobs.get_job("aa"), "ada", wait_for(2), begins_part=True)
    audience.add_wait(jobs.get_job("bb"), "bob", wait_for(3, after=2 * SECOND), begins_part=True)
    audience.add_wait(jobs.get_job("dd"), "eve", wait_for(1, after=3 * SECOND), begins_part=True)
    jobs.change_status("dd", Transition.FAIL, reason="It failed.")
    works = {work.id: work for work in audience.awaited_works(since=NOON - SECOND)}
    assert sorted(works) == ["aa", "bb"]
    assert works["bb"].audience.awaited(NOON + 2 * SECOND) == {3: NOON + 2 * SECOND}
    assert works["aa"].chunks == 4
    assert [work.id for work in audience.awaited_works(since=NOON + SECOND)] == ["bb"]


@pytest.mark.parametrize("status", [Transition.FAIL, None])
def test_nobody_waits_for_a_job_that_is_not_being_encoded(
    jobs: EncodeJobs, audience: AudienceStore, status: Transition | None
) -> None:
    job = encoding(jobs) if status else make_job()
    if status:
        jobs.change_status(JOB, status, reason="It failed.")
    assert not audience.add_wait(job, "ada", wait_for(2), begins_part=True)
    assert audience.awaited_works(since=NOON - SECOND) == []


def test_a_job_of_an_earlier_version_has_no_viewers(collection: Collection[dict[str, Any]]) -> None:
    jobs = MongoEncodeJobs(collection, lambda: NOON)
    job = encoding(jobs)
    collection.update_one({"_id": JOB}, {"$unset": {"audience": ""}})
    assert jobs.get_job(JOB) == job
    assert [work.audience for work in jobs.list_work()] == [Audience()]
    assert MongoAudience(collection).add_wait(job, "ada", wait_for(2), begins_part=True)
    assert jobs.get_job(JOB).audience.parts == {"2": ListedPart(32.0)}
