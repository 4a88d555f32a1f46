"""Films are published while they are uploaded: what has arrived is copied, and nothing of it is wrong or lost later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from functions.catalogue.model import Status
from functions.encoding.model import JobStatus
from functions.encoding.steps import ATTEMPTS, RETRY_S
from functions.platform.errors import Conflict
from functions.platform.messages import PlanEncode, PrepareEncode
from tests.support.cases import extended
from tests.support.encoder import Encoder
from tests.support.media import Film, Sound, make_film
from tests.support.published import Published

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.encoding.progress import JobProgress

FRAMES = 24 * 32
FAST = ("-movflags", "+faststart")
FRAGMENTED = ("-movflags", "+frag_keyframe+empty_moov+default_base_moof")
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", "-pix_fmt", "yuv420p", "-g", "48")


@cache
def _content_of(film: Film) -> bytes:
    with TemporaryDirectory() as folder:
        return make_film(film, Path(folder)).read_bytes()


def film_of(folder: Path, *, name: str = "film.mp4", mux: tuple[str, ...] = (), **changes: Any) -> Path:
    """Return a film of 32 s with a key frame every two seconds; equal ones are made once."""
    film = replace(Film(name, frames=FRAMES, width=640, height=360, video=X264, mux=mux), **changes)
    path = folder / name
    path.write_bytes(_content_of(film))
    return path


def received(encoder: Encoder, job_id: str) -> JobProgress:
    """Publish what has arrived, and return the progress of the job."""
    return encoder.continue_job(job_id, [PrepareEncode(job_id)])


@pytest.mark.parametrize(
    ("mux", "name", "has_tail"),
    [
        (FAST, "film.mp4", False),
        extended(FRAGMENTED, "film.mp4", False),
        ((), "film.mp4", True),
        extended((), "film.mkv", False),
    ],
    ids=["index first", "fragmented", "index last", "matroska"],
)
def test_a_film_grows_with_its_upload_and_is_the_same_afterwards(
    mux: tuple[str, ...], name: str, has_tail: bool, tmp_path: Path
) -> None:
    silent: dict[str, Any] = {"sounds": ()} if name.endswith("mkv") else {}
    film = film_of(tmp_path, name=name, mux=mux, **silent)
    size = film.stat().st_size
    encoder = Encoder(tmp_path / "storage")
    tail = size - film.read_bytes().rindex(b"moov") + 4 if has_tail else 0
    fronts, stored = list[float](), dict[Path, bytes]()
    for percent in (5, 45, 70, 70, 85):
        job_id = encoder.commit(film, front=size * percent // 100, tail=tail)
        progress = received(encoder, job_id)
        assert progress.status is JobStatus.RECEIVING and not progress.notes, progress.notes
        fronts.append(progress.front_s)
        if progress.manifest:
            early = Published(encoder.published(progress))
            assert early.is_growing and early.faults() == []
            assert {path: path.read_bytes() for path in stored} == stored
            stored = {path: path.read_bytes() for path in encoder.published(progress).rglob("s*.m4s")}
            numbers = early.numbers("c360")
            assert numbers == list(range(len(numbers)))
    assert fronts == sorted(fronts) and 0 < fronts[2] < fronts[4], fronts
    assert encoder.world.world.catalogue.get(encoder.world.title_id).status is not Status.READY

    assert encoder.commit(film, front=size) == job_id
    ready = encoder.continue_job(job_id, [PlanEncode(job_id)])
    assert ready.status is JobStatus.READY, ready.reason
    assert {path: path.read_bytes() for path in stored} == stored
    whole = Published(encoder.published(ready))
    assert whole.faults() == [] and not whole.is_growing
    assert whole.numbers("c360") == list(range(FRAMES))
    assert ready.uploaded_percent is None


def test_the_first_segment_is_listed_before_any_other_is_copied(tmp_path: Path) -> None:
    film = film_of(tmp_path, mux=FAST)
    encoder = Encoder(tmp_path / "storage")
    store_text, stored = encoder.media.store_text, list[set[str]]()

    def noted(container: str, name: str, text: str, *, revision: int) -> None:
        if name.endswith("manifest.mpd"):
            folder = encoder.media.folder / container
            stored.append({f"{path.parent.name}/{path.name}" for path in folder.rglob("s*.m4s")})
        store_text(container, name, text, revision=revision)

    encoder.media.store_text = noted  # type: ignore[method-assign]
    job_id = encoder.commit(film, front=film.stat().st_size * 3 // 4)
    assert received(encoder, job_id).front_s > 12
    first, *_, last = stored
    assert first == {"c360/s00000.m4s", "c0/s00000.m4s"}
    assert {"c360/s00003.m4s", "c0/s00003.m4s"} <= last


@pytest.mark.parametrize(("mux", "has_tail"), [(FAST, False), ((), True)], ids=["index first", "index last"])
def test_one_segment_that_has_arrived_can_be_watched(mux: tuple[str, ...], has_tail: bool, tmp_path: Path) -> None:
    """x264 makes key frames that are more than ten seconds apart."""
    film = film_of(tmp_path, mux=mux, video=(*X264[:-1], "240"))
    size = film.stat().st_size
    tail = size - film.read_bytes().rindex(b"moov") + 4 if has_tail else 0
    encoder = Encoder(tmp_path / "storage")
    job_id = encoder.commit(film, front=size * 45 // 100, tail=tail)
    progress = received(encoder, job_id)
    assert (progress.status, progress.front_s) == (JobStatus.RECEIVING, 10)
    early = Published(encoder.published(progress))
    assert early.is_growing and early.faults() == []
    assert early.numbers("c360") == list(range(240))
    encoder.commit(film, front=size)
    ready = encoder.continue_job(job_id, [PlanEncode(job_id)])
    assert ready.status is JobStatus.READY
    assert Published(encoder.published(ready)).numbers("c360") == list(range(FRAMES))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        extended({"sounds": (Sound(codec="libmp3lame"),), "mux": FAST}, "its sound has to be encoded"),
        ({"sounds": (Sound(), Sound(440)), "mux": FAST}, "the file has several audio tracks"),
        ({}, "the index is at the end of the file"),
    ],
    ids=["sound to encode", "two sounds", "index last, not sent first"],
)
def test_a_film_that_cannot_be_watched_before_it_is_whole_says_why(
    changes: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    film = film_of(tmp_path, **changes)
    encoder = Encoder(tmp_path / "storage")
    job_id = encoder.commit(film, front=film.stat().st_size // 2)
    progress = received(encoder, job_id)
    assert progress.notes == (f"It can be watched once the upload is complete, because {reason}.",)
    assert progress.manifest is None
    encoder.commit(film, front=film.stat().st_size)
    ready = encoder.continue_job(job_id, [PlanEncode(job_id)])
    assert ready.status is JobStatus.READY and not ready.notes


def test_an_upload_that_stops_fails_its_job_and_continues_it_later(tmp_path: Path) -> None:
    film = film_of(tmp_path, mux=FAST)
    size = film.stat().st_size
    encoder = Encoder(tmp_path / "storage")
    service, clock = encoder.world.service, encoder.world.clock
    job_id = encoder.commit(film, front=size // 2)
    assert received(encoder, job_id).manifest
    clock.forward(hours=23)
    assert service.give_up_stopped() == 0
    clock.forward(hours=2)
    assert service.give_up_stopped() == 1
    progress = service.progress(job_id)
    assert progress and progress.status is JobStatus.FAILED
    stopped = "The upload of film.mp4 stopped. Upload the same file again: it continues where it stopped."
    assert progress.reason == stopped
    title = encoder.world.world.catalogue.get(encoder.world.title_id)
    assert (title.status, title.failure) == (Status.FAILED, progress.reason)
    with pytest.raises(Conflict, match="not complete"):
        service.retry_job(job_id)
    assert not service.is_over(job_id), "it may continue"

    clock.forward(seconds=timedelta(days=8).total_seconds())
    assert encoder.commit(film, front=size * 3 // 4) == job_id
    progress = received(encoder, job_id)
    assert progress.status is JobStatus.RECEIVING and progress.manifest
    assert encoder.world.world.catalogue.get(encoder.world.title_id).status is Status.ENCODING
    encoder.commit(film, front=size)
    assert encoder.continue_job(job_id, [PlanEncode(job_id)]).status is JobStatus.READY
    assert service.is_over(job_id)


def test_an_event_that_is_late_changes_nothing(tmp_path: Path) -> None:
    """Events of earlier commits find the state of the latest one, whatever the order in which they are handled."""
    film = film_of(tmp_path, mux=FAST)
    size = film.stat().st_size
    encoder = Encoder(tmp_path / "storage")
    job_id = encoder.commit(film, front=size * 3 // 4)
    latest = encoder.world.jobs.get_job(job_id).reception
    assert latest
    before = latest.at - timedelta(seconds=1)
    encoder.world.commit("0xlate", blob="film.mp4", size=size, front=size // 2, stored=size // 2, at=before)
    assert encoder.world.jobs.get_job(job_id).reception == latest
    encoder.commit(film, front=size)
    encoder.world.commit("0xlate", blob="film.mp4", size=size, front=size // 2, stored=size // 2, at=before)
    assert encoder.world.jobs.get_job(job_id).status is JobStatus.QUEUED
    assert encoder.continue_job(job_id, [PrepareEncode(job_id)]).status is JobStatus.READY


def test_a_commit_while_what_arrived_before_is_read_is_not_mixed_with_it(tmp_path: Path) -> None:
    film = film_of(tmp_path, mux=FAST)
    size = film.stat().st_size
    encoder = Encoder(tmp_path / "storage")
    job_id = encoder.commit(film, front=size // 2)
    encoder.media.etags["film.mp4"] = "0xnext"
    progress = received(encoder, job_id)
    assert (progress.status, progress.manifest) == (JobStatus.RECEIVING, None)
    encoder.commit(film, front=size * 3 // 4)
    assert received(encoder, job_id).manifest


def test_a_front_that_does_not_fit_the_whole_film_is_replaced(tmp_path: Path) -> None:
    film = film_of(tmp_path, mux=FAST)
    size = film.stat().st_size
    encoder = Encoder(tmp_path / "storage")
    job_id = encoder.commit(film, front=size * 3 // 4)
    front = received(encoder, job_id)
    assert front.manifest
    encoder.world.jobs.note_front(job_id, published="another plan", waits_because=None)
    encoder.commit(film, front=size)
    ready = encoder.continue_job(job_id, [PlanEncode(job_id)])
    assert ready.status is JobStatus.READY
    whole = Published(encoder.published(ready))
    assert whole.faults() == [] and whole.numbers("c360") == list(range(FRAMES))


def test_an_upload_that_begins_anew_in_another_browser_continues_what_was_published(tmp_path: Path) -> None:
    film = film_of(tmp_path, mux=FAST)
    size = film.stat().st_size
    encoder = Encoder(tmp_path / "storage")
    job_id = encoder.commit(film, front=size * 3 // 4)
    front_s = received(encoder, job_id).front_s
    for percent in (20, 50, 90):
        encoder.commit(film, front=size * percent // 100)
        progress = received(encoder, job_id)
        assert progress.uploaded_percent and round(progress.uploaded_percent) == percent and not progress.notes
        assert Published(encoder.published(progress)).faults() == []
    assert progress.front_s > front_s


def test_a_front_that_cannot_be_published_delays_no_film_beyond_its_upload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = film_of(tmp_path, mux=FAST)
    size = film.stat().st_size
    encoder = Encoder(tmp_path / "storage")
    job_id = encoder.commit(film, front=size // 2)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("This was not expected.")

    with monkeypatch.context() as patched:
        patched.setattr(encoder.media, "store_file", broken)
        for attempt in range(1, ATTEMPTS + 1):
            step = encoder.pipeline.choose_step(PrepareEncode(job_id))
            assert step
            if attempt < ATTEMPTS:
                with pytest.raises(RuntimeError):
                    encoder.pipeline.run_step(step)
            else:
                encoder.pipeline.run_step(step)
            encoder.world.clock.forward(seconds=RETRY_S)
    progress = encoder.world.service.progress(job_id)
    assert progress and progress.status is JobStatus.RECEIVING and progress.fault is None
    assert progress.notes == ("It can be watched once the upload is complete, because its beginning cannot be read.",)
    assert encoder.world.service.awaits_whole_upload(job_id)
    encoder.commit(film, front=size)
    assert encoder.continue_job(job_id, [PlanEncode(job_id)]).status is JobStatus.READY


def test_a_film_of_unknown_length_gets_it_once_it_is_whole(tmp_path: Path) -> None:
    film = film_of(tmp_path, mux=FRAGMENTED)
    size = film.stat().st_size
    encoder = Encoder(tmp_path / "storage")
    job_id = encoder.commit(film, front=size * 3 // 4)
    assert received(encoder, job_id).manifest
    catalogue = encoder.world.world.catalogue
    early = catalogue.get(encoder.world.title_id).playback
    assert early and early.duration_s < FRAMES / 24
    encoder.commit(film, front=size)
    encoder.planned(job_id)
    planned = catalogue.get(encoder.world.title_id).playback
    assert planned and FRAMES / 24 <= planned.duration_s < FRAMES / 24 + 0.1  # the sound lasts a little longer


class Killed(BaseException):
    """The process that publishes what has arrived ends at once."""


def test_a_receiver_that_is_killed_at_any_file_loses_nothing_and_stores_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = film_of(tmp_path, mux=FAST)
    size = film.stat().st_size
    encoder = Encoder(tmp_path / "storage")
    store = encoder.media.store_file
    job_id, kills = "", 0
    for percent in (30, 60, 90):
        job_id = encoder.commit(film, front=size * percent // 100)
        for left in range(1, 99):
            following = iter([False] * (left - 1) + [True])

            def store_until_killed(container: str, name: str, path: Path, ends: Iterator[bool] = following) -> None:
                store(container, name, path)
                if next(ends):
                    raise Killed

            monkeypatch.setattr(encoder.media, "store_file", store_until_killed)
            step = encoder.pipeline.choose_step(PrepareEncode(job_id))
            assert step
            try:
                encoder.pipeline.run_step(step)
                break
            except Killed:
                kills += 1
        monkeypatch.undo()
        progress = encoder.world.service.progress(job_id)
        assert progress and progress.status is JobStatus.RECEIVING
        early = Published(encoder.published(progress))
        assert early.faults() == []
        assert (numbers := early.numbers("c360")) == list(range(len(numbers)))
    assert kills > 10
    encoder.commit(film, front=size)
    ready = encoder.continue_job(job_id, [PlanEncode(job_id)])
    assert ready.status is JobStatus.READY
    assert Published(encoder.published(ready)).numbers("c360") == list(range(FRAMES))
