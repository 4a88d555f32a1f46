"""Queues in tests: their messages are given to a function as the host would, one after another."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any

import azure.functions as func
from azure.core.exceptions import ResourceNotFoundError

from functions import bootstrap

if TYPE_CHECKING:
    from collections.abc import Callable


def handle(function: Callable[..., Any], body: bytes) -> None:
    """Call a queue function with a message."""
    built: Any = function
    built._function.get_user_function()(func.QueueMessage(body=body))


def drain(queue: str, function: Callable[..., Any]) -> int:
    """Give a function all that waits in a queue and is not hidden; return how many messages it were.

    A message is deleted once the function has returned. What it raises comes out, and the message is there again.
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
    """Throw away what waits in a queue."""
    client = bootstrap.resources.queue_service().get_queue_client(queue)
    try:
        client.clear_messages()
    except ResourceNotFoundError:
        return
