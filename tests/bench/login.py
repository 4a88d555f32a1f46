"""`./notflix bench login`: latency of logins, session checks and rate-limited logins.

The requests go to the running API host over loopback. Two baselines alternate with them in the same run, in this
process: one argon2 verification with the same parameters, and one round trip to Redis. Each connection comes from a
loopback address of its own, so that the rate limiter treats them as different networks.
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
PARALLEL_ATTEMPTS = 160
ATTEMPTS_PER_CONNECTION = 4
"""The number of failed logins for one email address from one network. The limit is five."""
CONNECTIONS_PER_ACCOUNT = 4
"""The number of networks from which logins to one account fail. From 20 failures on, an account is slowed down."""

CLIENTS = 4
GUESSER_ADDRESS = "127.1.0.1"


class ApiConnection:
    """A connection to the API, from a loopback address of its own unless `address` is given."""

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
        """Send a request; return the status and the JSON body."""
        headers = {"Content-Type": "application/json", "User-Agent": "curl/8"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = self._connection.getresponse()
        raw = response.read()
        return response.status, json.loads(raw) if raw else None

    def log_in(self, email: str, password: str = PASSWORD) -> int:
        """Try to log in; return the status."""
        return self.ask("POST", "/api/sessions", {"email": email, "password": password})[0]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@dataclass(frozen=True, slots=True)
class RegisteredAccounts:
    """The API, and some accounts with one open session each."""

    api: str
    emails: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    @contextmanager
    def connection(self) -> Iterator[ApiConnection]:
        """Yield a connection from an address that was not used before."""
        connection = ApiConnection(self.api)
        try:
            yield connection
        finally:
            connection.close()

    def register(self, number: int) -> None:
        """Register `number` accounts and log in to each."""
        with self.connection() as connection:
            for _ in range(number):
                email = _unused_email()
                _expect(201, connection.ask("POST", "/api/accounts", {"email": email, "password": PASSWORD})[0])
                status, session = connection.ask("POST", "/api/sessions", {"email": email, "password": PASSWORD})
                _expect(200, status)
                self.emails.append(email)
                self.tokens.append(session["token"])


def main() -> int:
    """Run the benchmark and print its results; return 0 if all goals are met, else 1."""
    parser = argparse.ArgumentParser(prog="./notflix bench login", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    quick = parser.parse_args().quick
    rounds, seconds = (30, 2.0) if quick else (120, 6.0)

    figures: dict[str, float] = {}
    with product() as own:
        say("Starting the product …")
        own.up()
        endpoints = json.loads(own.home.endpoints_file.read_text(encoding="utf-8"))
        accounts, frequent = RegisteredAccounts(endpoints["api"]), RegisteredAccounts(endpoints["api"])
        accounts.register(CLIENTS)
        frequent.register(CLIENTS)  # these accounts log in so often that new sessions end the first ones
        with Redis.from_url(endpoints["redis"], decode_responses=True) as redis:
            say("Logins and bare hashes, in turn …")
            figures |= _logins(frequent, rounds)
            say("Session checks and round trips to Redis, in turn …")
            figures |= _session_checks(accounts, redis, rounds * 10)
        say("Wrong passwords and unknown addresses …")
        guessed, pairs = RegisteredAccounts(endpoints["api"]), 40 if quick else 200
        guessed.register(-(-pairs // (ATTEMPTS_PER_CONNECTION * CONNECTIONS_PER_ACCOUNT)))
        figures |= _unknown_and_wrong(guessed, pairs)
        say(f"{PARALLEL_ATTEMPTS} wrong passwords in parallel …")
        figures |= _parallel_guesses(accounts)
        say("Under load: logins, session checks, refusals …")
        figures |= _throughput(accounts, frequent, seconds)
    return conclude("login", figures, GOALS)


def _logins(accounts: RegisteredAccounts, rounds: int) -> dict[str, float]:
    hasher = PasswordHasher.from_parameters(PROFILE)
    password_hash = hasher.hash(PASSWORD)
    ours, bare = [], []
    with accounts.connection() as connection:
        for number in range(rounds + 3):
            times = (
                _timed(lambda: _expect(200, connection.log_in(accounts.emails[0]))),
                _timed(lambda: hasher.verify(password_hash, PASSWORD)),
            )
            if number >= 3:  # the first rounds are a warm-up
                ours.append(times[0])
                bare.append(times[1])
    return {
        "login_vs_argon2": median(ours) / median(bare),
        "login_p50_ms": median(ours),
        "login_p99_ms": _p99(ours),
        "argon2_p50_ms": median(bare),
    }


def _session_checks(accounts: RegisteredAccounts, redis: Redis, rounds: int) -> dict[str, float]:
    ours, bare = [], []
    with accounts.connection() as connection:
        for _ in range(rounds):
            ours.append(_timed(lambda: _expect(200, connection.ask("GET", "/api/me", token=accounts.tokens[0])[0])))
            bare.append(_timed(lambda: redis.hget("sess:none", "user_id")))
    return {"session_p50_ms": median(ours), "session_p99_ms": _p99(ours), "redis_p50_ms": median(bare)}


def _unknown_and_wrong(accounts: RegisteredAccounts, rounds: int) -> dict[str, float]:
    """Compare the latency of logins with unknown addresses and of logins with wrong passwords.

    Both kinds of login run in pairs, whose order alternates. A new connection and a new account are used before a rate
    limit is reached.
    """
    wrong: list[float] = []
    unknown: list[float] = []
    while len(wrong) < rounds:
        known = accounts.emails[len(wrong) // (ATTEMPTS_PER_CONNECTION * CONNECTIONS_PER_ACCOUNT)]
        with accounts.connection() as connection:
            for number in range(ATTEMPTS_PER_CONNECTION):
                nobody = _unused_email()
                pair = [(known, wrong), (nobody, unknown)]
                for email, times in pair if number % 2 else reversed(pair):
                    times.append(_timed(partial(_fail, connection, email)))
    slower, faster = max(median(wrong), median(unknown)), min(median(wrong), median(unknown))
    return {
        "unknown_vs_wrong_ratio": slower / faster,
        "wrong_p50_ms": median(wrong),
        "unknown_p50_ms": median(unknown),
    }


def _fail(connection: ApiConnection, email: str) -> None:
    _expect(401, connection.log_in(email, "not this one"))


def _parallel_guesses(accounts: RegisteredAccounts) -> dict[str, float]:
    """Try many wrong passwords for one account in parallel, all from the same network."""
    ready = threading.Barrier(PARALLEL_ATTEMPTS)

    def attempt(number: int) -> int:
        connection = ApiConnection(accounts.api, GUESSER_ADDRESS)
        ready.wait(60)
        try:
            return connection.log_in(accounts.emails[1], f"guess {number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(PARALLEL_ATTEMPTS) as pool:
        answers = list(pool.map(attempt, range(PARALLEL_ATTEMPTS)))
    admitted = answers.count(401)
    if admitted + answers.count(429) != PARALLEL_ATTEMPTS or admitted < 5:
        raise RuntimeError(
            f"The parallel attempts were answered with {sorted(set(answers))}, 401 only {admitted} times."
        )
    return {"limiter_admitted": admitted}


def _throughput(accounts: RegisteredAccounts, frequent: RegisteredAccounts, seconds: float) -> dict[str, float]:
    def login(connection: ApiConnection, number: int) -> None:
        _expect(200, connection.log_in(frequent.emails[number]))

    def check(connection: ApiConnection, number: int) -> None:
        _expect(200, connection.ask("GET", "/api/me", token=accounts.tokens[number])[0])

    def refusal(connection: ApiConnection, number: int) -> None:
        while connection.log_in(accounts.emails[number], "not this one") != 429:
            pass

    figures: dict[str, float] = {}
    for name, request in (("login", login), ("session", check), ("rejection", refusal)):
        times = _under_load(accounts, request, seconds)
        figures[f"{name}_rps"] = len(times) / seconds
        figures[f"{name}_loaded_p99_ms"] = _p99(times)
        if name == "rejection":
            figures["rejection_p50_ms"] = median(times)
    return figures


def _under_load(
    accounts: RegisteredAccounts, request: Callable[[ApiConnection, int], None], seconds: float
) -> list[float]:
    """Send requests from `CLIENTS` parallel clients for `seconds`; return the duration of each in milliseconds."""

    def client(number: int) -> list[float]:
        times = []
        with accounts.connection() as connection:
            request(connection, number)
            ends = time.perf_counter() + seconds
            while time.perf_counter() < ends:
                times.append(_timed(lambda: request(connection, number)))
        return times

    with ThreadPoolExecutor(CLIENTS) as clients:
        return [taken for times in clients.map(client, range(CLIENTS)) for taken in times]


def _timed(act: Callable[[], object]) -> float:
    """Call `act`; return how many milliseconds it took."""
    began = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - began)


def _p99(times: Sequence[float]) -> float:
    return quantiles(times, n=100)[98]


def _unused_email() -> str:
    return f"jo.{uuid.uuid4().hex}@example.org"


def _expect(status: int, answered: int) -> None:
    if answered != status:
        raise RuntimeError(f"The API answered {answered} instead of {status}.")


if __name__ == "__main__":
    raise SystemExit(main())
