"""The gate: a try is counted before a hash is computed, and an address without an account costs what any other does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from argon2 import Parameters, Type, extract_parameters

from functions.accounts.addresses import address_of
from functions.accounts.login_history import NOBODY
from functions.accounts.model import Busy, Origin
from functions.accounts.passwords import Passwords
from functions.accounts.rate_limits import PASSWORD_OF_ADDRESS, PASSWORD_OF_NETWORK
from functions.platform.errors import Malformed, StoreUnavailable, TooManyAttempts, WrongCredentials
from tests.support.accounts import (
    CHEAP,
    ELSEWHERE,
    HOME,
    OTHER_PASSWORD,
    PASSWORD,
    CountingPasswords,
    World,
    make_email,
)

if TYPE_CHECKING:
    from functions.accounts.model import Login

STRONGER = Parameters(Type.ID, 19, salt_len=16, hash_len=32, time_cost=2, memory_cost=16, parallelism=1)


def admit(world: World, email: str, password: str = PASSWORD, origin: Origin = HOME) -> Login:
    return world.gate.admit(address_of(email), password, origin)


def fail(world: World, email: str, times: int = 1, origin: Origin = HOME) -> None:
    for _ in range(times):
        with pytest.raises(WrongCredentials):
            admit(world, email, OTHER_PASSWORD, origin)


def test_an_address_without_an_account_costs_and_says_what_a_wrong_password_does() -> None:
    world = World()
    known, unknown = world.member().email, make_email("nobody")
    seen = []
    for email in (known, unknown):
        world.hasher.verified.clear()
        world.queue.messages.clear()
        with pytest.raises(WrongCredentials) as wrong:
            admit(world, email, OTHER_PASSWORD)
        (verified,) = world.hasher.verified
        (message,) = world.queue.messages
        seen.append(
            (wrong.value.status, wrong.value.code, wrong.value.detail, extract_parameters(verified), set(message))
        )
    assert seen[0] == seen[1]
    assert message["user_id"] == NOBODY


def test_no_password_opens_an_address_without_an_account() -> None:
    world = World()
    for password in (PASSWORD, world.hasher.dummy[:100]):
        with pytest.raises(WrongCredentials):
            admit(world, make_email(), password)


def test_the_sixth_try_within_a_minute_is_refused_without_a_hash_even_if_it_is_right() -> None:
    world = World()
    email = world.member().email
    fail(world, email, PASSWORD_OF_ADDRESS.attempts)
    world.hasher.verified.clear()
    world.clock.forward(seconds=20)
    with pytest.raises(TooManyAttempts) as refused:
        admit(world, email)
    assert refused.value.retry_after_s == 40 and not world.hasher.verified


def test_a_block_is_of_one_address_from_one_network_and_ends() -> None:
    world = World()
    email, other = world.member().email, world.member().email
    fail(world, email, PASSWORD_OF_ADDRESS.attempts)
    assert admit(world, other).email == other
    assert admit(world, email, origin=ELSEWHERE).email == email
    with pytest.raises(TooManyAttempts):
        admit(world, email.upper())
    world.clock.forward(seconds=PASSWORD_OF_ADDRESS.window_s)
    assert admit(world, email).email == email


def test_success_forgives_the_failures_of_that_address_but_not_of_others() -> None:
    world = World()
    email, other = world.member().email, world.member().email
    fail(world, email, 4)
    fail(world, other, 4)
    admit(world, email)
    fail(world, email, 5)
    fail(world, other, 1)
    with pytest.raises(TooManyAttempts):
        admit(world, other)


def test_one_network_cannot_try_one_password_on_every_address() -> None:
    world = World()
    email = world.member().email
    for _ in range(PASSWORD_OF_NETWORK.attempts):
        fail(world, make_email("sprayed"))
    with pytest.raises(TooManyAttempts):
        admit(world, email)
    assert admit(world, email, origin=ELSEWHERE).email == email


def test_an_account_of_ones_own_does_not_wash_the_tries_of_a_network_away() -> None:
    world = World()
    own = world.member().email
    for _ in range(PASSWORD_OF_NETWORK.attempts):
        fail(world, make_email("sprayed"))
        world.clock.forward(milliseconds=1)
        if len(world.limiter.attempts[HOME.ip, "password"]) < PASSWORD_OF_NETWORK.attempts:
            admit(world, own)
    with pytest.raises(TooManyAttempts):
        admit(world, make_email("sprayed"))


def test_a_network_of_ipv6_is_one_place() -> None:
    world = World()
    email = world.member().email
    for host in range(PASSWORD_OF_ADDRESS.attempts):
        fail(world, email, origin=Origin(f"2001:db8::{host + 1:x}", "Firefox"))
    with pytest.raises(TooManyAttempts):
        admit(world, email, origin=Origin("2001:db8::ffff", "Firefox"))


def test_only_the_first_try_that_a_block_refuses_is_noted() -> None:
    world = World()
    viewer = world.member()
    fail(world, viewer.email, PASSWORD_OF_ADDRESS.attempts)
    for _ in range(10):
        with pytest.raises(TooManyAttempts):
            admit(world, viewer.email)
    world.settle()
    outcomes = [entry.outcome.value for entry in world.history.entries.values()]
    assert outcomes.count("limited") == 1 and outcomes.count("wrong_password") == PASSWORD_OF_ADDRESS.attempts


@pytest.mark.parametrize("password", ["", "x" * 129, "x" * 10_000, "nul\x00" * 3, "\ud800" * 9])
def test_what_is_nobodys_password_is_refused_before_it_is_counted(password: str) -> None:
    world = World()
    email = world.member().email
    for _ in range(10):
        with pytest.raises(Malformed):
            admit(world, email, password)
    assert not world.hasher.verified
    assert admit(world, email).email == email


def test_tries_that_no_store_answered_are_not_counted() -> None:
    world = World()
    email = world.member().email
    world.logins.away = True
    for _ in range(10):
        with pytest.raises(StoreUnavailable):
            admit(world, email)
    world.logins.away = False
    assert admit(world, email).email == email


def test_tries_that_found_no_turn_to_hash_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    email = world.member().email

    def busy(password_hash: str, password: str) -> bool:
        raise Busy("Too many people log in at this moment.")

    with monkeypatch.context() as crowded:
        crowded.setattr(world.hasher, "verify", busy)
        for _ in range(10):
            with pytest.raises(Busy):
                admit(world, email)
    assert admit(world, email).email == email


def test_nothing_is_hashed_while_tries_cannot_be_counted() -> None:
    world = World()
    email = world.member().email
    world.limiter.away = True
    with pytest.raises(StoreUnavailable):
        admit(world, email)
    assert not world.hasher.verified


def test_a_history_that_is_away_changes_no_answer() -> None:
    world = World()
    email = world.member().email
    world.queue.away = world.history.away = True
    fail(world, email)
    assert admit(world, email).email == email


def test_a_password_is_hashed_anew_when_the_parameters_have_risen() -> None:
    world = World(hasher=CountingPasswords(STRONGER))
    viewer = world.member()
    old = Passwords(CHEAP).hash(PASSWORD)
    world.logins.replace_hash(viewer.user_id, over=world.logins.logins[viewer.user_id].password_hash, new=old)
    world.gate.renew(admit(world, viewer.email), PASSWORD)
    renewed = world.logins.logins[viewer.user_id].password_hash
    assert extract_parameters(renewed) == STRONGER
    assert admit(world, viewer.email).email == viewer.email


def test_a_new_hash_is_not_written_over_a_new_password() -> None:
    world = World(hasher=CountingPasswords(STRONGER))
    viewer = world.member()
    login = world.logins.logins[viewer.user_id]
    old = Passwords(CHEAP).hash(PASSWORD)
    world.logins.replace_hash(viewer.user_id, over=login.password_hash, new=old)
    login = admit(world, viewer.email)
    changed = Passwords(STRONGER).hash(OTHER_PASSWORD)
    world.logins.replace_hash(viewer.user_id, over=old, new=changed)
    world.gate.renew(login, PASSWORD)
    assert world.logins.logins[viewer.user_id].password_hash == changed
