"""Automatic captions: the contract of the stores in memory and in Mongo."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.encoding.captions.rule import Captioned
from functions.encoding.captions.store import MongoCaptions
from functions.encoding.captions_encode import CaptionCue, CaptionsEncode, CaptionsStatus
from functions.encoding.model import Transition
from functions.encoding.repository import MongoEncodeJobs
from tests.support.captions import MemoryCaptions
from tests.support.clock import NOON
from tests.support.encoding_job_stores import JOB, THREADS, in_parallel
from tests.support.encoding_jobs import MemoryEncodeJobs
from tests.support.encoding_plans import make_job, make_plan

if TYPE_CHECKING:
    from functions.encoding.captions.ports import Captions
    from functions.encoding.ports import EncodeJobs

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
ENGLISH = Captioned("a0", "en", "t0")
CUES = (CaptionCue(0, 1500, ("She said:", "“No.”")), CaptionCue(2000, 2500, ("Yes.",)))


@pytest.fixture
def captions(jobs: EncodeJobs) -> Captions:
    """Return the automatic captions of the jobs in the store."""
    if isinstance(jobs, MemoryEncodeJobs):
        return MemoryCaptions(jobs)
    assert isinstance(jobs, MongoEncodeJobs)
    return MongoCaptions(jobs._collection, lambda: NOON)


def ready(jobs: EncodeJobs, job_id: str = JOB, *, due_after: timedelta = timedelta(0)) -> None:
    """Open a job and complete it."""
    jobs.add_job(make_job(job_id))
    jobs.change_status(job_id, Transition.START_PLANNING)
    jobs.change_status(job_id, Transition.FINISH_PLANNING, plan=make_plan(), planned_at=NOON)
    assert jobs.change_status(job_id, Transition.COMPLETE, captions_due_at=NOON + due_after)


def test_a_ready_job_is_decided_once_a_day_until_its_captions_begin(jobs: EncodeJobs, captions: Captions) -> None:
    ready(jobs, "bbbbbbbbbbbb", due_after=-SECOND)
    ready(jobs, JOB)
    ready(jobs, "cccccccccccc", due_after=SECOND)
    jobs.add_job(make_job("dddddddddddd"))
    assert captions.take_undecided(now=NOON, again_at=NOON + DAY, limit=1) == ["bbbbbbbbbbbb"]
    assert captions.take_undecided(now=NOON, again_at=NOON + DAY, limit=9) == [JOB]
    assert captions.take_undecided(now=NOON, again_at=NOON + DAY, limit=9) == []
    assert captions.begin_encode(JOB, at=NOON, captioned=ENGLISH)
    again = captions.take_undecided(now=NOON + DAY, again_at=NOON + 2 * DAY, limit=9)
    assert sorted(again) == ["bbbbbbbbbbbb", "cccccccccccc"]


def test_captions_begin_once_and_only_when_the_job_is_ready(jobs: EncodeJobs, captions: Captions) -> None:
    jobs.add_job(make_job("dddddddddddd"))
    assert not captions.begin_encode("dddddddddddd", at=NOON, captioned=ENGLISH)
    ready(jobs)
    begun = in_parallel(lambda _: captions.begin_encode(JOB, at=NOON, captioned=ENGLISH))
    assert sum(begun) == 1
    assert jobs.get_job(JOB).captions == CaptionsEncode(CaptionsStatus.ENCODING, NOON, "t0", "a0", "en")


def test_pieces_are_stored_once_and_captions_complete_with_the_last(jobs: EncodeJobs, captions: Captions) -> None:
    ready(jobs)
    captions.begin_encode(JOB, at=NOON, captioned=ENGLISH)
    counted = captions.count_attempt(JOB, 1, by=1)
    assert counted
    assert counted.attempts == {"1": 1}
    captions.note_hindrance(JOB, "The encoder lacks the packages.")
    assert jobs.get_job(JOB).captions.reason == "The encoder lacks the packages."  # type: ignore[union-attr]
    in_parallel(lambda _: captions.finish_chunk(JOB, 1, cues=CUES[1:], cpu_s=2.5))
    assert captions.complete_encode(JOB, chunks=2) is None
    found = captions.finish_chunk(JOB, 0, cues=CUES[:1], cpu_s=1.0)
    assert found
    assert (found.joined, found.cpu_s, dict(found.attempts), found.reason) == (CUES, 3.5, {}, None)
    captions.end_encode(JOB, edition=0, at=NOON)
    assert captions.list_unfinished(limit=9) == [JOB], "captions that are being made do not end"
    captions.note_joined(JOB, cues=2, size=123)
    complete = captions.complete_encode(JOB, chunks=2)
    assert complete == jobs.get_job(JOB).captions
    assert complete
    assert (complete.cues, complete.size, complete.edition, dict(complete.pieces)) == (2, 123, 1, {})
    assert captions.complete_encode(JOB, chunks=2) is None
    captions.note_joined(JOB, cues=9, size=9)
    assert captions.list_unfinished(limit=9) == [JOB], "no manifest may list them yet"
    for at in (NOON + SECOND, NOON + 2 * SECOND):
        captions.end_encode(JOB, edition=1, at=at)
    assert captions.list_unfinished(limit=9) == []
    summary = jobs.find_summary(JOB)
    assert summary
    assert summary.captions
    assert (summary.captions.cues, summary.captions.ended_at) == (2, NOON + SECOND)


def test_captions_of_a_title_without_pieces_complete_at_once(jobs: EncodeJobs, captions: Captions) -> None:
    ready(jobs)
    captions.begin_encode(JOB, at=NOON, captioned=ENGLISH)
    complete = captions.complete_encode(JOB, chunks=0)
    assert complete
    assert complete.is_complete


def test_an_attempt_that_was_not_the_fault_of_the_piece_is_taken_back(jobs: EncodeJobs, captions: Captions) -> None:
    ready(jobs)
    assert captions.count_attempt(JOB, 0, by=1) is None, "there are no captions"
    captions.begin_encode(JOB, at=NOON, captioned=ENGLISH)
    in_parallel(lambda _: captions.count_attempt(JOB, 0, by=1))
    counted = captions.count_attempt(JOB, 0, by=-1)
    assert counted
    assert counted.attempts == {"0": THREADS - 1}


def test_lost_captions_are_made_again(jobs: EncodeJobs, captions: Captions) -> None:
    ready(jobs)
    assert captions.undo_chunks(JOB, {0}) is None
    captions.begin_encode(JOB, at=NOON, captioned=ENGLISH)
    captions.finish_chunk(JOB, 0, cues=CUES, cpu_s=1.0)
    captions.note_joined(JOB, cues=2, size=123)
    captions.complete_encode(JOB, chunks=1)
    captions.end_encode(JOB, edition=1, at=NOON)
    undone = captions.undo_chunks(JOB, {0})
    assert undone
    assert (undone.status, undone.done, undone.ended_at, undone.edition) == (
        CaptionsStatus.ENCODING,
        frozenset(),
        None,
        2,
    )
    assert captions.list_unfinished(limit=9) == [JOB]


def test_captions_that_were_given_up_stay_unfinished_until_no_manifest_lists_them(
    jobs: EncodeJobs, captions: Captions
) -> None:
    ready(jobs)
    captions.begin_encode(JOB, at=NOON, captioned=ENGLISH)
    captions.finish_chunk(JOB, 0, cues=CUES, cpu_s=1.0)
    abandoned = captions.abandon_encode(JOB, reason="The title was withdrawn.")
    assert abandoned
    assert (abandoned.status, abandoned.reason, abandoned.is_ending) == (
        CaptionsStatus.ABANDONED,
        "The title was withdrawn.",
        True,
    )
    assert captions.finish_chunk(JOB, 1, cues=CUES, cpu_s=1.0) == jobs.get_job(JOB).captions
    captions.end_encode(JOB, edition=1, at=NOON)
    assert captions.list_unfinished(limit=9) == []
