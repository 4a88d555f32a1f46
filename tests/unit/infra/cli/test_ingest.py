"""`ingest` uploads a film with the files beside it, and refuses what cannot be a film before it sends anything."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from functions.platform.identifiers import UploadKind
from infra.local.cli.ingest import Described, Placed, companions_of, ingest_film
from infra.local.home import CannotRun

if TYPE_CHECKING:
    from pathlib import Path


def test_what_lies_beside_a_film_under_its_name_belongs_to_it(tmp_path: Path) -> None:
    for name in ("film.mkv", "film.json", "film.en.srt", "film.jpg", "film.backdrop.jpg", "other.jpg", "film.mp4"):
        (tmp_path / name).touch()
    found = {kind: [path.name for path in paths] for kind, paths in companions_of(tmp_path / "film.mkv").items()}
    assert found == {
        UploadKind.METADATA: ["film.json"],
        UploadKind.SUBTITLES: ["film.en.srt"],
        UploadKind.POSTER: ["film.jpg"],
        UploadKind.BACKDROP: ["film.backdrop.jpg"],
    }


def test_what_the_person_says_stands_over_what_the_sidecar_says(tmp_path: Path) -> None:
    sidecar = tmp_path / "film.json"
    sidecar.write_text('{"title": "Old", "plot": "A dog."}')
    written = Described(title="New", year=1999, imdb="tt1").over(sidecar)
    assert written is not None
    assert json.loads(written) == {"title": "New", "year": 1999, "imdb_id": "tt1", "plot": "A dog."}


def test_sidecar_goes_as_it_is_where_nothing_is_said(tmp_path: Path) -> None:
    sidecar = tmp_path / "film.json"
    sidecar.write_text('{ "title": "As written" }')
    assert Described().over(sidecar) == b'{ "title": "As written" }'
    assert Described().over(None) is None


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("none.mkv", "There is no file"), ("folder", "is a folder"), ("film.srt", "belongs to a film")],
)
def test_what_cannot_be_a_film_is_refused_before_anything_is_sent(tmp_path: Path, name: str, sentence: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "film.srt").touch()
    with pytest.raises(CannotRun, match=sentence):
        ingest_film(tmp_path / name, Described(), Placed(), as_json=False)


def test_product_that_does_not_run_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTFLIX_HOME", str(tmp_path))
    (tmp_path / "film.mkv").touch()
    with pytest.raises(CannotRun, match=r"not running; start it with `\./notflix up`"):
        ingest_film(tmp_path / "film.mkv", Described(), Placed(), as_json=False)
