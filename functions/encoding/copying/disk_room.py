"""The room on the encoder's disk for copies of uploads: two copies are not begun unless there is room for both."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

from functions.platform.errors import DiskUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OCCUPIED = "The encoder's disk is in use for copies of other films. This film is copied after them."


class TooLittleRoom(Exception):
    """A disk has too little room, even if nothing else is written to it; `free` is its room in bytes."""

    def __init__(self, free: int) -> None:
        super().__init__(free)
        self.free = free


class DiskRoom:
    """Reserves room on a disk for the copies that the threads of this process make."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._reserved = 0

    @contextmanager
    def reserved(self, folder: Path, size: int) -> Iterator[None]:
        """Reserve `size` bytes on the disk of `folder` while the body runs.

        Raises DiskUnavailable if there is room only without the other reservations, TooLittleRoom if there is not
        enough even then. What has been written for another reservation counts twice, as reserved and as occupied; so a
        copy may be made later than necessary, but the disk does not become full.
        """
        with self._lock:
            free = shutil.disk_usage(folder).free
            if free + self._reserved < size:
                raise TooLittleRoom(free)
            if free - self._reserved < size:
                raise DiskUnavailable(OCCUPIED)
            self._reserved += size
        try:
            yield
        finally:
            with self._lock:
                self._reserved -= size
