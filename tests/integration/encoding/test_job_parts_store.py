"""Parts of encode jobs are counted once, and undone once if they are lost, in memory and in Mongo."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from functions.encoding.damage import DamagedRun
from functions.encoding.losses import Loss
from functions.encoding.model import JobStatus, Transition
from functions.encoding.spending.receipts import ChunkResult, RenditionResult, receipt_of
from functions.encoding.text_plan import TrackRole
from functions.encoding.track_state import TrackFault, TrackState
from functions.encoding.tracks import notes_of
from tests.support.clock import NOON
from tests.support.encoding_job_stores import JOB, THREADS, in_parallel, with_status
from tests.support.encoding_plans import make_audio_plan, make_job, make_plan

if TYPE_CHECKING:
    from functions.encoding.ports import EncodeJobs


def test_damage_of_a_chunk_is_recorded_once_and_shown_in_the_summary(jobs: EncodeJobs) -> None:
    jobs.add_job(make_job(JOB))
    with_status(jobs, JOB, JobStatus.PLANNING)
    plan = replace(make_plan(), missing=6)
    job = jobs.change_status(JOB, Transition.FINISH_PLANNING, plan=plan, planned_at=NOON)
    assert job
    first, other = (DamagedRun(10, 13, 3),), (DamagedRun(200, 201, 1), DamagedRun(230, 231, 1))
    for index, damage in ((1, other), (0, first), (0, other), (2, ())):
        job = jobs.finish_chunk(job, index, codecs={}, cpu_s=1.0, tail=None, damage=damage)
    assert job.damage == {"0": first, "1": other}
    assert job == jobs.get_job(JOB)
    summary = jobs.find_summary(JOB)
    assert summary
    assert (summary.damage, summary.grid, summary.missing) == (job.damage, plan.grid, 6)
    assert summary.damage_report == job.damage_with()
    assert summary.damage_report
    assert summary.damage_report.pictures == 11


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


def test_track_that_is_left_out_is_noted_once_after_the_notes_of_the_plan(jobs: EncodeJobs) -> None:
    left_out = "2 audio tracks were left out, because a title can have at most 32."
    audio = (make_audio_plan(roles=(TrackRole.COMMENTARY,)), make_audio_plan("a1", label="Deutsch"))
    plan = replace(make_plan(audio=audio), notes=(left_out,))
    jobs.add_job(make_job(JOB, status=JobStatus.PLANNING))
    job = jobs.change_status(JOB, Transition.FINISH_PLANNING, plan=plan)
    assert job
    assert job.plan == plan
    for _ in range(2):
        job = jobs.advance_track(job, "a1", TrackState(complete=True, fault=TrackFault.EMPTY), codec=None)
    assert jobs.get_job(JOB).tracks == {"a1": TrackState(complete=True, fault=TrackFault.EMPTY)}
    summary = jobs.find_summary(JOB)
    assert summary
    assert summary.notes == (left_out, "The audio track “Deutsch” is empty and was left out.") == notes_of(job)


def test_lost_parts_are_undone_once_with_what_is_counted_from_them(jobs: EncodeJobs) -> None:
    job = make_job(JOB, plan=make_plan())
    jobs.add_job(job)
    for index in range(4):
        damage = (DamagedRun(index * 100, index * 100 + 1, 1),)
        tail = 1000 if index == 3 else None
        jobs.finish_chunk(job, index, codecs={"v360": "avc1"}, cpu_s=1.0, tail=tail, damage=damage, size=700)
    sound = TrackState(3, 300, complete=True, size=900, fault=TrackFault.GAPS)
    jobs.advance_track(job, "a0", sound, codec="mp4a")
    job = jobs.get_job(JOB)
    assert (dict(job.chunk_sizes), job.tracks["a0"].size) == (dict.fromkeys("0123", 700), 900)
    lost = Loss(chunks=frozenset({1, 3}), tracks=frozenset({"a0"}))
    for _ in range(2):
        after = jobs.undo_parts(job, lost)
        assert after == jobs.get_job(JOB)
        assert (set(after.chunks_done), dict(after.tracks), after.tail_frames) == ({0, 2}, {}, None)
        assert (dict(after.chunk_sizes), set(after.damage), after.remakes) == ({"0": 700, "2": 700}, {"0", "2"}, 1)
    summary = jobs.find_summary(JOB)
    assert summary
    assert summary.notes == ()
    assert (summary.chunks_done, summary.segments_stored, summary.front_s) == (2, 5, 0.0)
    again = jobs.finish_chunk(job, 3, codecs={}, cpu_s=1.0, tail=1000, size=700)
    assert (set(again.chunks_done), again.tail_frames) == ({0, 2, 3}, 1000)
    jobs.advance_chunk(job, 1, 2, codecs={})
    assert dict(jobs.undo_parts(job, Loss(chunks=frozenset({1}))).live) == {}


def test_results_of_chunks_are_kept_until_they_are_lost_and_the_receipt_is_in_the_summary(jobs: EncodeJobs) -> None:
    job = make_job(JOB, plan=make_plan(), status=JobStatus.ENCODING)
    jobs.add_job(job)
    result = ChunkResult(
        {"v360": RenditionResult(22.5, 700, (93.25, 91.0)), "v234": RenditionResult(23.0, 70)}, (8.0, 9.0), 1.5, 0.5
    )
    for index in range(4):
        after = jobs.finish_chunk(job, index, codecs={}, cpu_s=1.0, tail=None, result=result)
    assert dict(after.results) == dict.fromkeys("0123", result)
    again = jobs.finish_chunk(job, 2, codecs={}, cpu_s=1.0, tail=None, result=ChunkResult({}))
    assert again.results["2"] == result, "a chunk that is finished twice keeps its first result"
    undone = jobs.undo_parts(jobs.get_job(JOB), Loss(chunks=frozenset({1})))
    assert set(undone.results) == {"0", "2", "3"}
    jobs.finish_chunk(undone, 1, codecs={}, cpu_s=1.0, tail=None, result=result)
    receipt = receipt_of(jobs.get_job(JOB))
    assert receipt
    jobs.change_status(JOB, Transition.COMPLETE, receipt=receipt)
    summary = jobs.find_summary(JOB)
    assert summary
    assert summary.receipt == receipt
    assert (receipt.size, receipt.measured_s, receipt.search_cpu_s) == (4 * 770, 8, 6.0)


def test_parts_that_are_undone_by_many_are_undone_once(jobs: EncodeJobs) -> None:
    job = make_job(JOB, plan=make_plan(runs=(1,) * 11))
    jobs.add_job(job)
    for index in range(THREADS):
        jobs.finish_chunk(job, index, codecs={}, cpu_s=1.0, tail=None)
    in_parallel(lambda index: jobs.undo_parts(job, Loss(chunks=frozenset({index, (index + 1) % THREADS}))))
    summary = jobs.find_summary(JOB)
    assert summary
    assert (jobs.get_job(JOB).chunks_done, summary.chunks_done, summary.segments_stored) == (frozenset(), 0, 0)
