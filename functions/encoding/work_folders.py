"""Temporary folders of encodes: locked while their process runs, so that folders of killed processes can be deleted."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)

PREFIX = "notflix-work-"
SWEPT_AFTER_S = 60
"""Age after which an unlocked folder is deleted; a new folder is locked much sooner than this."""


@contextmanager
def work_folder(purpose: str, work_dir: str) -> Iterator[Path]:
    """Yield a new folder in `work_dir` or, if that is empty, in the system's temporary folder; delete it afterwards."""
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
