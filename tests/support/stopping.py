"""Processes that are stopped, as if they hung."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def stopped(*pids: int) -> Iterator[None]:
    """Stop processes with SIGSTOP inside the context, which begins once none of their threads runs.

    The signal stops the threads only when one of them has been scheduled. Until then, on a busy machine, the others go
    on and answer requests.
    """
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        for pid in pids:
            threads = Path(f"/proc/{pid}/task")
            eventually(lambda threads=threads: all(map(_is_stopped, threads.iterdir())), every_s=0.01)  # type: ignore[misc]
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _is_stopped(thread: Path) -> bool:
    """Return whether a thread, a folder of proc(5), is stopped or has ended."""
    try:
        state = (thread / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in "TtZX"
