"""An idle host of the API polls its queues no more often than the plan of a deployment assumes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from functions.platform.triggers import LOST_BLOBS
from infra.azure.plan import host_settings, queue_polls, queues_of_api
from infra.azure.prices import SECONDS_A_MONTH
from infra.local.home import REPOSITORY
from infra.local.host.config import timespan_s
from infra.local.host.storage_events import SETTING
from tests.integration.conftest import Stack, running_stack
from tests.integration.host.running import RunningHost
from tests.support.proxies import CountingProxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POLLING = "AzureFunctionsJobHost__extensions__queues__maxPollingInterval"
INTERVAL_S = 3
"""A twentieth of the interval in host.json, so that the host polls at its longest interval soon after its start."""

FIRST, MEASURED = 9, 4
"""How many polls it takes until the interval has grown from 0.1 s to its maximum, and how many later ones are
measured."""


@pytest.fixture
def stack() -> Iterator[Stack]:
    """Start stores without data, because data that other tests leave behind would give the timers something to do."""
    with running_stack() as running:
        yield running


def test_idle_api_waits_for_the_interval_between_two_polls_of_a_queue(stack: Stack, tmp_path: Path) -> None:
    settings = {name: value for name, value in stack.environment.items() if name != SETTING}
    with CountingProxy(stack.home.ports.queue) as proxy:

        def polled() -> dict[str, list[float]] | None:
            """Return when each queue was polled since its last message, once all were polled often enough."""
            times: dict[str, list[float]] = {}
            for at, line in proxy.passed:
                method, path = line.split()
                if "/messages" in path and "peekonly" not in path:  # the timer that measures queues peeks
                    seen = times.setdefault(path.split("/")[2], [])
                    if method == "GET":
                        seen.append(at)
                    else:  # a message was put, deleted or returned
                        seen.clear()
            is_enough = len(times) == len(queues_of_api()) and min(map(len, times.values())) > FIRST + MEASURED
            return times if is_enough else None

        direct, through = f":{stack.home.ports.queue}/", f":{proxy.port}/"
        settings["AzureWebJobsStorage"] = settings["AzureWebJobsStorage"].replace(direct, through)
        host = RunningHost(settings["AzureWebJobsStorage"], tmp_path / "host.log")
        settings |= {POLLING: f"00:00:{INTERVAL_S:02}", "FUNCTIONS_WORKER_RUNTIME": "python", "WORK_DIR": str(tmp_path)}
        try:
            host.start(app="function_app", root=REPOSITORY, **settings)
            times = proxy.wait_until(polled, within_s=300)
        finally:
            host.close()
    assert times.keys() >= {LOST_BLOBS, "send-mail", "send-mail-poison"}
    # a late poll on a busy machine is soon followed by the next one, so each measured span covers several polls
    for queue, at in times.items():
        spans = [later - earlier for earlier, later in pairwise(at[FIRST::MEASURED])]
        assert min(spans) >= (MEASURED - 1) * INTERVAL_S, (queue, at)
    configured_s = timespan_s(host_settings()["extensions"]["queues"]["maxPollingInterval"])
    assert queue_polls()["queue listeners"] >= round(len(times) * SECONDS_A_MONTH / configured_s)
