"""Late subtitles: the contract of the stores in memory and in Mongo."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.encoding.late_subtitles.store import MongoLateSubtitles
from functions.encoding.late_text import LateSubtitles, LateText
from functions.encoding.model import JobStatus, Transition
from functions.encoding.repository import MongoEncodeJobs
from functions.encoding.text_plan import TextPlan, TrackRole
from functions.encoding.track_state import TrackFault
from functions.encoding.upkeep.verification import Verification
from tests.support.clock import NOON
from tests.support.encoding_job_stores import JOB, THREADS, in_parallel, with_status
from tests.support.encoding_jobs import MemoryEncodeJobs
from tests.support.encoding_plans import make_job, make_plan
from tests.support.late_subtitles import MemoryLateSubtitles

if TYPE_CHECKING:
    from functions.encoding.late_subtitles.ports import LateSubtitleStore
    from functions.encoding.model import EncodeJob
    from functions.encoding.ports import EncodeJobs

GERMAN = TextPlan("s0123abcd", "de", "German (SDH)", None, "film.de.sdh.srt", (TrackRole.HEARING_IMPAIRED,))
LATE = LateSubtitles((LateText(GERMAN, '"0x1"', 70),), 1, removed={"s00000000": NOON})
DAMAGED = LateText(replace(GERMAN, label="German"), '"0x2"', fault=TrackFault.DAMAGED)
NOTE = "The subtitle track “German” is damaged and was left out."
WHOLE = Verification(NOON, 9, 99)


@pytest.fixture
def late(jobs: EncodeJobs) -> LateSubtitleStore:
    """Return the late subtitles of the jobs in the store."""
    if isinstance(jobs, MemoryEncodeJobs):
        return MemoryLateSubtitles(jobs)
    assert isinstance(jobs, MongoEncodeJobs)
    return MongoLateSubtitles(jobs._collection)


def ready(jobs: EncodeJobs) -> EncodeJob:
    """Open a job and complete it."""
    jobs.add_job(make_job())
    jobs.change_status(JOB, Transition.START_PLANNING)
    jobs.change_status(JOB, Transition.FINISH_PLANNING, plan=make_plan(), planned_at=NOON)
    job = jobs.change_status(JOB, Transition.COMPLETE)
    assert job
    return job


def test_late_subtitles_are_stored_with_their_notes(jobs: EncodeJobs, late: LateSubtitleStore) -> None:
    job = ready(jobs)
    stored = late.store_late(job, LATE)
    assert stored == jobs.get_job(JOB)
    assert stored
    assert (stored.late, stored.plan) == (LATE, job.plan)
    assert late.store_late(stored, LateSubtitles((DAMAGED,), 2))
    summary = jobs.find_summary(JOB)
    assert summary
    assert summary.notes == (NOTE,)


def test_only_one_of_several_encoders_stores_what_it_has_read(jobs: EncodeJobs, late: LateSubtitleStore) -> None:
    job = ready(jobs)
    made = in_parallel(lambda number: late.store_late(job, replace(LATE, left_out=number)))
    assert len([each for each in made if each]) == 1
    assert jobs.get_job(JOB) in made
    assert late.store_late(job, replace(LATE, edition=2)) is None


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.ENCODING, JobStatus.FAILED])
def test_a_job_that_is_not_ready_gets_none(jobs: EncodeJobs, late: LateSubtitleStore, status: JobStatus) -> None:
    jobs.add_job(make_job())
    job = with_status(jobs, JOB, status)
    assert not late.ask(JOB, at=NOON)
    assert late.store_late(job, LATE) is None
    assert not late.ask("ffffffffffff", at=NOON)
    assert jobs.get_job(JOB) == job


def test_a_file_that_arrives_makes_a_verification_with_repair_due(jobs: EncodeJobs, late: LateSubtitleStore) -> None:
    ready(jobs)
    in_parallel(lambda _: late.ask(JOB, at=NOON))
    job = jobs.get_job(JOB)
    assert (job.verify_at, job.verify_repairs, job.late_asked) == (NOON, True, THREADS)
    job = jobs.note_verified(job, WHOLE)
    assert (job.verify_at, job.verify_repairs, job.verified) == (None, False, WHOLE)


def test_a_file_that_arrives_during_a_verification_is_not_forgotten(jobs: EncodeJobs, late: LateSubtitleStore) -> None:
    before = ready(jobs)
    late.ask(JOB, at=NOON + timedelta(seconds=1))
    after = jobs.note_verified(before, WHOLE)
    assert (after.verify_at, after.verify_repairs, after.verified) == (NOON + timedelta(seconds=1), True, WHOLE)


def test_jobs_of_earlier_versions_have_none(jobs: EncodeJobs, late: LateSubtitleStore) -> None:
    job = ready(jobs)
    if isinstance(jobs, MongoEncodeJobs):
        jobs._collection.update_one({"_id": JOB}, {"$unset": {"late": "", "late_asked": ""}})
    assert jobs.get_job(JOB) == job
    assert jobs.note_verified(jobs.get_job(JOB), WHOLE).verify_at is None
    assert late.ask(JOB, at=NOON)
    assert late.store_late(jobs.get_job(JOB), LATE)
    assert jobs.get_job(JOB).late == LATE
