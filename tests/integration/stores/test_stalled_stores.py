"""While a store of the running API is stalled, routes that do not use it answer as before, and others ask for patience.

The time limits of this file are promises of the product, so they are measured. A machine that does other work can be
late by chance, but not in every one of several attempts; a route that waits for a stalled store is late in each.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from pymongo import MongoClient

from functions.catalogue.repository import MongoTitles
from functions.health.service import TIMEOUT_S as HEALTH_S
from infra.local.cli.product import API_THREADS
from infra.local.processes.state import read_state
from infra.local.stores import arcadedb, azurite, mariadb, redis, secantus
from tests.integration.host.running import REPOSITORY, RunningHost
from tests.support.library import playable
from tests.support.owners import OPERATOR_KEY
from tests.support.stopping import stopped
from tests.support.viewers import make_viewer
from tests.support.waiting import PATIENCE_S, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from tests.integration.conftest import Stack

TITLE = "beside-a-stalled-store"
CLIENTS = 30
PAUSE_S = 0.3
LIMIT_S = 1.0
SLOWER = 2.0
"""Under load, a route may take twice as long as its slowest answer before the stop, if that is more than LIMIT_S."""

ATTEMPTS = 10
STALL_S, STALL_IN_FULL_S = 4.0, 20.0
CALM_ANSWERS = 4
WITHIN_S = PATIENCE_S


@dataclass(frozen=True, slots=True)
class StoreRoute:
    """A request, the statuses of its answer while all stores that it `uses` answer, and its time limit."""

    method: str
    path: str
    statuses: tuple[int, ...]
    uses: frozenset[str] = frozenset()
    body: Any = None
    within_s: float = LIMIT_S
    by_guest: bool = False


ROUTES = {
    "unsigned webhook": StoreRoute("POST", "paypal/webhooks", (400,), body={}),
    "malformed login": StoreRoute("POST", "sessions", (422,), body={"email": 1}),
    "health": StoreRoute("GET", "health", (200, 503), within_s=LIMIT_S + HEALTH_S),
    "titles": StoreRoute("GET", "titles", (200,), frozenset({secantus.NAME})),
    "me": StoreRoute("GET", "me", (200,), frozenset({redis.NAME, mariadb.NAME})),
    "plans": StoreRoute("GET", "plans", (200,), frozenset({mariadb.NAME})),
    "pages": StoreRoute("GET", "pages", (200,), frozenset({azurite.NAME})),
    "similar titles": StoreRoute(
        "GET", f"titles/{TITLE}/similar", (200,), frozenset({arcadedb.NAME, secantus.NAME}), by_guest=True
    ),
}
LOADED = {
    secantus.NAME: "titles",
    redis.NAME: "me",
    mariadb.NAME: "plans",
    azurite.NAME: "pages",
    arcadedb.NAME: "similar titles",
}
"""A route that uses the store, for each store."""


@dataclass(frozen=True, slots=True)
class StoreAnswer:
    """The answer to a request: how long it took, its status, and whether it says when to try again."""

    took_s: float
    status: int
    says_when: bool


@dataclass(slots=True)
class Probe:
    """A client that sends one kind of request again and again; `answers` belongs to its thread."""

    route: str
    answers: list[StoreAnswer] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class StoppableApi:
    """The API, whose stores can be stopped."""

    api: str
    headers: Mapping[str, str]
    pids: Mapping[str, int]

    def ask(self, name: str) -> StoreAnswer:
        """Send a request over a connection of its own."""
        route = ROUTES[name]
        began = time.monotonic()
        address = f"{self.api}/api/{route.path}"
        headers = {} if route.by_guest else self.headers
        answer = requests.request(route.method, address, json=route.body, headers=headers, timeout=WITHIN_S)
        return StoreAnswer(time.monotonic() - began, answer.status_code, "Retry-After" in answer.headers)

    @contextmanager
    def asked(self, names: Sequence[str]) -> Iterator[list[Probe]]:
        """Let a client for each name send its request again and again, until the context ends."""
        ended, probes = threading.Event(), [Probe(name) for name in names]

        def run(probe: Probe) -> None:
            while not ended.is_set():
                probe.answers.append(self.ask(probe.route))
                ended.wait(PAUSE_S)

        threads = [threading.Thread(target=run, args=(probe,)) for probe in probes]
        for thread in threads:
            thread.start()
        try:
            yield probes
        finally:
            ended.set()
            for thread in threads:
                thread.join()

    def stopped(self, stores: Sequence[str]) -> AbstractContextManager[None]:
        """Stop the processes of stores inside the context."""
        return stopped(*(self.pids[name] for name in stores))


@pytest.fixture(scope="module")
def api(stack: Stack) -> Iterator[StoppableApi]:
    folder = Path(tempfile.mkdtemp(prefix="notflix-stall-"))
    environment = {
        **stack.environment,
        **API_THREADS,
        "OPERATOR_KEY": OPERATOR_KEY,
        "PAYPAL_URL": "https://api-m.paypal.com",  # not called: a webhook without a signature is refused
        "PAYPAL_CLIENT_ID": "nobody",
        "PAYPAL_CLIENT_SECRET": "nothing",
        "PAYPAL_WEBHOOK_ID": "none",
    }
    host = RunningHost(stack.environment["AzureWebJobsStorage"], folder / "host.log")
    state = read_state(stack.home)
    assert state is not None
    with MongoClient[dict[str, Any]](stack.settings.mongo_url, tz_aware=True) as client:
        MongoTitles(client[stack.settings.mongo_database]).add(playable(TITLE))
    pids = {service.name: service.pid for service in state.services if service.pid is not None}
    try:
        host.start(app="function_app", root=REPOSITORY, **environment)
        address = f"http://127.0.0.1:{host.port}"
        token = make_viewer({"api": address}).token
        yield StoppableApi(address, {"Authorization": f"Bearer {token}", "x-operator-key": OPERATOR_KEY}, pids)
    finally:
        host.close()
        shutil.rmtree(folder)


def broken_promises(api: StoppableApi, stores: Sequence[str], *, stall_s: float) -> list[str]:
    """Stop stores under load for some seconds; return what was not as it should be."""
    used = [LOADED[name] for name in stores]
    independent = [name for name, route in ROUTES.items() if not route.uses & set(stores)]
    clients = [used[number % len(used)] for number in range(CLIENTS)]
    with api.asked([*independent, *clients]) as probes:
        watched, loading = probes[: len(independent)], probes[len(independent) :]
        eventually(lambda: all(len(probe.answers) >= CALM_ANSWERS for probe in probes), within_s=WITHIN_S)
        calm = {probe.route: max(answer.took_s for answer in probe.answers) for probe in watched}
        before = {id(probe): len(probe.answers) for probe in probes}
        with api.stopped(stores):
            time.sleep(stall_s)
    seen = [(probe.route, answer) for probe in loading for answer in probe.answers]
    broken = []
    if stores != [arcadedb.NAME] and not any(answer.status == 503 for _, answer in seen):
        broken.append("no request met a stopped store")
    for probe in watched:
        limit_s = max(ROUTES[probe.route].within_s, SLOWER * calm[probe.route])
        for answer in probe.answers[before[id(probe)] :]:
            if answer.took_s > limit_s:
                broken.append(f"{probe.route} took {answer.took_s:.2f} s, not {limit_s:.2f} s")
            if answer.status not in ROUTES[probe.route].statuses:
                broken.append(f"{probe.route} is answered {answer.status}")
    broken += [f"{name} is answered {answer.status}" for name, answer in seen if answer.status not in (200, 503)]
    broken += [
        f"a 503 of {name} does not say when" for name, answer in seen if answer.status == 503 and not answer.says_when
    ]
    return broken


@pytest.mark.parametrize(
    "stores",
    [
        [secantus.NAME],
        [redis.NAME],
        [mariadb.NAME],
        [azurite.NAME],
        [arcadedb.NAME],
        [secantus.NAME, redis.NAME, mariadb.NAME, azurite.NAME],
    ],
    ids="-".join,
)
def test_routes_that_do_not_use_stalled_stores_answer_in_time(
    api: StoppableApi, stores: list[str], in_full: bool
) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        broken = broken_promises(api, stores, stall_s=STALL_IN_FULL_S if in_full else STALL_S)
        eventually(lambda: all(api.ask(name).status in route.statuses for name, route in ROUTES.items()))
        if not broken:
            return
        print(f"attempt {attempt}: {broken}")
    pytest.fail(f"in each of {ATTEMPTS} attempts, lastly: {broken}")
