"""The delay between polls, and the events that end it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, cast

import pytest
from azure.core.exceptions import ResourceNotFoundError, ServiceRequestError

from infra.local.host.config import QueueOptions
from infra.local.host.queues import Backoff, QueueListener

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.local.host.storage import Storage


def test_the_wait_grows_to_the_longest_and_falls_back_after_a_message() -> None:
    backoff = Backoff(5.0, chance=lambda _low, _high: 1.0)
    waits = [backoff.next_s(found=False) for _ in range(8)]
    assert waits == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0])
    assert backoff.next_s(found=True) == pytest.approx(0.1)


def test_waits_differ_between_hosts() -> None:
    assert len({Backoff(60.0).next_s(found=False) for _ in range(20)}) > 10


class FakeQueue:
    """An empty queue that records when it was polled."""

    def __init__(self) -> None:
        self.polls: list[float] = []

    def create_queue(self) -> None: ...

    def receive_messages(self, **_options: int) -> FakeQueue:
        return self

    def by_page(self) -> Any:
        self.polls.append(time.monotonic())
        return iter(())


class FakeStorage:
    """A storage account with one queue."""

    def __init__(self) -> None:
        self.only = FakeQueue()

    def queue(self, _name: str) -> FakeQueue:
        return self.only

    async def ensure(self, _create: Callable[[], object]) -> None: ...

    async def call(self, function: Callable[..., Any], *arguments: object) -> Any:
        return function(*arguments)


def listening(storage: FakeStorage, *, max_polling_s: float) -> QueueListener:
    """Return a listener of the only queue, in which there are no messages to handle."""
    return QueueListener(
        cast("Storage", storage),
        "queue",
        cast("Any", None),
        options=QueueOptions(max_polling_s=max_polling_s),
        lease_s=30,
        enqueued=lambda _queue: None,
    )


def test_an_enqueued_message_is_looked_for_at_once() -> None:
    async def wake_while_it_waits() -> float:
        storage = FakeStorage()
        listener = listening(storage, max_polling_s=60)
        running = asyncio.create_task(listener.run())
        while len(storage.only.polls) < 4:  # the next delay is at least 1.3 s
            await asyncio.sleep(0.01)
        woken = time.monotonic()
        listener.wake()
        while len(storage.only.polls) < 5:
            await asyncio.sleep(0.001)
        await listener.stop(1)
        await running
        return storage.only.polls[4] - woken

    assert asyncio.run(wake_while_it_waits()) < 0.5


class RestartingStorage(FakeStorage):
    """Storage that was killed, has lost the queue, and is killed again before the queue is created."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[Exception] = [ServiceRequestError("refused"), ResourceNotFoundError("no queue")] * 2
        self.created = 0

    async def ensure(self, create: Callable[[], object]) -> None:
        self._fail(ServiceRequestError)
        create()
        self.created += 1

    async def call(self, function: Callable[..., Any], *arguments: object) -> Any:
        self._fail(ResourceNotFoundError)
        return function(*arguments)

    def _fail(self, kind: type[Exception]) -> None:
        if self.faults and isinstance(self.faults[0], kind):
            raise self.faults.pop(0)


def test_a_listener_outlives_storage_that_is_killed_again_and_again() -> None:
    async def listen() -> RestartingStorage:
        storage = RestartingStorage()
        listener = listening(storage, max_polling_s=0.1)
        running = asyncio.create_task(listener.run())
        while not running.done() and (storage.faults or storage.created < 3):
            await asyncio.sleep(0.01)
        await listener.stop(1)
        await running
        return storage

    storage = asyncio.run(listen())
    assert storage.faults == []
    assert storage.created == 3, "once at the start, and again after each loss"
