"""Hashing: argon2id with a salt each, the same work for a dummy, and no more at once than there is memory for."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice

import pytest
from argon2 import Parameters, Type, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from functions.accounts.model import Busy
from functions.accounts.passwords import PROFILE, Passwords
from tests.support.accounts import CHEAP

STRONGER = Parameters(Type.ID, 19, salt_len=16, hash_len=32, time_cost=2, memory_cost=16, parallelism=1)


def test_a_password_is_known_by_its_hash_and_no_other_is() -> None:
    passwords = Passwords(CHEAP)
    password_hash = passwords.hash("seven quiet lanterns")
    assert passwords.verify(password_hash, "seven quiet lanterns")
    assert not passwords.verify(password_hash, "Seven quiet lanterns")
    assert password_hash != passwords.hash("seven quiet lanterns")
    assert "lanterns" not in password_hash


def test_every_hash_takes_what_the_rfc_recommends() -> None:
    passwords = Passwords()
    recommended = RFC_9106_LOW_MEMORY
    assert (PROFILE.type, PROFILE.memory_cost, PROFILE.time_cost) == (Type.ID, 65536, recommended.time_cost)
    assert (PROFILE.salt_len, PROFILE.hash_len) == (recommended.salt_len, recommended.hash_len)
    for password_hash in (passwords.hash("seven quiet lanterns"), passwords.dummy, passwords.unusable()):
        assert extract_parameters(password_hash) == PROFILE


def test_nobody_knows_the_password_of_a_dummy() -> None:
    passwords = Passwords(CHEAP)
    assert passwords.unusable() != passwords.unusable()
    assert not any(passwords.verify(passwords.dummy, guess) for guess in ("", "x", passwords.dummy))
    assert not passwords.outdated(passwords.dummy)


def test_a_damaged_hash_lets_nobody_in(caplog: pytest.LogCaptureFixture) -> None:
    assert not Passwords(CHEAP).verify("not a hash", "seven quiet lanterns")
    assert "not one of argon2" in caplog.text and "lanterns" not in caplog.text


def test_a_hash_is_outdated_when_the_parameters_have_risen() -> None:
    old = Passwords(CHEAP).hash("seven quiet lanterns")
    assert Passwords(STRONGER).outdated(old)
    assert not Passwords(CHEAP).outdated(old)


class SlowHasher:
    """A hasher that waits to be let on, and notes how many are at it."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Semaphore(0)
        self.most = self._now = 0
        self._lock = threading.Lock()

    def hash(self, password: str) -> str:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        self.begun.release()
        assert self.go.wait(20)
        with self._lock:
            self._now -= 1
        return "$argon2id$"


def make_slow(**limits: float) -> tuple[Passwords, SlowHasher]:
    passwords, slow = Passwords(CHEAP, **limits), SlowHasher()  # type: ignore[arg-type]
    passwords._hasher = slow  # type: ignore[assignment]
    return passwords, slow


def test_only_so_many_hash_at_once_some_wait_and_the_rest_are_sent_away() -> None:
    passwords, slow = make_slow(at_once=2, most_waiting=3, patience_s=20)
    with ThreadPoolExecutor(12) as people:
        hashing = {people.submit(passwords.hash, "x") for _ in range(12)}
        sent_away = set(islice(as_completed(hashing, timeout=20), 7))
        assert all(isinstance(each.exception(), Busy) for each in sent_away)
        slow.go.set()
        assert {each.result(20) for each in hashing - sent_away} == {"$argon2id$"}
    assert slow.most == 2


def test_nobody_waits_for_a_hash_for_ever() -> None:
    passwords, slow = make_slow(at_once=1, most_waiting=5, patience_s=0.05)
    with ThreadPoolExecutor(2) as people:
        first = people.submit(passwords.hash, "x")
        assert slow.begun.acquire(timeout=20)
        with pytest.raises(Busy) as busy:
            passwords.hash("y")
        assert (busy.value.status, busy.value.retryable) == (503, True)
        slow.go.set()
        assert first.result(20) == "$argon2id$"
    assert passwords.hash("z") == "$argon2id$"
