"""TCP proxies: one stops forwarding, like a server that stalls with its connections open; one records requests."""

from __future__ import annotations

import re
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

LOOPBACK = "127.0.0.1"


class StallingProxy:
    """Forwards connections to a port of this machine until `stall` is called."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server((LOOPBACK, 0))
        self._flowing = threading.Event()
        self._flowing.set()
        self._sockets: list[socket.socket] = []
        self._accepting = threading.Thread(target=self._accept)
        self._forwarding: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        """Start accepting connections."""
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close all connections, and stop accepting new ones."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._flowing.set()
        for forwarding in self._forwarding:
            forwarding.join()
        for each in self._sockets:
            each.close()

    def stall(self) -> None:
        """Stop forwarding, but keep the connections open."""
        self._flowing.clear()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((LOOPBACK, self._target))
                self._sockets += [client, server]
                for source, sink in ((client, server), (server, client)):
                    forwarding = threading.Thread(target=self._forward, args=(source, sink))
                    self._forwarding.append(forwarding)
                    forwarding.start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                self._flowing.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


class CountingProxy(StallingProxy):
    """A proxy that records when each HTTP request passes, as a line of method and path with query."""

    _REQUEST = re.compile(rb"^(GET|PUT|POST|DELETE|HEAD) (\S+) HTTP/1\.1\r$", re.MULTILINE)

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._more = threading.Condition()
        self.passed: list[tuple[float, str]] = []

    @property
    def requests(self) -> list[str]:
        """Return all requests in the order in which they passed."""
        return [line for _, line in self.passed]

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                with self._more:
                    now = time.monotonic()
                    self.passed += [(now, b" ".join(found).decode()) for found in self._REQUEST.findall(data)]
                    self._more.notify_all()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def wait_until[T](self, look: Callable[[], T | None], *, within_s: float) -> T:
        """Call `look` after each request until it returns a truthy value; return it, or raise TimeoutError."""
        deadline = time.monotonic() + within_s
        with self._more:
            while not (seen := look()):
                if not self._more.wait(deadline - time.monotonic()):
                    raise TimeoutError(f"not within {within_s} s; the last requests: {self.requests[-20:]}")
        return seen

    def wait_until_quiet(self, *, for_s: float, within_s: float) -> None:
        """Wait until no request has passed for `for_s` seconds; raise TimeoutError if that takes too long."""
        deadline = time.monotonic() + within_s
        with self._more:
            while self._more.wait(for_s):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"requests still pass after {within_s} s: {self.requests[-5:]}")
