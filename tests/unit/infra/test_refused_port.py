"""The fixture `refused_port` is a port on which no server can listen."""

from __future__ import annotations

import socket

import pytest

from infra.local.ports import LOOPBACK, is_free


def test_the_port_refuses_connections_and_nobody_can_take_it(refused_port: int) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, refused_port), timeout=5)
    assert not is_free(refused_port)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind((LOOPBACK, refused_port))
