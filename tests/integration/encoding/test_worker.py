"""The real ffmpeg encodes a chunk and its audio; tests check job-store queries and the segments listed meanwhile."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import pytest

from functions.encoding.ffmpeg import FFmpeg
from functions.encoding.ladder import chunks_for
from functions.encoding.manifests import ManifestPublisher
from functions.encoding.model import JobStatus, Rendition, SourceRef
from functions.encoding.pipeline import EncodePipeline
from functions.encoding.worker import EncodeWorker
from functions.platform.errors import StoreUnavailable
from functions.platform.messages import EncodeAudio, EncodeChunk, PublishTitle
from tests.support.encoding import EncodeWorld, MemoryMedia, make_job, make_plan
from tests.support.media import Film, make_film

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from functions.encoding.planner import Planner

JOB = "0123456789ab"
FILM = Film(frames=24 * 28, width=160, height=90)
"""A film with one chunk of seven segments."""


@dataclass
class LocalMedia(MemoryMedia):
    """In-memory storage whose films ffmpeg reads as files."""

    film: str = ""

    def signed_address(self, source: SourceRef, *, lasts: timedelta) -> str:
        del source, lasts
        return self.film


class Machine:
    """An encoder with the real ffmpeg and in-memory stores, and a planned film."""

    def __init__(self, film: Path, folder: Path) -> None:
        self.encode = EncodeWorld()
        self.jobs = self.encode.jobs
        self.media = LocalMedia(film=str(film))
        ffmpeg = FFmpeg(shutil.which("ffmpeg") or "", shutil.which("ffprobe") or "", 2048)
        catalogue, clock = self.encode.world.catalogue, self.encode.clock
        self.pipeline = EncodePipeline(
            self.jobs,
            self.encode.lifecycle,
            cast("Planner", None),
            EncodeWorker(self.jobs, self.media, ffmpeg, work_dir=str(folder)),
            ManifestPublisher(self.media, catalogue, ffmpeg, work_dir=str(folder), now=clock),
            clock,
        )
        self.encode.upload()
        rungs = (Rendition("v90", 160, 90, 200), Rendition("v54", 96, 54, 100))
        plan = make_plan(frames=FILM.frames, rate=Fraction(24), renditions=rungs)
        plan = replace(plan, chunks=chunks_for(plan.grid), ffmpeg_version=ffmpeg.version())
        self.jobs.add_job(make_job(JOB, title_id=self.encode.title_id, plan=plan, status=JobStatus.ENCODING))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(FILM, tmp_path_factory.mktemp("film"))


@pytest.fixture
def machine(film: Path, tmp_path: Path) -> Machine:
    return Machine(film, tmp_path)


def test_chunk_of_seven_segments_reads_its_job_once(machine: Machine) -> None:
    machine.pipeline.run_step(EncodeAudio(JOB, "a0"))
    machine.jobs.calls.clear()
    outcome = machine.pipeline.run_step(EncodeChunk(JOB, 0))
    calls = machine.jobs.calls
    assert calls["get_job"] == 1
    assert set(calls) <= {"get_job", "advance_chunk", "note_published", "finish_chunk"}
    assert 1 <= calls["advance_chunk"] <= 7
    assert calls["finish_chunk"] == 1
    assert outcome.messages == (PublishTitle(JOB),)
    assert outcome.encode_s
    container = f"title-{machine.encode.title_id}"
    segments = {name for at, name in machine.media.blobs if at == container and name.endswith(".m4s")}
    assert len([name for name in segments if "/v90/" in name]) == 7

    machine.jobs.calls.clear()
    assert machine.pipeline.run_step(PublishTitle(JOB)).ended
    assert machine.jobs.calls == {"get_job": 1, "note_published": 1, "change_status": 1}
    ready = machine.encode.service.progress(JOB)
    assert ready
    assert (ready.status, ready.front_s, ready.percent) == (JobStatus.READY, 28.0, 100.0)
    assert b'type="static"' in machine.media.blobs[container, f"{JOB}/manifest.mpd"]


@pytest.mark.parametrize("step", [EncodeChunk(JOB, 0), EncodeAudio(JOB, "a0")], ids=["chunk", "track"])
def test_encode_of_a_job_that_was_ended_stops_at_its_next_segment(
    machine: Machine, step: EncodeChunk | EncodeAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.encode.lifecycle.fail(machine.jobs.get_job(JOB), "A newer upload of film.mkv has taken its place.")
    ended = machine.jobs.get_job(JOB)
    machine.jobs.calls.clear()
    # as if the job had ended after the step had read it
    monkeypatch.setattr(machine.jobs, "get_job", lambda _: replace(ended, status=JobStatus.ENCODING))
    outcome = machine.pipeline.run_step(step)
    assert outcome.job
    assert (outcome.job.status, outcome.messages, outcome.ended) == (JobStatus.FAILED, (), False)
    assert sum(machine.jobs.calls.values()) == 1, "only the first segment was recorded"


def test_store_that_stops_answering_stops_the_encode_and_the_chunk_is_made_by_the_next_attempt(
    machine: Machine, tmp_path: Path
) -> None:
    put = machine.media.store_file

    def away(container: str, name: str, path: Path) -> None:
        raise StoreUnavailable("Storage does not answer.")

    machine.media.store_file = away  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        machine.pipeline.run_step(EncodeChunk(JOB, 0))
    job = machine.jobs.get_job(JOB)
    assert job.is_open
    assert job.faults["chunk 0"].passing
    assert list(tmp_path.glob("notflix-work-*")) == []
    machine.media.store_file = put  # type: ignore[method-assign]
    machine.pipeline.run_step(EncodeChunk(JOB, 0))
    assert machine.jobs.get_job(JOB).chunks_done == {0}
