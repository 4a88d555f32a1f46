"""Encode jobs are opened once, and change their status only as the table allows, in memory and in Mongo."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

import pytest

from functions.encoding.copying.reception import Reception
from functions.encoding.model import JobStatus, StepFault, Transition
from functions.encoding.renditions import CopiedPicture, Rendition
from functions.encoding.text_plan import TextPlan
from functions.encoding.track_state import TrackState
from functions.platform.errors import NotFound
from tests.support.clock import NOON
from tests.support.encoding_job_stores import JOB, in_parallel, with_status
from tests.support.encoding_plans import make_job, make_plan

if TYPE_CHECKING:
    from functions.encoding.model import EncodeJob
    from functions.encoding.ports import EncodeJobs


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


@pytest.mark.parametrize("replaces", [None, Rendition("v360", 640, 360, 800)])
def test_summary_names_a_provisional_rendition(jobs: EncodeJobs, replaces: Rendition | None) -> None:
    jobs.add_job(make_job(JOB))
    own = CopiedPicture(Rendition("c360", 640, 360, 9000), replaces, Fraction(0), regular=True, seekable=True)
    plan = replace(make_plan(), copied=own)
    with_status(jobs, JOB, JobStatus.PLANNING)
    job = jobs.change_status(JOB, Transition.FINISH_PLANNING, plan=plan)
    assert job
    assert job.plan == plan
    summary = jobs.find_summary(JOB)
    assert summary
    assert summary.provisional == ("" if replaces else "c360")


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
    jobs.add_job(make_job(JOB, reception=Reception("0x1", 16, 20, NOON, has_stopped=True)))
    with_status(jobs, JOB, status)
    changed = jobs.change_status(JOB, transition)
    assert (changed is not None) == (status in transition.sources)
    assert jobs.get_job(JOB).status is (transition.target if changed else status)


def test_of_many_transitions_at_once_one_happens(jobs: EncodeJobs) -> None:
    jobs.add_job(make_job(JOB))
    won = [bool(job) for job in in_parallel(lambda n: jobs.change_status(JOB, Transition.FAIL, reason=str(n)))]
    assert sum(won) == 1
    assert jobs.get_job(JOB).reason == str(won.index(True))


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
