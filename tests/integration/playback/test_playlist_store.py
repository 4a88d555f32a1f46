"""The store of playlists: blobs of the titles' containers, and an error that does not contain their addresses."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest
from azure.storage.blob import BlobServiceClient

from functions.platform.errors import StoreUnavailable
from functions.playback.repository import BlobPlaylists
from tests.support.playback import MemoryPlaylists
from tests.support.wording import is_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.playback.ports import PlaylistStore
    from tests.integration.conftest import Stack

TEXT = '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,NAME="Ελληνικά 🦊"\nv480.m3u8\n'
BLOB = "job/master.m3u8"


@pytest.fixture
def blobs(stack: Stack) -> Iterator[BlobServiceClient]:
    """Return a client of the blob service."""
    with BlobServiceClient.from_connection_string(stack.settings.storage) as service:
        yield service


@pytest.fixture
def container() -> str:
    """Return the name of a container of this test."""
    return f"title-{uuid.uuid4().hex[:12]}"


@pytest.fixture(params=["memory", "blob"])
def store(request: pytest.FixtureRequest, container: str) -> PlaylistStore:
    """Return one of the two stores, in which a container has one playlist."""
    if request.param == "memory":
        return MemoryPlaylists({(container, BLOB): TEXT})
    service: BlobServiceClient = request.getfixturevalue("blobs")
    service.create_container(container).upload_blob(BLOB, TEXT.encode())
    return BlobPlaylists(service)


def test_a_playlist_is_read_and_what_does_not_exist_is_none(store: PlaylistStore, container: str) -> None:
    assert store.read_playlist(container, BLOB) == TEXT
    assert store.read_playlist(container, "job/v480.m3u8") is None
    assert store.read_playlist(f"title-{uuid.uuid4().hex[:12]}", BLOB) is None


def test_storage_that_does_not_answer_is_said_without_the_address(refused_port: int) -> None:
    address = f"http://127.0.0.1:{refused_port}/films"
    service = BlobServiceClient(address, credential="a2V5", retry_total=0)
    with service, pytest.raises(StoreUnavailable) as refused:
        BlobPlaylists(service).read_playlist("title-film", BLOB)
    assert "title-film" not in refused.value.detail and refused.value.__cause__ is None
    assert is_sentence(refused.value.detail)
