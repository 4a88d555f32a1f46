"""Queues for tests, and functions that deliver messages as the host does, one after another."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import azure.functions as func
from azure.core.exceptions import ResourceNotFoundError

from functions import bootstrap
from functions.platform.messages import decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from functions.platform.messages import Message


@dataclass
class MemoryQueues:
    """Queues in memory, with the messages that were sent, dead-lettered or parked, in order.

    `waiting` has the names of the queues in which a message waits.
    """

    sent: list[tuple[Message, int]] = field(default_factory=list)
    dead: list[tuple[str, bytes]] = field(default_factory=list)
    parked: list[tuple[str, bytes, str]] = field(default_factory=list)
    waiting: set[str] = field(default_factory=set)

    def send(self, message: Message, *, delay_s: int = 0) -> None:
        decode(encode(message), type(message))  # raises Malformed for what its reader could not read
        self.sent.append((message, delay_s))

    def send_all(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.send(message)

    def has_waiting(self, queue: str) -> bool:
        return queue in self.waiting

    def dead_letter(self, queue: str, body: bytes) -> None:
        self.dead.append((queue, body))

    def park(self, queue: str, body: bytes, reason: str) -> None:
        self.parked.append((queue, body, reason))

    @property
    def messages(self) -> list[Message]:
        """Return the sent messages without their delays."""
        return [message for message, _ in self.sent]


def handle(function: Callable[..., Any], body: bytes) -> None:
    """Call a queue function with a message."""
    built: Any = function
    built._function.get_user_function()(func.QueueMessage(body=body))


def tick(function: Callable[..., Any]) -> None:
    """Call a timer function."""
    built: Any = function
    built._function.get_user_function()(None)


def drain(queue: str, function: Callable[..., Any]) -> int:
    """Deliver all visible messages of a queue to a function; return the number of messages.

    A message is deleted after the function returns. If it raises, the message becomes visible again and the exception
    is propagated.
    """
    client = bootstrap.resources.queue_service().get_queue_client(queue)
    count = 0
    try:
        for message in client.receive_messages():
            try:
                handle(function, b64decode(message.content))
            except BaseException:
                client.update_message(message, visibility_timeout=0)
                raise
            client.delete_message(message)
            count += 1
    except ResourceNotFoundError:
        return count
    return count


def empty(queue: str) -> None:
    """Delete all messages of a queue."""
    client = bootstrap.resources.queue_service().get_queue_client(queue)
    try:
        client.clear_messages()
    except ResourceNotFoundError:
        return
