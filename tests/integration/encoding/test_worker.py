"""The real ffmpeg encodes a chunk and its audio; tests check the segments listed meanwhile and calls of the store."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from functions.encoding.ffmpeg import FFmpeg
from functions.encoding.frame_grid import FrameGrid
from functions.encoding.ladder import chunks_for
from functions.encoding.model import JobStatus
from functions.encoding.sound_worker import FIRST_SOUNDS, WHOLE_SOUND_S
from functions.encoding.steps import RETRY_S
from functions.platform.errors import StoreUnavailable
from functions.platform.messages import EncodeAudio, EncodeFront, PublishTitle
from tests.support.encoding_plans import make_audio_plan
from tests.support.machine import FILM, JOB, Machine
from tests.support.media import Film, make_film

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.ffmpeg import Finished
    from functions.encoding.model import EncodeJob
    from functions.encoding.track_state import TrackState


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(FILM, tmp_path_factory.mktemp("film"))


@pytest.fixture
def machine(film: Path, tmp_path: Path) -> Machine:
    return Machine(film, tmp_path)


def test_chunk_of_seven_segments_reads_its_job_once(machine: Machine) -> None:
    machine.encode.run(EncodeAudio(JOB, "a0"), machine.pipeline)
    machine.jobs.calls.clear()
    outcome = machine.encode.run(EncodeFront(JOB), machine.pipeline)
    calls = machine.jobs.calls
    assert calls["get_job"] == 1
    assert set(calls) <= {"get_job", "advance_chunk", "note_published", "finish_chunk"}
    assert 1 <= calls["advance_chunk"] <= 7
    assert calls["finish_chunk"] == 1
    assert outcome
    assert outcome.messages == (PublishTitle(JOB),)
    assert outcome.encode_s
    container = f"title-{machine.encode.title_id}"
    segments = {name for at, name in machine.media.blobs if at == container and name.endswith(".m4s")}
    assert len([name for name in segments if "/v90/" in name]) == 7

    machine.jobs.calls.clear()
    published = machine.encode.run(PublishTitle(JOB), machine.pipeline)
    assert published
    assert published.ended
    assert machine.jobs.calls == {"get_job": 1, "note_published": 1, "change_status": 1}
    ready = machine.encode.service.progress(JOB)
    assert ready
    assert (ready.status, ready.front_s, ready.percent) == (JobStatus.READY, 28.0, 100.0)
    assert b'type="static"' in machine.media.blobs[container, f"{JOB}/manifest.mpd"]


@pytest.fixture
def ended_machine(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Return an encoder whose job ends as soon as a step has read it; only calls by steps are counted."""
    machine.encode.lifecycle.fail(machine.jobs.get_job(JOB), "film.mkv was uploaded later and has replaced this file.")
    ended = machine.jobs.get_job(JOB)
    machine.jobs.calls.clear()
    monkeypatch.setattr(machine.jobs, "get_job", lambda _: replace(ended, status=JobStatus.ENCODING))
    return machine


def stopped_calls(machine: Machine, step: EncodeFront | EncodeAudio) -> dict[str, int]:
    """Run a step of a job that has ended; return how often each method of the job store was called."""
    outcome = machine.encode.run(step, machine.pipeline)
    assert outcome
    assert (outcome.job.status, outcome.messages, outcome.ended) == (JobStatus.FAILED, (), False)
    return dict(machine.jobs.calls)


def test_track_of_a_job_that_was_ended_stops_at_its_next_segment(ended_machine: Machine) -> None:
    assert stopped_calls(ended_machine, EncodeAudio(JOB, "a0")) == {"advance_track": 1}


def test_front_of_a_job_that_was_ended_stops_pictures_and_sound_at_their_next_segment(
    ended_machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pictures wait for the sound: otherwise, sometimes the pictures would stop first, and sometimes the sound."""
    jobs, heard = ended_machine.jobs, Event()
    advance_track, advance_chunk = jobs.advance_track, jobs.advance_chunk

    def advance_heard(*arguments: Any, **named: Any) -> EncodeJob:
        job = advance_track(*arguments, **named)
        heard.set()
        return job

    def advance_late(*arguments: Any, **named: Any) -> EncodeJob:
        assert heard.wait(300)
        return advance_chunk(*arguments, **named)

    monkeypatch.setattr(jobs, "advance_track", advance_heard)
    monkeypatch.setattr(jobs, "advance_chunk", advance_late)
    assert stopped_calls(ended_machine, EncodeFront(JOB)) == {"advance_track": 1, "advance_chunk": 1}


def test_sound_of_a_front_is_given_up_with_its_pictures(
    ended_machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sound is read at a hundredth of its speed, so that its first segment would take minutes."""
    run = FFmpeg.run

    def run_slowly(self: FFmpeg, arguments: list[str], *, folder: Path, **named: Any) -> Finished:
        if "-audio-" in folder.name:
            source = arguments.index("-i")
            arguments = [*arguments[:source], "-readrate", "0.01", *arguments[source:]]
        return run(self, arguments, folder=folder, **named)

    monkeypatch.setattr(FFmpeg, "run", run_slowly)
    assert stopped_calls(ended_machine, EncodeFront(JOB)) == {"advance_chunk": 1}


@pytest.mark.parametrize("step", [EncodeFront(JOB), EncodeAudio(JOB, "a0")], ids=["chunk", "track"])
def test_job_store_that_is_too_busy_for_progress_costs_no_encode(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, step: EncodeFront | EncodeAudio
) -> None:
    """Hundreds of encoders record their progress in one job, and Cosmos DB refuses what exceeds its request units."""
    refused: list[str] = []
    advance_track = machine.jobs.advance_track

    def advance_chunk_later(*_: Any, **__: Any) -> EncodeJob:
        refused.append("chunk")
        raise StoreUnavailable("The document store is busy; try again in a few seconds.")

    def advance_track_later(job: EncodeJob, track: str, state: TrackState, **named: Any) -> EncodeJob:
        if isinstance(step, EncodeFront) or state.complete:
            return advance_track(job, track, state, **named)
        refused.append("track")
        raise StoreUnavailable("The document store is busy; try again in a few seconds.")

    monkeypatch.setattr(machine.jobs, "advance_chunk", advance_chunk_later)
    monkeypatch.setattr(machine.jobs, "advance_track", advance_track_later)
    assert machine.encode.run(step, machine.pipeline)
    assert refused
    job = machine.jobs.get_job(JOB)
    assert not job.faults
    assert job.tracks["a0"].complete if isinstance(step, EncodeAudio) else job.chunks_done == {0}


def test_store_that_stops_answering_stops_the_encode_and_the_chunk_is_made_by_the_next_attempt(
    machine: Machine, tmp_path: Path
) -> None:
    put = machine.media.store_file

    def away(container: str, name: str, path: Path) -> None:
        raise StoreUnavailable("Storage does not answer.")

    machine.media.store_file = away  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        machine.encode.run(EncodeFront(JOB), machine.pipeline)
    job = machine.jobs.get_job(JOB)
    assert job.is_open
    assert job.faults["chunk 0"].passing
    assert list(tmp_path.glob("notflix-work-*")) == []
    machine.media.store_file = put  # type: ignore[method-assign]
    machine.encode.clock.forward(seconds=RETRY_S)
    machine.encode.run(EncodeFront(JOB), machine.pipeline)
    assert machine.jobs.get_job(JOB).chunks_done == {0}


def test_beginning_of_a_long_track_has_the_bytes_of_the_whole_track(tmp_path: Path) -> None:
    """Players keep the segments that the front published, so the track must not change them afterwards."""
    folder = tmp_path / "film"
    folder.mkdir()
    long = Film(frames=24 * (WHOLE_SOUND_S + 40), width=160, height=90)
    machine = Machine(make_film(long, folder), tmp_path)
    track = make_audio_plan(lasts=Fraction(WHOLE_SOUND_S + 40))
    plan = machine.jobs.get_job(JOB).plan
    assert plan
    grid = FrameGrid(Fraction(24), long.frames)
    plan = replace(plan, grid=grid, chunks=chunks_for(grid), audio=(track,))
    machine.jobs.set_status(JOB, JobStatus.ENCODING, plan=plan)
    container = f"title-{machine.encode.title_id}"

    def sounds() -> dict[str, bytes]:
        found = {name: data for (at, name), data in machine.media.blobs.items() if at == container}
        return {name.rpartition("/")[2]: data for name, data in found.items() if "/a0/" in name}

    outcome = machine.encode.run(EncodeFront(JOB), machine.pipeline)
    assert outcome
    assert outcome.messages == (PublishTitle(JOB), EncodeAudio(JOB, "a0"))
    beginning = sounds()
    assert len(beginning) == FIRST_SOUNDS + 1
    state = machine.jobs.get_job(JOB).tracks["a0"]
    assert (state.segments, state.complete) == (FIRST_SOUNDS, False)
    machine.encode.run(PublishTitle(JOB), machine.pipeline)
    job = machine.encode.service.progress(JOB)
    assert job
    assert job.front_s == 4.0, "the first segment can be watched"
    machine.encode.run(EncodeAudio(JOB, "a0"), machine.pipeline)
    whole = sounds()
    assert len(whole) == 25 + 1
    assert {name: whole[name] == data for name, data in beginning.items()} == dict.fromkeys(beginning, True)
    assert machine.jobs.get_job(JOB).tracks["a0"].complete


def test_short_track_is_complete_with_the_front(machine: Machine) -> None:
    outcome = machine.encode.run(EncodeFront(JOB), machine.pipeline)
    assert outcome
    assert outcome.messages == (PublishTitle(JOB),)
    assert machine.jobs.get_job(JOB).tracks["a0"].complete
