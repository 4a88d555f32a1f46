"""The facts of encode jobs for reports, read from jobs as the job store writes them."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient

from functions.encoding.model import JobStatus, Transition
from functions.encoding.repository import MongoEncodeJobs
from functions.encoding.spending.costs import estimated_size
from functions.encoding.spending.record_store import MongoJobRecords
from functions.encoding.spending.reports import JobRecord
from functions.encoding.upkeep.verification import Verification
from tests.support.clock import NOON
from tests.support.encoding_plans import make_job, make_plan

if TYPE_CHECKING:
    from tests.integration.conftest import Stack


def test_a_job_has_its_size_and_that_of_its_film_as_estimated_or_verified(stack: Stack) -> None:
    name, plan = f"test_{uuid.uuid4().hex[:12]}", make_plan()
    with MongoClient[dict[str, Any]](stack.settings.mongo_url, tz_aware=True) as client:
        collection = client[name]["encode_jobs"]
        jobs = MongoEncodeJobs(collection, lambda: NOON)
        for number, job_id in enumerate(("aa", "bb", "cc")):
            jobs.add_job(make_job(job_id, title_id=f"film-{number}", size=1000 + number))
        for job_id in ("aa", "bb"):
            jobs.change_status(job_id, Transition.START_PLANNING)
            jobs.change_status(job_id, Transition.FINISH_PLANNING, plan=plan)
            jobs.change_status(job_id, Transition.COMPLETE)
        jobs.note_verified(jobs.get_job("aa"), Verification(at=NOON, files=3, size=77_000, damaged=0, examples=()))
        found = sorted(MongoJobRecords(collection).list_records(), key=lambda each: each.title_id)
        client.drop_database(name)
    first = JobRecord("film-0", JobStatus.READY, NOON, 1000, 77_000)
    assert found == [
        first,
        replace(first, title_id="film-1", upload_size=1001, film_size=estimated_size(plan)),
        JobRecord("film-2", JobStatus.QUEUED, NOON, 1002, 0),
    ]
