"""Errors of file operations in running processes, by libfiu (https://blitiri.com.ar/p/libfiu)."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LIBRARIES = Path("/usr/lib")
WRITES = ("posix/io/rw/pwrite", "posix/io/sync/fsync", "posix/io/sync/fdatasync")
READS = ("posix/io/rw/pread",)
"""The operations on files that can fail. `read` and `write` are not included, because some servers also use
them for sockets."""


@dataclass(frozen=True, slots=True)
class FaultyFiles:
    """Controls faults of processes' file operations; `pipes` is the prefix of the pipes that control libfiu."""

    pipes: Path
    libraries: tuple[Path, ...]

    @classmethod
    def controlled_by(cls, pipes: Path) -> FaultyFiles | None:
        """Return the control, or None if libfiu is not installed."""
        libraries = find_libraries("fiu_run_preload.so", "fiu_posix_preload.so")
        return cls(pipes, libraries) if libraries and shutil.which("fiu-ctrl") else None

    @contextmanager
    def failing(self, pid: int, operations: tuple[str, ...], *, error: int, share: float) -> Iterator[None]:
        """Make a share of the process's calls of these operations fail with an error number."""
        self._tell(
            pid, *(f"enable_random name={name},probability={share},failnum=1,failinfo={error}" for name in operations)
        )
        try:
            yield
        finally:
            if Path(f"/proc/{pid}").exists():
                self._tell(pid, *(f"disable name={name}" for name in operations))

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment in which processes must start."""
        return {"LD_PRELOAD": ":".join(map(str, self.libraries)), "FIU_CTRL_FIFO": str(self.pipes), "FIU_ENABLE": ""}

    def _tell(self, pid: int, *commands: str) -> None:
        arguments = [word for command in commands for word in ("-c", command)]
        subprocess.run(["fiu-ctrl", "-f", str(self.pipes), *arguments, str(pid)], check=True, timeout=30)


def find_libraries(*names: str) -> tuple[Path, ...]:
    """Return the paths of shared libraries, or nothing unless all of them are installed."""
    found = [next(LIBRARIES.glob(f"**/{name}"), None) for name in names]
    return tuple(path for path in found if path) if all(found) else ()
