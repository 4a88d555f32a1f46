"""How much of an upload has arrived is recorded as of its latest commit, and while it runs, in memory and in Mongo."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.encoding.copying.reception import Reception
from functions.encoding.model import JobStatus, Transition
from functions.encoding.track_state import TrackState
from tests.support.clock import NOON
from tests.support.encoding_job_stores import JOB
from tests.support.encoding_plans import make_job

if TYPE_CHECKING:
    from functions.encoding.ports import EncodeJobs

FIRST = Reception("0x1", 16, 20, NOON)
SECOND = Reception("0x2", 32, 36, NOON + timedelta(seconds=4))


def test_a_later_commit_is_recorded_and_an_earlier_one_is_not(jobs: EncodeJobs) -> None:
    jobs.add_job(make_job(JOB, status=JobStatus.RECEIVING, reception=FIRST))
    assert jobs.get_job(JOB).reception == FIRST
    jobs.note_received(JOB, SECOND, size=99)
    jobs.note_received(JOB, FIRST, size=98)
    job = jobs.get_job(JOB)
    assert (job.reception, job.size) == (SECOND, 99)
    summary = jobs.find_summary(JOB)
    assert summary and summary.reception == SECOND


def test_what_was_published_outlives_commits_and_the_end_of_the_upload(jobs: EncodeJobs) -> None:
    jobs.add_job(make_job(JOB, status=JobStatus.RECEIVING, reception=FIRST))
    jobs.note_front(JOB, published=None, waits_because="it has several audio tracks")
    jobs.note_received(JOB, SECOND, size=99)
    assert jobs.get_job(JOB).reception == replace(SECOND, waits_because="it has several audio tracks")
    jobs.note_front(JOB, published="24 c360", waits_because=None)
    whole = jobs.change_status(JOB, Transition.RECEIVED, etag="0x3", size=100, uploaded_at=NOON)
    assert whole and (whole.status, whole.etag, whole.size) == (JobStatus.QUEUED, "0x3", 100)
    expected = replace(SECOND, published="24 c360", is_whole=True)
    assert whole.reception == expected
    jobs.note_received(JOB, replace(SECOND, front=90), size=1)
    jobs.note_front(JOB, published="another", waits_because=None)
    assert (jobs.get_job(JOB).reception, jobs.get_job(JOB).size) == (expected, 100)


def test_a_commit_with_a_shorter_front_is_recorded_if_it_is_later(jobs: EncodeJobs) -> None:
    jobs.add_job(make_job(JOB, status=JobStatus.RECEIVING, reception=SECOND))
    jobs.note_received(JOB, replace(FIRST, at=SECOND.at), size=98)
    assert jobs.get_job(JOB).reception == SECOND
    anew = replace(FIRST, etag="0x3", at=SECOND.at + timedelta(seconds=1))
    jobs.note_received(JOB, anew, size=99)
    assert jobs.get_job(JOB).reception == anew


def test_an_upload_that_stopped_and_continues_is_published_anew(jobs: EncodeJobs) -> None:
    job = make_job(JOB, status=JobStatus.RECEIVING, reception=FIRST)
    jobs.add_job(job)
    job = jobs.advance_track(job, "c360", TrackState(3, 900), codec="avc1.64001f")
    jobs.note_published(job, front_s=9.0, at=NOON)
    stopped = jobs.change_status(JOB, Transition.GIVE_UP, reason="It stopped.")
    assert stopped and stopped.reception == replace(FIRST, has_stopped=True)
    assert jobs.change_status(JOB, Transition.GIVE_UP) is None
    resumed = jobs.change_status(JOB, Transition.RESUME, tracks={}, playable_at=None)
    assert resumed and (resumed.status, resumed.reception, resumed.tracks) == (JobStatus.RECEIVING, FIRST, {})
    summary = jobs.find_summary(JOB)
    assert summary and summary.front_s == 0


def test_an_upload_that_gave_way_to_another_may_continue_and_is_then_the_newest(jobs: EncodeJobs) -> None:
    jobs.add_job(make_job(JOB, title_id="a", status=JobStatus.RECEIVING, reception=FIRST))
    other = make_job("other", title_id="a", created_at=NOON + timedelta(seconds=5))
    jobs.add_job(other)
    jobs.supersede_jobs(other, reason="Another one.", at=NOON)
    gave_way = jobs.get_job(JOB)
    assert (gave_way.status, gave_way.reason) == (JobStatus.FAILED, "Another one.")
    assert gave_way.reception == replace(FIRST, has_stopped=True)
    later = NOON + timedelta(seconds=9)
    resumed = jobs.change_status(JOB, Transition.RESUME, created_at=later)
    assert resumed and (resumed.status, resumed.created_at) == (JobStatus.RECEIVING, later)
    newest = jobs.latest_summary("a")
    assert newest and newest.id == JOB
    assert [job.id for job in jobs.list_summaries(below=None, limit=9)] == [JOB, "other"]


def test_a_job_that_failed_for_another_reason_does_not_continue(jobs: EncodeJobs) -> None:
    jobs.add_job(make_job(JOB, status=JobStatus.RECEIVING, reception=FIRST))
    jobs.add_job(make_job("other"))
    for job_id in (JOB, "other"):
        jobs.change_status(job_id, Transition.FAIL, reason="Its title was withdrawn.")
        assert jobs.change_status(job_id, Transition.RESUME) is None


def test_nothing_is_recorded_by_who_still_reads_the_beginning_of_an_upload_that_is_whole(jobs: EncodeJobs) -> None:
    job = make_job(JOB, status=JobStatus.RECEIVING, reception=FIRST)
    jobs.add_job(job)
    assert jobs.advance_track(job, "c360", TrackState(3, 900), codec="avc1.64001f").tracks
    jobs.change_status(JOB, Transition.RECEIVED, tracks={})
    late = jobs.advance_track(job, "c360", TrackState(4, 1200), codec="avc1.64001f")
    assert (late.status, late.tracks) == (JobStatus.QUEUED, {})


def test_a_job_whose_upload_was_committed_once_has_none(jobs: EncodeJobs) -> None:
    jobs.add_job(make_job(JOB))
    jobs.note_received(JOB, SECOND, size=99)
    jobs.note_front(JOB, published="24 c360", waits_because=None)
    jobs.note_received("nothing", SECOND, size=99)
    assert jobs.get_job(JOB).reception is None
