"""Sidecars and subtitle files: the stores in memory, the simulated one and blob storage satisfy the same contract."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

import pytest
from azure.storage.blob import BlobServiceClient

from functions.catalogue.sidecar import BlobSidecars, Sidecars
from functions.catalogue.subtitle_files import BlobSubtitles
from functions.platform.identifiers import container_for, title_id_for
from tests.simulation.storage import SimulatedStorage
from tests.support.catalogue import MemorySidecars, MemorySubtitles
from tests.support.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from functions.catalogue.ports import SidecarStore, SubtitleFiles
    from tests.integration.conftest import Stack

    type Beside = tuple[Callable[[str, bytes], object], SidecarStore | SimulatedStorage]
    type Tracks = tuple[Callable[[str, str, str, str], object], SubtitleFiles]

STEM, JOB = "series/The Sea (2021)", "0123456789ab"
DESCRIPTION = json.dumps({"title": "The Quiet Sea", "plot": "Waves."}).encode()


@pytest.fixture
def blobs(stack: Stack) -> Iterator[BlobServiceClient]:
    """Return a client of the blob service."""
    with BlobServiceClient.from_connection_string(stack.settings.storage) as service:
        yield service


@pytest.fixture
def simulated(tmp_path: Path) -> SimulatedStorage:
    """Return the storage of simulations."""
    return SimulatedStorage(tmp_path, Clock())


@pytest.fixture
def real_sidecars(blobs: BlobServiceClient) -> Beside:
    """Return a function that stores an upload, and the sidecars in an empty container."""
    uploads = blobs.create_container(f"uploads-{uuid.uuid4().hex[:12]}")
    return uploads.upload_blob, BlobSidecars(uploads)


@pytest.fixture(params=["simulated", "blob"])
def beside(request: pytest.FixtureRequest) -> Beside:
    """Return a function that stores an upload, and the sidecars of one of the two stores of uploads."""
    if request.param == "blob":
        found: Beside = request.getfixturevalue("real_sidecars")
        return found
    storage: SimulatedStorage = request.getfixturevalue("simulated")
    return storage.upload, storage


@pytest.fixture(params=["memory", "simulated", "blob"])
def writable(request: pytest.FixtureRequest) -> SidecarStore:
    """Return one of the stores, without sidecars."""
    stores: dict[str, Callable[[], SidecarStore]] = {
        "memory": MemorySidecars,
        "simulated": lambda: request.getfixturevalue("simulated"),
        "blob": lambda: request.getfixturevalue("real_sidecars")[1],
    }
    return stores[request.param]()


@pytest.fixture(params=["memory", "simulated", "blob"])
def tracks(request: pytest.FixtureRequest) -> Tracks:
    """Return a function that stores a subtitle track, and one of the stores."""
    if request.param == "memory":
        memory = MemorySubtitles()
        return lambda title, job, track, text: memory.tracks.update({(title, job, track): text}), memory
    if request.param == "simulated":
        storage: SimulatedStorage = request.getfixturevalue("simulated")
        return lambda title, job, track, text: storage.blobs.update(
            {(container_for(title), f"{job}/{track}.vtt"): text.encode()}
        ), storage
    service: BlobServiceClient = request.getfixturevalue("blobs")

    def put(title: str, job: str, track: str, text: str) -> None:
        container = service.get_container_client(container_for(title))
        if not container.exists():
            container.create_container()
        container.upload_blob(f"{job}/{track}.vtt", text.encode())

    return put, BlobSubtitles(service)


def test_the_sidecars_of_a_film_are_those_with_its_stem(beside: Beside) -> None:
    upload, sidecars = beside
    upload(f"{STEM}.mkv", b"film")
    assert sidecars.beside(STEM) == Sidecars()
    upload(f"{STEM}.json", DESCRIPTION)
    upload(f"{STEM}.poster.jpg", b"poster")
    upload(f"{STEM}.backdrop.jpg", b"backdrop")
    upload(f"{STEM}.en.srt", b"1\n00:00:01,000 --> 00:00:02,000\nHello.\n")
    upload(f"{STEM}.Part 2.jpg", b"of another film")
    found = sidecars.beside(STEM)
    assert found.description and found.description.fields == {"name": "The Quiet Sea", "plot": "Waves."}
    assert (found.reason, found.poster, found.backdrop) == (None, b"poster", b"backdrop")


def test_a_description_that_cannot_be_used_has_a_reason(beside: Beside) -> None:
    upload, sidecars = beside
    upload(f"{STEM}.json", b'{"year": "long ago"}')
    upload(f"{STEM}.jpg", b"poster")
    found = sidecars.beside(STEM)
    assert found.description is None and found.poster == b"poster"
    assert found.reason and found.reason.startswith(f"{STEM}.json cannot be used: ")


def test_a_poster_replaces_an_earlier_one_beside_the_same_film_only(writable: SidecarStore) -> None:
    assert writable.beside(STEM) == Sidecars()
    for poster in (b"first", b"second"):
        writable.store_poster(STEM, poster)
        assert writable.beside(STEM) == Sidecars(poster=poster)
    assert writable.beside("series/The Sea") == writable.beside(f"{STEM}.x") == Sidecars()


def test_a_track_is_read_and_one_that_does_not_exist_is_none(tracks: Tracks) -> None:
    put, subtitles = tracks
    title_id = title_id_for(f"{uuid.uuid4().hex[:8]}/storm.mkv")
    assert subtitles.read_subtitles(title_id, JOB, "t0") is None
    put(title_id, JOB, "t0", "WEBVTT\n\nΓειά 🦊\n")
    assert subtitles.read_subtitles(title_id, JOB, "t0") == "WEBVTT\n\nΓειά 🦊\n"
    assert subtitles.read_subtitles(title_id, JOB, "t1") is None
    assert subtitles.read_subtitles(title_id, "ba9876543210", "t0") is None
