"""Queues: sending messages to the functions that handle them, and parking messages that no function can read."""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import suppress
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import TextBase64EncodePolicy

from functions.platform.bulkhead import Bulkhead
from functions.platform.errors import StoreUnavailable
from functions.platform.messages import encode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from azure.storage.queue import QueueServiceClient

    from functions.platform.messages import Message

DEAD_LETTERS = "-poison"
"""The end of the names of dead-letter queues, which the host appends."""

PARKED = "parked-messages"
"""The queue for malformed messages: only people read it, and its messages never expire."""

_bulkhead = Bulkhead("Queue storage")

NEVER_EXPIRES = -1
LARGEST_PARKED_BYTES = 30_000
"""A queue message may be up to 64 KiB long, and parked content is encoded in base64 twice."""


class Queues:
    """The queues of the storage account; a queue that does not exist is created when its first message is sent."""

    def __init__(self, service: QueueServiceClient) -> None:
        self._service = service

    def send(self, message: Message, *, delay_s: int = 0) -> None:
        """Enqueue a message, invisible for `delay_s` seconds. Raises StoreUnavailable if the queue refuses it."""
        time_to_live = None if message.EXPIRES else NEVER_EXPIRES
        self._put(message.QUEUE, encode(message).decode(), delay_s=delay_s, time_to_live=time_to_live)

    def send_all(self, messages: Iterable[Message]) -> None:
        """Enqueue messages in order. Raises StoreUnavailable at the first message that the queue refuses."""
        for message in messages:
            self.send(message)

    def has_waiting(self, queue: str) -> bool:
        """Return whether a queue contains a message that no function has received yet. Raises StoreUnavailable."""
        try:
            with _bulkhead.place():
                return bool(self._service.get_queue_client(queue).peek_messages(max_messages=1))
        except ResourceNotFoundError:
            return False
        except AzureError as error:
            raise StoreUnavailable(f"The queue {queue} cannot be read; try again in a moment.") from error

    def dead_letter(self, queue: str, body: bytes) -> None:
        """Move a message that must not be retried to the queue's dead letters (`<queue>-poison`)."""
        self._put(f"{queue}-poison", body.decode("utf-8", "replace"))

    def park(self, queue: str, body: bytes, reason: str) -> None:
        """Store a malformed message, with its queue and the reason, in the queue where messages do not expire."""
        kept = b64encode(body[:LARGEST_PARKED_BYTES]).decode()
        parked = {"queue": queue, "reason": reason[:500], "body_base64": kept, "bytes": len(body)}
        self._put(PARKED, json.dumps(parked), time_to_live=NEVER_EXPIRES)

    def _put(self, queue: str, text: str, *, delay_s: int = 0, time_to_live: int | None = None) -> None:
        """Enqueue a string in base64, as configured by `messageEncoding` in host.json."""
        client = self._service.get_queue_client(queue, message_encode_policy=TextBase64EncodePolicy())
        try:
            with _bulkhead.place():
                try:
                    client.send_message(text, visibility_timeout=delay_s, time_to_live=time_to_live)
                except ResourceNotFoundError:
                    with suppress(ResourceExistsError):  # a concurrent sender created it
                        client.create_queue()
                    client.send_message(text, visibility_timeout=delay_s, time_to_live=time_to_live)
        except AzureError as error:
            raise StoreUnavailable(f"The queue {queue} does not accept messages; try again in a moment.") from error
