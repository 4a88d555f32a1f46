"""Loopback ports for tests, which several processes on one machine choose at the same time."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from infra.local.ports import LOOPBACK, is_free

if TYPE_CHECKING:
    from collections.abc import Iterator

_claims: list[int] = []
"""The locked files of the ports that this process has claimed; its end releases them."""


@contextmanager
def refused_port() -> Iterator[int]:
    """Yield a port that refuses every connection: it is bound, so no other process can use it, but nothing listens."""
    with socket.socket() as bound:  # without SO_REUSEADDR, which would let another socket bind the port too
        bound.bind((LOOPBACK, 0))
        yield int(bound.getsockname()[1])


def free_port() -> int:
    """Return a port that is free now, below the system's ephemeral ports and below the ports of `free_home`."""
    return claimed_port(10_000, 20_000)


def claimed_port(first: int, end: int, span: int = 1) -> int:
    """Return the first of `span` consecutive free ports from `first` to below `end`, and claim it for this process.

    No other process of tests on this machine gets a claimed port, even before a server listens on it.
    """
    while True:
        port = random.randrange(first, end, span)
        if all(is_free(port + offset) for offset in range(span)) and _claim(port):
            return port


def _claim(port: int) -> bool:
    """Lock the file of a port; return whether no other process has locked it."""
    folder = Path(tempfile.gettempdir()) / f"notflix-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    claim = os.open(folder / str(port), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(claim)
        return False
    _claims.append(claim)
    return True
