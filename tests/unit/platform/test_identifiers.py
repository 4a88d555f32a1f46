"""The kind of a blob, its title id and its title's container follow from the blob's name alone."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.platform.identifiers import (
    Upload,
    UploadKind,
    companion,
    container_for,
    film_stems,
    job_id_for,
    read_name,
    title_id_for,
    trailer_id_of,
)

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=200)
STEMS = st.text(st.characters(codec="utf-8", exclude_characters="/."), min_size=1, max_size=60)

# Letters, digits and single hyphens, a letter or digit at both ends, 3 to 63 characters ("Naming and referencing
# containers, blobs, and metadata", Azure Storage).
CONTAINER = re.compile(r"(?=.{3,63}\Z)[a-z0-9]+(-[a-z0-9]+)*")


@pytest.mark.parametrize(
    ("blob", "stems"),
    [
        ("film.srt", ("film",)),
        ("film.de.srt", ("film.de", "film")),
        ("film.en.forced.srt", ("film.en.forced", "film.en", "film")),
        ("shows/The.Big.Sea.srt", ("shows/The.Big.Sea", "shows/The.Big")),
        ("a.b/film.de.hi.srt", ("a.b/film.de.hi", "a.b/film.de", "a.b/film")),
        ("film-trailer.de.vtt", ("film-trailer.de", "film-trailer")),
        ("film.mkv", ()),
        (".srt", ()),
    ],
)
def test_subtitles_may_belong_to_films_with_these_stems(blob: str, stems: tuple[str, ...]) -> None:
    assert film_stems(blob) == stems


@given(NAMES)
@example(".mkv")
@example("..mkv")
@example("a/..json")
@example("film.mkv/")
@example("ÄÖÜ.mkv")
@example("影片.mkv")
@example("-" * 100)
@example("a" * 39 + " b.mkv")
def test_every_name_has_a_title_whose_container_azure_takes(blob: str) -> None:
    title_id = title_id_for(blob)
    assert CONTAINER.fullmatch(container_for(title_id))
    assert title_id == title_id_for(blob)


@given(NAMES)
@example("..json")
@example("a//b.mkv")
def test_stem_is_the_beginning_of_the_name(blob: str) -> None:
    assert blob.startswith(read_name(blob).stem)


@given(STEMS)
def test_film_and_its_sidecars_are_one_title(stem: str) -> None:
    sidecars = {f"{stem}{end}" for end in (".json", ".jpg", ".poster.png", ".backdrop.webp", ".en.srt", ".pt-BR.vtt")}
    assert {title_id_for(blob) for blob in sidecars} == {title_id_for(f"{stem}.mkv")} == {title_id_for(f"{stem}.mp4")}


@given(STEMS, STEMS)
def test_different_stems_are_different_titles(one: str, other: str) -> None:
    assert (title_id_for(f"{one}.mkv") == title_id_for(f"{other}.mkv")) == (one == other)


def test_folders_tell_films_of_the_same_name_apart() -> None:
    assert title_id_for("2019/heat.mkv") != title_id_for("1995/heat.mkv")
    assert title_id_for("1995/heat.mkv").startswith("heat-")


def test_title_is_readable() -> None:
    assert re.fullmatch(r"big-buck-bunny-2008-[0-9a-f]{6}", title_id_for("Big Buck Bunny (2008).mp4"))
    assert re.fullmatch(r"amelie-[0-9a-f]{6}", title_id_for("Amélie.mkv"))
    assert re.fullmatch(r"film-[0-9a-f]{6}", title_id_for("影片.mkv"))


@given(NAMES, st.text("0123456789ABCDEFx", min_size=1))
def test_job_is_the_same_for_the_same_version_however_its_etag_is_quoted(blob: str, etag: str) -> None:
    job_id = job_id_for(blob, etag)
    assert re.fullmatch(r"[0-9a-f]{12}", job_id)
    assert job_id == job_id_for(blob, f'"{etag}"')
    assert job_id != job_id_for(blob, f"{etag}0")


@pytest.mark.parametrize(
    ("blob", "upload"),
    [
        ("film.mkv", Upload("film.mkv", "film", UploadKind.FILM)),
        ("film", Upload("film", "film", UploadKind.FILM)),
        ("film.unknown", Upload("film.unknown", "film", UploadKind.FILM)),
        ("a/b.c/film.MKV", Upload("a/b.c/film.MKV", "a/b.c/film", UploadKind.FILM)),
        ("film.json", Upload("film.json", "film", UploadKind.METADATA)),
        ("film.jpg", Upload("film.jpg", "film", UploadKind.POSTER)),
        ("film.Poster.JPEG", Upload("film.Poster.JPEG", "film", UploadKind.POSTER)),
        ("film.backdrop.png", Upload("film.backdrop.png", "film", UploadKind.BACKDROP)),
        ("film.srt", Upload("film.srt", "film", UploadKind.SUBTITLES)),
        ("film.en.srt", Upload("film.en.srt", "film", UploadKind.SUBTITLES, "en")),
        ("film.zh-Hant.vtt", Upload("film.zh-Hant.vtt", "film", UploadKind.SUBTITLES, "zh-Hant")),
        ("film.de.ass", Upload("film.de.ass", "film", UploadKind.SUBTITLES, "de")),
        ("film.SSA", Upload("film.SSA", "film", UploadKind.SUBTITLES)),
        ("film.2008.srt", Upload("film.2008.srt", "film.2008", UploadKind.SUBTITLES)),
        ("backdrop.jpg", Upload("backdrop.jpg", "backdrop", UploadKind.POSTER)),
        (".srt", Upload(".srt", ".srt", UploadKind.FILM)),
    ],
)
def test_name_says_what_a_blob_is(blob: str, upload: Upload) -> None:
    assert read_name(blob) == upload


@pytest.mark.parametrize(
    ("blob", "film", "language"),
    [
        ("The.Big.Sea.srt", "The.Big.Sea", "und"),
        ("The.Big.Sea.en.srt", "The.Big.Sea", "en"),
        ("The.Big.Sea.srt", "The.Big", "Sea"),
        ("The.Big.Sea.srt", "The", None),
        ("The.Big.Sea.mkv", "The.Big.Sea", None),
        ("The.Big.Seal.srt", "The.Big.Sea", None),
    ],
)
def test_subtitles_belong_to_the_film_whose_name_they_bear(blob: str, film: str, language: str | None) -> None:
    found = companion(blob, film=film)
    assert (found.language if found else None) == language
    assert found is None or (found.stem, found.kind) == (film, UploadKind.SUBTITLES)


def test_metadata_and_pictures_belong_to_their_film() -> None:
    kinds = {
        blob: companion(blob, film="film") for blob in ("film.json", "film.jpg", "film.backdrop.jpg", "film2.json")
    }
    assert [found.kind if found else None for found in kinds.values()] == [
        UploadKind.METADATA,
        UploadKind.POSTER,
        UploadKind.BACKDROP,
        None,
    ]


@pytest.mark.parametrize(
    ("blob", "stem"),
    [
        ("film-trailer.mp4", "film"),
        ("film.trailer.mkv", "film"),
        ("a/b/The Sea (2010)-Trailer.MP4", "a/b/The Sea (2010)"),
        ("film-trailer.de.srt", "film"),
        ("film.trailer.jpg", "film"),
        ("trailer.mp4", None),
        ("-trailer.mp4", None),
        ("films/.trailer.mp4", None),
        ("film-trailers.mp4", None),
        ("The Trailer.mp4", None),
        ("film.trailer", None),
        ("trailer-film.mp4", None),
    ],
)
def test_ending_of_a_name_says_what_a_trailer_is_the_trailer_of(blob: str, stem: str | None) -> None:
    assert read_name(blob).trailed_stem == stem


def test_all_spellings_of_a_trailer_have_the_same_id() -> None:
    names = ("a/film-trailer.mp4", "a/film.trailer.mkv", "a/film-Trailer.MOV")
    assert {title_id_for(name) for name in names} == {trailer_id_of("a/film")}
    assert trailer_id_of("a/film") not in {title_id_for("a/film.mkv"), trailer_id_of("film")}
