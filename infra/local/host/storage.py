"""The storage account of a connection setting, for asyncio: the blocking SDK runs in separate threads.

Functions run in other threads, so leases are renewed even if all threads for functions are busy.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from infra.local.host.errors import StartupError

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.storage.blob import BlobClient, ContainerClient
    from azure.storage.queue import QueueClient

HOSTS_CONTAINER = "azure-webjobs-hosts"  # the container of the real host for receipts and schedules
DEFAULT_CONNECTION = "AzureWebJobsStorage"
THREADS = 10  # the size of the SDK's connection pool


class Storage:
    """The blobs and queues of one connection setting."""

    def __init__(self, connection: str = DEFAULT_CONNECTION) -> None:
        text = os.environ.get(connection, "")
        if not text:
            raise StartupError(
                f"The setting {connection} is not set; it must contain the connection string of a storage account."
            )
        patience: dict[str, Any] = {"initial_backoff": 1, "increment_base": 2, "connection_timeout": 5}
        try:
            self._blobs = BlobServiceClient.from_connection_string(text, **patience)
            self._queues = QueueServiceClient.from_connection_string(text, **patience)
        except ValueError:
            raise StartupError(f"The setting {connection} is not a storage account's connection string.") from None
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="storage")

    async def call[T](self, function: Callable[..., T], *args: object, **kwargs: object) -> T:
        """Run a blocking SDK call in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, functools.partial(function, *args, **kwargs))

    async def open(self) -> None:
        """Create the host's container; raise StartupError if the account does not answer."""
        try:
            await self.call(self._blobs.create_container, HOSTS_CONTAINER, retry_total=0)
        except ResourceExistsError:
            return
        except AzureError as error:
            address = urlsplit(self._blobs.url).netloc
            raise StartupError(
                f"The storage account at {address} does not answer or refuses its key: {type(error).__name__}."
            ) from error

    def close(self) -> None:
        """Close the connections."""
        self._blobs.close()
        self._queues.close()
        self._threads.shutdown(wait=False)

    def blob(self, container: str, name: str) -> BlobClient:
        """Return the client of a blob."""
        return self._blobs.get_blob_client(container, name)

    def container(self, name: str) -> ContainerClient:
        """Return the client of a container."""
        return self._blobs.get_container_client(name)

    def queue(self, name: str) -> QueueClient:
        """Return the client of a queue."""
        return self._queues.get_queue_client(name)

    async def ensure(self, create: Callable[[], object]) -> None:
        """Create a container or queue unless it exists."""
        try:
            await self.call(create)
        except ResourceExistsError:
            return

    async def send(self, queue: QueueClient, content: str) -> None:
        """Enqueue a message; create the queue if it is missing."""
        try:
            await self.call(queue.send_message, content)
        except ResourceNotFoundError:
            await self.ensure(queue.create_queue)
            await self.call(queue.send_message, content)

    async def put(self, container: str, name: str, content: str | bytes) -> None:
        """Write the blob, overwriting an older one; create the container if it is missing."""
        blob = self.blob(container, name)
        try:
            await self.call(blob.upload_blob, content, overwrite=True)
        except ResourceNotFoundError:
            await self.ensure(self.container(container).create_container)
            await self.call(blob.upload_blob, content, overwrite=True)


def encoded(text: str | bytes, *, in_base64: bool) -> str:
    """Return the encoded body of a message."""
    raw = text.encode() if isinstance(text, str) else text
    return base64.b64encode(raw).decode() if in_base64 else raw.decode()


def decoded(content: str, *, in_base64: bool) -> str:
    """Return the decoded body of a message; raise ValueError if the body has another encoding."""
    return base64.b64decode(content, validate=True).decode() if in_base64 else content
