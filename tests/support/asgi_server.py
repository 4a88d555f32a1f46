"""Servers of ASGI applications on loopback, such as the simulators and the site."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.applications import Starlette


@contextmanager
def bound_socket(port: int = 0) -> Iterator[tuple[socket.socket, str]]:
    """Yield a socket on loopback, on a free port unless one is given, and the address of its server."""
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
        yield bound, f"http://127.0.0.1:{bound.getsockname()[1]}"


@contextmanager
def serving_app(app: Starlette, bound: socket.socket) -> Iterator[None]:
    """Serve an application on a socket from `bound_socket`, until the block ends."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    bound.listen()  # from now on, connections wait for the server instead of being refused
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
