"""Encodes of renditions on demand: the contract of the stores in memory and in Mongo."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.encoding.model import JobStatus, Transition
from functions.encoding.on_demand.store import MongoOnDemandEncodes
from functions.encoding.on_demand_encode import REUSED, TRIED_AGAIN, OnDemandEncode, OnDemandStatus
from functions.encoding.repository import MongoEncodeJobs
from tests.support.clock import NOON
from tests.support.encoding_job_stores import JOB, THREADS, in_parallel, with_status
from tests.support.encoding_jobs import MemoryEncodeJobs
from tests.support.encoding_plans import make_job
from tests.support.on_demand import MemoryOnDemandEncodes

if TYPE_CHECKING:
    from functions.encoding.on_demand.ports import OnDemandEncodes
    from functions.encoding.ports import EncodeJobs

SECOND = timedelta(seconds=1)
CODECS = {"v540": "avc1.64001f"}


@pytest.fixture
def encodes(jobs: EncodeJobs) -> OnDemandEncodes:
    """Return the encodes on demand of the jobs in the store."""
    if isinstance(jobs, MemoryEncodeJobs):
        return MemoryOnDemandEncodes(jobs)
    assert isinstance(jobs, MongoEncodeJobs)
    return MongoOnDemandEncodes(jobs._collection)


def ready(jobs: EncodeJobs, job_id: str = JOB) -> None:
    """Open a job and complete it."""
    jobs.add_job(make_job(job_id))
    with_status(jobs, job_id, JobStatus.READY)


def finish(encodes: OnDemandEncodes, *chunks: int) -> OnDemandEncode | None:
    """Record chunks as stored, and return the encode."""
    found: OnDemandEncode | None = None
    for chunk in chunks:
        found = encodes.finish_chunk(JOB, chunk, size=1000 + chunk, codecs=CODECS, cpu_s=2.5)
    return found


def complete(jobs: EncodeJobs, encodes: OnDemandEncodes) -> OnDemandEncode:
    """Begin and complete an encode of two chunks."""
    ready(jobs)
    encodes.note_wanted(JOB, at=NOON)
    assert encodes.begin_encode(JOB, at=NOON)
    finish(encodes, 0, 1)
    found = encodes.complete_encode(JOB, chunks=2)
    assert found
    encodes.end_encode(JOB, edition=found.edition, at=NOON)
    return found


def test_an_encode_begins_once_and_only_when_the_job_is_ready(jobs: EncodeJobs, encodes: OnDemandEncodes) -> None:
    jobs.add_job(make_job("dddddddddddd"))
    assert encodes.note_wanted("dddddddddddd", at=NOON) is None
    assert encodes.begin_encode("dddddddddddd", at=NOON) is None
    ready(jobs)
    assert encodes.note_wanted(JOB, at=NOON) is None
    begun = in_parallel(lambda _: encodes.begin_encode(JOB, at=NOON))
    assert [each for each in begun if each] == [OnDemandEncode(OnDemandStatus.ENCODING, NOON)]
    assert jobs.get_job(JOB).on_demand == OnDemandEncode(OnDemandStatus.ENCODING, NOON)
    assert encodes.note_wanted(JOB, at=NOON) == jobs.get_job(JOB).on_demand


def test_of_unfinished_encodes_the_one_that_was_wanted_last_is_listed_first(
    jobs: EncodeJobs, encodes: OnDemandEncodes
) -> None:
    for number, job_id in enumerate(("bbbbbbbbbbbb", JOB, "cccccccccccc")):
        ready(jobs, job_id)
        encodes.begin_encode(job_id, at=NOON - number * SECOND)
    assert encodes.list_unfinished(limit=9) == ["bbbbbbbbbbbb", JOB, "cccccccccccc"]
    encodes.note_wanted("cccccccccccc", at=NOON + SECOND)
    assert encodes.list_unfinished(limit=9) == ["cccccccccccc", "bbbbbbbbbbbb", JOB]
    assert encodes.list_unfinished(limit=1) == ["cccccccccccc"]
    jobs.change_status("cccccccccccc", Transition.REPAIR)
    encodes.abandon_encode("bbbbbbbbbbbb", reason="The upload is gone.")
    assert encodes.list_unfinished(limit=9) == ["bbbbbbbbbbbb", JOB], "manifests may still list it"
    for edition, left in ((0, ["bbbbbbbbbbbb", JOB]), (1, [JOB])):
        encodes.end_encode("bbbbbbbbbbbb", edition=edition, at=NOON)
        assert encodes.list_unfinished(limit=9) == left


def test_chunks_are_counted_once_and_the_encode_completes_with_the_last(
    jobs: EncodeJobs, encodes: OnDemandEncodes
) -> None:
    ready(jobs)
    assert encodes.count_attempt(JOB, 1, by=1) is None, "there is no encode"
    encodes.begin_encode(JOB, at=NOON)
    in_parallel(lambda _: encodes.count_attempt(JOB, 1, by=1))
    counted = encodes.count_attempt(JOB, 1, by=-1)
    assert counted
    assert counted.attempts == {"1": THREADS - 1}
    found = finish(encodes, 1, 1, 0, 2)
    assert found
    assert sorted(found.done) == [0, 1, 2]
    assert (found.size, found.cpu_s, dict(found.attempts)) == (3003, 7.5, {})
    assert (found.sizes, found.codecs) == ({"0": 1000, "1": 1001, "2": 1002}, CODECS)
    assert encodes.complete_encode(JOB, chunks=4) is None
    encodes.end_encode(JOB, edition=0, at=NOON)
    assert encodes.list_unfinished(limit=9) == [JOB], "an encode that is being made does not end"
    finish(encodes, 3)
    complete = encodes.complete_encode(JOB, chunks=4)
    assert complete == jobs.get_job(JOB).on_demand
    assert complete
    assert (complete.status, complete.ended_at, complete.edition) == (OnDemandStatus.COMPLETE, None, 1)
    assert encodes.complete_encode(JOB, chunks=4) is None
    assert encodes.list_unfinished(limit=9) == [JOB], "no manifest may list it yet"
    for at in (NOON + SECOND, NOON + 2 * SECOND):
        encodes.end_encode(JOB, edition=1, at=at)
    assert encodes.list_unfinished(limit=9) == []
    ended = jobs.get_job(JOB).on_demand
    assert ended
    assert ended.ended_at == NOON + SECOND
    summary = jobs.find_summary(JOB)
    assert summary
    assert summary.on_demand
    assert sorted(summary.on_demand.done) == [0, 1, 2, 3]
    assert (summary.on_demand.size, dict(summary.on_demand.sizes)) == (4006, {})


def test_lost_chunks_of_a_complete_encode_make_it_unfinished(jobs: EncodeJobs, encodes: OnDemandEncodes) -> None:
    ready(jobs, "bbbbbbbbbbbb")
    assert encodes.undo_chunks("bbbbbbbbbbbb", {0}) is None
    complete(jobs, encodes)
    undone = encodes.undo_chunks(JOB, {1, 7})
    assert undone == jobs.get_job(JOB).on_demand
    assert undone
    assert (undone.status, sorted(undone.done), undone.edition) == (OnDemandStatus.ENCODING, [0], 2)
    assert (undone.size, dict(undone.sizes), undone.ended_at) == (1000, {"0": 1000}, None)
    assert encodes.list_unfinished(limit=9) == [JOB]


def test_renditions_leave_only_if_nobody_has_wanted_them_since(jobs: EncodeJobs, encodes: OnDemandEncodes) -> None:
    complete(jobs, encodes)
    assert encodes.list_unwanted(since=NOON - SECOND, limit=9) == []
    assert encodes.list_unwanted(since=NOON, limit=9) == [JOB]
    encodes.note_wanted(JOB, at=NOON + SECOND)
    assert encodes.list_unwanted(since=NOON, limit=9) == []
    assert not encodes.begin_removal(JOB, since=NOON)
    assert encodes.begin_removal(JOB, since=NOON + SECOND)
    leaving = encodes.note_wanted(JOB, at=NOON + 2 * SECOND)
    assert leaving
    assert (leaving.status, leaving.edition) == (OnDemandStatus.LEAVING, 2)
    assert encodes.begin_encode(JOB, at=NOON + 2 * SECOND) is None
    assert encodes.list_unwanted(since=NOON + SECOND, limit=9) == [JOB], "an interrupted removal is repeated"
    assert encodes.begin_removal(JOB, since=NOON + SECOND)
    encodes.end_removal(JOB, at=NOON + 3 * SECOND)
    removed = jobs.get_job(JOB).on_demand
    assert removed
    assert (removed.status, removed.ended_at, removed.edition) == (OnDemandStatus.REMOVED, NOON + 3 * SECOND, 2)
    assert encodes.list_unwanted(since=NOON + 9 * SECOND, limit=9) == []
    assert not encodes.begin_removal(JOB, since=NOON + 9 * SECOND)


@pytest.mark.parametrize(("later", "kept"), [(REUSED - SECOND, [0, 1]), (REUSED, [])])
def test_removed_renditions_begin_once_more_with_the_files_that_stay(
    jobs: EncodeJobs, encodes: OnDemandEncodes, later: timedelta, kept: list[int]
) -> None:
    complete(jobs, encodes)
    encodes.begin_removal(JOB, since=NOON)
    encodes.end_removal(JOB, at=NOON)
    begun = [each for each in in_parallel(lambda _: encodes.begin_encode(JOB, at=NOON + later)) if each]
    assert begun == [jobs.get_job(JOB).on_demand]
    assert (begun[0].status, sorted(begun[0].done), begun[0].begun_at) == (OnDemandStatus.ENCODING, kept, NOON + later)
    assert (begun[0].size, set(begun[0].sizes)) == (2001 if kept else 0, {str(chunk) for chunk in kept})
    assert (begun[0].cpu_s, begun[0].edition) == (5.0, 2)
    assert encodes.list_unwanted(since=NOON + later, limit=9) == []
    assert encodes.list_unfinished(limit=9) == [JOB]


def test_an_encode_that_was_given_up_begins_again_later_and_from_the_start(
    jobs: EncodeJobs, encodes: OnDemandEncodes
) -> None:
    ready(jobs)
    encodes.begin_encode(JOB, at=NOON)
    finish(encodes, 0)
    abandoned = encodes.abandon_encode(JOB, reason="The upload is gone.")
    assert abandoned
    assert (abandoned.status, abandoned.reason) == (OnDemandStatus.ABANDONED, "The upload is gone.")
    assert encodes.begin_encode(JOB, at=NOON + 2 * TRIED_AGAIN) is None, "manifests may still list it"
    encodes.end_encode(JOB, edition=1, at=NOON)
    assert encodes.begin_encode(JOB, at=NOON + TRIED_AGAIN - SECOND) is None
    again = encodes.begin_encode(JOB, at=NOON + TRIED_AGAIN)
    assert again
    assert again == OnDemandEncode(OnDemandStatus.ENCODING, NOON + TRIED_AGAIN, cpu_s=2.5, codecs=CODECS, edition=1)
