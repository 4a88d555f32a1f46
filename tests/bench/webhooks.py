"""`./notflix bench webhooks`: how fast webhooks are answered and stored while PayPal's API is slow."""

from __future__ import annotations

import argparse
import json
import random
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection
from queue import SimpleQueue
from statistics import quantiles
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from functions.platform.mysql_connections import Address, connect
from infra.local.simulators.paypal import CLIENT_ID
from infra.local.stores.credentials import load_or_make
from tests.bench._measure import conclude, say
from tests.bench._product import product
from tests.support.viewers import as_owner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GOALS = {"ack_p99_ms": 200.0, "lost": 0.0, "stored_twice": 0.0, "unsettled": 0.0}
EVENTS, REPEATED = 10_000, 1 / 3
SUBSCRIPTIONS = 100
SENDERS = 8
SLOW_MS = 2000
SIGNED_AT_ONCE = 500
SETTLED_WITHIN_S = 240


@dataclass
class Transmission:
    """A signed webhook that is ready to be sent."""

    headers: Mapping[str, str]
    body: bytes


@dataclass
class Answers:
    """The response times, in seconds, of the requests answered with 200, and the statuses of all other responses."""

    seconds: list[float] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)


def main() -> int:
    """Run the benchmark and print its results; return 0 if all goals are met, else 1."""
    parser = argparse.ArgumentParser(prog="./notflix bench webhooks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the events")
    events = EVENTS // 10 if parser.parse_args().quick else EVENTS
    unique = round(events * (1 - REPEATED))
    with product() as own:
        say("Starting the product …")
        own.up()
        endpoints = json.loads(own.home.endpoints_file.read_text(encoding="utf-8"))
        payer = Payer(endpoints, load_or_make(own.home.secrets_file).paypal)
        plan = as_owner(endpoints, "GET", "plans/all").json()["plans"][0]["id"]
        subscriptions = [payer.subscribe(plan) for _ in range(SUBSCRIPTIONS)]
        say(f"Signing {events} webhooks, {events - unique} of them duplicates …")
        transmissions = signed_webhooks(endpoints, subscriptions, unique, events - unique)
        _control(endpoints, "PATCH", "switches", slow_ms=SLOW_MS)
        say(f"Sending them with {SENDERS} connections, while PayPal takes {SLOW_MS} ms to answer …")
        began = time.perf_counter()
        answers = _send(endpoints, transmissions)
        took_s = time.perf_counter() - began
        _control(endpoints, "PATCH", "switches", slow_ms=0)
        stored, twice = _stored(endpoints)
        say("Waiting until everything is settled …")
        unsettled = _unsettled(endpoints)
    cuts = quantiles(answers.seconds, n=1000)
    figures = {
        "ack_p99_ms": cuts[989] * 1000,
        "lost": float(unique - stored + len(answers.refused)),
        "stored_twice": float(twice),
        "unsettled": float(unsettled),
        "ack_p50_ms": cuts[499] * 1000,
        "ack_worst_ms": max(answers.seconds) * 1000,
        "stored_per_s": len(answers.seconds) / took_s,
    }
    if answers.refused:
        say(f"refused: {sorted(set(answers.refused))}")
    return conclude("webhooks", figures, GOALS)


@dataclass
class Payer:
    """A client of PayPal's API with the product's credentials; it also approves subscriptions."""

    endpoints: Mapping[str, str]
    secret: str

    def __post_init__(self) -> None:
        answer = requests.post(
            f"{self.endpoints['paypal']}/v1/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=(CLIENT_ID, self.secret),
            timeout=30,
        )
        self._headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def subscribe(self, plan: str) -> dict[str, Any]:
        """Return an approved subscription that belongs to no account; this benchmark needs only the data at PayPal."""
        made = self._call("POST", "/v1/billing/subscriptions", {"plan_id": plan})
        _control(self.endpoints, "POST", f"subscriptions/{made['id']}/approve")
        return self._call("GET", f"/v1/billing/subscriptions/{made['id']}")

    def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        url = self.endpoints["paypal"] + path
        answer = requests.request(method, url, json=body, headers=self._headers, timeout=30)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def _control(endpoints: Mapping[str, str], method: str, path: str, **body: object) -> Any:
    answer = requests.request(method, f"{endpoints['paypal']}/_simulator/{path}", json=body, timeout=120)
    answer.raise_for_status()
    return answer.json()


def signed_webhooks(
    endpoints: Mapping[str, str], subscriptions: Sequence[Mapping[str, Any]], unique: int, repeats: int
) -> list[Transmission]:
    """Return signed webhooks in random order; a duplicate repeats the event of another webhook."""
    rng = random.Random(1)
    events = [
        {
            "id": f"WH-BENCH{number:012}",
            "event_version": "1.0",
            "create_time": "2026-11-24T12:00:00.000Z",
            "resource_type": "subscription",
            "event_type": "BILLING.SUBSCRIPTION.UPDATED",
            "summary": "Subscription updated",
            "resource": rng.choice(subscriptions),
        }
        for number in range(unique)
    ]
    order = [*events, *(rng.choice(events) for _ in range(repeats))]
    rng.shuffle(order)
    made: list[Transmission] = []
    for first in range(0, len(order), SIGNED_AT_ONCE):
        signed = _control(endpoints, "POST", "sign", events=order[first : first + SIGNED_AT_ONCE])["transmissions"]
        made += [Transmission(one["headers"], one["body"].encode()) for one in signed]
    return made


def _send(endpoints: Mapping[str, str], transmissions: Sequence[Transmission]) -> Answers:
    """Send all webhooks over `SENDERS` parallel connections; return the responses."""
    waiting: SimpleQueue[Transmission | None] = SimpleQueue()
    for one in (*transmissions, *[None] * SENDERS):
        waiting.put(one)
    address = urlsplit(endpoints["api"])
    results = [Answers() for _ in range(SENDERS)]

    def run(answers: Answers) -> None:
        connection = HTTPConnection(str(address.hostname), address.port, timeout=60)
        while (one := waiting.get()) is not None:
            began = time.perf_counter()
            connection.request("POST", "/api/paypal/webhooks", one.body, dict(one.headers))
            response = connection.getresponse()
            response.read()
            if response.status == 200:
                answers.seconds.append(time.perf_counter() - began)
            else:
                answers.refused.append(response.status)
        connection.close()

    threads = [threading.Thread(target=run, args=(answers,)) for answers in results]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Answers(
        [second for answers in results for second in answers.seconds],
        [status for answers in results for status in answers.refused],
    )


def _stored(endpoints: Mapping[str, str]) -> tuple[int, int]:
    """Return the number of distinct events in the inbox, and the number of surplus copies."""
    rows = _ask(endpoints, "SELECT event_id FROM subscriptions_db.events WHERE event_id LIKE 'WH-BENCH%'")
    return len(set(rows)), len(rows) - len(set(rows))


def _unsettled(endpoints: Mapping[str, str]) -> int:
    """Wait until no subject is pending; return the number of subjects that are still pending at the deadline."""
    deadline = time.monotonic() + SETTLED_WITHIN_S
    while (left := len(_ask(endpoints, "SELECT subject FROM subscriptions_db.marks"))) and time.monotonic() < deadline:
        time.sleep(1)
    return left


def _ask(endpoints: Mapping[str, str], statement: str) -> list[str]:
    with connect(Address.of(endpoints["mysql"])) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return [str(next(iter(row.values()))) for row in cursor.fetchall()]


if __name__ == "__main__":
    raise SystemExit(main())
