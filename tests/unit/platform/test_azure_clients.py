"""How often the clients of Azure storage repeat a refused request."""

from __future__ import annotations

from typing import Any

import pytest
from azure.storage.blob import ExponentialRetry
from azure.storage.queue import ExponentialRetry as QueueRetry

from functions.platform.azure_clients import blob_service, queue_service

STORAGE = "AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:9/a;QueueEndpoint=http://127.0.0.1:9/a"


def waits_of(client: Any, kind: type[Any]) -> list[float]:
    """Return how long a client of storage waits before each repetition of a request, in seconds."""
    policy = next(each for each in client._pipeline._impl_policies if isinstance(each, kind))
    return [policy.get_backoff_time({"count": count}) for count in range(1, policy.total_retries + 1)]


@pytest.mark.parametrize(
    ("client", "kind"), [(blob_service(STORAGE), ExponentialRetry), (queue_service(STORAGE), QueueRetry)]
)
def test_a_single_refusal_by_storage_costs_seconds_and_a_busy_minute_is_survived(client: Any, kind: type[Any]) -> None:
    waits = waits_of(client, kind)
    assert waits[0] <= 4
    assert sum(waits) >= 60
