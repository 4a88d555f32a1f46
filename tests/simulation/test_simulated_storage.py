"""Simulated storage follows the contracts of blob storage: media, folders and uploads."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from functions.encoding.model import SourceRef
from tests.simulation.storage import SimulatedStorage
from tests.support.clock import Clock
from tests.support.media_contract import FolderContract, MediaContract
from tests.support.upload_contract import UploadContract

if TYPE_CHECKING:
    from tests.support.arrivals import MemoryUploads
    from tests.support.media_contract import Putting
    from tests.support.upload_contract import Uploading

CONTAINER, LOST = "title-film", "title-lost"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def media(tmp_path: Path, clock: Clock) -> SimulatedStorage:
    made = SimulatedStorage(tmp_path, clock)
    made.create_container(CONTAINER)
    return made


@pytest.fixture
def put(media: SimulatedStorage) -> Putting:
    return lambda container, blob, content: media.blobs.update({(container, blob): content})


@pytest.fixture
def container() -> str:
    return CONTAINER


@pytest.fixture
def lost() -> str:
    return LOST


class TestSimulatedMedia(MediaContract):
    """Containers must be created."""

    def test_an_address_is_a_file_that_ffmpeg_can_read(self, media: SimulatedStorage) -> None:
        media.upload("film.mkv", b"bytes")
        address = media.signed_address(SourceRef("uploads", "film.mkv"), lasts=timedelta(minutes=1))
        assert Path(address).read_bytes() == b"bytes"


class TestSimulatedFolders(FolderContract):
    """The folders are those of the blobs."""

    @pytest.fixture
    def folders(self, media: SimulatedStorage) -> SimulatedStorage:
        return media


class TestSimulatedUploads(UploadContract):
    """Uploads in memory, whose ETags and times the simulated storage chooses."""

    @pytest.fixture
    def uploads(self, media: SimulatedStorage) -> MemoryUploads:
        return media.uploads

    @pytest.fixture
    def upload(self, media: SimulatedStorage) -> Uploading:
        def write(blob: str, content: bytes) -> None:
            media.upload(blob, content)

        return write
