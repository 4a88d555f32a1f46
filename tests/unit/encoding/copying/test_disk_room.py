"""Copies of uploads that are made at the same time have room on the disk, or wait for each other."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from functions.encoding.copying.disk_room import DiskRoom, TooLittleRoom
from functions.platform.errors import DiskUnavailable

if TYPE_CHECKING:
    from pathlib import Path


def test_copy_that_has_room_only_without_another_one_is_made_after_it(tmp_path: Path) -> None:
    room, most = DiskRoom(), shutil.disk_usage(tmp_path).total
    with room.reserved(tmp_path, shutil.disk_usage(tmp_path).free // 3):
        with room.reserved(tmp_path, 1000):
            pass
        with (
            pytest.raises(DiskUnavailable, match="after them"),
            room.reserved(tmp_path, shutil.disk_usage(tmp_path).free * 5 // 6),
        ):
            pytest.fail("it had no room")
        with pytest.raises(TooLittleRoom), room.reserved(tmp_path, 2 * most):
            pytest.fail("it had no room")
    with room.reserved(tmp_path, shutil.disk_usage(tmp_path).free * 5 // 6):
        pass


def test_room_is_free_again_after_a_copy_that_failed(tmp_path: Path) -> None:
    room = DiskRoom()
    with pytest.raises(ValueError, match="broken"), room.reserved(tmp_path, shutil.disk_usage(tmp_path).free // 2):
        raise ValueError("broken")
    with room.reserved(tmp_path, shutil.disk_usage(tmp_path).free * 5 // 6):
        pass
