"""Temporary folders of encodes: locked while their process runs, so that folders of killed processes can be deleted."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from functions.platform.errors import DiskUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

PREFIX = "notflix-work-"
SWEPT_AFTER_S = 60
"""Age after which an unlocked folder is deleted; a new folder is locked much sooner than this."""

ROOM_BYTES = 1 << 20
"""With less room than this, a disk counts as full.

ffmpeg 7.1 ignores failures to write HLS segments, playlists and subtitles: on a full disk it leaves empty files, says
nothing and exits with 0, as if the film had no sound.
"""

DISK_FULL = "The disk of the encoder is full. Free space on it, or give the encoder a larger disk."
DISK_FAILS = "The encoder could not write to its disk. Check the disk, or give the encoder another one."

_OF_THE_DISK = {errno.ENOSPC: DISK_FULL, errno.EDQUOT: DISK_FULL, errno.EIO: DISK_FAILS, errno.EROFS: DISK_FAILS}


@contextmanager
def work_folder(purpose: str, work_dir: str) -> Iterator[Path]:
    """Yield a new folder in `work_dir` or, if that is empty, in the system's temporary folder; delete it afterwards.

    First, delete the folders of killed processes: a process that starts again at once finds its own too young for that.
    Raises DiskUnavailable if the disk fails, also in the body.
    """
    try:
        sweep_work_folders(work_dir)
        with _locked_folder(purpose, work_dir) as folder:
            yield folder
    except OSError as error:
        if error.errno in _OF_THE_DISK:
            raise DiskUnavailable(_OF_THE_DISK[error.errno]) from error
        raise


def raise_if_full(folder: Path) -> None:
    """Raise DiskUnavailable if the disk of `folder` has less than ROOM_BYTES left."""
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < ROOM_BYTES:
        raise DiskUnavailable(DISK_FULL)


@contextmanager
def _locked_folder(purpose: str, work_dir: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=f"{PREFIX}{purpose}-", dir=work_dir or None) as name:
        lock = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the kernel releases the lock however the process ends
            yield Path(name)
        finally:
            os.close(lock)


def sweep_work_folders(work_dir: str) -> int:
    """Delete the folders left by killed processes; return their number."""
    swept = 0
    for folder in Path(work_dir or tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        with suppress(OSError):  # another process is deleting the folder, or it belongs to another user
            if time.time() - folder.stat().st_mtime > SWEPT_AFTER_S and _is_unlocked(folder):
                shutil.rmtree(folder)
                swept += 1
    if swept:
        log.info("%d work folders of killed processes were deleted", swept)
    return swept


def _is_unlocked(folder: Path) -> bool:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
