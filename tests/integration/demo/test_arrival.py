"""The demonstration titles arrive in real storage, once and in order; films that cannot be downloaded are left out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from azure.storage.blob import ContainerClient

from functions.catalogue.sidecar import BlobSidecars
from infra.local.demo import arrival, films
from infra.local.demo.library import Clip, Rendered, load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from infra.local.demo.library import DemoTitle
    from tests.integration.conftest import Stack

ANNOUNCED, RENDERED, CLIP = "low-tide", "salt-and-signal", "nine-waves"


@pytest.fixture
def uploads(stack: Stack) -> Iterator[ContainerClient]:
    """Empty the container `uploads` before and after the test."""
    with ContainerClient.from_connection_string(stack.settings.storage, "uploads") as container:
        _empty(container)
        yield container
        _empty(container)


def _empty(container: ContainerClient) -> None:
    for name in list(container.list_blob_names()):
        container.delete_blob(name)


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reduce the catalogue to three titles, whose films need neither a package registry nor an encoder."""
    chosen = [title for title in load() if title.stem in (ANNOUNCED, RENDERED, CLIP)]

    def render(film: Rendered, title: str, face: str, packages: Path, target: Path) -> None:
        target.write_bytes(f"{title} in {len(film.shots)} shots".encode())

    def refuse(clip: Clip, target: Path) -> None:
        raise films.DownloadFailed(f"{clip.package} cannot be fetched from the npm registry")

    def titles() -> list[DemoTitle]:
        return chosen

    monkeypatch.setattr(arrival, "load", titles)
    monkeypatch.setattr(films, "render", render)
    monkeypatch.setattr(films, "fetch", refuse)


def bring_in(stack: Stack, home: Path) -> list[tuple[str, float]]:
    told: list[tuple[str, float]] = []
    arrival.bring_in(stack.endpoints, home, lambda label, share: told.append((label, share)))
    return told


@pytest.mark.usefixtures("three")
def test_titles_come_before_films_and_a_film_that_cannot_be_had_is_named(
    stack: Stack, uploads: ContainerClient, tmp_path: Path
) -> None:
    told = bring_in(stack, tmp_path)
    names = set(uploads.list_blob_names())
    assert names == {f"{stem}{end}" for stem in (ANNOUNCED, RENDERED) for end in (".json", ".jpg", ".backdrop.jpg")} | {
        f"{RENDERED}.mp4"
    }
    labels = list(dict.fromkeys(label for label, _ in told))
    assert labels[0] == "Demonstration titles"
    sentence = next(label for label in labels if label.endswith("."))
    assert sentence == "Nine Waves was left out, because vide@0.5.1 cannot be fetched from the npm registry."
    assert all(0 <= share <= 1 for _, share in told)
    assert all(dict(told)[label] == 1 for label in labels)


@pytest.mark.usefixtures("three")
def test_a_second_run_sends_nothing_twice(stack: Stack, uploads: ContainerClient, tmp_path: Path) -> None:
    bring_in(stack, tmp_path)
    before = {blob.name: blob.etag for blob in uploads.list_blobs()}
    bring_in(stack, tmp_path)
    assert {blob.name: blob.etag for blob in uploads.list_blobs()} == before


@pytest.mark.usefixtures("three")
def test_a_broken_run_is_completed(stack: Stack, uploads: ContainerClient, tmp_path: Path) -> None:
    bring_in(stack, tmp_path)
    uploads.delete_blob(f"{RENDERED}.mp4")
    uploads.delete_blob(f"{ANNOUNCED}.json")
    bring_in(stack, tmp_path)
    names = set(uploads.list_blob_names())
    assert {f"{RENDERED}.mp4", f"{ANNOUNCED}.json"} <= names


@pytest.mark.usefixtures("three")
def test_the_catalogue_finds_description_and_pictures_beside_the_film(
    stack: Stack, uploads: ContainerClient, tmp_path: Path
) -> None:
    bring_in(stack, tmp_path)
    found = BlobSidecars(uploads).beside(RENDERED)
    assert found.reason is None
    assert found.description is not None
    assert found.description.fields["name"] == "Salt & Signal"
    assert found.poster
    assert found.backdrop
    assert json.loads(uploads.download_blob(f"{RENDERED}.json").readall())["directors"] == ["Oona Kivi"]
