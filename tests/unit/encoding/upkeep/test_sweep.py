"""The sweep deletes what nobody can play or continue, after its grace period, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from functions.encoding.model import JobStatus, Transition
from functions.encoding.renditions import CopiedPicture, Rendition
from functions.encoding.spending.receipts import ChunkResult, RenditionResult
from functions.encoding.upkeep.retention import FAILED_KEPT, MANIFESTS_KEPT, REPLACED_KEPT
from functions.encoding.upkeep.sweep import TITLES_PER_SWEEP
from functions.platform.errors import StoreUnavailable
from tests.support.catalogue import make_playback
from tests.support.encoding_plans import make_job, make_plan
from tests.support.encoding_world import EncodeWorld

if TYPE_CHECKING:
    from functions.encoding.model import EncodeJob

MINUTE = timedelta(minutes=1)
PARTS = ("manifest.mpd", "master.m3u8", "a0.m3u8", "v360/init.mp4", "v360/s00000.m4s", "thumbnails.vtt")


class SweptTitle:
    """A title with jobs whose files are stored, and a clock."""

    def __init__(self) -> None:
        self.encode = EncodeWorld()
        self.container = f"title-{self.encode.title_id}"

    def upload(self, etag: str) -> str:
        """Open a job that has published a part of its film."""
        job_id = self.encode.upload(etag)
        self.encode.folders.files.setdefault(self.container, set()).update(f"{job_id}/{part}" for part in PARTS)
        return job_id

    def ready(self, etag: str) -> str:
        """Upload a film whose job becomes ready."""
        job_id = self.upload(etag)
        job = self.encode.jobs.set_status(job_id, JobStatus.ENCODING)
        self.encode.world.catalogue.mark_playable(self.encode.title_id, make_playback(job_id), complete=True)
        assert self.encode.lifecycle.complete(job)
        return job_id

    def failed(self, etag: str) -> str:
        """Upload a film whose job fails."""
        job_id = self.upload(etag)
        assert self.encode.lifecycle.fail(self.job(job_id), "It is cut off.")
        return job_id

    def job(self, job_id: str) -> EncodeJob:
        return self.encode.jobs.get_job(job_id)

    def after(self, wait: timedelta) -> SweptTitle:
        """Move the clock forward, with a sweep every ten minutes."""
        for _ in range(max(1, wait // (10 * MINUTE))):
            self.encode.clock.forward(seconds=min(wait, 10 * MINUTE).total_seconds())
            self.encode.service.sweep_due()
        return self

    def parts(self, job_id: str) -> set[str]:
        """Return the stored files of a job."""
        names = self.encode.folders.files.get(self.container, set())
        return {name.removeprefix(f"{job_id}/") for name in names if name.startswith(job_id)}


@pytest.fixture
def title() -> SweptTitle:
    return SweptTitle()


def test_film_that_can_be_watched_is_kept_for_ever(title: SweptTitle) -> None:
    job_id = title.ready("0x1")
    title.after(timedelta(days=30))
    assert title.parts(job_id) == set(PARTS)
    assert title.encode.jobs.sweeps[job_id] is None, "the title is not looked at again"


def test_replaced_film_is_kept_for_a_day_because_somebody_may_be_watching_it(title: SweptTitle) -> None:
    older = title.ready("0x1")
    title.after(timedelta(days=3))
    newer = title.ready("0x2")
    title.after(REPLACED_KEPT - 20 * MINUTE)
    assert title.parts(older) == set(PARTS)
    title.after(timedelta(hours=2))
    assert title.parts(older) == set()
    assert title.parts(newer) == set(PARTS)


def test_provisional_rendition_goes_a_day_after_the_others_were_complete(title: SweptTitle) -> None:
    """Somebody may have begun with it before, and watches it to the end."""
    job_id = title.upload("0x1")
    provisional = {"c360/init.mp4", "c360/s00000.m4s", "c360.m3u8", "original.mpd"}
    title.encode.folders.files[title.container] |= {f"{job_id}/{name}" for name in provisional}
    own = CopiedPicture(Rendition("c360", 640, 360, 9000), None, Fraction(0), regular=True)
    jobs, plan = title.encode.jobs, replace(make_plan(), copied=own)
    jobs.change_status(job_id, Transition.START_PLANNING)
    jobs.change_status(job_id, Transition.FINISH_PLANNING, plan=plan)
    result = ChunkResult({rendition.name: RenditionResult(23, 100) for rendition in plan.renditions})
    for chunk in plan.chunks:
        jobs.finish_chunk(title.job(job_id), chunk.index, codecs={}, cpu_s=1, tail=None, result=result)
    title.encode.world.catalogue.mark_playable(title.encode.title_id, make_playback(job_id), complete=True)
    assert title.encode.lifecycle.complete(title.job(job_id))
    title.after(REPLACED_KEPT - 20 * MINUTE)
    assert title.parts(job_id) == {*PARTS, *provisional}
    title.after(timedelta(hours=2))
    assert title.parts(job_id) == set(PARTS)
    title.after(timedelta(days=30))
    assert title.parts(job_id) == set(PARTS)


def test_older_film_is_kept_while_the_newer_one_is_encoded_or_has_failed(title: SweptTitle) -> None:
    older = title.ready("0x1")
    title.upload("0x2")
    title.after(timedelta(days=3))
    title.failed("0x3")
    title.after(FAILED_KEPT + timedelta(days=3))
    assert title.parts(older) == set(PARTS)


def test_growing_manifests_of_a_failed_film_go_after_an_hour_and_its_segments_after_a_week(title: SweptTitle) -> None:
    job_id = title.failed("0x1")
    title.after(MANIFESTS_KEPT - 20 * MINUTE)
    assert title.parts(job_id) == set(PARTS)
    title.after(timedelta(hours=1))
    assert title.parts(job_id) == {"v360/init.mp4", "v360/s00000.m4s", "thumbnails.vtt"}
    title.after(FAILED_KEPT - timedelta(hours=2))
    assert "v360/s00000.m4s" in title.parts(job_id)
    title.after(timedelta(hours=2))
    assert title.parts(job_id) == set()


def test_job_that_is_retried_is_not_swept(title: SweptTitle) -> None:
    job_id = title.failed("0x1")
    title.after(FAILED_KEPT - timedelta(hours=1))
    title.encode.service.retry_job(job_id)
    title.after(timedelta(days=3))
    assert "v360/s00000.m4s" in title.parts(job_id)


def test_failed_job_that_was_replaced_goes_a_day_after_its_successor_ended(title: SweptTitle) -> None:
    replaced = title.upload("0x1")
    newer = title.ready("0x2")
    assert title.job(replaced).status is JobStatus.FAILED
    title.after(REPLACED_KEPT + timedelta(hours=1))
    assert (title.parts(replaced), title.parts(newer)) == (set(), set(PARTS))


def test_what_a_withdrawal_left_behind_goes_and_a_new_upload_of_the_title_stays(title: SweptTitle) -> None:
    older = title.ready("0x1")
    title.encode.world.catalogue.withdraw_title(title.encode.title_id)
    title.encode.service.end_withdrawn(title.encode.title_id)
    assert title.parts(older) == set()
    late = title.encode.folders.files[title.container]
    late.add(f"{older}/v360/s00001.m4s")  # by an encoder that has not noticed it yet
    title.after(timedelta(hours=2))
    assert title.parts(older) == set()
    newer = title.ready("0x2")
    title.after(timedelta(days=2))
    assert title.parts(newer) == set(PARTS)


def test_what_an_encoder_stores_late_goes_although_a_sweep_of_its_withdrawn_title_was_due_sooner(
    title: SweptTitle,
) -> None:
    job_id = title.upload("0x1")
    title.encode.jobs.schedule_sweep(job_id, at=title.encode.clock() + 10 * MINUTE)
    title.encode.world.catalogue.withdraw_title(title.encode.title_id)
    title.encode.service.end_withdrawn(title.encode.title_id)
    title.after(20 * MINUTE)
    assert title.parts(job_id) == set()
    title.encode.folders.files[title.container].add(f"{job_id}/v360/s00001.m4s")
    title.after(timedelta(hours=2))
    assert title.parts(job_id) == set()


@pytest.mark.parametrize("read", ["list_folders", "summaries_of_title", "find_title"])
def test_film_that_is_uploaded_again_while_its_title_is_swept_is_kept(
    title: SweptTitle, read: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = title.ready("0x1")
    encode = title.encode
    owner = {"list_folders": encode.folders, "summaries_of_title": encode.jobs, "find_title": encode.world.catalogue}
    before = getattr(owner[read], read)
    newer: list[str] = []

    def meanwhile(argument: str) -> object:
        monkeypatch.undo()
        found = before(argument)
        newer.append(title.ready("0x2"))
        return found

    encode.world.catalogue.withdraw_title(encode.title_id)
    encode.service.cancel(encode.title_id, "Its title was withdrawn.")
    monkeypatch.setattr(owner[read], read, meanwhile)
    encode.service.end_withdrawn(encode.title_id)
    encode.service.sweep_due()
    assert newer and title.parts(newer[0]) == set(PARTS)
    assert title.parts(older) in (set(), set(PARTS))


def test_folder_of_an_unknown_job_goes_with_the_replaced_ones(title: SweptTitle) -> None:
    title.ready("0x1")
    title.encode.folders.files[title.container].add("fedcba987654/v360/s00000.m4s")
    title.after(REPLACED_KEPT - 20 * MINUTE)
    assert title.parts("fedcba987654")
    title.after(timedelta(hours=1))
    assert not title.parts("fedcba987654")


def test_interrupted_sweep_is_repeated(title: SweptTitle, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = title.failed("0x1")

    def away(*_: object, **__: object) -> int:
        raise StoreUnavailable("Storage does not answer.")

    with monkeypatch.context() as patched:
        patched.setattr(title.encode.folders, "delete_files", away)
        with pytest.raises(StoreUnavailable):
            title.after(timedelta(hours=2))
    title.after(timedelta(hours=2))
    assert "manifest.mpd" not in title.parts(job_id)


def test_sweep_of_thousands_of_titles_reads_only_those_that_are_due() -> None:
    encode = EncodeWorld()
    for number in range(3000):
        encode.jobs.add_job(make_job(f"{number:012x}", title_id=f"film-{number:06x}", status=JobStatus.READY))
    for number in range(TITLES_PER_SWEEP + 10):
        encode.jobs.schedule_sweep(f"{number:012x}", at=encode.clock())
    for looked_at in (TITLES_PER_SWEEP, 10, 0):
        encode.jobs.calls.clear()
        encode.service.sweep_due()
        assert encode.jobs.calls["summaries_of_title"] == looked_at
