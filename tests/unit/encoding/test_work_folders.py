"""Work folders are deleted when their work ends, and those of killed processes at the next start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from functions.encoding.work_folders import SWEPT_AFTER_S, sweep_work_folders, work_folder

HOLD = """
import sys
from functions.encoding.work_folders import work_folder
with work_folder("chunk", sys.argv[1]) as folder:
    (folder / "s00000.m4s").write_bytes(b"segment")
    print(folder, flush=True)
    sys.stdin.read()
"""


def made_old(folder: Path) -> None:
    """Make a folder look too old to be a new folder that is not locked yet."""
    at = folder.stat().st_mtime - SWEPT_AFTER_S - 1
    os.utime(folder, (at, at))


def test_folder_is_deleted_after_its_work_and_after_an_error(tmp_path: Path) -> None:
    with work_folder("chunk", str(tmp_path)) as folder:
        (folder / "s00000.m4s").write_bytes(b"segment")
    with pytest.raises(ValueError, match="broken"), work_folder("chunk", str(tmp_path)):
        raise ValueError("broken")
    assert list(tmp_path.iterdir()) == []


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


def test_young_and_foreign_folders_are_left_alone(tmp_path: Path) -> None:
    young, foreign = tmp_path / "notflix-work-chunk-young", tmp_path / "chunk-of-somebody-else"
    for folder in (young, foreign):
        folder.mkdir()
    made_old(foreign)
    assert sweep_work_folders(str(tmp_path)) == 0
    assert young.exists()
    assert foreign.exists()
