"""A TCP proxy that can stop forwarding, like a server that stalls while its connections stay open."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
