"""Small processes used in place of servers: each creates a file when it is ready, and writes its events to a diary."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from infra.local.home import Home
from infra.local.ports import Ports
from infra.local.processes.service import Service, ServiceState, ServiceStatus
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

SERVER = """
import pathlib, signal, sys, time
name, folder, delay = sys.argv[1], pathlib.Path(sys.argv[2]), float(sys.argv[3])
def write(word):
    with (folder / "diary").open("a") as diary:
        diary.write(f"{name} {word}\\n")
def stop(*_):
    write("stopped")
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(delay)
signal.signal(signal.SIGTERM, stop)
write("started")
(folder / f"{name}.answers").touch()
while True:
    time.sleep(60)
"""


class Ear:
    """A `report` callback that records all changes, and lets tests wait for them."""

    def __init__(self) -> None:
        self.heard: list[ServiceStatus] = []
        self._more = threading.Condition()

    def __call__(self, status: ServiceStatus) -> None:
        with self._more:
            self.heard.append(status)
            self._more.notify_all()

    def wait_for(self, state: ServiceState, times: int = 1) -> ServiceStatus:
        def found() -> list[ServiceStatus]:
            return [status for status in self.heard if status.state is state]

        with self._more:
            assert self._more.wait_for(lambda: len(found()) >= times, timeout=PATIENCE_S)
            return found()[times - 1]


def toy_home(path: Path) -> Home:
    """Return a home that needs no ports."""
    home = Home(path, Ports(20_000), path)
    home.make()
    return home


def toy(home: Home, name: str, *, code: str = SERVER, delay_s: float = 0, **more: Any) -> Service:
    """Return a service that runs `code`; it starts in `delay_s` and, like MariaDB, ignores SIGTERM until then."""
    answers = home.path / f"{name}.answers"
    return Service(
        name=name,
        label=name.capitalize(),
        argv=(sys.executable, "-S", "-c", code, name, str(home.path), str(delay_s)),
        check=lambda: None if answers.exists() else "it is silent",
        **more,
    )


def diary(home: Home) -> list[str]:
    """Return the lines that the processes wrote, in order."""
    path = home.path / "diary"
    return path.read_text().splitlines() if path.exists() else []
