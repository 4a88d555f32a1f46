"""Storage in memory, which unit tests use, follows the contract of blob storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.encoding_storage import MemoryFolders, MemoryMedia
from tests.support.media_contract import FolderContract, MediaContract

if TYPE_CHECKING:
    from tests.support.media_contract import Putting

CONTAINER, LOST = "title-film", "title-lost"


class TestMemoryMedia(MediaContract):
    """Every container exists until it is lost."""

    @pytest.fixture
    def media(self) -> MemoryMedia:
        made = MemoryMedia()
        made.lose_container(LOST)
        return made

    @pytest.fixture
    def put(self, media: MemoryMedia) -> Putting:
        return lambda container, blob, content: media.blobs.update({(container, blob): content})

    @pytest.fixture
    def container(self) -> str:
        return CONTAINER

    @pytest.fixture
    def lost(self) -> str:
        return LOST


class TestMemoryFolders(FolderContract):
    """The names of files, without their contents."""

    @pytest.fixture
    def folders(self) -> MemoryFolders:
        return MemoryFolders()

    @pytest.fixture
    def put(self, folders: MemoryFolders) -> Putting:
        return lambda container, blob, content: folders.files.setdefault(container, set()).add(blob)

    @pytest.fixture
    def container(self) -> str:
        return CONTAINER

    @pytest.fixture
    def lost(self) -> str:
        return LOST
