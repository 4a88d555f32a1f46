"""The real ffmpeg probes uploads; whatever takes long is left to a step of its own, so other plans do not wait."""

from __future__ import annotations

from dataclasses import replace
from threading import Event, Semaphore, Thread
from typing import TYPE_CHECKING

import pytest

from functions.encoding.copying import track_copier
from functions.encoding.ffmpeg import PROBE_LIMIT_S, FFmpeg, Finished, RunTooLong
from functions.encoding.model import JobStatus, copy_of
from functions.encoding.planning import planner
from functions.platform.identifiers import INTERMEDIATES, container_for
from functions.platform.messages import EncodeFront, PlanEncode, PrepareEncode
from tests.support.encoder import Encoder
from tests.support.media import Film, make_film
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

SHORT = Film(frames=24 * 5, width=640, height=360)
"""A short film in two sizes, the larger of which is copied."""


class SlowProbes(FFmpeg):
    """Probes a file named slow only as long as it may; without a short limit, until `released`."""

    started: Semaphore
    released: Event

    def __init__(self) -> None:
        super().__init__("ffmpeg", "ffprobe", 4096)
        object.__setattr__(self, "started", Semaphore(0))
        object.__setattr__(self, "released", Event())

    def probe(
        self, address: str, *arguments: str, limit_s: float = PROBE_LIMIT_S, cpu_s: int | None = None
    ) -> Finished:
        if "slow" not in address:
            return super().probe(address, *arguments, cpu_s=cpu_s)
        if limit_s <= planner.AT_ONCE_S:
            raise RunTooLong("The time is up.")
        self.started.release()
        assert self.released.wait(120)
        return Finished(1, "", "Invalid data found when processing input", 1.0, 10, ran_out=True)


def test_good_film_is_planned_beside_two_files_that_are_slow_to_probe(tmp_path: Path) -> None:
    ffmpeg = SlowProbes()
    encoder = Encoder(tmp_path / "storage", ffmpeg)
    slow = []
    for number in range(2):
        upload = tmp_path / f"slow{number}.mp4"
        upload.write_bytes(bytes(range(256)))
        encoder.world.title_id = f"slow-{number}"
        slow.append(encoder.upload(upload))
    encoder.world.title_id = "film-1a2b3c"
    good = encoder.upload(make_film(SHORT, tmp_path))

    for job_id in slow:  # one message of the queue at a time
        outcome = encoder.world.run(PlanEncode(job_id), encoder.pipeline)
        assert outcome
        assert outcome.messages == (PrepareEncode(job_id),)
    places = [
        Thread(target=encoder.world.run, args=(PrepareEncode(job_id), encoder.pipeline), daemon=True) for job_id in slow
    ]
    for place in places:
        place.start()
    for _ in places:
        assert ffmpeg.started.acquire(timeout=120)
    planned = encoder.world.run(PlanEncode(good), encoder.pipeline)
    assert planned
    assert planned.messages[:1] == (EncodeFront(good),)
    assert {encoder.world.jobs.get_job(job_id).status for job_id in slow} == {JobStatus.PLANNING}

    ffmpeg.released.set()
    eventually(lambda: not any(place.is_alive() for place in places))
    for job_id in slow:
        job = encoder.world.jobs.get_job(job_id)
        assert job.status is JobStatus.FAILED
        assert "takes too long to analyse" in (job.reason or "")


@pytest.mark.parametrize(
    "film",
    [replace(SHORT, name="film.ts"), replace(SHORT, name="film.mkv", mux=("-live", "1"))],
    ids=["transport stream", "Matroska without cues"],
)
def test_large_upload_is_read_as_a_whole_by_a_step_of_its_own(
    film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_film(film, tmp_path)
    expected = Encoder(tmp_path / "small")
    plan = expected.plan_only(expected.upload(source))
    monkeypatch.setattr(track_copier, "AT_ONCE_BYTES", source.stat().st_size - 1)
    encoder = Encoder(tmp_path / "large")
    job_id = encoder.upload(source)
    reads: list[int] = []
    read_range = encoder.media.read_range

    def counted(*arguments: object, **named: int) -> bytes:
        reads.append(named["length"])
        return read_range(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(encoder.media, "read_range", counted)
    outcome = encoder.world.run(PlanEncode(job_id), encoder.pipeline)
    assert outcome
    assert outcome.messages == (PrepareEncode(job_id),)
    assert not reads
    assert not encoder.media.list_names(f"title-{encoder.world.title_id}", job_id)
    assert encoder.plan_only(job_id) == plan
    assert plan.copied, "the pictures are copied"


@pytest.mark.parametrize(
    "film", [SHORT, replace(SHORT, name="film.mkv", video=("-c:v", "mpeg4"))], ids=["index", "pictures to encode"]
)
def test_large_upload_that_need_not_be_read_as_a_whole_is_planned_at_once(
    film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(track_copier, "AT_ONCE_BYTES", 0)
    monkeypatch.setattr(planner, "AT_ONCE_S", PROBE_LIMIT_S)
    encoder = Encoder(tmp_path / "storage")
    outcome = encoder.world.run(PlanEncode(encoder.upload(make_film(film, tmp_path))), encoder.pipeline)
    assert outcome
    assert outcome.job.plan


def test_lost_copy_of_a_large_upload_is_made_again_by_a_step_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(track_copier, "AT_ONCE_BYTES", 0)
    encoder = Encoder(tmp_path / "storage")
    job_id = encoder.upload(make_film(replace(SHORT, name="film.ts"), tmp_path))
    planned = encoder.planned(job_id)
    copy = encoder.media.path_of(INTERMEDIATES, f"{job_id}/source.mkv")
    copy.unlink()
    outcome = encoder.world.run(PlanEncode(job_id), encoder.pipeline)
    assert outcome
    assert outcome.messages == (PrepareEncode(job_id),)
    assert not copy.exists()
    assert encoder.planned(job_id).messages == planned.messages
    assert copy.exists()


def test_copy_of_an_upload_lies_where_no_viewer_can_read_it(tmp_path: Path) -> None:
    """Viewers may read the whole container of a title, and the copy is not encrypted."""
    encoder = Encoder(tmp_path / "storage", encrypt_films="always", film_keys="ab" * 32)
    job_id = encoder.upload(make_film(replace(SHORT, name="film.ts"), tmp_path))
    encoder.planned(job_id)
    job = encoder.world.jobs.get_job(job_id)
    assert job.key_id
    assert job.plan
    assert job.plan.source == copy_of(job_id) != job.upload
    stored = encoder.media.list_names(container_for(job.title_id), "")
    assert [name for name in stored if name.endswith(".mkv")] == []
    assert encoder.media.list_names(INTERMEDIATES, "") == [f"{job_id}/source.mkv"]
