"""Password hashing: argon2id with a salt per hash, equal work for a dummy hash, and limited concurrency."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice

import pytest
from argon2 import Parameters, Type, extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY

from functions.accounts.hash_queue import FairQueue
from functions.accounts.passwords import PROFILE, Argon2Hasher
from functions.platform.errors import Busy
from tests.support.accounts import CHEAP

STRONGER = Parameters(Type.ID, 19, salt_len=16, hash_len=32, time_cost=2, memory_cost=16, parallelism=1)


def test_a_hash_verifies_its_password_and_no_other() -> None:
    passwords = Argon2Hasher(CHEAP)
    password_hash = passwords.hash("seven quiet lanterns")
    assert passwords.verify(password_hash, "seven quiet lanterns")
    assert not passwords.verify(password_hash, "Seven quiet lanterns")
    assert password_hash != passwords.hash("seven quiet lanterns")
    assert "lanterns" not in password_hash


def test_every_hash_has_the_parameters_of_the_rfc() -> None:
    passwords = Argon2Hasher()
    recommended = RFC_9106_LOW_MEMORY
    assert (PROFILE.type, PROFILE.memory_cost, PROFILE.time_cost) == (Type.ID, 65536, recommended.time_cost)
    assert (PROFILE.salt_len, PROFILE.hash_len) == (recommended.salt_len, recommended.hash_len)
    for password_hash in (passwords.hash("seven quiet lanterns"), passwords.dummy, passwords.unusable()):
        assert extract_parameters(password_hash) == PROFILE


def test_no_password_verifies_against_a_dummy_hash() -> None:
    passwords = Argon2Hasher(CHEAP)
    assert passwords.unusable() != passwords.unusable()
    assert not any(passwords.verify(passwords.dummy, guess) for guess in ("", "x", passwords.dummy))
    assert not passwords.outdated(passwords.dummy)


def test_a_damaged_hash_verifies_no_password(caplog: pytest.LogCaptureFixture) -> None:
    assert not Argon2Hasher(CHEAP).verify("not a hash", "seven quiet lanterns")
    assert "not a valid argon2 hash" in caplog.text and "lanterns" not in caplog.text


def test_a_hash_is_outdated_when_the_parameters_have_changed() -> None:
    old = Argon2Hasher(CHEAP).hash("seven quiet lanterns")
    assert Argon2Hasher(STRONGER).outdated(old)
    assert not Argon2Hasher(CHEAP).outdated(old)


class SlowHasher:
    """A hasher that blocks until `go` is set, and counts its concurrent calls."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.started = threading.Semaphore(0)
        self.most = self._now = 0
        self._lock = threading.Lock()

    def hash(self, password: str) -> str:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        self.started.release()
        assert self.go.wait(20)
        with self._lock:
            self._now -= 1
        return "$argon2id$"


def make_slow(*, concurrent: int, most_waiting: int, longest_wait_s: float) -> tuple[Argon2Hasher, SlowHasher]:
    queue = FairQueue(concurrent=concurrent, most_waiting=most_waiting, most_in_line=most_waiting)
    passwords, slow = Argon2Hasher(CHEAP, queue, longest_wait_s=longest_wait_s), SlowHasher()
    passwords._argon2 = slow  # type: ignore[assignment]
    return passwords, slow


def test_some_hashes_run_some_wait_and_the_rest_are_refused() -> None:
    passwords, slow = make_slow(concurrent=2, most_waiting=3, longest_wait_s=20)
    with ThreadPoolExecutor(12) as people:
        hashing = {people.submit(passwords.hash, "x") for _ in range(12)}
        refused = set(islice(as_completed(hashing, timeout=20), 7))
        assert all(isinstance(each.exception(), Busy) for each in refused)
        slow.go.set()
        assert {each.result(20) for each in hashing - refused} == {"$argon2id$"}
    assert slow.most == 2


def test_the_wait_for_a_hash_is_limited() -> None:
    passwords, slow = make_slow(concurrent=1, most_waiting=5, longest_wait_s=0.05)
    with ThreadPoolExecutor(2) as people:
        first = people.submit(passwords.hash, "x")
        assert slow.started.acquire(timeout=20)
        with pytest.raises(Busy) as busy:
            passwords.hash("y")
        assert (busy.value.status, busy.value.retryable) == (503, True)
        assert int(busy.value.headers["Retry-After"]) > 0
        slow.go.set()
        assert first.result(20) == "$argon2id$"
    assert passwords.hash("z") == "$argon2id$"
