"""The behaviour that every store of media has; run for storage in memory, simulated storage and blob storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from functions.encoding.copying.reception import UploadChanged
from functions.encoding.model import SourceRef
from functions.platform.errors import ContainerMissing, EncodeFault, SourceRefused

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.ports import MediaStore, TitleFolders


class Putting(Protocol):
    """Stores a blob as another program does."""

    def __call__(self, container: str, blob: str, content: bytes) -> None:
        """Write or overwrite a blob."""


class MediaContract:
    """Tests of a store.

    A subclass provides `media`, `put`, `container`, which is empty, and `lost`, the name of one that does not exist.
    """

    @pytest.fixture
    def segment(self, tmp_path: Path) -> Path:
        path = tmp_path / "s00000.m4s"
        path.write_bytes(b"segment")
        return path

    def test_parts_of_an_upload_are_read_up_to_its_end(self, media: MediaStore, put: Putting, container: str) -> None:
        put(container, "film.mkv", b"bytes of a film")
        put(container, "empty.mkv", b"")
        film = SourceRef(container, "film.mkv")
        assert media.read_head(film, length=8) == b"bytes of"
        assert media.read_head(film, length=1000) == b"bytes of a film"
        assert media.read_head(SourceRef(container, "empty.mkv"), length=8) == b""
        assert media.read_range(film, offset=6, length=4) == b"of a"
        assert media.read_range(film, offset=11, length=1000) == b"film"
        assert media.read_range(film, offset=15, length=4) == b""

    def test_an_upload_that_is_gone_is_refused(self, media: MediaStore, container: str, tmp_path: Path) -> None:
        gone = SourceRef(container, "gone.mkv")
        with pytest.raises(SourceRefused, match=r"gone\.mkv is no longer in storage"):
            media.read_head(gone, length=8)
        with pytest.raises(SourceRefused, match=r"gone\.mkv is no longer in storage"):
            media.read_range(gone, offset=0, length=8)
        with pytest.raises(EncodeFault, match="404"):
            media.download_file(gone, tmp_path / "copy")

    def test_files_are_stored_listed_with_their_sizes_and_read(
        self, media: MediaStore, container: str, segment: Path, tmp_path: Path
    ) -> None:
        for _ in range(2):
            media.store_file(container, "job/v360/s00000.m4s", segment)
        media.store_text(container, "job/empty.vtt", "", revision=1)
        media.store_text(container, "jobs/other.vtt", "Grüße", revision=1)
        assert media.list_sizes(container, "job/") == {"v360/s00000.m4s": 7, "empty.vtt": 0}
        assert sorted(media.list_names(container, "job")) == ["job/empty.vtt", "job/v360/s00000.m4s", "jobs/other.vtt"]
        assert media.list_names(container, "none") == [] and media.list_sizes(container, "none") == {}
        versions = media.list_versions(container, "job/")
        assert versions.keys() == {"job/empty.vtt", "job/v360/s00000.m4s"}
        assert media.list_versions(container, "none") == {}
        assert media.read_text(container, "jobs/other.vtt") == "Grüße"
        assert media.read_text(container, "job/none.vtt") is None
        media.download_file(SourceRef(container, "job/v360/s00000.m4s"), tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == b"segment"

    def test_a_version_of_an_upload_is_read_as_long_as_it_is_the_present_one(
        self, media: MediaStore, put: Putting, container: str
    ) -> None:
        text = SourceRef(container, "film.de.srt")
        put(container, text.blob, b"first")
        first = media.list_versions(container, "film.")[text.blob]
        assert media.list_versions(container, "film.") == {text.blob: first}
        assert media.read_range(text, offset=0, length=99, etag=first) == b"first"
        put(container, text.blob, b"second")
        second = media.list_versions(container, "film.")[text.blob]
        assert media.read_range(text, offset=0, length=99, etag=second) == b"second"
        with pytest.raises(UploadChanged):
            media.read_range(text, offset=0, length=99, etag=first)

    def test_an_older_or_equal_revision_of_a_text_changes_nothing(self, media: MediaStore, container: str) -> None:
        for text, revision in (("first", 3), ("same", 3), ("older", 2)):
            media.store_text(container, "job/master.m3u8", text, revision=revision)
        assert media.read_text(container, "job/master.m3u8") == "first"
        media.store_text(container, "job/master.m3u8", "newer", revision=4)
        assert media.read_text(container, "job/master.m3u8") == "newer"

    def test_a_deleted_blob_is_gone_with_its_revision(self, media: MediaStore, container: str) -> None:
        media.store_text(container, "job/master.m3u8", "first", revision=3)
        for _ in range(2):
            media.delete_blob(container, "job/master.m3u8")
        assert media.read_text(container, "job/master.m3u8") is None
        media.store_text(container, "job/master.m3u8", "again", revision=1)
        assert media.read_text(container, "job/master.m3u8") == "again"

    def test_a_missing_container_is_reported_until_it_is_created(
        self, media: MediaStore, lost: str, segment: Path, tmp_path: Path
    ) -> None:
        for write in (
            lambda: media.store_file(lost, "job/v360/s00000.m4s", segment),
            lambda: media.store_text(lost, "job/manifest.mpd", "<MPD/>", revision=1),
            lambda: media.list_names(lost, ""),
            lambda: media.list_versions(lost, ""),
            lambda: media.download_file(SourceRef(lost, "film.mkv"), tmp_path / "copy"),
        ):
            with pytest.raises(ContainerMissing):
                write()
        assert media.list_sizes(lost, "job/") == {}
        assert media.read_text(lost, "job/manifest.mpd") is None
        media.delete_blob(lost, "job/manifest.mpd")
        with pytest.raises(SourceRefused):
            media.read_head(SourceRef(lost, "film.mkv"), length=8)
        for _ in range(2):
            media.create_container(lost)
        media.store_file(lost, "job/v360/s00000.m4s", segment)
        assert media.list_names(lost, "") == ["job/v360/s00000.m4s"]


class FolderContract:
    """Tests of the folders of titles; a subclass provides `folders`, `put`, `container` and `lost`."""

    def test_folders_of_a_title_are_listed_and_emptied(
        self, folders: TitleFolders, put: Putting, container: str
    ) -> None:
        names = [f"one/v360/s{number:05d}.m4s" for number in range(5)]
        for name in (*names, "one/manifest.mpd", "one/a0.m3u8", "other/manifest.mpd", "one-more/a.mpd", "no-folder"):
            put(container, name, b"x")
        put(container, "one/v234/init.mp4", b"x")
        assert sorted(folders.list_folders(container)) == ["one", "one-more", "other"]
        assert sorted(folders.list_folders(container, within="one")) == ["v234", "v360"]
        assert folders.list_folders(container, within="on") == []
        assert folders.delete_files(container, "one/v234") == 1
        assert folders.delete_files(container, "one", endings=(".mpd", ".m3u8")) == 2
        assert folders.delete_files(container, "one") == 5
        assert folders.delete_files(container, "one") == 0
        assert sorted(folders.list_folders(container)) == ["one-more", "other"]

    def test_a_missing_container_has_no_folders(self, folders: TitleFolders, lost: str) -> None:
        assert (folders.list_folders(lost), folders.delete_files(lost, "one")) == ([], 0)
        assert folders.list_folders(lost, within="one") == []
