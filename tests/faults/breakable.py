"""A running product whose network, storage, disk and clocks can be made to fail.

Its services are those of `./notflix up --empty`. The functions reach the stores through links, and PayPal reaches the
functions through a link. The hosts run under libfaketime and the stores under libfiu, if these are installed. The state
folder is a disk of its own, if this process may mount one.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from infra.local.cli.product import Options, product_of
from infra.local.home import write_private
from infra.local.ports import LOOPBACK
from infra.local.processes.liveness import Patience
from infra.local.processes.state import read_state
from infra.local.processes.supervisor import Supervisor
from infra.local.stores.credentials import load_or_make
from tests.support.disks import Disk
from tests.support.faulty_files import FaultyFiles, find_libraries
from tests.support.homes import free_home
from tests.support.links import Link
from tests.support.product import Product
from tests.support.storage_links import StorageLink
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from infra.local.home import Home
    from infra.local.processes.service import Service

HOSTS = ("api", "encoder")
STORES = ("secantus", "redis", "mariadb", "azurite", "arcadedb")
STORAGE = ("blob", "queue")
OTHER_LINKS = {
    "secantus": "mongo",
    "redis": "redis",
    "mariadb": "mysql",
    "arcadedb": "bolt",
    "omdb": "omdb",
    "mail": "mail",
    "webhooks": "api",
}
"""All links except those to storage, each with the name of the port to which it leads."""

TO_STORES = (*STORAGE, "secantus", "redis", "mariadb", "arcadedb", "omdb", "mail")
"""The links from the hosts."""

READY_WITHIN_S = 120
IMPATIENT = Patience(every_s=3, again_s=1, answer_s=5, silent_s=10)
"""How long a store may be silent: shorter than usual, so that runs take less time."""


class ProcessClock:
    """The clock of a process that runs under libfaketime: it can be ahead of the true time, or behind it."""

    def __init__(self, file: Path, library: Path) -> None:
        self._file = file
        self._library = library
        self.set(0)

    def set(self, offset_s: int) -> None:
        """Set how many seconds the clock is ahead."""
        write_private(self._file, f"{offset_s:+d}\n")

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of the process."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            # the seconds after which the file is read again; reading it at each call would take 24 µs
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # as when the time of a machine is corrected
            # otherwise a thread that waits for Python's interpreter lock asks for it 80,000 times in a second
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        }


@dataclass(frozen=True, slots=True)
class BreakableProduct:
    """The running product, and everything by which it can be made to fail; what this machine lacks is None or empty."""

    product: Product
    links: Mapping[str, Link]
    storage: Mapping[str, StorageLink]
    clocks: Mapping[str, ProcessClock]
    files: FaultyFiles | None
    disk: Disk | None

    def pid_of(self, name: str) -> int:
        """Return the process of a service, once it runs."""

        def running() -> int:
            state = read_state(self.product.home)
            assert state
            return next(service.pid or 0 for service in state.services if service.name == name)

        return eventually(running, within_s=READY_WITHIN_S)

    def is_ready(self) -> bool:
        """Return whether every service is ready."""
        state = read_state(self.product.home)
        return state is not None and all(service.state == "ready" for service in state.services)


@contextmanager
def breakable_product() -> Iterator[BreakableProduct]:
    """Start the product; stop it and delete its data at the end."""
    folder = Path(tempfile.mkdtemp(prefix="notflix-faults-"))
    control = Path(tempfile.mkdtemp(prefix="notflix-fault-control-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, control)
        stack.callback(shutil.rmtree, folder)
        disk = stack.enter_context(Disk.mounted(folder))
        home = free_home(folder)
        home.make()
        yield stack.enter_context(_started(home, control, disk))


@contextmanager
def _started(home: Home, control: Path, disk: Disk | None) -> Iterator[BreakableProduct]:
    product = product_of(home, load_or_make(home.secrets_file), {}, Options(empty=True))
    libraries = find_libraries("libfaketime.so.1")
    clocks = {name: ProcessClock(control / f"clock-{name}", *libraries) for name in HOSTS} if libraries else {}
    files = FaultyFiles.controlled_by(control / "fiu")
    with ExitStack() as stack:
        storage = {name: stack.enter_context(StorageLink(getattr(home.ports, name))) for name in STORAGE}
        others = {name: stack.enter_context(Link(getattr(home.ports, port))) for name, port in OTHER_LINKS.items()}
        links: dict[str, Link] = {**storage, **others}

        def broken_in(service: Service) -> Service:
            """Return a service that reaches others through links, and runs under the libraries that break it."""
            if service.name in HOSTS:
                targets = {getattr(home.ports, OTHER_LINKS.get(name, name)): links[name].port for name in TO_STORES}
                service = _rerouted(service, targets)
            if service.name == "paypal":
                service = _rerouted(service, {home.ports.api: links["webhooks"].port})
            if service.name in clocks:
                service = _with(service, clocks[service.name].environment)
            if service.name in STORES and files:
                # MariaDB never sees SIGTERM, because libfiu's thread takes the signal, so MariaDB is killed at the end
                service = replace(_with(service, files.environment), stop_s=5)
            return replace(service, patience=IMPATIENT) if service.patience else service

        supervisor = Supervisor([broken_in(service) for service in product.services], home=home)
        supervisor.start()
        watching = threading.Thread(target=supervisor.watch, name="watch", daemon=True)
        watching.start()
        write_private(home.endpoints_file, json.dumps(product.endpoints))
        try:
            yield BreakableProduct(Product(home), links, storage, clocks, files, disk)
        finally:
            supervisor.request_stop()
            watching.join()
            supervisor.stop()


def _rerouted(service: Service, through: Mapping[int, int]) -> Service:
    """Return a service that reaches others at different ports."""

    def reroute(text: str) -> str:
        return re.sub(
            rf"{re.escape(LOOPBACK)}:(\d+)", lambda found: f"{LOOPBACK}:{through.get(int(found[1]), found[1])}", text
        )

    environment = {name: reroute(value) for name, value in service.environment.items()}
    return replace(service, argv=tuple(map(reroute, service.argv)), environment=environment)


def _with(service: Service, environment: Mapping[str, str]) -> Service:
    return replace(service, environment={**service.environment, **environment})
