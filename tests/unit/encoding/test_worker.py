"""What a worker does without ffmpeg."""

from __future__ import annotations

from itertools import repeat
from threading import Event
from typing import TYPE_CHECKING, Any, cast

import pytest

from functions.encoding.claims import LEASE_S, ClaimLost, Claims
from functions.encoding.damage import DamagedRun
from functions.encoding.model import JobStatus
from functions.encoding.text_plan import TextPlan
from functions.encoding.track_state import TrackFault
from functions.encoding.worker import EncodeWorker
from functions.platform.errors import EncodeFault
from tests.support.clock import Clock
from tests.support.encoding_claims import MemoryClaims
from tests.support.encoding_jobs import MemoryEncodeJobs
from tests.support.encoding_plans import make_job, make_plan
from tests.support.encoding_storage import MemoryMedia

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WAIT_S = 30


class NoFFmpeg:
    """An ffmpeg that only states the version of the plan."""

    def version(self) -> str:
        return make_plan().ffmpeg_version


def unclaimed() -> Claims:
    return Claims(MemoryClaims(), Clock(), beat_s=None)


def test_subtitles_whose_file_was_deleted_after_planning_are_left_out(tmp_path: Path) -> None:
    jobs = MemoryEncodeJobs(Clock())
    plan = make_plan(text=(TextPlan("t0", "en", "English", None, "film.en.srt"),))
    job = make_job(plan=plan, status=JobStatus.ENCODING)
    jobs.add_job(job)
    worker = EncodeWorker(jobs, unclaimed(), MemoryMedia(), cast("Any", NoFFmpeg()), work_dir=str(tmp_path))
    state = worker.encode_track(job, "t0", publish=lambda _: None).tracks["t0"]
    assert (state.complete, state.fault) == (True, TrackFault.EMPTY)


def test_damage_of_a_chunk_that_is_encoded_again_counts_once() -> None:
    before, again = DamagedRun(30, 36, 6), DamagedRun(30, 37, 7)
    job = make_job(plan=make_plan(), damage={"1": (before,), "2": (DamagedRun(400, 402, 2),)})
    report = job.damage_with({"1": (again,)})
    assert report
    assert report.pictures == 9


class FailingPictures(NoFFmpeg):
    """An ffmpeg that fails at the pictures once the sound has begun, and encodes the sound until it is stopped."""

    def __init__(self) -> None:
        self.sound_began, self.over = Event(), Event()
        self.sound_stopped_by: BaseException | None = None

    def run(self, arguments: list[str], *, watch: Callable[[], None], **_: object) -> None:
        if "libx264" in arguments:
            assert self.sound_began.wait(WAIT_S)
            raise EncodeFault("The pictures failed.")
        self.sound_began.set()
        try:
            for _step in repeat(None, WAIT_S * 100):
                watch()
                self.over.wait(0.01)
        except BaseException as stopped:
            self.sound_stopped_by = stopped
            raise


def test_sound_is_stopped_when_the_pictures_fail(tmp_path: Path) -> None:
    ffmpeg = FailingPictures()
    jobs = MemoryEncodeJobs(Clock())
    job = make_job(plan=make_plan(), status=JobStatus.ENCODING)
    jobs.add_job(job)
    worker = EncodeWorker(jobs, unclaimed(), MemoryMedia(), cast("Any", ffmpeg), work_dir=str(tmp_path))
    with pytest.raises(EncodeFault, match="The pictures failed"):
        worker.encode_front(job, 0, publish=lambda _: None)
    assert ffmpeg.sound_stopped_by is not None


class StalledFFmpeg(NoFFmpeg):
    """An ffmpeg that calls `meanwhile` when it is run."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.meanwhile = meanwhile

    def run(self, arguments: list[str], *, watch: Callable[[], None], **_: object) -> None:
        del arguments
        self.meanwhile()
        watch()
        pytest.fail("the encode went on")


@pytest.mark.parametrize("step", ["chunk 1", "track a0"])
def test_encoder_whose_claim_was_taken_over_stops_without_recording_anything(tmp_path: Path, step: str) -> None:
    clock, store = Clock(), MemoryClaims()
    claims, other = (Claims(store, clock, beat_s=None) for _ in range(2))
    jobs = MemoryEncodeJobs(clock)
    job = make_job(plan=make_plan(), status=JobStatus.ENCODING)
    jobs.add_job(job)

    def take_over() -> None:
        clock.forward(seconds=LEASE_S + 1)
        other.take(job.id, step)

    claims.take(job.id, step)
    worker = EncodeWorker(jobs, claims, MemoryMedia(), cast("Any", StalledFFmpeg(take_over)), work_dir=str(tmp_path))
    with pytest.raises(ClaimLost):
        if step == "chunk 1":
            worker.encode_chunk(job, 1, publish=lambda _: None)
        else:
            worker.encode_track(job, "a0", publish=lambda _: None)
    assert jobs.get_job(job.id) == job
