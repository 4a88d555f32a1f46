"""What a running supervisor keeps, written down for the other commands: `state.json`, and the lock beside it.

The lock is held for the supervisor's whole life and the kernel frees it with the process, so it alone says whether one
runs. A state that was left behind by a killed supervisor names the processes that may still have to be ended.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from infra.local.stores.home import Home, write_private
from infra.local.stores.part import PartState, PartStatus, birth_of, is_alive

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import IO

STRAY_STOP_S = 20.0


@dataclass(frozen=True, slots=True)
class State:
    """The supervisor's process, its phase ("starting", "ready", "stopping", "failed", "stopped") and its parts."""

    pid: int
    born: int
    phase: str
    detail: str
    parts: tuple[PartStatus, ...]

    @property
    def supervisor_runs(self) -> bool:
        """Return whether the supervisor that wrote this still runs."""
        return is_alive(self.pid, self.born)


def write_state(home: Home, phase: str, parts: Iterable[PartStatus], *, detail: str = "") -> None:
    """Write down the state of the supervisor that this process is."""
    state = State(os.getpid(), birth_of(os.getpid()) or 0, phase, detail, tuple(parts))
    write_private(home.state_file, json.dumps(asdict(state), indent=2) + "\n")


def read_state(home: Home) -> State | None:
    """Return the last state written, or None if there never was one."""
    try:
        kept = json.loads(home.state_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    parts = tuple(PartStatus(**{**part, "state": PartState(part["state"])}) for part in kept.pop("parts"))
    return State(**kept, parts=parts)


def take_lock(home: Home) -> IO[str] | None:
    """Return the lock of the one supervisor of this home, held until the file is closed; None if another holds it."""
    file = (home.path / "lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def end_process(pid: int, *, within_s: float) -> None:
    """Ask a process that is not our child to end, wait for that, and kill it if it takes longer than `within_s`."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended = select.poll()
        ended.register(handle, select.POLLIN)
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        if not ended.poll(within_s * 1000):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            ended.poll(within_s * 1000)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def end_strays(home: Home) -> tuple[str, ...]:
    """End what a killed supervisor left behind, last started first; return the labels of what still ran."""
    state = read_state(home)
    if state is None or state.supervisor_runs:
        return ()
    strays = [part for part in reversed(state.parts) if is_alive(part.pid, part.born)]
    for part in strays:
        assert part.pid is not None
        end_process(part.pid, within_s=STRAY_STOP_S)
    return tuple(part.label for part in strays)
