"""Sending messages to the queues that the functions listen on."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import TextBase64EncodePolicy

from functions.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.storage.queue import QueueServiceClient


class Queues:
    """The queues of the storage account; one that does not exist yet is made by the first message to it."""

    def __init__(self, service: QueueServiceClient) -> None:
        self._service = service

    def send(self, queue: str, message: Mapping[str, object], *, delay_s: int = 0) -> None:
        """Enqueue a JSON message in base64, as `messageEncoding` of host.json says; it is hidden for `delay_s`.

        Raises StoreUnavailable if the queue does not take it.
        """
        client = self._service.get_queue_client(queue, message_encode_policy=TextBase64EncodePolicy())
        text = json.dumps(message)
        try:
            try:
                client.send_message(text, visibility_timeout=delay_s)
            except ResourceNotFoundError:
                with suppress(ResourceExistsError):  # another sender was faster, which is as good
                    client.create_queue()
                client.send_message(text, visibility_timeout=delay_s)
        except AzureError as error:
            raise StoreUnavailable(f"The queue {queue} does not take messages; try again in a moment.") from error
