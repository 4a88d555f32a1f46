"""Encodes in AV1: the contract of the stores in memory and in Mongo."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.encoding.av1.store import MongoAv1Encodes
from functions.encoding.av1_encode import Av1Encode, Av1Result, Av1Status
from functions.encoding.model import JobStatus, Transition
from functions.encoding.repository import MongoEncodeJobs
from tests.support.av1 import MemoryAv1Encodes
from tests.support.clock import NOON
from tests.support.encoding_job_stores import JOB, THREADS, in_parallel
from tests.support.encoding_jobs import MemoryEncodeJobs
from tests.support.encoding_plans import make_job, make_plan

if TYPE_CHECKING:
    from functions.encoding.av1.ports import Av1Encodes
    from functions.encoding.ports import EncodeJobs

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
RESULT = Av1Result(1000, {"av360": 300_000, "av234": 100_000})
CODECS = {"av360": "av01.0.01M.08", "av234": "av01.0.00M.08"}


@pytest.fixture
def encodes(jobs: EncodeJobs) -> Av1Encodes:
    """Return the encodes in AV1 of the jobs in the store."""
    if isinstance(jobs, MemoryEncodeJobs):
        return MemoryAv1Encodes(jobs)
    assert isinstance(jobs, MongoEncodeJobs)
    return MongoAv1Encodes(jobs._collection, lambda: NOON)


def ready(jobs: EncodeJobs, job_id: str = JOB, *, due_after: timedelta = timedelta(0)) -> None:
    """Open a job and complete it."""
    jobs.add_job(make_job(job_id))
    jobs.change_status(job_id, Transition.START_PLANNING)
    jobs.change_status(job_id, Transition.FINISH_PLANNING, plan=make_plan(), planned_at=NOON)
    assert jobs.change_status(job_id, Transition.COMPLETE, av1_due_at=NOON + due_after)


def finish(encodes: Av1Encodes, *chunks: int) -> Av1Encode | None:
    """Record chunks as stored, and return the encode."""
    found: Av1Encode | None = None
    for chunk in chunks:
        found = encodes.finish_chunk(JOB, chunk, result=RESULT, codecs=CODECS, cpu_s=2.5)
    return found


def test_a_ready_job_is_decided_once_a_day_until_its_encode_begins(jobs: EncodeJobs, encodes: Av1Encodes) -> None:
    ready(jobs, "bbbbbbbbbbbb", due_after=-SECOND)
    ready(jobs, JOB)
    ready(jobs, "cccccccccccc", due_after=SECOND)
    jobs.add_job(make_job("dddddddddddd"))
    assert encodes.take_undecided(now=NOON, again_at=NOON + DAY, limit=1) == ["bbbbbbbbbbbb"]
    assert encodes.take_undecided(now=NOON, again_at=NOON + DAY, limit=9) == [JOB]
    assert encodes.take_undecided(now=NOON, again_at=NOON + DAY, limit=9) == []
    assert encodes.begin_encode(JOB, at=NOON, reason="It pays.")
    again = encodes.take_undecided(now=NOON + DAY, again_at=NOON + 2 * DAY, limit=9)
    assert sorted(again) == ["bbbbbbbbbbbb", "cccccccccccc"]


def test_an_encode_begins_once_and_only_when_the_job_is_ready(jobs: EncodeJobs, encodes: Av1Encodes) -> None:
    jobs.add_job(make_job("dddddddddddd"))
    assert not encodes.begin_encode("dddddddddddd", at=NOON, reason="It pays.")
    ready(jobs)
    begun = in_parallel(lambda _: encodes.begin_encode(JOB, at=NOON, reason="It pays."))
    assert sum(begun) == 1
    assert jobs.get_job(JOB).av1 == Av1Encode(Av1Status.ENCODING, NOON, "It pays.")


def test_unfinished_encodes_are_listed_in_the_order_in_which_they_began(jobs: EncodeJobs, encodes: Av1Encodes) -> None:
    for number, job_id in enumerate(("bbbbbbbbbbbb", JOB, "cccccccccccc")):
        ready(jobs, job_id)
        encodes.begin_encode(job_id, at=NOON - number * SECOND, reason="It pays.")
    assert encodes.list_unfinished(limit=9) == ["cccccccccccc", JOB, "bbbbbbbbbbbb"]
    assert encodes.list_unfinished(limit=1) == ["cccccccccccc"]
    jobs.change_status("cccccccccccc", Transition.REPAIR)
    encodes.abandon_encode("bbbbbbbbbbbb", reason="The upload is gone.")
    assert encodes.list_unfinished(limit=9) == [JOB, "bbbbbbbbbbbb"], "manifests may still list it"
    for edition, left in ((0, [JOB, "bbbbbbbbbbbb"]), (1, [JOB])):
        encodes.end_encode("bbbbbbbbbbbb", edition=edition, at=NOON)
        assert encodes.list_unfinished(limit=9) == left
    assert jobs.get_job("bbbbbbbbbbbb").av1 == Av1Encode(
        Av1Status.ABANDONED, NOON, "The upload is gone.", ended_at=NOON, edition=1
    )


def test_chunks_are_counted_once_and_the_encode_completes_with_the_last(jobs: EncodeJobs, encodes: Av1Encodes) -> None:
    ready(jobs)
    encodes.begin_encode(JOB, at=NOON, reason="It pays.")
    counted = encodes.count_attempt(JOB, 1, by=1)
    assert counted
    assert counted.attempts == {"1": 1}
    found = finish(encodes, 1, 1, 0, 2)
    assert found
    assert sorted(found.done) == [0, 1, 2]
    assert (found.size, found.cpu_s, dict(found.attempts)) == (3000, 7.5, {})
    assert found.results == {"0": RESULT, "1": RESULT, "2": RESULT}
    assert found.codecs == CODECS
    assert encodes.complete_encode(JOB, chunks=4) is None
    encodes.end_encode(JOB, edition=0, at=NOON)
    assert encodes.list_unfinished(limit=9) == [JOB], "an encode that is being made does not end"
    finish(encodes, 3)
    complete = encodes.complete_encode(JOB, chunks=4)
    assert complete == jobs.get_job(JOB).av1
    assert complete
    assert (complete.status, complete.ended_at, complete.edition) == (Av1Status.COMPLETE, None, 1)
    assert encodes.complete_encode(JOB, chunks=4) is None
    assert encodes.list_unfinished(limit=9) == [JOB], "no manifest may list it yet"
    for at in (NOON + SECOND, NOON + 2 * SECOND):
        encodes.end_encode(JOB, edition=1, at=at)
    assert encodes.list_unfinished(limit=9) == []
    ended = jobs.get_job(JOB).av1
    assert ended
    assert ended.ended_at == NOON + SECOND
    summary = jobs.find_summary(JOB)
    assert summary
    assert summary.av1
    assert sorted(summary.av1.done) == [0, 1, 2, 3]
    assert (summary.av1.size, dict(summary.av1.results)) == (4000, {})


def test_an_attempt_that_was_not_the_fault_of_the_chunk_is_taken_back(jobs: EncodeJobs, encodes: Av1Encodes) -> None:
    ready(jobs)
    assert encodes.count_attempt(JOB, 0, by=1) is None, "there is no encode"
    encodes.begin_encode(JOB, at=NOON, reason="It pays.")
    in_parallel(lambda _: encodes.count_attempt(JOB, 0, by=1))
    counted = encodes.count_attempt(JOB, 0, by=-1)
    assert counted
    assert counted.attempts == {"0": THREADS - 1}


def test_lost_chunks_of_a_complete_encode_make_it_unfinished(jobs: EncodeJobs, encodes: Av1Encodes) -> None:
    ready(jobs)
    assert encodes.undo_chunks(JOB, {0}) is None
    encodes.begin_encode(JOB, at=NOON, reason="It pays.")
    finish(encodes, 0, 1, 2, 3)
    undone = encodes.undo_chunks(JOB, {3})
    assert undone
    assert (undone.status, undone.size, undone.edition) == (Av1Status.ENCODING, 3000, 0)
    finish(encodes, 3)
    encodes.complete_encode(JOB, chunks=4)
    undone = encodes.undo_chunks(JOB, {1, 2, 7})
    assert undone == jobs.get_job(JOB).av1
    assert undone
    assert (undone.status, sorted(undone.done), undone.edition) == (Av1Status.ENCODING, [0, 3], 2)
    assert (undone.size, set(undone.results), undone.ended_at) == (2000, {"0", "3"}, None)
    assert encodes.list_unfinished(limit=9) == [JOB]


def test_jobs_of_earlier_versions_are_due(jobs: EncodeJobs, encodes: Av1Encodes) -> None:
    if isinstance(jobs, MemoryEncodeJobs):
        pytest.skip("Only documents in Mongo outlive a version.")
    assert isinstance(jobs, MongoEncodeJobs)
    ready(jobs)
    jobs._collection.update_one({"_id": JOB}, {"$unset": {"av1_due_at": ""}})
    assert jobs.get_job(JOB).status is JobStatus.READY
    assert encodes.take_undecided(now=NOON, again_at=NOON + DAY, limit=9) == [JOB]
