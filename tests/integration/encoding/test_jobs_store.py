"""The job store in Mongo and the fake of the unit tests satisfy the same contract: repeated calls change nothing."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient
from pymongo.monitoring import CommandListener

from functions.encoding.model import JobStatus, StepFault, TextPlan, TrackState, Transition, position_of
from functions.encoding.repository import MongoEncodeJobs
from functions.platform.errors import NotFound
from tests.support.catalogue import NOON
from tests.support.encoding import MemoryEncodeJobs, make_job, make_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymongo.collection import Collection
    from pymongo.monitoring import CommandFailedEvent, CommandStartedEvent, CommandSucceededEvent

    from functions.encoding.model import EncodeJob
    from functions.encoding.ports import EncodeJobs
    from tests.integration.conftest import Stack

JOB = "0123456789ab"
THREADS = 8


@contextmanager
def mongo_collection(stack: Stack) -> Iterator[Collection[dict[str, Any]]]:
    """Yield an empty collection; drop it after the test."""
    client: MongoClient[dict[str, Any]] = MongoClient(stack.settings.mongo_url, tz_aware=True)
    name = f"test_{uuid.uuid4().hex[:12]}"
    with client:
        yield client[name]["encode_jobs"]
        client.drop_database(name)


@pytest.fixture(params=["memory", "mongo"])
def jobs(request: pytest.FixtureRequest) -> Iterator[EncodeJobs]:
    """Return an empty store, either the fake or the real one; each test runs with both."""
    if request.param == "memory":
        yield MemoryEncodeJobs()
        return
    with mongo_collection(request.getfixturevalue("stack")) as collection:
        yield MongoEncodeJobs(collection, lambda: NOON)


def in_parallel(step: Any) -> list[Any]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(step, range(THREADS)))


def test_job_comes_back_as_it_was_opened(jobs: EncodeJobs) -> None:
    job = make_job(JOB, uploaded_at=NOON - timedelta(seconds=3))
    assert jobs.add_job(job)
    assert jobs.get_job(JOB) == job
    with pytest.raises(NotFound):
        jobs.get_job("nothing")


def test_job_is_opened_once(jobs: EncodeJobs) -> None:
    assert jobs.add_job(make_job(JOB, size=1))
    assert not jobs.add_job(make_job(JOB, size=2))
    assert jobs.get_job(JOB).size == 1


def test_of_many_who_open_a_job_one_does(jobs: EncodeJobs) -> None:
    assert sum(in_parallel(lambda number: jobs.add_job(make_job(JOB, size=number)))) == 1


def with_status(jobs: EncodeJobs, job_id: str, status: JobStatus) -> EncodeJob:
    """Bring a newly opened job into a given status."""
    way = {
        JobStatus.QUEUED: (),
        JobStatus.PLANNING: (Transition.START_PLANNING,),
        JobStatus.ENCODING: (Transition.START_PLANNING, Transition.FINISH_PLANNING),
        JobStatus.READY: (Transition.START_PLANNING, Transition.FINISH_PLANNING, Transition.COMPLETE),
        JobStatus.FAILED: (Transition.FAIL,),
    }
    for transition in way[status]:
        assert jobs.change_status(job_id, transition)
    return jobs.get_job(job_id)


def test_plan_comes_back_as_it_was_stored(jobs: EncodeJobs) -> None:
    jobs.add_job(make_job(JOB))
    plan = make_plan(
        rate=Fraction(30_000, 1001), text=(TextPlan("t0", "en", "English", None, "film.en.srt"),), shift=Fraction(1, 48)
    )
    with_status(jobs, JOB, JobStatus.PLANNING)
    job = jobs.change_status(JOB, Transition.FINISH_PLANNING, plan=plan, planned_at=NOON)
    assert job == jobs.get_job(JOB)
    assert job
    assert (job.status, job.plan, job.planned_at) == (JobStatus.ENCODING, plan, NOON)


def test_transition_happens_only_from_its_sources(jobs: EncodeJobs) -> None:
    jobs.add_job(make_job(JOB))
    assert jobs.change_status(JOB, Transition.RETRY_ENCODING, reason="no") is None
    assert jobs.change_status("nothing", Transition.FAIL) is None
    assert jobs.get_job(JOB) == make_job(JOB)
    failed = jobs.change_status(JOB, Transition.FAIL, reason="It is text.", ended_at=NOON)
    assert failed == jobs.get_job(JOB)
    assert jobs.change_status(JOB, Transition.FAIL, reason="Another.") is None
    assert jobs.get_job(JOB).reason == "It is text."
    retried = jobs.change_status(JOB, Transition.RETRY_PLANNING, reason=None, fault=None, ended_at=None)
    assert retried
    assert (retried.status, retried.reason, retried.ended_at) == (JobStatus.QUEUED, None, None)


@pytest.mark.parametrize(("status", "transition"), list(product(JobStatus, Transition)))
def test_every_transition_from_every_state_is_as_the_table_says(
    jobs: EncodeJobs, status: JobStatus, transition: Transition
) -> None:
    jobs.add_job(make_job(JOB))
    with_status(jobs, JOB, status)
    changed = jobs.change_status(JOB, transition)
    assert (changed is not None) == (status in transition.sources)
    assert jobs.get_job(JOB).status is (transition.target if changed else status)


def test_of_many_transitions_at_once_one_happens(jobs: EncodeJobs) -> None:
    jobs.add_job(make_job(JOB))
    won = [bool(job) for job in in_parallel(lambda n: jobs.change_status(JOB, Transition.FAIL, reason=str(n)))]
    assert sum(won) == 1
    assert jobs.get_job(JOB).reason == str(won.index(True))


def test_chunk_is_counted_once_with_its_cpu_time(jobs: EncodeJobs) -> None:
    job = make_job(JOB, plan=make_plan())
    jobs.add_job(job)
    in_parallel(lambda _: jobs.finish_chunk(job, 3, codecs={"v360": "avc1.64001e"}, cpu_s=2.5, tail=997))
    after = jobs.finish_chunk(job, 1, codecs={"v234": "avc1.64000d"}, cpu_s=0.25, tail=None)
    assert after == jobs.get_job(JOB)
    assert (set(after.chunks_done), after.cpu_s, after.tail_frames) == ({1, 3}, 2.75, 997)
    assert after.codecs == {"v360": "avc1.64001e", "v234": "avc1.64000d"}


def test_chunks_that_finish_at_once_are_all_counted(jobs: EncodeJobs) -> None:
    job = make_job(JOB, plan=make_plan(runs=(1,) * 11))
    jobs.add_job(job)
    in_parallel(lambda index: jobs.finish_chunk(job, index, codecs={}, cpu_s=1.0, tail=None))
    after = jobs.get_job(JOB)
    assert (set(after.chunks_done), after.cpu_s) == (set(range(THREADS)), THREADS)
    summary = jobs.find_summary(JOB)
    assert summary
    assert (summary.chunks_done, summary.segments_stored) == (THREADS, THREADS)


def test_running_chunk_never_decreases_and_is_gone_when_it_is_done(jobs: EncodeJobs) -> None:
    job = make_job(JOB)
    jobs.add_job(job)
    for segments in (1, 3, 2, 3):
        after = jobs.advance_chunk(job, 0, segments, codecs={"v360": "avc1"})
        assert after == jobs.get_job(JOB)
    jobs.advance_chunk(job, 11, 1, codecs={})
    assert dict(jobs.get_job(JOB).live) == {"0": 3, "11": 1}
    assert jobs.get_job(JOB).codecs == {"v360": "avc1"}
    jobs.finish_chunk(job, 0, codecs={"v360": "avc1"}, cpu_s=1.0, tail=None)
    assert dict(jobs.advance_chunk(job, 0, 1, codecs={"v360": "avc1"}).live) == {"11": 1}
    assert dict(jobs.get_job(JOB).live) == {"11": 1}


def test_track_never_decreases_until_it_is_complete(jobs: EncodeJobs) -> None:
    job = make_job(JOB)
    jobs.add_job(job)
    first, second, end = TrackState(1, 100), TrackState(2, 200), TrackState(3, 250, complete=True)
    for state, kept in ((first, first), (second, second), (first, second), (second, second), (end, end), (first, end)):
        assert jobs.advance_track(job, "a0", state, codec="mp4a.40.2").tracks == {"a0": kept}
        assert jobs.get_job(JOB).tracks == {"a0": kept}
    jobs.advance_track(job, "t0", TrackState(complete=True), codec=None)
    jobs.advance_track(job, "a0", end, codec="mp4a.40.2")
    after = jobs.get_job(JOB)
    assert after.tracks == {"a0": end, "t0": TrackState(complete=True)}
    assert after.codecs == {"a0": "mp4a.40.2"}


def test_last_fault_is_kept_and_so_is_the_first_publication(jobs: EncodeJobs) -> None:
    job = make_job(JOB)
    jobs.add_job(job)
    one, two = StepFault("One."), StepFault("Two.", passing=True)
    jobs.note_fault(JOB, "chunk 1", one)
    jobs.note_fault(JOB, "chunk 2", two)
    for front_s, hours in ((4.0, 0), (12.0, 1), (8.0, 2)):
        after = jobs.note_published(job, front_s=front_s, at=NOON + timedelta(hours=hours))
    assert after == jobs.get_job(JOB)
    assert (after.fault, after.playable_at) == ("Two.", NOON)
    assert after.faults == {"chunk 1": one, "chunk 2": two}
    summary = jobs.find_summary(JOB)
    assert summary
    assert (summary.front_s, summary.playable_at) == (12.0, NOON)


def test_summary_follows_the_job(jobs: EncodeJobs) -> None:
    jobs.add_job(make_job(JOB))
    summary = jobs.find_summary(JOB)
    assert summary
    assert (summary.duration_s, summary.chunks, summary.segments, summary.segments_stored) == (None, 0, 0, 0)
    with_status(jobs, JOB, JobStatus.PLANNING)
    job = jobs.change_status(JOB, Transition.FINISH_PLANNING, plan=make_plan(), planned_at=NOON)
    assert job
    jobs.advance_chunk(job, 0, 1, codecs={})
    jobs.advance_chunk(job, 1, 2, codecs={})
    for _ in range(2):
        job = jobs.finish_chunk(job, 2, codecs={"v360": "avc1"}, cpu_s=2.0, tail=None)
    summary = jobs.find_summary(JOB)
    assert summary
    assert (summary.chunks, summary.chunks_done, summary.segments, summary.segments_stored) == (4, 1, 11, 7)
    assert (summary.duration_s, summary.cpu_s, summary.name) == (float(make_plan().duration), 2.0, "film.mkv")
    assert jobs.latest_summary(job.title_id) == summary
    assert jobs.list_summaries(below=None, limit=9) == [summary]
    assert jobs.find_summary("nothing") is None


def test_everything_twice_is_everything_once(jobs: EncodeJobs) -> None:
    def happen(job_id: str, times: int) -> EncodeJob:
        job = make_job(job_id)
        for _ in range(times):
            jobs.add_job(job)
            jobs.advance_chunk(job, 0, 1, codecs={"v360": "avc1"})
        for _ in range(times):
            jobs.finish_chunk(job, 0, codecs={"v360": "avc1"}, cpu_s=1.5, tail=960)
            jobs.advance_track(job, "a0", TrackState(1, 100), codec="mp4a")
            jobs.note_fault(job_id, "publish", StepFault("Once."))
            jobs.note_published(job, front_s=4.0, at=NOON)
            jobs.change_status(job_id, Transition.FAIL, reason="Ended.", ended_at=NOON)
        return jobs.get_job(job_id)

    assert replace(happen("once", 1), id="") == replace(happen("twice", 3), id="")


def test_newest_job_of_a_title_and_of_all(jobs: EncodeJobs) -> None:
    for number, title_id in enumerate(("a", "b", "a", "c")):
        jobs.add_job(make_job(f"{number}", title_id=title_id, created_at=NOON + timedelta(seconds=number)))
    latest = jobs.latest_summary("a")
    assert latest
    assert latest.id == "2"
    assert jobs.latest_summary("d") is None
    newest = jobs.list_summaries(below=None, limit=3)
    assert [job.id for job in newest] == ["3", "2", "1"]
    assert [job.id for job in jobs.list_summaries(below=position_of(newest[1]), limit=3)] == ["1", "0"]


def test_jobs_of_one_moment_are_listed_by_id(jobs: EncodeJobs) -> None:
    for job_id in ("b", "c", "a"):
        jobs.add_job(make_job(job_id))
    assert [job.id for job in jobs.list_summaries(below=None, limit=9)] == ["c", "b", "a"]
    assert [job.id for job in jobs.list_summaries(below=position_of(make_job("b")), limit=9)] == ["a"]


def test_newer_job_ends_the_open_ones_before_it_and_no_other(jobs: EncodeJobs) -> None:
    for number, (title_id, status) in enumerate(
        (("a", JobStatus.READY), ("a", JobStatus.ENCODING), ("b", JobStatus.QUEUED), ("a", JobStatus.QUEUED))
    ):
        jobs.add_job(
            make_job(f"{number}", title_id=title_id, status=status, created_at=NOON + timedelta(seconds=number))
        )
    newer = make_job("4", title_id="a", created_at=NOON + timedelta(seconds=2))
    jobs.add_job(newer)
    for reason in ("A newer one.", "Said again."):
        jobs.supersede_jobs(newer, reason=reason, at=NOON)
    found = sorted(jobs.list_summaries(below=None, limit=9), key=lambda job: job.id)
    assert [(job.id, job.status, job.reason) for job in found] == [
        ("0", JobStatus.READY, None),
        ("1", JobStatus.FAILED, "A newer one."),
        ("2", JobStatus.QUEUED, None),
        ("3", JobStatus.QUEUED, None),
        ("4", JobStatus.QUEUED, None),
    ]
    assert jobs.get_job("1").ended_at == NOON


def test_open_jobs_that_have_not_changed_are_found_and_others_never(jobs: EncodeJobs) -> None:
    early = NOON - timedelta(hours=2)
    for job_id, changed_at in (("stalled", early), ("changed", NOON)):
        jobs.add_job(make_job(job_id, updated_at=changed_at))
    jobs.add_job(make_job("over", updated_at=early, status=JobStatus.FAILED))
    assert [job.id for job in jobs.take_stalled(since=NOON - timedelta(hours=1))] == ["stalled"]
    assert jobs.take_stalled(since=NOON - timedelta(hours=1)) == []


def test_documents_of_the_version_before_are_listed_with_a_summary(stack: Stack) -> None:
    with mongo_collection(stack) as collection:
        jobs = MongoEncodeJobs(collection, lambda: NOON)
        plan = make_plan(audio=())
        job = make_job(JOB, plan=plan, status=JobStatus.ENCODING, chunks_done=frozenset({0, 1}), live={"2": 1})
        jobs.add_job(replace(job, codecs={"v360": "avc1", "v234": "avc1"}))
        added = jobs.find_summary(JOB)
        collection.update_one(
            {"_id": JOB}, {"$unset": {"position": "", "summary": "", "faults": ""}, "$set": {"fault": "It broke."}}
        )
        later = MongoEncodeJobs(collection, lambda: NOON)
        (found,) = later.list_summaries(below=None, limit=9)
        assert added
        assert found == replace(added, fault="It broke.")
        assert (found.segments_stored, found.chunks_done, found.front_s) == (5, 2, 20.0)
        assert later.get_job(JOB).faults == {}


def test_list_reads_no_plan(stack: Stack) -> None:
    """The plan of a two-hour film has 258 chunks, so listing a hundred jobs must not read a hundred such plans."""
    with mongo_collection(stack) as collection:
        jobs = MongoEncodeJobs(collection, lambda: NOON)
        jobs.add_job(make_job(JOB, plan=make_plan()))
        listener = ReadFields()
        client: MongoClient[dict[str, Any]] = MongoClient(
            stack.settings.mongo_url, tz_aware=True, event_listeners=[listener]
        )
        with client:
            watched = client[collection.database.name][collection.name]
            MongoEncodeJobs(watched, lambda: NOON).list_summaries(below=None, limit=9)
        assert listener.fields
        assert not listener.fields & {"plan", "chunks_done", "codecs", "tracks"}


class ReadFields(CommandListener):
    """Records the fields of the documents that a sorted `find` returned."""

    def __init__(self) -> None:
        self.fields: set[str] = set()

    def started(self, event: CommandStartedEvent) -> None:
        del event

    def succeeded(self, event: CommandSucceededEvent) -> None:
        for document in event.reply.get("cursor", {}).get("firstBatch", ()):
            if "_id" in document:
                self.fields |= set(document)

    def failed(self, event: CommandFailedEvent) -> None:
        del event
