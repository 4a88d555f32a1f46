"""The waiting time of messages is measured for every queue, and reported with the queue's name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ResourceNotFoundError

from functions import bootstrap
from functions.health.queues import waits_s
from functions.health.triggers import measure_queues
from tests.support.telemetry import Listener

if TYPE_CHECKING:
    import pytest

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass
class Named:
    """A queue in a listing."""

    name: str


@dataclass
class Waiting:
    """A message that has not been received yet."""

    inserted_on: datetime


class Service:
    """A queue with a waiting message, its dead letters, an empty queue, and one that was deleted after the list."""

    def list_queues(self) -> list[Named]:
        return [Named("encode-chunk"), Named("encode-chunk-poison"), Named("send-mail"), Named("gone")]

    def get_queue_client(self, name: str) -> Any:
        self._name = name
        return self

    def peek_messages(self, *, max_messages: int) -> list[Waiting]:
        assert max_messages == 1
        if self._name == "gone":
            raise ResourceNotFoundError
        return [Waiting(NOW - timedelta(seconds=90))] if self._name == "encode-chunk" else []


def test_each_queue_says_how_long_its_first_message_has_waited() -> None:
    assert waits_s(Service(), NOW) == {"encode-chunk": 90.0, "send-mail": 0.0, "gone": 0.0}  # type: ignore[arg-type]


def test_the_timer_tells_it_by_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Listener()
    monkeypatch.setattr(bootstrap.resources, "queue_service", Service)
    monkeypatch.setattr(bootstrap.resources, "now", lambda: NOW)
    monkeypatch.setattr(bootstrap.resources, "telemetry", lambda: listener)
    built: Any = measure_queues
    built._function.get_user_function()(None)
    assert listener.metrics["notflix.queue.age_s"] == [90.0, 0.0, 0.0]
    assert listener.attributes[0] == {"queue": "encode-chunk"}
