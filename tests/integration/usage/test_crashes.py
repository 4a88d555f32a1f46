"""Host and store are killed while people watch: nobody loses more than one heartbeat, no position moves backwards."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from functions.platform.signed_tokens import SignedTokens
from functions.usage.mongo import MongoUsage
from infra.local.processes.supervisor import Supervisor
from infra.local.stores.credentials import load_or_make
from infra.local.stores.secantus import secantus
from tests.integration.host.running import REPOSITORY, RunningHost
from tests.support.audience import Audience
from tests.support.homes import free_home
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import Stack

EVERY_S = 2.0
AT_MOST_S = 900.0
"""The viewers leave long before, as soon as the test has seen what it waits for."""

VIEWERS = 30


class Machine:
    """A separate store and host, both of which can be killed; the supervisor restarts the store."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.home = free_home(folder)
        self.home.make()
        credentials = load_or_make(self.home.secrets_file)
        store = secantus(self.home, credentials, {})
        self._supervisor = Supervisor([store.service], home=self.home)
        self._supervisor.start()
        self._watching = threading.Thread(target=self._supervisor.watch)
        self._watching.start()
        self.environment = stack.environment | dict(store.settings) | {"NOTFLIX_CORS": "http://site.test"}
        self.client: MongoClient[dict[str, Any]] = MongoClient(
            store.settings["MONGO_URL"], tz_aware=True, serverSelectionTimeoutMS=500
        )
        self.store = MongoUsage(self.client["notflix"])
        self.host = RunningHost(stack.environment["AzureWebJobsStorage"], folder / "host.log")
        self.start_host()

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.host.port}"

    def start_host(self) -> None:
        self.host.start(app="function_app", root=REPOSITORY, **self.environment)

    def kill_host(self) -> None:
        """Kill the host and start it again, as the supervisor does."""
        self.host.end(signal.SIGKILL)
        self.start_host()

    def kill_store(self) -> None:
        """Kill the store; the supervisor restarts it."""
        (status,) = self._supervisor.statuses()
        assert status.pid
        os.kill(status.pid, signal.SIGKILL)
        eventually(lambda: self._supervisor.statuses()[0].restarts > status.restarts, within_s=120)

    def store_answers(self) -> bool:
        try:
            return bool(self.client.admin.command("ping"))
        except PyMongoError:
            return False

    def close(self) -> None:
        self.host.close()
        self.client.close()
        self._supervisor.request_stop()
        self._watching.join()
        self._supervisor.stop()


@contextmanager
def watched(audience: Audience) -> Iterator[None]:
    """Let the audience watch; it leaves at the end, and sends its last heartbeats."""
    watching = threading.Thread(target=audience.watch, args=(AT_MOST_S,))
    watching.start()
    try:
        yield
    finally:
        audience.leave()
        watching.join()


@pytest.fixture
def machine(stack: Stack) -> Iterator[Machine]:
    folder = Path(tempfile.mkdtemp(prefix="notflix-crash-"))
    made = Machine(stack, folder)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(folder)


def test_killed_host_and_store_cost_nobody_more_than_one_heartbeat(machine: Machine) -> None:
    tickets = SignedTokens(machine.environment["SIGNING_KEY"], lambda: datetime.now(UTC))
    audience = Audience(machine.api, machine.store, tickets, datetime.now(UTC), viewers=VIEWERS, every_s=EVERY_S)
    with watched(audience):
        # wait until every viewer's second heartbeat is acknowledged, however long a busy machine takes
        eventually(lambda: all(seat.told_s >= EVERY_S for seat in audience.seats), within_s=300)
        machine.kill_store()
        acknowledged = {seat.user_id: seat.told_s for seat in audience.seats}
        eventually(machine.store_answers, within_s=120)
        for seat, view in audience.kept():
            assert view.position_s >= acknowledged[seat.user_id] >= EVERY_S
        machine.kill_host()
        time.sleep(EVERY_S)
        left_at = time.monotonic()

    report = audience.report
    assert report.unanswered + report.refused > 0, "nobody noticed that anything was killed"
    assert report.backwards == 0
    for seat, view in audience.kept():
        assert view.position_s == seat.told_s
        # the stored positions of viewers who continue to watch are up to date again
        assert seat.told_s > left_at - seat.began - 0.1
