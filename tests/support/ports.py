"""Loopback ports for tests."""

from __future__ import annotations

import random
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from infra.local.ports import LOOPBACK, is_free

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def refused_port() -> Iterator[int]:
    """Yield a port that refuses every connection: it is bound, so no other process can use it, but nothing listens."""
    with socket.socket() as bound:  # without SO_REUSEADDR, which would let another socket bind the port too
        bound.bind((LOOPBACK, 0))
        yield int(bound.getsockname()[1])


def free_port() -> int:
    """Return a port that is free now, and below both the range for clients and the ports of `free_home`."""
    while not is_free(port := random.randrange(10_000, 20_000)):
        continue
    return port
