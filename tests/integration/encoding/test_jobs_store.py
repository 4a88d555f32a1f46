"""The jobs in Mongo and the fake of the unit tests keep one contract: what comes twice changes nothing."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient

from functions.encoding.jobs import Jobs, JobStatus, MongoJobs, TrackState
from functions.encoding.model import TextPlan
from functions.platform.errors import NotFound
from tests.support.catalogue import NOON
from tests.support.encoding import MemoryJobs, make_job, make_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.encoding.jobs import EncodeJob
    from tests.integration.conftest import Stack

JOB = "0123456789ab"
OPEN = (JobStatus.QUEUED, JobStatus.PLANNING, JobStatus.ENCODING)
THREADS = 8


@pytest.fixture(params=["memory", "mongo"])
def jobs(request: pytest.FixtureRequest) -> Iterator[Jobs]:
    """Return an empty store of each kind."""
    if request.param == "memory":
        yield MemoryJobs()
        return
    stack: Stack = request.getfixturevalue("stack")
    client: MongoClient[dict[str, Any]] = MongoClient(stack.settings.mongo_url, tz_aware=True)
    name = f"test_{uuid.uuid4().hex[:12]}"
    with client:
        yield MongoJobs(client[name]["encode_jobs"])
        client.drop_database(name)


def timeless(job: EncodeJob) -> EncodeJob:
    """Return the job without the time of its last change."""
    return replace(job, updated_at=NOON)


def in_parallel(step: Any) -> list[Any]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(step, range(THREADS)))


def test_job_comes_back_as_it_was_opened(jobs: Jobs) -> None:
    job = make_job(JOB, uploaded_at=NOON - timedelta(seconds=3))
    assert jobs.open(job)
    assert jobs.get(JOB) == job
    with pytest.raises(NotFound):
        jobs.get("nothing")


def test_job_is_opened_once(jobs: Jobs) -> None:
    assert jobs.open(make_job(JOB, size=1))
    assert not jobs.open(make_job(JOB, size=2))
    assert jobs.get(JOB).size == 1


def test_of_many_who_open_a_job_one_does(jobs: Jobs) -> None:
    assert sum(in_parallel(lambda number: jobs.open(make_job(JOB, size=number)))) == 1


def test_plan_comes_back_as_it_was_kept(jobs: Jobs) -> None:
    jobs.open(make_job(JOB))
    plan = make_plan(
        rate=Fraction(30_000, 1001), text=(TextPlan("t0", "en", "English", None, "film.en.srt"),), shift=Fraction(1, 48)
    )
    assert jobs.move(JOB, away_from=OPEN, to=JobStatus.ENCODING, plan=plan, planned_at=NOON)
    job = jobs.get(JOB)
    assert (job.status, job.plan, job.planned_at) == (JobStatus.ENCODING, plan, NOON)


def test_move_happens_only_away_from_the_states_that_are_named(jobs: Jobs) -> None:
    jobs.open(make_job(JOB))
    assert not jobs.move(JOB, away_from=(JobStatus.FAILED,), to=JobStatus.ENCODING, reason="no")
    assert not jobs.move("nothing", away_from=OPEN, to=JobStatus.ENCODING)
    assert jobs.get(JOB) == make_job(JOB)
    assert jobs.move(JOB, away_from=OPEN, to=JobStatus.FAILED, reason="It is text.", ended_at=NOON)
    assert not jobs.move(JOB, away_from=OPEN, to=JobStatus.FAILED, reason="Another.")
    assert jobs.get(JOB).reason == "It is text."
    assert jobs.move(JOB, away_from=(JobStatus.FAILED,), to=JobStatus.ENCODING, reason=None, ended_at=None)
    assert (jobs.get(JOB).reason, jobs.get(JOB).ended_at) == (None, None)


def test_of_many_moves_at_once_one_happens(jobs: Jobs) -> None:
    jobs.open(make_job(JOB))
    won = in_parallel(lambda n: jobs.move(JOB, away_from=(JobStatus.QUEUED,), to=JobStatus.FAILED, reason=str(n)))
    assert sum(won) == 1
    assert jobs.get(JOB).reason == str(won.index(True))


def test_chunk_is_counted_once_with_its_cpu_time(jobs: Jobs) -> None:
    jobs.open(make_job(JOB))
    in_parallel(lambda _: jobs.finish_chunk(JOB, 3, codecs={"v360": "avc1.64001e"}, cpu_s=2.5, tail=997))
    jobs.finish_chunk(JOB, 1, codecs={"v234": "avc1.64000d"}, cpu_s=0.25, tail=None)
    job = jobs.get(JOB)
    assert (set(job.chunks_done), job.cpu_s, job.tail_frames) == ({1, 3}, 2.75, 997)
    assert job.codecs == {"v360": "avc1.64001e", "v234": "avc1.64000d"}


def test_chunks_that_finish_at_once_are_all_kept(jobs: Jobs) -> None:
    jobs.open(make_job(JOB))
    in_parallel(lambda index: jobs.finish_chunk(JOB, index, codecs={}, cpu_s=1.0, tail=None))
    job = jobs.get(JOB)
    assert (set(job.chunks_done), job.cpu_s) == (set(range(THREADS)), THREADS)


def test_running_chunk_only_rises_and_is_gone_when_it_is_done(jobs: Jobs) -> None:
    jobs.open(make_job(JOB))
    for segments in (1, 3, 2, 3):
        jobs.advance_chunk(JOB, 0, segments, codecs={"v360": "avc1"})
    jobs.advance_chunk(JOB, 11, 1, codecs={})
    assert dict(jobs.get(JOB).live) == {"0": 3, "11": 1}
    assert jobs.get(JOB).codecs == {"v360": "avc1"}
    jobs.finish_chunk(JOB, 0, codecs={"v360": "avc1"}, cpu_s=1.0, tail=None)
    jobs.advance_chunk(JOB, 0, 1, codecs={"v360": "avc1"})
    assert dict(jobs.get(JOB).live) == {"11": 1}


def test_track_only_rises_until_it_is_complete(jobs: Jobs) -> None:
    jobs.open(make_job(JOB))
    first, second, end = TrackState(1, 100), TrackState(2, 200), TrackState(3, 250, complete=True)
    for state, kept in ((first, first), (second, second), (first, second), (second, second), (end, end), (first, end)):
        jobs.advance_track(JOB, "a0", state, codec="mp4a.40.2")
        assert jobs.get(JOB).tracks == {"a0": kept}
    jobs.advance_track(JOB, "t0", TrackState(complete=True), codec=None)
    jobs.advance_track(JOB, "a0", end, codec="mp4a.40.2")
    job = jobs.get(JOB)
    assert job.tracks == {"a0": end, "t0": TrackState(complete=True)}
    assert job.codecs == {"a0": "mp4a.40.2"}


def test_notes_are_kept_and_the_first_picture_is_the_first(jobs: Jobs) -> None:
    jobs.open(make_job(JOB))
    jobs.note_fault(JOB, "One.")
    jobs.note_fault(JOB, "Two.")
    jobs.note_playable(JOB, NOON)
    jobs.note_playable(JOB, NOON + timedelta(hours=1))
    job = jobs.get(JOB)
    assert (job.fault, job.playable_at) == ("Two.", NOON)


def test_everything_twice_is_everything_once(jobs: Jobs) -> None:
    def happen(job_id: str, times: int) -> EncodeJob:
        for _ in range(times):
            jobs.open(make_job(job_id))
            jobs.advance_chunk(job_id, 0, 1, codecs={"v360": "avc1"})
        for _ in range(times):
            jobs.finish_chunk(job_id, 0, codecs={"v360": "avc1"}, cpu_s=1.5, tail=960)
            jobs.advance_track(job_id, "a0", TrackState(1, 100), codec="mp4a")
            jobs.note_fault(job_id, "Once.")
            jobs.note_playable(job_id, NOON)
            jobs.move(job_id, away_from=OPEN, to=JobStatus.READY, ended_at=NOON)
        return timeless(jobs.get(job_id))

    assert replace(happen("once", 1), id="") == replace(happen("twice", 3), id="")


def test_newest_job_of_a_title_and_of_all(jobs: Jobs) -> None:
    for number, title_id in enumerate(("a", "b", "a", "c")):
        jobs.open(make_job(f"{number}", title_id=title_id, created_at=NOON + timedelta(seconds=number)))
    latest = jobs.latest("a")
    assert latest
    assert latest.id == "2"
    assert jobs.latest("d") is None
    assert [job.id for job in jobs.page(limit=3)] == ["3", "2", "1"]


def test_newer_job_ends_the_open_ones_before_it_and_no_other(jobs: Jobs) -> None:
    for number, (title_id, status) in enumerate(
        (("a", JobStatus.READY), ("a", JobStatus.ENCODING), ("b", JobStatus.QUEUED), ("a", JobStatus.QUEUED))
    ):
        jobs.open(make_job(f"{number}", title_id=title_id, status=status, created_at=NOON + timedelta(seconds=number)))
    newer = make_job("4", title_id="a", created_at=NOON + timedelta(seconds=2))
    jobs.open(newer)
    for reason in ("A newer one.", "Said again."):
        jobs.supersede(newer, reason=reason)
    assert [(job.id, job.status, job.reason) for job in sorted(jobs.page(limit=9), key=lambda job: job.id)] == [
        ("0", JobStatus.READY, None),
        ("1", JobStatus.FAILED, "A newer one."),
        ("2", JobStatus.QUEUED, None),
        ("3", JobStatus.QUEUED, None),
        ("4", JobStatus.QUEUED, None),
    ]
    assert jobs.get("1").ended_at is not None


def test_silent_open_jobs_are_found_and_others_never(jobs: Jobs) -> None:
    for job_id, heard_at in (("silent", NOON), ("heard", NOON + timedelta(hours=2))):
        jobs.open(make_job(job_id, updated_at=heard_at))
    jobs.open(make_job("over"))
    jobs.move("over", away_from=OPEN, to=JobStatus.FAILED)
    assert [job.id for job in jobs.stalled(since=NOON + timedelta(seconds=1))] == ["silent"]
