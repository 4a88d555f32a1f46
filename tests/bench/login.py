"""`./notflix bench login`: what logging in costs beside its one hash, and what it costs to be known and to be refused.

Ours goes through the running API host over loopback; the rivals, in the same run and in turn with it, are one argon2
verify with the same parameters and one round trip to Redis, both in this process. People come from as many loopback
addresses as the limiter wants them to.
"""

from __future__ import annotations

import argparse
import http.client
import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from redis import Redis

from functions.accounts.passwords import PROFILE
from tests.bench._measure import conclude, say
from tests.bench._product import product

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

GOALS = {
    "login_vs_argon2": 1.15,
    "session_p50_ms": 3.0,
    "limiter_admitted": 5,
    "unknown_vs_wrong_ratio": 1.05,
}
PASSWORD = "seven quiet lanterns"
TRIES_AT_ONCE = 160
TRIES_OF_A_PLACE = 4
"""Failed ones of an address from one network: the fifth would be the last that is let through."""

CLIENTS = 4
STORMY_ADDRESS = "127.1.0.1"


class Place:
    """A person's connection to the API, from a loopback address of its own unless one is given."""

    _numbers = count(2)
    _lock = threading.Lock()

    def __init__(self, api: str, address: str = "") -> None:
        with self._lock:
            number = next(self._numbers)
        address = address or f"127.0.{number // 250 + 1}.{number % 250 + 1}"
        parts = urlsplit(api)
        self._connection = http.client.HTTPConnection(
            str(parts.hostname), parts.port, timeout=60, source_address=(address, 0)
        )
        self._connection.connect()

    def ask(self, method: str, path: str, body: object = None, *, token: str = "") -> tuple[int, Any]:
        """Return status and body of an answer."""
        headers = {"Content-Type": "application/json", "User-Agent": "curl/8"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = self._connection.getresponse()
        raw = response.read()
        return response.status, json.loads(raw) if raw else None

    def log_in(self, email: str, password: str = PASSWORD) -> int:
        """Try to log in and return the status."""
        return self.ask("POST", "/api/sessions", {"email": email, "password": password})[0]

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@dataclass(frozen=True, slots=True)
class People:
    """The API, and some who have accounts, each with an open session."""

    api: str
    emails: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    @contextmanager
    def place(self) -> Iterator[Place]:
        """Give somebody's connection, from where nobody has been."""
        place = Place(self.api)
        try:
            yield place
        finally:
            place.close()

    def join(self, number: int) -> None:
        """Let so many people register and log in."""
        with self.place() as place:
            for _ in range(number):
                email = _address()
                _expect(201, place.ask("POST", "/api/accounts", {"email": email, "password": PASSWORD})[0])
                status, session = place.ask("POST", "/api/sessions", {"email": email, "password": PASSWORD})
                _expect(200, status)
                self.emails.append(email)
                self.tokens.append(session["token"])


def main() -> int:
    """Measure, print the table and the line of JSON; return 0 if all goals are met."""
    parser = argparse.ArgumentParser(prog="./notflix bench login", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    quick = parser.parse_args().quick
    rounds, seconds = (30, 2.0) if quick else (120, 6.0)

    figures: dict[str, float] = {}
    with product() as own:
        say("Starting …")
        own.up()
        endpoints = json.loads(own.home.endpoints_file.read_text(encoding="utf-8"))
        people, visitors = People(endpoints["api"]), People(endpoints["api"])
        people.join(CLIENTS)
        visitors.join(CLIENTS)  # who log in so often that their first sessions are ended for the later ones
        with Redis.from_url(endpoints["redis"], decode_responses=True) as redis:
            say("One after another: logins and bare hashes …")
            figures |= _logins(visitors, rounds)
            say("Session checks and round trips to Redis …")
            figures |= _session_checks(people, redis, rounds * 10)
        say("Wrong passwords and unknown addresses …")
        figures |= _answers_alike(people, 40 if quick else 200)
        say(f"{TRIES_AT_ONCE} wrong tries at once …")
        figures |= _storm(people)
        say("All at once: logins, session checks, refusals …")
        figures |= _throughput(people, visitors, seconds)
    return conclude("login", figures, GOALS)


def _logins(people: People, rounds: int) -> dict[str, float]:
    hasher = PasswordHasher.from_parameters(PROFILE)
    password_hash = hasher.hash(PASSWORD)
    ours, bare = [], []
    with people.place() as place:
        for number in range(rounds + 3):
            times = (
                _timed(lambda: _expect(200, place.log_in(people.emails[0]))),
                _timed(lambda: hasher.verify(password_hash, PASSWORD)),
            )
            if number >= 3:  # the first ones warm the host up
                ours.append(times[0])
                bare.append(times[1])
    return {
        "login_vs_argon2": median(ours) / median(bare),
        "login_p50_ms": median(ours),
        "login_p99_ms": _p99(ours),
        "argon2_p50_ms": median(bare),
    }


def _session_checks(people: People, redis: Redis, rounds: int) -> dict[str, float]:
    ours, bare = [], []
    with people.place() as place:
        for _ in range(rounds):
            ours.append(_timed(lambda: _expect(200, place.ask("GET", "/api/me", token=people.tokens[0])[0])))
            bare.append(_timed(lambda: redis.hget("sess:none", "user_id")))
    return {"session_p50_ms": median(ours), "session_p99_ms": _p99(ours), "redis_p50_ms": median(bare)}


def _answers_alike(people: People, rounds: int) -> dict[str, float]:
    """Alternate between the two, in both orders, from a new place whenever one's tries are used up."""
    wrong: list[float] = []
    unknown: list[float] = []
    while len(wrong) < rounds:
        with people.place() as place:
            for number in range(TRIES_OF_A_PLACE):
                known, nobody = people.emails[0], _address()
                pair = [(known, wrong), (nobody, unknown)]
                for email, times in pair if number % 2 else reversed(pair):
                    times.append(_timed(partial(_fail, place, email)))
    slower, faster = max(median(wrong), median(unknown)), min(median(wrong), median(unknown))
    return {
        "unknown_vs_wrong_ratio": slower / faster,
        "wrong_p50_ms": median(wrong),
        "unknown_p50_ms": median(unknown),
    }


def _fail(place: Place, email: str) -> None:
    _expect(401, place.log_in(email, "not this one"))


def _storm(people: People) -> dict[str, float]:
    """Let one place try many wrong passwords of one address at once, over as many connections."""
    ready = threading.Barrier(TRIES_AT_ONCE)

    def attempt(number: int) -> int:
        place = Place(people.api, STORMY_ADDRESS)
        ready.wait(60)
        try:
            return place.log_in(people.emails[1], f"guess {number}")
        finally:
            place.close()

    with ThreadPoolExecutor(TRIES_AT_ONCE) as tries:
        answers = list(tries.map(attempt, range(TRIES_AT_ONCE)))
    admitted = answers.count(401)
    if admitted + answers.count(429) != TRIES_AT_ONCE or admitted < 5:
        raise RuntimeError(f"The storm was answered with {sorted(set(answers))}, 401 only {admitted} times.")
    return {"limiter_admitted": admitted}


def _throughput(people: People, visitors: People, seconds: float) -> dict[str, float]:
    def login(place: Place, number: int) -> None:
        _expect(200, place.log_in(visitors.emails[number]))

    def check(place: Place, number: int) -> None:
        _expect(200, place.ask("GET", "/api/me", token=people.tokens[number])[0])

    def refusal(place: Place, number: int) -> None:
        while place.log_in(people.emails[number], "not this one") != 429:
            pass

    figures: dict[str, float] = {}
    for name, request in (("login", login), ("session", check), ("rejection", refusal)):
        times = _under_load(people, request, seconds)
        figures[f"{name}_rps"] = len(times) / seconds
        figures[f"{name}_loaded_p99_ms"] = _p99(times)
        if name == "rejection":
            figures["rejection_p50_ms"] = median(times)
    return figures


def _under_load(people: People, request: Callable[[Place, int], None], seconds: float) -> list[float]:
    """Send requests from some clients for so long; return how many milliseconds each took."""

    def client(number: int) -> list[float]:
        times = []
        with people.place() as place:
            request(place, number)
            ends = time.perf_counter() + seconds
            while time.perf_counter() < ends:
                times.append(_timed(lambda: request(place, number)))
        return times

    with ThreadPoolExecutor(CLIENTS) as clients:
        return [taken for times in clients.map(client, range(CLIENTS)) for taken in times]


def _timed(act: Callable[[], object]) -> float:
    """Return how many milliseconds it takes."""
    began = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - began)


def _p99(times: Sequence[float]) -> float:
    return quantiles(times, n=100)[98]


def _address() -> str:
    return f"jo.{uuid.uuid4().hex}@example.org"


def _expect(status: int, answered: int) -> None:
    if answered != status:
        raise RuntimeError(f"The API answered {answered} instead of {status}.")


if __name__ == "__main__":
    raise SystemExit(main())
