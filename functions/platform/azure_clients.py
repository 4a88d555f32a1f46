"""Clients of Azure storage, authenticated by connection string or by the app's identity."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.storage.blob import BlobServiceClient
    from azure.storage.queue import QueueServiceClient


def blob_service(storage: str) -> BlobServiceClient:
    """Return a client of blob storage; `storage` is a connection string, or an account name for access by identity."""
    from azure.storage.blob import BlobServiceClient

    if _is_connection_string(storage):
        return BlobServiceClient.from_connection_string(storage)
    return BlobServiceClient(f"https://{storage}.blob.core.windows.net", credential=identity())


def queue_service(storage: str, *, interactive: bool = False) -> QueueServiceClient:
    """Return a client of queue storage; `storage` has the same form as in `blob_service`.

    An `interactive` client is for requests that a person waits for: it retries only once, without a delay, and fails
    within seconds.
    """
    from azure.storage.queue import LinearRetry, QueueServiceClient

    options: dict[str, Any] = {}
    if interactive:
        soon = LinearRetry(backoff=0, retry_total=1, random_jitter_range=0)
        options = {"retry_policy": soon, "connection_timeout": 1, "read_timeout": 3}
    if _is_connection_string(storage):
        return QueueServiceClient.from_connection_string(storage, **options)
    return QueueServiceClient(f"https://{storage}.queue.core.windows.net", credential=identity(), **options)


def drop_container(blobs: BlobServiceClient, name: str) -> None:
    """Delete a container; a container that is already deleted or being deleted (409) is not an error."""
    from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

    with suppress(ResourceNotFoundError, ResourceExistsError):
        blobs.delete_container(name)


@cache
def identity() -> TokenCredential:
    """Return the identity of the app."""
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()


def _is_connection_string(storage: str) -> bool:
    return "=" in storage
