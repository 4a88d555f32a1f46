"""Lists of encode jobs, from their summaries, in memory and in Mongo."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient
from pymongo.monitoring import CommandListener

from functions.encoding.job_documents import position_of
from functions.encoding.model import JobStatus, Transition
from functions.encoding.repository import MongoEncodeJobs
from tests.support.clock import NOON
from tests.support.encoding_job_stores import JOB, with_status
from tests.support.encoding_plans import make_job, make_plan

if TYPE_CHECKING:
    from pymongo.collection import Collection
    from pymongo.monitoring import CommandFailedEvent, CommandStartedEvent, CommandSucceededEvent

    from functions.encoding.ports import EncodeJobs
    from tests.integration.conftest import Stack


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


def test_dismissed_job_is_listed_again_only_after_a_retry(jobs: EncodeJobs) -> None:
    for job_id in ("a", "b"):
        jobs.add_job(make_job(job_id))
    assert not jobs.dismiss_job("a", at=NOON)
    assert not jobs.dismiss_job("nothing", at=NOON)
    jobs.change_status("a", Transition.FAIL, reason="It is text.")
    for _ in range(2):
        assert jobs.dismiss_job("a", at=NOON)
    assert [job.id for job in jobs.list_summaries(below=None, limit=9)] == ["b"]
    assert jobs.get_job("a").reason == "It is text."
    jobs.change_status("a", Transition.RETRY_PLANNING, dismissed_at=None)
    assert [job.id for job in jobs.list_summaries(below=None, limit=9)] == ["b", "a"]


def test_documents_of_the_version_before_are_listed_with_a_summary(collection: Collection[dict[str, Any]]) -> None:
    jobs = MongoEncodeJobs(collection, lambda: NOON)
    plan = make_plan(audio=())
    job = make_job(JOB, plan=plan, status=JobStatus.ENCODING, chunks_done=frozenset({0, 1}), live={"2": 1})
    jobs.add_job(replace(job, codecs={"v360": "avc1", "v234": "avc1"}))
    added = jobs.find_summary(JOB)
    collection.update_one(
        {"_id": JOB},
        {
            "$unset": {"position": "", "summary": "", "faults": "", "turn": "", "front_turn": ""},
            "$set": {"fault": "It broke."},
        },
    )
    later = MongoEncodeJobs(collection, lambda: NOON)
    (found,) = later.list_summaries(below=None, limit=9)
    assert added
    assert found == replace(added, fault="It broke.")
    assert (found.segments_stored, found.chunks_done, found.front_s) == (5, 2, 20.0)
    assert later.get_job(JOB).faults == {}


def test_list_reads_no_plan(stack: Stack, collection: Collection[dict[str, Any]]) -> None:
    """The plan of a two-hour film has 258 chunks, so listing a hundred jobs must not read a hundred such plans."""
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
