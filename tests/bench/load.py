"""`./notflix bench load`: how many viewers one instance serves, what it does beyond that, and how it recovers.

Viewers browse, play and send heartbeats, people log in, and PayPal sends webhooks, in the proportions of a service in
which subscribers watch ten hours a month. The rate grows step by step up to the knee: the highest rate at which every
call succeeds within half a second. Then the rate is twice as high for a while, and then half as high.

With `--soak`, the rate is half of a given or measured knee for 30 minutes, while memory, connections and open files of
each process are recorded.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pymongo import MongoClient

from functions.platform.signed_tokens import SignedTokens
from functions.usage.mongo import MongoUsage
from infra.local.stores.credentials import load_or_make
from tests.bench._knee import HEALTHY_MS, Climb
from tests.bench._load_client import Call, Generator, mixture, now, recovery_s
from tests.bench._measure import conclude, say
from tests.bench._product import product
from tests.bench._soak import Samples, growth, processes_of
from tests.bench.webhooks import Payer, signed_webhooks
from tests.support.audience import TITLE, Audience
from tests.support.library import playable, stock
from tests.support.viewers import PASSWORD, as_owner, let_in, make_viewer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.bench._product import Product
    from tests.support.audience import Seat
    from tests.support.viewers import SomeViewer

GOALS = {"errors_below_knee": 0.0, "shed_above_knee": 1.0, "errors_above_knee": 0.0, "recovery_s": 30.0}
SOAK_GOALS = {"errors": 0.0, "memory_growth_mb": 32.0, "connections_growth": 5.0, "files_growth": 10.0}

CALLS_PER_HOUR = {
    "heartbeat": 240.0,
    "renewal": 30.0,
    "me": 3.0,
    "title": 2.0,
    "recommendations": 1.0,
    "list": 1.0,
    "history": 1.0,
    "webhook": 0.3,
    "login": 0.1,
}
"""The number of calls for each hour that one viewer watches. The viewer sends a heartbeat every 15 s, gets a new key
every 2 minutes and visits the home page once. Every ten hours there are a login and a payment with three webhooks."""

VIEWERS_PER_RPS = 3600 / sum(CALLS_PER_HOUR.values())
OVERLOAD, REST = 2.0, 0.5
RECOVERY_STEP_S, RECOVERY_STEPS, RECOVERY_WATCHED_S = 2.0, 3, 45.0
ACCOUNTS, SEATS, TITLES = 12, 400, 8
SOAK_S, SAMPLE_S = 1800.0, 15.0


def main() -> int:
    """Run the benchmark and print its results; return 0 if all goals are met, else 1."""
    parser = argparse.ArgumentParser(prog="./notflix bench load", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter steps; about three minutes")
    parser.add_argument("--soak", action="store_true", help="a steady load for 30 minutes")
    parser.add_argument("--minutes", type=float, default=SOAK_S / 60, help="how long the soak takes")
    parser.add_argument("--rps", type=float, default=0.0, help="the rate of the soak; default: half of the knee")
    given = parser.parse_args()
    with product() as own:
        say("Starting the product …")
        own.up()
        endpoints = json.loads(own.home.endpoints_file.read_text(encoding="utf-8"))
        say("Opening accounts and films …")
        crowd = Crowd(endpoints, load_or_make(own.home.secrets_file))
        if given.soak:
            return asyncio.run(_soak(crowd, own, seconds=60 * given.minutes, rps=given.rps))
        return asyncio.run(_climb(crowd, step_s=5.0 if given.quick else 20.0))


class Crowd:
    """The callers: accounts with sessions, viewers with usage tickets, and signed webhooks."""

    def __init__(self, endpoints: Mapping[str, str], credentials: Any) -> None:
        address = urlsplit(endpoints["api"])
        self.host, self.port = str(address.hostname), address.port or 80
        self._accounts = [let_in(endpoints, make_viewer(endpoints)) for _ in range(ACCOUNTS)]
        self._titles = [f"load-{number}" for number in range(TITLES)]
        stock(endpoints, *map(playable, self._titles))
        self._tickets = [self._open(viewer, self._titles[0]) for viewer in self._accounts]
        tokens = SignedTokens(credentials.signing_key, lambda: datetime.now(UTC))
        with MongoClient[dict[str, Any]](endpoints["mongo"], tz_aware=True) as client:
            store = MongoUsage(client["notflix"])
            seats = Audience(endpoints["api"], store, tokens, datetime.now(UTC), viewers=SEATS, every_s=15.0).seats
        self._seats: Sequence[Seat] = seats
        self._beats = [count(1) for _ in seats]
        plan = as_owner(endpoints, "GET", "plans/all").json()["plans"][0]["id"]
        payer = Payer(endpoints, credentials.paypal)
        self._webhooks = signed_webhooks(endpoints, [payer.subscribe(plan) for _ in range(5)], 400, 0)
        self._random = random.Random(2)
        self._numbers = count()

    def generator(self) -> Generator:
        """Return a generator that mixes all kinds of calls in the proportions of CALLS_PER_HOUR."""
        kinds = [(weight, self._maker(kind)) for kind, weight in CALLS_PER_HOUR.items()]
        return Generator(self.host, self.port, mixture(kinds))

    def _maker(self, kind: str) -> Callable[[], Call]:
        reads = {"me": "me", "recommendations": "recommendations", "list": "list", "history": "usage"}
        if kind in reads:
            return lambda: self._as_viewer(kind, "GET", reads[kind])
        makers = {
            "heartbeat": self._heartbeat,
            "renewal": self._renewal,
            "title": self._title,
            "login": self._login,
            "webhook": self._webhook,
        }
        return makers[kind]

    def _heartbeat(self) -> Call:
        number = self._random.randrange(len(self._seats))
        sequence = next(self._beats[number])
        beat = {"ticket": self._seats[number].ticket, "sequence": sequence, "position_s": min(7000.0, 15.0 * sequence)}
        return _call("heartbeat", "PUT", f"usage/{TITLE}", beat)

    def _renewal(self) -> Call:
        number = self._random.randrange(len(self._accounts))
        body = {"usage_ticket": self._tickets[number]}
        return self._as_viewer("renewal", "POST", f"titles/{self._titles[0]}/playback", body, number=number)

    def _title(self) -> Call:
        return _call("title", "GET", f"titles/{self._random.choice(self._titles)}")

    def _login(self) -> Call:
        number = next(self._numbers)
        source = f"127.1.{number // 250 % 250}.{number % 250 + 1}"  # each login comes from a different network
        credentials = {"email": self._random.choice(self._accounts).email, "password": PASSWORD}
        return _call("login", "POST", "sessions", credentials, source=source)

    def _webhook(self) -> Call:
        sent = self._webhooks[next(self._numbers) % len(self._webhooks)]
        return Call("webhook", "POST", "/api/paypal/webhooks", sent.body, tuple(sent.headers.items()))

    def _as_viewer(self, kind: str, method: str, path: str, body: object = None, *, number: int | None = None) -> Call:
        chosen = self._random.randrange(len(self._accounts)) if number is None else number
        return _call(kind, method, path, body, token=self._accounts[chosen].token)

    @staticmethod
    def _open(viewer: SomeViewer, title_id: str) -> str:
        opened = viewer.ask("POST", f"titles/{title_id}/playback")
        opened.raise_for_status()
        return str(opened.json()["usage_ticket"])


def _call(kind: str, method: str, path: str, body: object = None, *, token: str = "", source: str = "") -> Call:
    headers = [("Content-Type", "application/json")] if body is not None else []
    if token:
        headers.append(("Authorization", f"Bearer {token}"))
    raw = b"" if body is None else json.dumps(body).encode()
    return Call(kind, method, f"/api/{path}", raw, tuple(headers), source)


async def _climb(crowd: Crowd, *, step_s: float) -> int:
    generator = crowd.generator()
    climb = Climb(generator)
    knee = await climb.find_knee(step_s)
    say(f"The knee is at {knee.rps:.0f} requests/s. Now more than it can serve, then less …")
    above = (await climb.run(OVERLOAD * knee.rps, step_s)).window
    ended = now()
    after = (await climb.run(REST * knee.rps, RECOVERY_WATCHED_S)).window
    generator.close()
    figures = {
        "knee_rps": knee.rps,
        "knee_viewers": knee.rps * VIEWERS_PER_RPS,
        "p50_below_knee_ms": knee.window.quantile_ms(0.5),
        "p99_below_knee_ms": knee.window.quantile_ms(0.99),
        "heartbeat_p99_below_knee_ms": knee.window.quantile_ms(0.99, of="heartbeat"),
        "errors_below_knee": float(climb.errors(knee, above=False)),
        "answered_above_knee_rps": above.answered_rps,
        "shed_above_knee": float(climb.shed_by_load(knee)),
        "shed_above_knee_share": above.shed / max(1, len(above.results)),
        "p99_above_knee_ms": above.quantile_ms(0.99),
        "errors_above_knee": float(climb.errors(knee, above=True)),
        "recovery_s": recovery_s(after, ended, step_s=RECOVERY_STEP_S, steps=RECOVERY_STEPS, within_ms=HEALTHY_MS),
        "shed_after_share": after.shed / max(1, len(after.results)),
    }
    return conclude("load", figures, GOALS, at_least=("shed_above_knee",))


async def _soak(crowd: Crowd, own: Product, *, seconds: float, rps: float) -> int:
    generator = crowd.generator()
    rate = rps or REST * (await Climb(generator).find_knee(10.0)).rps
    say(f"{rate:.0f} requests/s for {seconds / 60:.0f} minutes …")
    samples = Samples(processes_of(own))
    sampling = asyncio.create_task(samples.take_every(SAMPLE_S))
    window = await generator.run(rate, seconds)
    sampling.cancel()
    generator.close()
    for line in samples.table():
        say(line)
    figures = {
        "requests": float(len(window.results)),
        "errors": float(window.errors),
        "shed": float(window.shed),
        "p99_ms": window.quantile_ms(0.99),
        **growth(samples),
    }
    return conclude("load-soak", figures, SOAK_GOALS)


if __name__ == "__main__":
    raise SystemExit(main())
