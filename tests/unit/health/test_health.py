"""Health checks all stores in parallel, limits the wait for each, and reveals no details."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from pymongo.errors import OperationFailure

from functions import bootstrap_studio
from functions.health import triggers
from functions.health.probes import OPTIONAL, probes_of
from functions.health.service import FRESH_S, HealthMonitor, StoreState
from functions.platform.settings import Settings
from tests.support.api import call

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


class Clock:
    """A clock that a test moves."""

    at = 0.0

    def __call__(self) -> float:
        return self.at


def wait(end: threading.Event) -> None:
    """Block until the test ends."""
    end.wait(9)


def up() -> None:
    """Answer at once."""


def down() -> None:
    raise ConnectionError("mysql://notflix:secret@10.0.0.4 refused")


def test_each_store_is_up_or_says_why_not_without_a_secret() -> None:
    monitor = HealthMonitor({"blob": up, "mysql": down})
    assert monitor.report() == {"blob": StoreState(up=True), "mysql": StoreState(False, "ConnectionError")}


def test_a_store_that_hangs_is_reported_in_time_and_delays_no_other() -> None:
    end = threading.Event()
    began = time.monotonic()
    monitor = HealthMonitor({"one": lambda: wait(end), "two": lambda: wait(end), "three": up}, timeout_s=2)
    assert monitor.report() == {
        "one": StoreState(False, "no answer within 2 s"),
        "two": StoreState(False, "no answer within 2 s"),
        "three": StoreState(up=True),
    }
    assert time.monotonic() - began < 30
    end.set()


def test_forty_callers_start_one_probe_per_store_even_while_it_hangs() -> None:
    end, asked = threading.Event(), []

    def hang() -> None:
        asked.append(threading.current_thread().name)
        wait(end)

    monitor = HealthMonitor({"mongo": hang, "blob": lambda: asked.append("blob")}, timeout_s=2, fresh_s=0.0)
    with ThreadPoolExecutor(40) as pool:
        reports = list(pool.map(lambda _: monitor.report(), range(40)))
    assert all(not report["mongo"].up and report["blob"].up for report in reports)
    assert asked.count("health-mongo") == 1
    end.set()


def test_a_report_is_shared_while_it_is_fresh_and_a_store_that_came_back_is_up_again() -> None:
    clock, states = Clock(), iter([down, up])
    monitor = HealthMonitor({"mongo": lambda: next(states)()}, clock=clock)
    assert not monitor.report()["mongo"].up
    assert not monitor.report()["mongo"].up
    clock.at += FRESH_S
    assert monitor.report()["mongo"].up


def test_the_store_of_usage_is_asked_where_it_is_one_of_its_own() -> None:
    asked: list[tuple[str, str]] = []

    class Usage:
        def title_state(self, user_id: str, title_id: str) -> None:
            asked.append((user_id, title_id))

    away: Any = down
    usage: Any = Usage
    probes = {
        name: probes_of(
            Settings(storage="films", mongo_url="", usage_store=name), blobs=away, queues=away, mongo=away, usage=usage
        )
        for name in ("mongo", "cosmos")
    }
    assert set(probes["cosmos"]) - set(probes["mongo"]) == {"cosmos"}
    probes["cosmos"]["cosmos"]()
    assert len(asked) == 1


def test_a_document_store_that_answers_a_ping_but_cannot_read_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    class DeadStorage:
        """What clients see of a server whose storage engine has stopped, for instance after its disk was full."""

        def __getitem__(self, name: str) -> DeadStorage:
            return self

        def command(self, name: str) -> dict[str, object]:
            return {"ok": 1.0}

        def find_one(self, *_: object) -> None:
            raise OperationFailure("WT_PANIC: WiredTiger library panic", 1)

    mongo: Any = DeadStorage
    probes = probes_of(Settings(storage="films", mongo_url=""), blobs=mongo, queues=mongo, mongo=mongo, usage=mongo)
    monitor = HealthMonitor({"mongo": probes["mongo"]}, optional=OPTIONAL)
    monkeypatch.setattr(bootstrap_studio, "health", lambda: monitor)
    status, body = call(triggers.health, "health")
    assert (status, body["status"], body["stores"]["mongo"]["reason"]) == (503, "down", "OperationFailure")


def test_the_function_answers_503_unless_every_required_store_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(**probes: Callable[[], None]) -> tuple[int, Any]:
        monitor = HealthMonitor({"blob": up, **probes}, optional=OPTIONAL)
        monkeypatch.setattr(bootstrap_studio, "health", lambda: monitor)
        return call(triggers.health, "health")

    assert answer(redis=up, neo4j=up)[0] == 200
    status, body = answer(redis=down, neo4j=up)
    assert (status, body["status"]) == (503, "down")
    assert body["stores"]["redis"] == {"up": False, "reason": "ConnectionError", "optional": False}
    status, body = answer(redis=up, neo4j=down)
    assert (status, body["status"], body["stores"]["neo4j"]["optional"]) == (200, "up", True)
