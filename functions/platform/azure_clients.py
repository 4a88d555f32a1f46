"""Clients of Azure storage, authenticated by connection string or by the app's identity."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.storage.blob import BlobServiceClient
    from azure.storage.queue import QueueServiceClient


PATIENT: dict[str, Any] = {
    "initial_backoff": 1,
    "increment_base": 2,
    "random_jitter_range": 1,
    "retry_total": 5,
    "connection_timeout": 5,
    "read_timeout": 30,
}
"""A request to an account that is busy (503) or does not answer is repeated after about 3, 5, 9, 17 and 33 s.

The SDK's own waits are 18, 24 and 42 s, so a single refused request would delay a film by 18 s. Its own `read_timeout`,
how long it waits for data on an open connection, is 60 s.
"""

SHORT: dict[str, Any] = {"connection_timeout": 1, "read_timeout": 3}
"""The time limits of a client for requests that a person waits for; it retries only once, without a delay."""


def blob_service(storage: str, *, interactive: bool = False) -> BlobServiceClient:
    """Return a client of blob storage; `storage` is a connection string, or an account name for access by identity.

    An `interactive` client is for requests that a person waits for: it fails within seconds.
    """
    from azure.storage.blob import BlobServiceClient, LinearRetry

    options = PATIENT
    if interactive:
        options = {"retry_policy": LinearRetry(backoff=0, retry_total=1, random_jitter_range=0), **SHORT}
    if _is_connection_string(storage):
        return BlobServiceClient.from_connection_string(storage, **options)
    return BlobServiceClient(f"https://{storage}.blob.core.windows.net", credential=identity(), **options)


def queue_service(storage: str, *, interactive: bool = False) -> QueueServiceClient:
    """Return a client of queue storage; the arguments are those of `blob_service`."""
    from azure.storage.queue import LinearRetry, QueueServiceClient

    options = PATIENT
    if interactive:
        options = {"retry_policy": LinearRetry(backoff=0, retry_total=1, random_jitter_range=0), **SHORT}
    if _is_connection_string(storage):
        return QueueServiceClient.from_connection_string(storage, **options)
    return QueueServiceClient(f"https://{storage}.queue.core.windows.net", credential=identity(), **options)


@cache
def identity() -> TokenCredential:
    """Return the identity of the app."""
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()


def _is_connection_string(storage: str) -> bool:
    return "=" in storage
