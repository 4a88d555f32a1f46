"""A TCP link between clients and a server of this machine, which can be slow, be cut, or go silent."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from typing import Self

LOOPBACK = "127.0.0.1"
LARGEST_READ = 65_536
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER with a time of 0: closing the socket resets the connection instead of ending it in order."""


class Connection:
    """A client's connection to a link, and the link's connection to the server."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self.is_silent = False
        self.is_cut = False
        self._lock = threading.Lock()
        self._directions = 2

    def cut(self) -> None:
        """Reset both connections as soon as no direction uses them."""
        self.is_cut = True
        for each in (self.client, self.server):
            with suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                each.shutdown(socket.SHUT_RD)  # ends the `recv` of the other direction, and sends nothing

    def leave(self) -> bool:
        """End one direction; close the connections once both have ended, and return whether they have."""
        with self._lock:
            self._directions -= 1
            if self._directions:
                return False
        self.client.close()
        self.server.close()
        return True


class Condition:
    """The state of a link; this one passes everything on."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def pass_on(self, data: bytes, sink: socket.socket, connection: Connection, *, is_answer: bool) -> None:
        """Handle data that one end has sent and `sink` should receive; `is_answer` if the server has sent it."""
        sink.sendall(data)


class Slow(Condition):
    """Everything arrives late."""

    LEAST_S, MOST_S = 0.05, 0.6

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance

    def pass_on(self, data: bytes, sink: socket.socket, connection: Connection, *, is_answer: bool) -> None:
        self.over.wait(self._chance.uniform(self.LEAST_S, self.MOST_S))
        sink.sendall(data)


class Trickling(Condition):
    """Answers arrive in tiny pieces."""

    PIECE, PAUSE_S = 24, 0.05

    def pass_on(self, data: bytes, sink: socket.socket, connection: Connection, *, is_answer: bool) -> None:
        while data and is_answer and not self.over.wait(self.PAUSE_S):
            sink.sendall(data[: self.PIECE])
            data = data[self.PIECE :]
        sink.sendall(data)


class Cutting(Condition):
    """Every second answer is cut in the middle, and its connection is reset."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance

    def pass_on(self, data: bytes, sink: socket.socket, connection: Connection, *, is_answer: bool) -> None:
        if is_answer and self._chance.random() < 0.5:
            sink.sendall(data[: self._chance.randrange(len(data))])
            connection.cut()
        else:
            sink.sendall(data)


class Silent(Condition):
    """A connection that is used under this condition becomes half-open, and stays so.

    Both ends keep it open, but no more data arrives.
    """

    def pass_on(self, data: bytes, sink: socket.socket, connection: Connection, *, is_answer: bool) -> None:
        connection.is_silent = True


class Link:
    """Forwards connections to a port of this machine; `condition` says how."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server((LOOPBACK, 0), backlog=128)
        self._lock = threading.Lock()
        self._open: set[Connection] = set()
        self._threads: set[threading.Thread] = set()
        self._accepting = threading.Thread(target=self._accept, name=f"link-{target}", daemon=True)
        self._condition = Condition()
        self._is_down = False
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        """Start accepting connections."""
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close all connections, and stop accepting new ones."""
        self._condition.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        with self._lock:
            connections, threads = list(self._open), list(self._threads)
        for connection in connections:
            connection.cut()
        for thread in threads:
            thread.join()

    @contextmanager
    def under(self, condition: Condition) -> Iterator[None]:
        """Put the link into a condition inside the context."""
        usual, self._condition = self._condition, condition
        try:
            yield
        finally:
            self._condition = usual
            condition.over.set()

    @contextmanager
    def down(self) -> Iterator[None]:
        """Reset all connections and refuse new ones inside the context, as if the server did not run."""
        self._is_down = True
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            connection.cut()
        try:
            yield
        finally:
            self._is_down = False

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # the link is being closed
                return
            try:
                if self._is_down:
                    raise ConnectionRefusedError
                server = socket.create_connection((LOOPBACK, self._target), timeout=10)
            except OSError:  # the server does not run, or does not accept connections
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                client.close()
                continue
            server.settimeout(None)
            connection = Connection(client, server)
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
                for is_answer in (False, True):
                    thread = threading.Thread(target=self._direction, args=(connection, is_answer), daemon=True)
                    self._threads.add(thread)
                    thread.start()

    def _direction(self, connection: Connection, is_answer: bool) -> None:
        source, sink = connection.client, connection.server
        if is_answer:
            source, sink = sink, source
        try:
            with suppress(OSError):
                self.forward(source, sink, connection, is_answer=is_answer)
                if not connection.is_cut and not connection.is_silent:
                    sink.shutdown(socket.SHUT_WR)
        finally:
            is_over = connection.leave()
            with self._lock:
                self._threads.discard(threading.current_thread())
                if is_over:
                    self._open.discard(connection)

    def forward(self, source: socket.socket, sink: socket.socket, connection: Connection, *, is_answer: bool) -> None:
        """Forward one direction of a connection until it ends."""
        while data := source.recv(LARGEST_READ):
            self.pass_on(data, sink, connection, is_answer=is_answer)

    def pass_on(self, data: bytes, sink: socket.socket, connection: Connection, *, is_answer: bool) -> None:
        """Handle data as the present condition of the link says."""
        if not connection.is_silent and not connection.is_cut:
            self._condition.pass_on(data, sink, connection, is_answer=is_answer)
