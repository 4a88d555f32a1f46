"""Runs the product under the lock of its home, and reports to a listener."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol

from infra.local.cli.api import Api
from infra.local.cli.billing import make_first_plans
from infra.local.cli.product import Options, product_of
from infra.local.cli.showcase import Showcase
from infra.local.home import REPOSITORY, CannotRun, Home, write_private
from infra.local.processes.service import ServiceState, ServiceStatus
from infra.local.processes.supervisor import StopRequested, Supervisor
from infra.local.stores.credentials import load_or_make

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import IO

log = logging.getLogger(__name__)


class Listener(Protocol):
    """Receives the events of the running product."""

    def service(self, status: ServiceStatus) -> None:
        """A service has changed its state."""

    def ready(self, site: str) -> None:
        """Everything is ready."""

    def film(self, label: str, fraction: float) -> None:
        """A demonstration film has made progress, given as a fraction from 0 to 1."""

    def stopping(self) -> None:
        """All services are being stopped."""


def run(home: Home, lock: IO[str], options: Options, listener: Listener) -> None:
    """Run the product until SIGINT or SIGTERM; raise CannotRun if it cannot be started."""
    with lock:
        home.endpoints_file.unlink(missing_ok=True)
        product = product_of(home, load_or_make(home.secrets_file), os.environ, options)
        supervisor = Supervisor(product.services, home=home, report=listener.service)
        with _stopped_by_signals(supervisor):
            try:
                supervisor.start()
            except StopRequested:
                return
            showcase = Showcase(home, listener.film)
            try:
                write_private(home.endpoints_file, json.dumps(product.endpoints, indent=2) + "\n")
                if "paypal" in product.endpoints:
                    make_first_plans(Api(product.endpoints))
                listener.ready(product.endpoints["site"])
                if not options.empty:
                    showcase.begin()
                supervisor.watch()
            finally:
                listener.stopping()
                home.endpoints_file.unlink(missing_ok=True)
                showcase.stop()
                supervisor.stop()


@contextmanager
def _stopped_by_signals(supervisor: Supervisor) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        supervisor.request_stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Pipe:
    """A listener that writes each event as a line of JSON to the foreground command, as long as that command runs."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def service(self, status: ServiceStatus) -> None:
        """Write the new state of a service."""
        self._write({"service": asdict(status)})

    def ready(self, site: str) -> None:
        """Write that everything is ready, and close the pipe."""
        self._write({"ready": site})
        self.close()

    def failed(self, sentence: str) -> None:
        """Write the reason why the start failed, and close the pipe."""
        self._write({"failed": sentence})
        self.close()

    def film(self, label: str, fraction: float) -> None:
        """Do nothing: the pipe is closed by then."""

    def stopping(self) -> None:
        """Do nothing: the pipe is closed by then."""

    def close(self) -> None:
        """Close the pipe."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, event: object) -> None:
        if self._descriptor is None:
            return
        try:
            os.write(self._descriptor, json.dumps(event).encode() + b"\n")
        except BrokenPipeError:  # the command in the foreground has ended; continue without it
            self.close()


def run_in_background(home: Home, options: Options, listener: Listener) -> None:
    """Start a supervisor in the background and return when everything is ready; raise CannotRun if it fails."""
    reading, writing = os.pipe()
    log_path = home.log("supervisor")
    with log_path.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.cli.background", str(writing), json.dumps(asdict(options))],
            cwd=home.path,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), "NOTFLIX_HOME": str(home.path)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(writing,),
            start_new_session=True,
        )
    os.close(writing)
    with os.fdopen(reading) as events:
        try:
            for line in events:
                event = json.loads(line)
                if "service" in event:
                    listener.service(
                        ServiceStatus(**{**event["service"], "state": ServiceState(event["service"]["state"])})
                    )
                elif "ready" in event:
                    listener.ready(event["ready"])
                    return
                else:
                    process.wait()
                    raise CannotRun(event["failed"])
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise
    raise CannotRun(f"The supervisor ended with exit code {process.wait()}; its log is {log_path}.")
