"""Services: each describes how a process of the product is prepared, started, checked and stopped, and has a state."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from infra.local.processes.liveness import Patience


class Run(Protocol):
    """Runs a command and waits for it; output goes to the service's log. Raises CannotRun unless the exit code is 0."""

    def __call__(self, *argv: str, environment: Mapping[str, str] | None = None) -> None: ...


def _nothing_to_prepare(run: Run) -> None:
    """Do nothing: the service needs no preparation."""


def _nothing_to_provision() -> None:
    """Do nothing: the service needs no provisioning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Description of one process.

    `prepare` runs immediately. The process starts once it is prepared and every service in `needs` is ready. `check`
    returns None once the service answers in its own protocol, otherwise the reason why it does not. Then, and again
    after each restart, `provision` creates the content that the service must have, such as its containers. `prepare`
    and `provision` are idempotent. An empty `argv` means an external server, which is only checked. A service stops
    before the services it needs.

    A process that ends while it is starting is reported at once; `start_s` bounds only how long one that runs may take
    to answer. A busy machine can need many times the few seconds of an idle one.

    `restart` starts the process again after it has ended. With `patience`, a process that runs but does not pass
    `check` for too long is stopped first.
    """

    name: str
    label: str
    check: Callable[[], str | None]
    argv: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    needs: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    address: str = ""
    prepare: Callable[[Run], None] = _nothing_to_prepare
    provision: Callable[[], None] = _nothing_to_provision
    start_s: float = 300.0
    stop_s: float = 20.0
    restart: bool = False
    patience: Patience | None = None


class ServiceState(StrEnum):
    """The state of a service."""

    WAITING = "waiting"
    PREPARING = "preparing"
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    DOWN = "down"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """The state of a service at one moment.
    `pid` and `born`, its start time in clock ticks since boot, together identify the process.
    """

    name: str
    label: str
    state: ServiceState
    address: str = ""
    pid: int | None = None
    born: int | None = None
    restarts: int = 0
    detail: str = ""
    log: str = ""


def birth_of(pid: int) -> int | None:
    """Return when the process started, in clock ticks since boot, or None if there is no such process.

    The kernel reuses pids, but not a pid together with a start time (proc_pid_stat(5), field 22).
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = text.rpartition(")")[2].split()
    return None if state == "Z" else int(fields[18])


def is_alive(pid: int | None, born: int | None) -> bool:
    """Return whether the recorded process still runs; another process that reuses its pid does not count."""
    return pid is not None and born is not None and birth_of(pid) == born


def with_system_programs(path: str | None) -> str:
    """Return PATH with the folders of system programs, which Debian leaves out of an ordinary user's PATH."""
    return os.pathsep.join(filter(None, (path, "/usr/local/sbin", "/usr/sbin", "/sbin")))
