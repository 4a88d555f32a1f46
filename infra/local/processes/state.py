"""The recorded state of the supervisor for the other commands: `state.json`, and a lock file beside it.

The supervisor holds the lock as long as it runs, and the kernel releases the lock when the process ends. So the lock
alone shows whether a supervisor runs. If a supervisor was killed, its state file lists the processes that may still
run.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from infra.local.home import Home, write_private
from infra.local.processes.service import ServiceState, ServiceStatus, birth_of, is_alive

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import IO

STRAY_STOP_S = 20.0


@dataclass(frozen=True, slots=True)
class State:
    """The supervisor's process, its phase ("starting", "ready", "stopping", "failed", "stopped") and its services."""

    pid: int
    born: int
    phase: str
    detail: str
    services: tuple[ServiceStatus, ...]

    @property
    def supervisor_runs(self) -> bool:
        """Return whether the supervisor that wrote this state still runs."""
        return is_alive(self.pid, self.born)


def write_state(home: Home, phase: str, services: Iterable[ServiceStatus], *, detail: str = "") -> None:
    """Record the state of this process as the supervisor."""
    state = State(os.getpid(), birth_of(os.getpid()) or 0, phase, detail, tuple(services))
    write_private(home.state_file, json.dumps(asdict(state), indent=2) + "\n")


def read_state(home: Home) -> State | None:
    """Return the last recorded state, or None if there is none."""
    try:
        kept = json.loads(home.state_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    listed = kept.pop("services") if "services" in kept else kept.pop("parts")  # version 0.1 wrote "parts"
    services = tuple(ServiceStatus(**{**each, "state": ServiceState(each["state"])}) for each in listed)
    return State(**kept, services=services)


def take_lock(home: Home) -> IO[str] | None:
    """Lock this home for one supervisor, until the returned file is closed; return None if it is locked already."""
    file = (home.path / "lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def end_process(pid: int, *, within_s: float) -> None:
    """Stop a process that is not our child; kill it if it has not ended after `within_s` seconds."""
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
    """Stop processes that a killed supervisor left running, last started first; return their labels."""
    state = read_state(home)
    if state is None or state.supervisor_runs:
        return ()
    strays = [service for service in reversed(state.services) if is_alive(service.pid, service.born)]
    for service in strays:
        assert service.pid is not None
        end_process(service.pid, within_s=STRAY_STOP_S)
    return tuple(service.label for service in strays)
