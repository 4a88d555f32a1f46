"""Large Matroska films are planned from their cues, and read when they are copied: each frame once, in its place.

Files whose cues are missing, wrong or too few are planned as if they had none.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from functions.encoding import ladder
from functions.encoding.copying import copy_worker, track_copier
from functions.encoding.formats.matroska_index import read_matroska
from functions.encoding.model import JobStatus
from functions.platform.messages import PlanEncode, PrepareEncode
from tests.support.cases import always
from tests.support.copied_films import shape
from tests.support.encoder import Encoder
from tests.support.muxed_films import MuxedFilms
from tests.support.published import Published
from tests.support.source_makers import ffmpeg

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.model import EncodePlan

FILM = shape("-g", "48", "-bf", "3", name="film.mkv").film
"""A film of 13 groups of pictures, in which pictures are shown in another order than they are stored."""

FILMS = {
    "with sound": FILM,
    "without sound": replace(FILM, sounds=()),
    "cues at the beginning": replace(FILM, mux=("-cues_to_front", "1", "-reserve_index_space", "50k")),
    "clusters of a second": replace(FILM, mux=("-cluster_time_limit", "1000")),
    "30000/1001 fps": replace(FILM, rate=Fraction(30_000, 1001)),
    "60 fps, scene changes": shape(
        "-force_key_frames", "1.1,2.5,2.9,6,8.4", "-g", "240", rate=Fraction(60), frames=60 * 13, name="film.mkv"
    ).film,
}
QUICK = ("with sound", "clusters of a second")
"""A film of each kind."""


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> MuxedFilms:
    return MuxedFilms(tmp_path_factory.mktemp("films"))


@pytest.fixture(autouse=True)
def _all_films_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat all films as large and long, and divide them into chunks of about two segments."""
    monkeypatch.setattr(track_copier, "AT_ONCE_BYTES", 0)
    monkeypatch.setattr(copy_worker, "SHORT_S", 5)
    monkeypatch.setattr(copy_worker, "BEGINNING_S", 6)
    monkeypatch.setattr(ladder, "CHUNK_SEGMENTS", 2)


def planned_at_once(encoder: Encoder, path: Path) -> EncodePlan | None:
    """Upload and plan a film; return None if it has to be read as a whole."""
    job_id = encoder.upload(path)
    outcome = encoder.world.run(PlanEncode(job_id), encoder.pipeline)
    assert outcome
    if outcome.messages == (PrepareEncode(job_id),):
        return None
    assert outcome.job.plan
    return outcome.job.plan


def read_as_a_whole(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> EncodePlan:
    """Return the plan of a film that counts as small."""
    with monkeypatch.context() as patch:
        patch.setattr(track_copier, "AT_ONCE_BYTES", 1 << 30)
        plan = planned_at_once(Encoder(folder / "whole"), path)
    assert plan
    assert plan.copied
    return plan


@pytest.mark.parametrize("case", always(QUICK, FILMS))
def test_film_is_planned_from_its_cues_as_if_it_had_been_read_as_a_whole(
    case: str, films: MuxedFilms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = FILMS[case]
    path = films.make(film, tmp_path)
    encoder = Encoder(tmp_path / "storage")
    plan = planned_at_once(encoder, path)
    assert plan, "it was left to another step"
    whole = read_as_a_whole(path, tmp_path, monkeypatch)
    assert (plan.grid, plan.chunks, plan.passthrough) == (whole.grid, whole.chunks, whole.passthrough)
    assert plan.copied
    assert whole.copied
    exact = whole.copied.rendition.maxrate_kbps
    assert exact * 0.95 <= plan.copied.rendition.maxrate_kbps <= exact * 1.1

    progress = encoder.encode(path)
    assert progress.status is JobStatus.READY, progress.reason
    published = Published(encoder.published(progress))
    assert published.faults() == []
    own, *others = published.of("video")
    assert published.numbers(own.name) == [*range(film.frames)], "each of the film's own pictures once"
    assert all(other.spans == own.spans for other in others)


def test_only_parts_of_a_film_are_read_before_it_can_be_watched(
    films: MuxedFilms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = films.make(replace(FILM, sounds=()), tmp_path)
    monkeypatch.setattr(track_copier, "CHECKED", 2)
    monkeypatch.setattr("functions.encoding.formats.matroska_elements.READ_AT_ONCE", 4096)
    monkeypatch.setattr("functions.encoding.copying.matroska_outline.HEAD_OF_CLUSTER", 4096)
    encoder = Encoder(tmp_path / "storage")
    reads: list[tuple[int, int]] = []
    read_range = encoder.media.read_range

    def counted(*arguments: object, **named: int) -> bytes:
        reads.append((named["offset"], named["length"]))
        return read_range(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(encoder.media, "read_range", counted)
    assert planned_at_once(encoder, path)
    (job,) = encoder.world.jobs.open_summaries()
    assert job.playable_at
    unread = set(range(path.stat().st_size)).difference(*(range(at, at + length) for at, length in reads))
    assert len(unread) > path.stat().st_size * 0.2


def without_cues(path: Path, target: Path, kept: int) -> Path:
    """Write a film whose cues are not those of its key frames: only each `kept`-th remains, the others are void."""
    content = bytearray(path.read_bytes())
    begin = content.rindex(bytes.fromhex("1c53bb6b"))
    points, at = [], begin
    while (at := content.find(b"\xbb", at + 1)) >= 0:
        length = content[at + 1] & 0x7F
        if content[at + 2 : at + 3] == b"\xb3" and at + 2 + length <= len(content):
            points.append(at)
            at += 1 + length
    for number, point in enumerate(points):
        if number % kept:
            content[point] = 0xEC
    target.write_bytes(content)
    return target


@pytest.mark.parametrize("is_wrong", [False, True], ids=["too few", "wrong"])
def test_film_whose_cues_are_not_usable_is_read_as_a_whole(
    is_wrong: bool, films: MuxedFilms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = films.make(FILM, tmp_path)
    path = tmp_path / "changed.mkv"
    if is_wrong:
        content = source.read_bytes()
        begin = content.rindex(bytes.fromhex("1c53bb6b"))
        places = content[begin:].replace(b"\xf7\x81\x01\xf1", b"\xf7\x81\x01\xf0")  # cluster positions disappear
        path.write_bytes(content[:begin] + places)
    else:
        without_cues(source, path, 10)
    encoder = Encoder(tmp_path / "storage")
    assert planned_at_once(encoder, path) is None
    progress = encoder.encode(path)
    assert progress.status is JobStatus.READY, progress.reason
    published = Published(encoder.published(progress))
    assert published.faults() == []
    assert published.of("video")[0].name == "c360"
    assert published.numbers("c360") == [*range(FILM.frames)]
    assert encoder.job(progress).plan == replace(
        read_as_a_whole(path, tmp_path, monkeypatch), source=encoder.job(progress).upload
    )


def test_film_that_was_joined_from_others_keeps_the_times_of_its_pictures(
    films: MuxedFilms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sound is longer than its pictures, so each repetition begins between two frames of the grid."""
    once = tmp_path / "once.mkv"
    film = films.make(shape("-g", "48", "-bf", "0", name="film.mkv").film, tmp_path)
    ffmpeg("-i", film, "-t", "6", "-c", "copy", once)
    path = tmp_path / "joined.mkv"
    ffmpeg("-stream_loop", "2", "-i", once, "-c", "copy", path)
    encoder = Encoder(tmp_path / "storage")
    plan = planned_at_once(encoder, path)
    whole = read_as_a_whole(path, tmp_path, monkeypatch)
    assert plan
    assert plan.copied
    assert not plan.copied.regular
    assert (plan.grid, plan.copied.start) == (whole.grid, whole.copied.start if whole.copied else None)
    progress = encoder.encode(path)
    assert progress.status is JobStatus.READY, progress.reason
    published = Published(encoder.published(progress))
    assert published.faults() == []
    frames = published.numbers("c360")
    assert frames[: len(frames) // 3] * 3 == frames
    assert frames[: len(frames) // 3] == [*range(len(frames) // 3)]


def test_some_cues_are_enough(films: MuxedFilms, tmp_path: Path) -> None:
    path = without_cues(films.make(FILM, tmp_path), tmp_path / "few.mkv", 3)
    encoder = Encoder(tmp_path / "storage")
    plan = planned_at_once(encoder, path)
    assert plan
    assert plan.grid.cuts == (0, 144, 288, 432, 576)
    progress = encoder.encode(path)
    assert progress.status is JobStatus.READY, progress.reason
    published = Published(encoder.published(progress))
    assert published.faults() == []
    assert published.numbers("c360") == [*range(FILM.frames)]


def test_another_encoder_copies_a_film_from_its_cues_too(
    films: MuxedFilms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(track_copier, "index_of_any", None)  # an error would follow if it were read as a whole
    path = films.make(replace(FILM, sounds=()), tmp_path)
    encoder = Encoder(tmp_path / "storage")
    assert planned_at_once(encoder, path)
    (job,) = encoder.world.jobs.open_summaries()
    first, encoder.world.title_id = encoder.world.title_id, "another-1a2b3c"
    another = encoder.upload(films.make(replace(FILM, name="another.mkv", sounds=()), tmp_path))
    encoder.plan_only(another)  # the encoder keeps only the index of the film that it planned last
    encoder.world.title_id = first
    progress = encoder.continue_job(job.id, [PlanEncode(job.id)])
    assert progress.status is JobStatus.READY, progress.reason
    assert Published(encoder.published(progress)).numbers("c360") == [*range(FILM.frames)]


def test_film_that_is_not_as_its_cues_say_where_nobody_looked_is_encoded(
    films: MuxedFilms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One picture is between two frames of the grid; only the first segment is read before the film is planned."""
    monkeypatch.setattr(track_copier, "CHECKED", 1)
    content = bytearray(films.make(replace(FILM, sounds=()), tmp_path).read_bytes())
    picture, *_ = read_matroska(lambda at, length: bytes(content[at : at + length]), size=len(content), name="film.mkv")
    place = picture.positions[350] - 3
    content[place : place + 2] = (int.from_bytes(content[place : place + 2]) + 15).to_bytes(2)
    path = tmp_path / "late.mkv"
    path.write_bytes(content)
    encoder = Encoder(tmp_path / "storage")
    plan = planned_at_once(encoder, path)
    assert plan
    assert plan.copied
    (job,) = encoder.world.jobs.open_summaries()
    assert job.playable_at, "its own pictures were shown"
    progress = encoder.continue_job(job.id, [PlanEncode(job.id)])
    assert progress.status is JobStatus.READY, progress.reason
    published = Published(encoder.published(progress))
    assert published.faults() == []
    assert [track.name for track in published.of("video")] == ["v360", "v234"]
    assert published.numbers("v360") == [*range(FILM.frames)]
