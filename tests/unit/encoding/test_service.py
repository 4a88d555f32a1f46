"""Jobs as users see them: they are opened once, polled cheaply, and retried from where they stopped."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from functions.encoding import presentation
from functions.encoding.ladder import chunks_for
from functions.encoding.model import FrameGrid, JobStatus
from functions.encoding.service import STALLED_AFTER, EncodeService
from functions.platform.errors import Conflict, Malformed, NotFound
from functions.platform.identifiers import job_id_for
from functions.platform.messages import EncodeAudio, EncodeChunk, PlanEncode, PublishTitle
from tests.support.catalogue import NOON
from tests.support.encoding import EncodeWorld, make_job, make_plan


@pytest.fixture
def encode() -> EncodeWorld:
    return EncodeWorld()


def test_newer_upload_ends_the_older_job_and_its_messages_do_nothing(encode: EncodeWorld) -> None:
    older = encode.planned()
    newer = encode.upload("0x2")
    job = encode.jobs.get_job(older)
    assert (job.status, job.reason) == (JobStatus.FAILED, "A newer upload of film.mkv has taken its place.")
    assert not encode.pipeline.run_step(EncodeChunk(older, 0)).messages
    assert encode.pipeline.run_step(PlanEncode(newer)).messages
    with pytest.raises(Conflict, match=f"replaced by {newer}"):
        encode.service.retry_job(older)


def test_retry_enqueues_only_what_is_missing(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.pipeline.run_step(EncodeChunk(job_id, 0))
    encode.pipeline.run_step(EncodeChunk(job_id, 2))
    encode.lifecycle.fail(encode.jobs.get_job(job_id), "The encoder was stopped.")
    progress = encode.service.retry_job(job_id)
    assert (progress.status, progress.reason, progress.fault) == (JobStatus.ENCODING, None, None)
    assert encode.queues.messages == [EncodeChunk(job_id, 1), EncodeAudio(job_id, "a0"), EncodeChunk(job_id, 3)]


def test_retry_of_a_job_that_was_never_planned_begins_with_the_plan(encode: EncodeWorld) -> None:
    job_id = encode.upload()
    encode.lifecycle.fail(encode.jobs.get_job(job_id), "Storage did not answer.")
    assert encode.service.retry_job(job_id).status is JobStatus.QUEUED
    assert encode.queues.messages == [PlanEncode(job_id)]


def test_retry_of_a_job_whose_parts_are_all_done_publishes_it(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    for index in range(4):
        encode.pipeline.run_step(EncodeChunk(job_id, index))
    encode.pipeline.run_step(EncodeAudio(job_id, "a0"))
    encode.lifecycle.fail(encode.jobs.get_job(job_id), "The catalogue did not answer.")
    encode.service.retry_job(job_id)
    assert encode.queues.messages == [PublishTitle(job_id)]


def test_unknown_job_is_not_found(encode: EncodeWorld) -> None:
    with pytest.raises(NotFound):
        encode.service.retry_job("0123")
    assert encode.service.progress("0123") is None
    assert encode.service.latest_for("nothing") is None
    assert not encode.service.is_over(job_id_for("film.mkv", "0x9"))


def test_cancelled_title_ends_its_open_job(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    assert not encode.service.is_over(job_id)
    encode.service.cancel(encode.title_id, "Its title was withdrawn.")
    assert encode.jobs.get_job(job_id).reason == "Its title was withdrawn."
    assert encode.service.is_over(job_id)
    encode.service.cancel(encode.title_id, "Again.")
    assert encode.jobs.get_job(job_id).reason == "Its title was withdrawn."


def test_progress_counts_segments_and_never_says_all_before_the_end(encode: EncodeWorld) -> None:
    job_id = encode.upload()
    progress = encode.service.progress(job_id)
    assert progress
    assert (progress.status, progress.percent, progress.eta_s, progress.duration_s) == ("queued", 0.0, None, None)
    encode.pipeline.run_step(PlanEncode(job_id))
    encode.clock.forward(seconds=10)
    encode.pipeline.run_step(EncodeChunk(job_id, 1))
    encode.jobs.advance_chunk(encode.jobs.get_job(job_id), 2, 2, codecs={"v360": "avc1", "v234": "avc1"})
    progress = encode.service.progress(job_id)
    assert progress
    assert (progress.chunks_done, progress.chunks, progress.front_s) == (1, 4, 0.0)
    assert progress.percent == pytest.approx(5 / 11 * 99, abs=0.1)
    assert progress.eta_s == pytest.approx(10 * (1 - 0.45) / 0.45, abs=0.5)
    for index in (0, 2, 3):
        encode.pipeline.run_step(EncodeChunk(job_id, index))
    encode.pipeline.run_step(EncodeAudio(job_id, "a0"))
    progress = encode.service.progress(job_id)
    assert progress
    assert (progress.percent, progress.manifest) == (99.0, None)
    encode.clock.forward(seconds=2)
    encode.pipeline.run_step(PublishTitle(job_id))
    progress = encode.service.latest_for(encode.title_id)
    assert progress
    assert (progress.status, progress.percent, progress.eta_s) == ("ready", 100.0, None)
    assert progress.front_s == pytest.approx(1000 / 24)
    assert progress.manifest == f"title-{encode.title_id}/{job_id}/manifest.mpd"
    assert (progress.stages.planning_s, progress.stages.encoding_s, progress.stages.total_s) == (0.0, 12.0, 12.0)


def test_front_is_what_the_manifests_list(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.pipeline.run_step(EncodeAudio(job_id, "a0"))
    encode.pipeline.run_step(EncodeChunk(job_id, 0))
    encode.pipeline.run_step(PublishTitle(job_id))
    progress = encode.service.progress(job_id)
    assert progress
    assert (progress.front_s, progress.stages.first_picture_s) == (4.0, 0.0)


def test_pages_of_jobs_lead_from_the_newest_to_the_oldest(encode: EncodeWorld) -> None:
    opened = []
    for number in range(7):
        opened.append(f"{number:012x}")
        encode.jobs.add_job(make_job(opened[-1], created_at=NOON + timedelta(seconds=number // 2)))
    seen, cursor, pages = [], "", 0
    while True:
        page = encode.service.list_jobs(cursor, limit=3)
        seen += [job.job_id for job in page.entries]
        pages += 1
        if page.cursor is None:
            break
        cursor = page.cursor
    assert seen == opened[::-1]
    assert pages == 3
    with pytest.raises(Malformed, match="cursor"):
        encode.service.list_jobs("no cursor")


def test_hundred_films_of_two_hours_are_listed_without_looking_at_their_plans(
    encode: EncodeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = FrameGrid(Fraction(24000, 1001), 172_627)
    plan = replace(make_plan(), grid=grid, chunks=chunks_for(grid))
    for number in range(100):
        job = make_job(f"{number:012x}", plan=plan, chunks_done=frozenset(range(len(plan.chunks))))
        encode.jobs.add_job(replace(job, status=JobStatus.READY, created_at=NOON + timedelta(seconds=number)))
    summaries = encode.jobs.list_summaries(below=None, limit=100)
    calls: list[str] = []
    monkeypatch.setattr(presentation, "presentation_of", lambda *_, **__: calls.append("presentation"))
    monkeypatch.setattr(FrameGrid, "gop", property(lambda _: calls.append("gop")))
    monkeypatch.setattr(encode.jobs, "list_summaries", lambda **_: summaries)
    assert len(encode.service.list_jobs().entries) == 100
    assert calls == []


def test_job_that_has_not_changed_for_an_hour_gets_its_missing_work_again() -> None:
    encode = EncodeWorld()
    encode.jobs.add_job(make_job("0123456789ab", updated_at=NOON))
    for late, repaired in ((-1, 0), (1, 1)):
        at = NOON + STALLED_AFTER + timedelta(seconds=late)
        service = EncodeService(encode.jobs, encode.lifecycle, encode.queues.send_all, lambda at=at: at)  # type: ignore[misc]
        assert service.repair_stalled() == repaired
    assert encode.queues.messages == [PlanEncode("0123456789ab")]
