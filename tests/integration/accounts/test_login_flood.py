"""Logging in while twelve networks send wrong passwords over four connections each, with real threads and hashes."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from argon2 import Parameters, Type

from functions.accounts.addresses import address_of
from functions.accounts.authentication import PasswordLimits
from functions.accounts.hash_queue import FairQueue
from functions.accounts.model import RequestOrigin
from functions.accounts.rate_limits import RateLimit
from functions.platform.errors import Busy, NotflixError, TooManyAttempts, WrongCredentials
from tests.support.account_world import CountingHasher, World
from tests.support.accounts import ELSEWHERE, OTHER_PASSWORD, PASSWORD, make_email
from tests.support.clock import Clock
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from functions.accounts.authentication import Authentication

NETWORKS = [f"203.0.113.{number}" for number in range(100, 112)]
CONNECTIONS = 4
LOGINS = 40
LONGEST_S = 60.0
LIGHTER = Parameters(Type.ID, 19, salt_len=16, hash_len=32, time_cost=2, memory_cost=16_384, parallelism=1)
"""A hash of about 20 ms, so that many logins fit into a short test."""

UNLIMITED = RateLimit(1_000_000, 60)


class WallClock(Clock):
    """A clock that returns the time of this machine."""

    def __call__(self) -> datetime:
        return datetime.now(UTC)


class Flood:
    """Attackers who send wrong passwords, each for a different address, and the error codes that they receive."""

    def __init__(self, authentication: Authentication) -> None:
        self._authentication = authentication
        self._over = threading.Event()
        self.full = threading.Event()
        self.answered = threading.Event()
        self.answers: list[str] = []

    def attack(self, network: str) -> None:
        """Send wrong passwords over one connection until `end` is called, with short pauses after refusals."""
        origin = RequestOrigin(network, "Firefox")
        while not self._over.is_set():
            try:
                self._authentication.authenticate(address_of(make_email("guess")), OTHER_PASSWORD, origin)
            except (WrongCredentials, Busy, TooManyAttempts) as error:
                self.answers.append(error.code)
                self.answered.set()
                if isinstance(error, Busy):
                    self.full.set()
                pause_s = {Busy.code: 0.05, TooManyAttempts.code: 1}.get(error.code, 0)
                self._over.wait(pause_s)

    def end(self) -> None:
        """End the attack."""
        self._over.set()


@pytest.mark.parametrize("limits", [PasswordLimits(), PasswordLimits(UNLIMITED, UNLIMITED, UNLIMITED)])
def test_a_person_logs_in_while_twelve_networks_send_wrong_passwords(limits: PasswordLimits) -> None:
    world = World(clock=WallClock(), hasher=CountingHasher(LIGHTER, FairQueue()), limits=limits)
    email = world.member().email
    flood = Flood(world.authentication)
    outcomes: list[str] = []
    with ThreadPoolExecutor(len(NETWORKS) * CONNECTIONS) as attackers:
        attacks = [attackers.submit(flood.attack, network) for network in NETWORKS for _ in range(CONNECTIONS)]
        try:
            assert flood.full.wait(PATIENCE_S)
            end = time.monotonic() + LONGEST_S
            while len(outcomes) < LOGINS and time.monotonic() < end:
                try:
                    world.accounts.log_in(email, PASSWORD, ELSEWHERE)
                    outcomes.append("success")
                except NotflixError as error:
                    outcomes.append(error.code)
                flood.answered.clear()
                flood.answered.wait(LONGEST_S)  # wait until an attacker gets an answer
        finally:
            flood.end()
        for attack in attacks:
            attack.result(PATIENCE_S)
    assert outcomes.count("success") >= 0.95 * len(outcomes), outcomes
    assert "busy" in flood.answers and "wrong_credentials" in flood.answers
    assert ("too_many_attempts" in flood.answers) == (limits == PasswordLimits())
