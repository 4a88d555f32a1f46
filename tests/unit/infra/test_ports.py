"""Ports of the local product: no two servers share one, and the holder of a taken port is named."""

from __future__ import annotations

import os
import socket

from infra.local.ports import MOST_ENCODERS, Ports, holder_of, is_free


def test_no_two_servers_share_a_port() -> None:
    ports = Ports(7070)
    singles = [getattr(ports, name) for name in vars(Ports) if isinstance(vars(Ports)[name], property)]
    encoders = [ports.encoder(index) for index in range(MOST_ENCODERS)]
    assert len({*singles, *encoders}) == len(singles) + len(encoders)


def test_taken_port_is_not_free_and_its_holder_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        assert f"process {os.getpid()}" in holder_of(port)
    assert is_free(port)
