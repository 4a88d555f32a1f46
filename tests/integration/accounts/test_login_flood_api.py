"""Logging in to the running API while twelve networks send wrong passwords over four connections each."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from infra.local.cli.product import API_THREADS
from infra.local.home import REPOSITORY
from tests.integration.host.running import RunningHost
from tests.support.accounts import OTHER_PASSWORD, PASSWORD, make_email
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import Stack

NETWORKS = [f"127.{number}.7.1" for number in range(100, 112)]
CONNECTIONS = 4
HOME = "127.99.7.1"
LOGINS = 20
WITHIN_S = PATIENCE_S
PAUSE_S = {503: 0.05, 429: 1.0}


@pytest.fixture
def api(stack: Stack, tmp_path: Path) -> Iterator[RunningHost]:
    running = RunningHost(stack.environment["AzureWebJobsStorage"], tmp_path / "host.log")
    try:
        yield running.start(app="function_app", root=REPOSITORY, **stack.environment, **API_THREADS)
    finally:
        running.close()


def post(api: RunningHost, path: str, *, source: str, **body: str) -> int:
    """Send a request from a loopback address; return the status."""
    connection = http.client.HTTPConnection("127.0.0.1", api.port, timeout=WITHIN_S, source_address=(source, 0))
    try:
        connection.request("POST", f"/api/{path}", json.dumps(body), {"Content-Type": "application/json"})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.extended
def test_a_person_logs_in_while_twelve_networks_send_wrong_passwords(api: RunningHost) -> None:
    email, over, busy = make_email(), threading.Event(), threading.Event()
    assert post(api, "accounts", source=HOME, email=email, password=PASSWORD) == 201

    def attack(network: str) -> Counter[int]:
        answers = Counter[int]()
        while not over.is_set():
            status = post(api, "sessions", source=network, email=make_email("guess"), password=OTHER_PASSWORD)
            answers[status] += 1
            if status == 503:
                busy.set()
            over.wait(PAUSE_S.get(status, 0.0))
        return answers

    with ThreadPoolExecutor(len(NETWORKS) * CONNECTIONS) as attackers:
        attacks = [attackers.submit(attack, network) for network in NETWORKS for _ in range(CONNECTIONS)]
        try:
            assert busy.wait(WITHIN_S)
            logins = Counter(post(api, "sessions", source=HOME, email=email, password=PASSWORD) for _ in range(LOGINS))
        finally:
            over.set()
    attackers_answers = sum((attack.result() for attack in attacks), Counter[int]())
    assert logins[200] >= 0.95 * LOGINS, f"{logins}; attackers: {attackers_answers}"
    assert attackers_answers[401] and attackers_answers[503]
