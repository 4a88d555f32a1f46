"""Jobs as users see them: they are opened once, polled cheaply, and end with their title."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from functions.encoding.copying.reception import Reception
from functions.encoding.frame_grid import FrameGrid
from functions.encoding.ladder import chunks_for
from functions.encoding.model import JobStatus
from functions.encoding.progress import PUBLICATION_S, TRACK_COST
from functions.encoding.publication import presentation
from functions.encoding.text_plan import TextPlan
from functions.encoding.track_state import TrackState
from functions.platform.errors import Conflict, Malformed, NotFound
from functions.platform.identifiers import job_id_for
from functions.platform.messages import EncodeAudio, EncodeFront, PlanEncode, PublishTitle
from tests.support.clock import NOON
from tests.support.encoding_plans import make_job, make_plan

if TYPE_CHECKING:
    from tests.support.encoding_world import EncodeWorld


def test_newer_upload_ends_the_older_job_and_its_messages_do_nothing(encode: EncodeWorld) -> None:
    older = encode.planned()
    newer = encode.upload("0x2")
    job = encode.jobs.get_job(older)
    assert (job.status, job.reason) == (JobStatus.FAILED, "film.mkv was uploaded later and has replaced this file.")
    assert encode.run(EncodeFront(older)) is None
    planned = encode.run(PlanEncode(newer))
    assert planned
    assert planned.messages
    with pytest.raises(Conflict, match=f"replaced by {newer}"):
        encode.service.retry_job(older)


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


def test_end_of_a_withdrawn_title_ends_its_open_job(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.world.catalogue.withdraw_title(encode.title_id)
    encode.service.end_withdrawn(encode.title_id)
    assert encode.jobs.get_job(job_id).reason == "Its title was withdrawn."


def test_film_that_was_uploaded_again_during_its_withdrawal_is_left_alone(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.service.end_withdrawn(encode.title_id)
    assert encode.jobs.get_job(job_id).is_open and encode.queues.messages == []


def test_progress_counts_picture_and_sound_and_never_says_all_before_the_end(encode: EncodeWorld) -> None:
    job_id = encode.upload()
    progress = encode.service.progress(job_id)
    assert progress
    assert (progress.status, progress.percent, progress.eta_s, progress.duration_s) == ("queued", 0.0, None, None)
    encode.run(PlanEncode(job_id))
    encode.clock.forward(seconds=10)
    encode.finish(job_id, 1)
    encode.jobs.advance_chunk(encode.jobs.get_job(job_id), 2, 2, codecs={"v360": "avc1", "v234": "avc1"})
    progress = encode.service.progress(job_id)
    assert progress
    assert (progress.chunks_done, progress.chunks, progress.front_s) == (1, 4, 0.0)
    share = 5 / 11 / (1 + TRACK_COST)
    assert progress.percent == pytest.approx(share * 99, abs=0.1)
    assert progress.eta_s == pytest.approx(10 * (1 - share) / share + PUBLICATION_S, abs=0.1)
    encode.finish(job_id, 0, 2, 3)
    progress = encode.service.progress(job_id)
    assert progress
    assert progress.percent == pytest.approx(99 / (1 + TRACK_COST), abs=0.1)
    assert progress.eta_s == pytest.approx(10 * TRACK_COST + PUBLICATION_S, abs=0.1), "the sound is still to be encoded"
    encode.run(EncodeAudio(job_id, "a0"))
    progress = encode.service.progress(job_id)
    assert progress
    assert (progress.percent, progress.eta_s, progress.manifest) == (99.0, PUBLICATION_S, None)
    encode.clock.forward(seconds=2)
    encode.run(PublishTitle(job_id))
    progress = encode.service.latest_for(encode.title_id)
    assert progress
    assert (progress.status, progress.percent, progress.eta_s) == ("ready", 100.0, None)
    assert progress.front_s == pytest.approx(1000 / 24)
    assert progress.manifest == f"title-{encode.title_id}/{job_id}/manifest.mpd"
    assert (progress.stages.planning_s, progress.stages.encoding_s, progress.stages.total_s) == (0.0, 12.0, 12.0)


def test_remaining_time_counts_subtitles(encode: EncodeWorld) -> None:
    plan = make_plan(text=(TextPlan("t0", "en", "English", None, "film.en.srt"),))
    encode.jobs.add_job(make_job("a" * 12, status=JobStatus.ENCODING, plan=plan, planned_at=encode.clock()))
    encode.clock.forward(seconds=10)
    encode.finish("a" * 12, 0, 1, 2, 3)
    encode.jobs.advance_track(encode.jobs.get_job("a" * 12), "a0", TrackState(complete=True), codec="mp4a")
    progress = encode.service.progress("a" * 12)
    assert progress
    share = (1 + TRACK_COST) / (1 + 2 * TRACK_COST)
    assert progress.percent == pytest.approx(share * 99, abs=0.1)
    assert progress.eta_s == pytest.approx(10 * (1 - share) / share + PUBLICATION_S, abs=0.1)
    encode.jobs.advance_track(encode.jobs.get_job("a" * 12), "t0", TrackState(complete=True), codec=None)
    progress = encode.service.progress("a" * 12)
    assert progress
    assert (progress.percent, progress.eta_s) == (99.0, PUBLICATION_S)


def test_remaining_time_counts_the_other_films_in_the_queue(encode: EncodeWorld) -> None:
    alone = encode.planned()
    encode.clock.forward(seconds=10)
    encode.finish(alone, 0, 1)
    first = encode.service.progress(alone)
    assert first
    assert first.eta_s
    encode.jobs.add_job(make_job("b" * 12, status=JobStatus.ENCODING, plan=make_plan(), planned_at=encode.clock()))
    shared = encode.service.progress(alone)
    waiting = encode.service.progress("b" * 12)
    assert shared
    assert waiting
    # Both films get the same share of the encoder until this one is ready; then the other one gets all of it.
    assert shared.eta_s == pytest.approx(2 * first.eta_s - PUBLICATION_S, abs=0.2)
    total_s = 10 / (4 / 11 / (1 + TRACK_COST))
    assert waiting.eta_s == pytest.approx(first.eta_s + total_s, abs=0.2)
    encode.jobs.add_job(make_job("c" * 12))
    queued = encode.service.progress("c" * 12)
    assert queued
    assert queued.eta_s == pytest.approx(first.eta_s + 2 * total_s, abs=0.2), "a film without a plan is of usual length"


def test_front_is_what_the_manifests_list(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.run(EncodeFront(job_id))
    encode.run(PublishTitle(job_id))
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


def test_remaining_time_does_not_count_uploads_that_are_still_running(encode: EncodeWorld) -> None:
    job_id = encode.planned()
    encode.clock.forward(minutes=1)
    encode.finish(job_id, 0)
    alone = encode.service.progress(job_id)
    receiving = Reception("0x9", 400, 400, encode.clock())
    encode.jobs.add_job(make_job("fed", title_id="other-1a2b3c", status=JobStatus.RECEIVING, reception=receiving))
    beside = encode.service.progress(job_id)
    assert alone
    assert beside
    assert alone.eta_s
    assert beside.eta_s == alone.eta_s
