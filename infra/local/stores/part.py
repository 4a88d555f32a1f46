"""A part of the product: one process, and how it is prepared, started, asked whether it answers, and stopped."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Run(Protocol):
    """Runs a command to its end, its output going to the part's log; raises CannotRun unless it succeeds."""

    def __call__(self, *argv: str, environment: Mapping[str, str] | None = None) -> None: ...


def _nothing_to_prepare(run: Run) -> None:
    """Do nothing: the part needs no preparation."""


def _nothing_to_provide() -> None:
    """Do nothing: the part needs nothing made inside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a keeper must know of one process.

    `prepare` runs at once; when all that the part `needs` are ready as well, its process starts; `check` returns None
    once that answers in its own protocol, else why not; then `provision` makes what must be inside it, also after a
    restart. Both find their work done the second time. An empty `argv` is a real server elsewhere, which is checked
    only. A part stops before any that it needs.
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
    provision: Callable[[], None] = _nothing_to_provide
    start_s: float = 60.0
    stop_s: float = 20.0
    restart: bool = False


class PartState(StrEnum):
    """Where a part stands."""

    WAITING = "waiting"
    PREPARING = "preparing"
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    DOWN = "down"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class PartStatus:
    """A part at one moment; `pid` and `born` (clock ticks since boot) together name its process, `detail` says why."""

    name: str
    label: str
    state: PartState
    address: str = ""
    pid: int | None = None
    born: int | None = None
    restarts: int = 0
    detail: str = ""
    log: str = ""


def birth_of(pid: int) -> int | None:
    """Return when the process started, in clock ticks since boot, or None if there is no such process.

    A pid alone is used again after its process is gone; with this number it is not (proc_pid_stat(5), field 22).
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = text.rpartition(")")[2].split()
    return None if state == "Z" else int(fields[18])


def is_alive(pid: int | None, born: int | None) -> bool:
    """Return whether exactly this process still runs."""
    return pid is not None and born is not None and birth_of(pid) == born


def with_system_programs(path: str | None) -> str:
    """Return PATH with the folders where Debian keeps servers, which an ordinary user's PATH lacks."""
    return os.pathsep.join(filter(None, (path, "/usr/local/sbin", "/usr/sbin", "/sbin")))


@dataclass(frozen=True, slots=True)
class Store:
    """A store as a part, the settings by which the functions find it, and addresses that are for people alone."""

    part: Part
    settings: Mapping[str, str]
    endpoints: Mapping[str, str] = field(default_factory=dict)
