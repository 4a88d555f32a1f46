"""Work folders are deleted when their work ends, and those of killed processes by others."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from functions.encoding.assembly import assemble_steps
from functions.encoding.work_folders import DISK_FAILS, DISK_FULL, SWEPT_AFTER_S, sweep_work_folders, work_folder
from functions.platform.errors import DiskUnavailable
from functions.platform.resources import Resources
from tests.support.catalogue import World

HOLD = """
import sys
from functions.encoding.assembly import assemble_steps
from functions.encoding.work_folders import work_folder
with work_folder("chunk", sys.argv[1]) as folder:
    (folder / "s00000.m4s").write_bytes(b"segment")
    print(folder, flush=True)
    sys.stdin.read()
"""


def made_old(folder: Path) -> None:
    """Make a folder so old that it is deleted unless a process holds its lock."""
    at = folder.stat().st_mtime - SWEPT_AFTER_S - 1
    os.utime(folder, (at, at))


def encoder_resources(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Resources:
    """Return the clients of an encoder whose work folders are in `folder`; none of them connects to anything."""
    stores = {"AzureWebJobsStorage": "UseDevelopmentStorage=true", "MONGO_URL": "mongodb://127.0.0.1:1"}
    for name, value in (stores | {"WORK_DIR": str(folder)}).items():
        monkeypatch.setenv(name, value)
    return Resources()


def test_folder_is_deleted_after_its_work_and_after_an_error(tmp_path: Path) -> None:
    with work_folder("chunk", str(tmp_path)) as folder:
        (folder / "s00000.m4s").write_bytes(b"segment")
    with pytest.raises(ValueError, match="broken"), work_folder("chunk", str(tmp_path)):
        raise ValueError("broken")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(errno.ENOSPC, DISK_FULL), (errno.EDQUOT, DISK_FULL), (errno.EIO, DISK_FAILS), (errno.EROFS, DISK_FAILS)],
)
def test_fault_of_the_disk_is_told_from_a_fault_of_the_film(tmp_path: Path, number: int, sentence: str) -> None:
    with pytest.raises(DiskUnavailable, match=sentence), work_folder("chunk", str(tmp_path)):
        raise OSError(number, os.strerror(number))
    with pytest.raises(ConnectionResetError), work_folder("chunk", str(tmp_path)):
        raise ConnectionResetError(errno.ECONNRESET, "reset")


def test_folder_of_a_killed_process_is_swept_and_that_of_a_living_one_is_not(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout
        folder = Path(holder.stdout.readline().strip())
        made_old(folder)
        assert sweep_work_folders(str(tmp_path)) == 0
        assert (folder / "s00000.m4s").exists()
        holder.kill()
    assert folder.exists()
    assert sweep_work_folders(str(tmp_path)) == 1
    assert not folder.exists()


def test_folder_that_was_too_young_at_the_start_of_an_encoder_is_swept_by_its_next_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources = encoder_resources(tmp_path, monkeypatch)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout
        folder = Path(killed.stdout.readline().strip())
        killed.kill()
    assemble_steps(resources, World().catalogue)
    assert folder.exists()
    with work_folder("chunk", resources.settings().work_dir):
        assert folder.exists()
    made_old(folder)
    with work_folder("chunk", resources.settings().work_dir) as mine:
        assert [*tmp_path.iterdir()] == [mine]


def test_encoder_that_starts_sweeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resources = encoder_resources(tmp_path, monkeypatch)
    folder = tmp_path / "notflix-work-chunk-old"
    folder.mkdir()
    made_old(folder)
    assemble_steps(resources, World().catalogue)
    assert not folder.exists()


def test_young_and_foreign_folders_are_left_alone(tmp_path: Path) -> None:
    young, foreign = tmp_path / "notflix-work-chunk-young", tmp_path / "chunk-of-somebody-else"
    for folder in (young, foreign):
        folder.mkdir()
    made_old(foreign)
    assert sweep_work_folders(str(tmp_path)) == 0
    assert young.exists()
    assert foreign.exists()
