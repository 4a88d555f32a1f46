"""Health asks every store at once, waits for none too long, and gives nothing away."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from functions import bootstrap
from functions.health import triggers
from functions.health.probes import probes_of
from functions.health.service import Health, check
from functions.platform.settings import Settings
from tests.support.api import call

if TYPE_CHECKING:
    import pytest


def up() -> None:
    """Answer."""


def down() -> None:
    raise ConnectionError("mysql://notflix:secret@10.0.0.4 refused")


def test_each_store_is_up_or_says_why_not_without_a_secret() -> None:
    assert check({"blob": up, "mysql": down}) == {"blob": Health(up=True), "mysql": Health(False, "ConnectionError")}


def test_a_store_that_hangs_holds_nobody_up() -> None:
    end = threading.Event()
    began = time.monotonic()

    def hang() -> None:
        end.wait(9)

    found = check({"one": hang, "two": hang, "three": up}, timeout_s=0.2)
    end.set()
    assert time.monotonic() - began < 2
    assert found == {
        "one": Health(False, "no answer within 0.2 s"),
        "two": Health(False, "no answer within 0.2 s"),
        "three": Health(up=True),
    }


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


def test_the_function_answers_503_unless_all_are_up(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("blob", "queue", "mongo", "mysql", "redis", "neo4j")
    monkeypatch.setattr(bootstrap, "health_probes", lambda: dict.fromkeys(names, up))
    assert call(triggers.health, "health")[0] == 200
    monkeypatch.setattr(bootstrap, "health_probes", lambda: {**dict.fromkeys(names, up), "redis": down})
    status, body = call(triggers.health, "health")
    assert (status, body["stores"]["redis"]) == (503, {"up": False, "reason": "ConnectionError"})
