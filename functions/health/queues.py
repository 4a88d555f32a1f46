"""How long messages wait: for each queue, the age of the oldest message that no function has received yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.platform.queues import DEAD_LETTERS

if TYPE_CHECKING:
    from datetime import datetime

    from azure.storage.queue import QueueServiceClient


def waits_s(service: QueueServiceClient, now: datetime) -> dict[str, float]:
    """Return, for each queue, how many seconds its first visible message has waited; 0 if there is none.

    Messages that are being processed, or were sent with a delay, are not visible. Dead-letter queues are left out: a
    message in one of them shows as a run of its function, and each measurement costs a transaction.
    """
    names = [str(queue.name) for queue in service.list_queues()]
    return {name: _wait_s(service, name, now) for name in names if not name.endswith(DEAD_LETTERS)}


def _wait_s(service: QueueServiceClient, name: str, now: datetime) -> float:
    from azure.core.exceptions import ResourceNotFoundError

    try:
        first = next(iter(service.get_queue_client(name).peek_messages(max_messages=1)), None)
    except ResourceNotFoundError:  # the queue was deleted after it was listed
        return 0.0
    return max(0.0, (now - first.inserted_on).total_seconds()) if first and first.inserted_on else 0.0
