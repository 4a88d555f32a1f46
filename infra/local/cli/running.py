"""The life of one running product: under the lock, from the first service to the last, as told to a listener."""

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
    """Told what happens to the running product."""

    def service(self, status: ServiceStatus) -> None:
        """Hear of a change of one service."""

    def ready(self, site: str) -> None:
        """Hear that everything is up."""

    def film(self, label: str, fraction: float) -> None:
        """Hear how far the demonstration films are."""

    def stopping(self) -> None:
        """Hear that all services are being stopped."""


def run(home: Home, lock: IO[str], options: Options, listener: Listener) -> None:
    """Keep the product until SIGINT or SIGTERM; raise CannotRun if it does not come up."""
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
    """A listener that writes each event as a line of JSON for the command that waits in front, if it still does."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def service(self, status: ServiceStatus) -> None:
        """Pass on a change of one service."""
        self._say({"service": asdict(status)})

    def ready(self, site: str) -> None:
        """Say that everything is up, which is the last word."""
        self._say({"ready": site})
        self.close()

    def failed(self, sentence: str) -> None:
        """Say why it did not come up, which is the last word."""
        self._say({"failed": sentence})
        self.close()

    def film(self, label: str, fraction: float) -> None:
        """Keep quiet: nobody reads any more when the films come in."""

    def stopping(self) -> None:
        """Keep quiet: nobody reads any more."""

    def close(self) -> None:
        """Let the reader go on."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _say(self, event: object) -> None:
        if self._descriptor is None:
            return
        try:
            os.write(self._descriptor, json.dumps(event).encode() + b"\n")
        except BrokenPipeError:  # the command in the foreground was ended: go on without it
            self.close()


def run_in_background(home: Home, options: Options, listener: Listener) -> None:
    """Start a supervisor that outlives this process, and return when all is ready; raise CannotRun if it fails."""
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
