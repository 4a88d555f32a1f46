"""How long the queues keep messages."""

from __future__ import annotations

from typing import Any

from functions.platform.messages import ForgetViewer, PublishCatalogue, RecordAction
from functions.platform.queues import NEVER_EXPIRES, Queues
from tests.support.clock import NOON


class FakeService:
    """A storage account that remembers how long it was told to keep the messages of each queue."""

    def __init__(self) -> None:
        self.kept: dict[str, int | None] = {}

    def get_queue_client(self, queue: str, **policy: Any) -> Any:
        service = self

        class Client:
            """The client of one queue."""

            def send_message(self, text: str, *, visibility_timeout: int, time_to_live: int | None) -> None:
                service.kept[queue] = time_to_live

        return Client()


def test_what_an_owner_does_is_kept_until_it_is_recorded_and_other_messages_for_the_default_time() -> None:
    service: Any = FakeService()
    queues = Queues(service)
    action = RecordAction("a" * 32, NOON, "operator", "withdraw_title", "film-1")
    queues.send_all([action, PublishCatalogue(), ForgetViewer("b" * 32)])
    assert service.kept == {"record-action": NEVER_EXPIRES, "publish-catalogue": None, "forget-viewer": None}
