"""Queue triggers: polling with back-off, leases, retries and poison queues, like the WebJobs storage extension.

A message is hidden while its function runs (by a lease, renewed after each third of its length). It is deleted after
success, made visible again after a failure, and moved to `<queue>-poison` after `maxDequeueCount` failures. At most
`batchSize + newBatchThreshold` messages of a queue are processed at a time.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, ResourceNotFoundError

from infra.local.host.outputs import binding_values
from infra.local.host.protos import TypedData
from infra.local.host.storage import decoded
from infra.local.host.waiting import happened

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from azure.storage.queue import QueueMessage

    from infra.local.host.config import QueueOptions
    from infra.local.host.invocations import Invoker
    from infra.local.host.storage import Storage
    from infra.local.host.worker import Function

log = logging.getLogger(__name__)

MIN_POLLING_S = 0.1
POISON_SUFFIX = "-poison"


class Backoff:
    """The delay between polls: 0.1 s after a message, then growing randomly to `longest_s`.

    Source: `RandomizedExponentialBackoffStrategy` of the WebJobs SDK.
    """

    def __init__(self, longest_s: float, chance: Callable[[float, float], float] = random.uniform) -> None:
        self._longest_s = longest_s
        self._chance = chance
        self._misses = 0

    def next_s(self, *, found: bool) -> float:
        """Return the delay in seconds until the next poll, depending on whether the last poll found a message."""
        self._misses = 0 if found else min(self._misses + 1, 30)
        growth: float = (2**self._misses - 1) * MIN_POLLING_S * self._chance(0.8, 1.2)
        return min(MIN_POLLING_S + growth, self._longest_s)


class QueueListener:
    """Passes the messages of one queue to a handler, which returns whether it succeeded."""

    def __init__(
        self,
        storage: Storage,
        queue: str,
        handler: Callable[[QueueMessage, str], Awaitable[bool]],
        *,
        options: QueueOptions,
        lease_s: int,
        enqueued: Callable[[str], None],
        poison: str | None = None,
    ) -> None:
        self.queue = queue
        self._storage = storage
        self._client = storage.queue(queue)
        self._handler = handler
        self._options = options
        self._lease_s = lease_s
        self._enqueued = enqueued
        name = None if queue.endswith(POISON_SUFFIX) else poison or queue + POISON_SUFFIX
        self._poison = storage.queue(name) if name else None
        self._is_missing = True  # perhaps
        self._changed = asyncio.Event()  # set when a message was enqueued, a handler has ended, or the host stops
        self._working: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._stopped = asyncio.Event()

    def wake(self) -> None:
        """Poll immediately, because a message was enqueued."""
        self._changed.set()

    async def run(self) -> None:
        """Listen until `stop`, also while storage is away; create the queue if it is missing."""
        backoff = Backoff(self._options.max_polling_s)
        try:
            while not self._stopping:
                self._changed.clear()
                if len(self._working) > self._options.new_batch_threshold:
                    await self._changed.wait()
                    continue
                messages = await self._receive()
                for message in messages:
                    await self._take(message)
                wait_s = backoff.next_s(found=bool(messages))
                if not messages:
                    await happened(self._changed, within_s=wait_s)
        finally:
            self._stopped.set()

    async def stop(self, grace_s: float) -> None:
        """Receive no more messages, wait for handlers up to the grace period, and release unfinished messages."""
        deadline = time.monotonic() + grace_s
        self._stopping = True
        self._changed.set()
        await happened(self._stopped, within_s=grace_s)
        if not self._working:
            return
        _, late = await asyncio.wait(self._working, timeout=max(0, deadline - time.monotonic()))
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _take(self, message: QueueMessage) -> None:
        if self._stopping:
            await self._update(message, 0)
            return
        task = asyncio.create_task(self._process(message))
        self._working.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self._changed.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error(
                "A message of %s could not be deleted or released; it will be retried.", self.queue, exc_info=error
            )

    async def _receive(self) -> list[QueueMessage]:
        """Return messages; none if the queue was missing or storage does not answer, which the next poll finds out."""
        pages = self._client.receive_messages(
            messages_per_page=self._options.batch_size, visibility_timeout=self._lease_s
        ).by_page()
        try:
            if self._is_missing:
                await self._storage.ensure(self._client.create_queue)
                self._is_missing = False
            return list(await self._storage.call(next, pages, ()))
        except ResourceNotFoundError:
            self._is_missing = True
        except AzureError as error:
            log.error("The queue %s cannot be read: %s", self.queue, error)
        return []

    async def _process(self, message: QueueMessage) -> None:
        dequeued = message.dequeue_count or 0
        if self._poison and dequeued > self._options.max_dequeue_count:  # each delivery crashed a host
            await self._fail(message, for_good=True)
            return
        try:
            text = decoded(message.content, in_base64=self._options.base64)
        except ValueError:
            log.error("A message of %s does not have the encoding of messageEncoding.", self.queue)
            await self._fail(message, for_good=True)
            return
        finished = asyncio.Event()
        renewal = asyncio.create_task(self._renew(message, finished))
        try:
            succeeded = await self._handler(message, text)
        except asyncio.CancelledError:
            finished.set()
            if await renewal:
                await self._update(message, 0)
            raise
        finally:
            finished.set()
        if not await renewal:
            return  # another host has the message now
        if succeeded:
            await self._delete(message)
        else:
            await self._fail(message, for_good=dequeued >= self._options.max_dequeue_count)

    async def _fail(self, message: QueueMessage, *, for_good: bool) -> None:
        """Release the message or move it to the poison queue; without that queue, it is hidden until its lease ends."""
        if self._poison is None:
            log.error("A message of %s failed; there is no poison queue, so it will be retried.", self.queue)
        elif for_good:
            log.error("A message of %s failed too often and is moved to %s.", self.queue, self._poison.queue_name)
            await self._storage.send(self._poison, message.content)
            self._enqueued(self._poison.queue_name)
            await self._delete(message)
        else:
            await self._update(message, self._options.visibility_s)

    async def _renew(self, message: QueueMessage, finished: asyncio.Event) -> bool:
        """Renew the lease until `finished`; return False if the lease was lost."""
        while not await happened(finished, within_s=self._lease_s / 3):
            if not await self._update(message, self._lease_s):
                return False
        return True

    async def _update(self, message: QueueMessage, hidden_s: int) -> bool:
        """Hide the message for this long from now; return False if its lease was lost."""
        try:
            updated = await self._storage.call(
                self._client.update_message, message.id, message.pop_receipt, visibility_timeout=hidden_s
            )
        except ResourceNotFoundError:
            log.warning("The lease of a message of %s was lost; another host may have the message.", self.queue)
            return False
        message.pop_receipt = updated.pop_receipt
        return True

    async def _delete(self, message: QueueMessage) -> None:
        try:
            await self._storage.call(self._client.delete_message, message.id, message.pop_receipt)
        except ResourceNotFoundError:
            log.warning("A message of %s is processed, but its lease was lost: it may be processed twice.", self.queue)


def queue_handler(invoker: Invoker, function: Function) -> Callable[[QueueMessage, str], Awaitable[bool]]:
    """Return the handler that calls a function with a message and its metadata."""

    async def handle(message: QueueMessage, text: str) -> bool:
        metadata = {
            "QueueTrigger": TypedData(string=text),
            "Id": TypedData(string=message.id),
            "DequeueCount": TypedData(json=json.dumps(message.dequeue_count)),
            "PopReceipt": TypedData(string=message.pop_receipt),
            "InsertionTime": _time(message.inserted_on),
            "ExpirationTime": _time(message.expires_on),
            "NextVisibleTime": _time(message.next_visible_on),
        }
        values = binding_values(text) | {"queueTrigger": text, "id": message.id}
        return await invoker.run(function, TypedData(string=text), metadata=metadata, values=values) is not None

    return handle


def _time(moment: datetime | None) -> TypedData:
    return TypedData(json=json.dumps(moment.isoformat() if moment else None))
