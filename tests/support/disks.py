"""File systems in memory that can be full."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLACK_BYTES = 16 * 4096
"""The number of bytes that a full disk has left."""

TRIES = 20
"""A disk cannot be made smaller than what is on it, and more may be written between the measurement and the change."""


class Disk:
    """A file system in memory that can be full."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    @contextmanager
    def mounted(cls, path: Path) -> Iterator[Disk | None]:
        """Mount a disk at `path`, or return None if this process may not mount anything."""
        command = ["mount", "-t", "tmpfs", "-o", "size=3g", "notflix-faults", str(path)]
        done = subprocess.run(command, capture_output=True, check=False) if os.geteuid() == 0 else None
        if done is None or done.returncode:
            yield None
            return
        try:
            yield cls(path)
        finally:
            subprocess.run(["umount", "--lazy", str(path)], check=True)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Keep the disk full inside the context."""
        kept = os.statvfs(self._path)
        assert any(self._resize(self._used() + SLACK_BYTES) for _ in range(TRIES)), "the disk cannot be made smaller"
        try:
            yield
        finally:
            assert self._resize(kept.f_blocks * kept.f_frsize), "the disk cannot be made larger"

    def _used(self) -> int:
        now = os.statvfs(self._path)
        return (now.f_blocks - now.f_bfree) * now.f_frsize

    def _resize(self, size: int) -> bool:
        command = ["mount", "-o", f"remount,size={size}", str(self._path)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
