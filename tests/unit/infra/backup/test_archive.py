"""A backup's place: nothing is read from a backup that is incomplete, damaged, or of a later version."""

from __future__ import annotations

import errno
import json
import shutil
from typing import TYPE_CHECKING

import pytest

from infra.local.backup.archive import MANIFEST, Backup, NewBackup, disk_errors
from infra.local.backup.places import SAS, Container, Folder, place_of
from infra.local.home import CannotRun

if TYPE_CHECKING:
    from pathlib import Path


def make_backup(folder: Path) -> Path:
    new = NewBackup(Folder(folder))
    with new.file("mongo/titles.bson") as file:
        file.write(b"one")
        file.write(b"two")
    new.finish(version="0.2.0", made_at="2026-11-27T04:26:20Z", migrations={"logins": 3})
    return folder


def change_manifest(folder: Path, **changes: object) -> None:
    content = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(content | changes))


def test_complete_backup_is_read_back(tmp_path: Path) -> None:
    backup = Backup.of(Folder(make_backup(tmp_path / "b")))
    with backup.open("mongo/titles.bson") as file:
        assert file.read() == b"onetwo"
    assert backup.names("mongo") == ["mongo/titles.bson"]
    assert backup.names("mon") == []
    assert (backup.manifest.version, backup.manifest.migrations, backup.manifest.bytes) == ("0.2.0", {"logins": 3}, 6)


def test_only_its_owner_can_read_a_backup(tmp_path: Path) -> None:
    assert make_backup(tmp_path / "b").stat().st_mode & 0o777 == 0o700


def test_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    with pytest.raises(CannotRun, match="is not empty; name a folder that does not exist yet"):
        NewBackup(Folder(tmp_path))


def test_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotRun, match="cannot be written"):
        NewBackup(Folder(tmp_path / "file" / "b"))


def test_interrupted_backup_is_refused(tmp_path: Path) -> None:
    new = NewBackup(Folder(tmp_path / "b"))
    with new.file("mysql.sql") as file:
        file.write(b"INSERT")
    with pytest.raises(CannotRun, match="is not a complete backup"):
        Backup.of(Folder(tmp_path / "b"))


@pytest.mark.parametrize("content", [b"onetwO", b"onetw", b"onetwo!"])
def test_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    folder = make_backup(tmp_path / "b")
    (folder / "mongo" / "titles.bson").write_bytes(content)
    with pytest.raises(CannotRun, match=r"titles\.bson is damaged"):
        Backup.of(Folder(folder))


def test_missing_file_is_named(tmp_path: Path) -> None:
    folder = make_backup(tmp_path / "b")
    (folder / "mongo" / "titles.bson").unlink()
    with pytest.raises(CannotRun, match=r"titles\.bson cannot be read"):
        Backup.of(Folder(folder))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', "\x00"])
def test_damaged_manifest_is_refused(tmp_path: Path, text: str) -> None:
    folder = make_backup(tmp_path / "b")
    (folder / MANIFEST).write_text(text)
    with pytest.raises(CannotRun, match=r"manifest\.json is damaged"):
        Backup.of(Folder(folder))


def test_backup_in_a_later_format_names_the_version_to_use(tmp_path: Path) -> None:
    folder = make_backup(tmp_path / "b")
    change_manifest(folder, format=2, version="3.0.0")
    with pytest.raises(CannotRun, match=r"made by Notflix 3\.0\.0, which writes backups in a later format"):
        Backup.of(Folder(folder))


def test_manifest_cannot_name_a_file_outside_the_folder(tmp_path: Path) -> None:
    folder = make_backup(tmp_path / "b")
    change_manifest(folder, files={"../secrets.json": {"bytes": 0, "sha256": ""}})
    with pytest.raises(CannotRun, match="a file is outside the folder"):
        Backup.of(Folder(folder))


def test_too_little_space_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    new = NewBackup(Folder(tmp_path / "b"))
    with pytest.raises(CannotRun, match=r"The backup needs .* GB under .* is free\. Delete something"):
        new.require_space(shutil.disk_usage(tmp_path).free)


def test_place_is_a_folder_or_a_container(tmp_path: Path) -> None:
    assert place_of(str(tmp_path / "b"), {}).name == str(tmp_path / "b")
    address = "https://other.blob.core.windows.net/backup"
    for place in (place_of(f"{address}?sv=1&sig=x", {}), place_of(address, {SAS: "?sv=1&sig=x"})):
        assert isinstance(place, Container)
        assert place.name == address, "a message must not contain the signature"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://other.blob.core.windows.net/backup", "There is no SAS for https://other"),
        ("http://other.blob.core.windows.net/backup?sig=x", "must begin with https://"),
        ("ftp://other/backup?sig=x", "must begin with https://"),
    ],
)
def test_address_that_is_no_private_container_is_refused(address: str, words: str) -> None:
    with pytest.raises(CannotRun, match=words):
        place_of(address, {})


def test_full_disk_is_told_in_one_sentence() -> None:
    with pytest.raises(CannotRun, match="The disk became full during the backup"), disk_errors("the backup"):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(PermissionError), disk_errors("the backup"):
        raise PermissionError(errno.EACCES, "Permission denied")
