"""What every unit test has: a queue in memory that accepts the records of what owners do."""

from __future__ import annotations

import os

import pytest

from functions import bootstrap
from functions.platform import thread_offload
from tests.support.queues import MemoryQueues

# Mutation tests run in forks of a process that has run tests, and the threads of its pool do not exist in a fork.
os.register_at_fork(after_in_child=thread_offload._pool.cache_clear)


@pytest.fixture(autouse=True)
def action_queue(monkeypatch: pytest.MonkeyPatch) -> MemoryQueues:
    """Replace the queues of interactive requests, because routes for owners record what they change."""
    queues = MemoryQueues()
    monkeypatch.setattr(bootstrap.resources, "interactive_queues", lambda: queues)
    return queues
