"""The server stops at once, although it hardly wakes while nothing happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import requests

from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_S, eventually

SERVER = """
import sys, uvicorn
from infra.local import quiet_server

quiet_server.TICK_S = 3600.0

async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

quiet_server.QuietServer(uvicorn.Config(app, port=int(sys.argv[1]), lifespan="off", log_level="warning")).run()
"""


def test_signal_ends_a_server_that_would_next_wake_in_an_hour() -> None:
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", SERVER, str(port)], env=environment) as server:
        try:
            eventually(lambda: _answers(port))
            server.send_signal(signal.SIGTERM)
            server.wait(PATIENCE_S)
        finally:
            server.kill()


def _answers(port: int) -> bool:
    try:
        return "Date" in requests.get(f"http://127.0.0.1:{port}/", timeout=2).headers
    except (requests.ConnectionError, requests.Timeout):
        return False
