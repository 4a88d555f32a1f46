"""The supervisor: starts services in parallel as their dependencies become ready, and stops them in reverse order.

Each process reports its state changes through one queue, which only the supervisor's own thread reads, so the recorded
state has a single writer.
"""

from __future__ import annotations

import logging
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from infra.local.home import CannotRun, Home
from infra.local.ports import holder_of, is_free
from infra.local.processes.process import ServiceProcess
from infra.local.processes.service import Service, ServiceState, ServiceStatus
from infra.local.processes.state import end_strays, write_state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

RECORD_AGAIN_S = 1.0
"""The pause before the state is recorded again if that failed, for instance because the disk is full."""


class StopRequested(Exception):
    """A stop was requested during the start; all services are stopped."""


def _ignore(status: ServiceStatus) -> None:
    """Ignore a state change."""


class Supervisor:
    """Runs `services`, each listed after those it needs; calls `report` with each change, in the calling thread."""

    def __init__(
        self, services: Sequence[Service], *, home: Home, report: Callable[[ServiceStatus], None] = _ignore
    ) -> None:
        self._home = home
        self._report = report
        self._changes: SimpleQueue[ServiceStatus | None] = SimpleQueue()
        self._processes: dict[str, ServiceProcess] = {}
        self._depths: dict[str, int] = {}
        for service in services:
            needs = [self._processes[name] for name in service.needs]
            self._processes[service.name] = ServiceProcess(service, home=home, needs=needs, on_change=self._changes.put)
            self._depths[service.name] = 1 + max((self._depths[name] for name in service.needs), default=-1)
        self._statuses = {
            service.name: ServiceStatus(service.name, service.label, ServiceState.WAITING, address=service.address)
            for service in services
        }
        self._phase = "starting"
        self._detail = ""
        self._is_recorded = True

    def start(self) -> None:
        """Start all services and wait until they are ready; raise CannotRun or StopRequested after stopping them."""
        for label in end_strays(self._home):
            log.warning("stopped %s, which a killed supervisor had left running", label)
        try:
            self._check_ports()
        except CannotRun as error:
            self._enter("failed", str(error))
            raise
        self._enter("starting")
        for process in self._processes.values():
            process.start()
        while any(status.state is not ServiceState.READY for status in self._statuses.values()):
            change = self._next_change()
            if change is None:
                self.stop()
                raise StopRequested
            self._record(change)
            if change.state in (ServiceState.FAILED, ServiceState.DOWN):
                self.stop(because=change.detail)
                raise CannotRun(change.detail)
        self._enter("ready")

    def watch(self) -> None:
        """Report each change until `request_stop` is called."""
        while (change := self._next_change()) is not None:
            self._record(change)

    def request_stop(self) -> None:
        """Make `start` or `watch` return; can be called from a signal handler or another thread."""
        self._changes.put(None)

    def stop(self, *, because: str = "") -> None:
        """Stop all services, dependents first, and wait until each has ended."""
        self._enter("stopping", because)
        for process in self._processes.values():
            process.cancel_waiting()
        for depth in sorted(set(self._depths.values()), reverse=True):
            wave = [
                process for name, process in self._processes.items() if self._depths[name] == depth and process.ident
            ]
            for process in wave:
                process.request_stop()
            for process in wave:
                if not process.wait_until_stopped():
                    log.error("%s did not stop in %.0f s and was killed", process.service.label, process.service.stop_s)
                self._record_pending()
        self._enter("failed" if because else "stopped", because)

    def statuses(self) -> tuple[ServiceStatus, ...]:
        """Return the state of every service."""
        return tuple(self._statuses.values())

    def _check_ports(self) -> None:
        for process in self._processes.values():
            for port in process.service.ports:
                if not is_free(port):
                    raise CannotRun(
                        f"Port {port} is in use by {holder_of(port)}; stop it, or set NOTFLIX_PORT_BASE "
                        f"(now {self._home.ports.base}) to another number."
                    )

    def _next_change(self) -> ServiceStatus | None:
        """Return the next change, or None if a stop is requested; meanwhile, record what could not be recorded yet."""
        while not self._is_recorded:
            try:
                return self._changes.get(timeout=RECORD_AGAIN_S)
            except Empty:
                self._write()
        return self._changes.get()

    def _record_pending(self) -> None:
        while not self._changes.empty():
            if (change := self._changes.get()) is not None:
                self._record(change)

    def _record(self, change: ServiceStatus) -> None:
        self._statuses[change.name] = change
        self._write()
        self._report(change)

    def _enter(self, phase: str, detail: str = "") -> None:
        self._phase, self._detail = phase, detail
        self._write()

    def _write(self) -> None:
        """Record the state; if that is not possible, the services keep running."""
        try:
            write_state(self._home, self._phase, self._statuses.values(), detail=self._detail)
        except OSError as error:
            if self._is_recorded:
                log.error(
                    "%s cannot be written (%s); commands see an outdated state.", self._home.state_file, error.strerror
                )
            self._is_recorded = False
        else:
            self._is_recorded = True
