"""Authentication: attempts are counted before hashing, and known and unknown addresses cause the same work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from argon2 import Parameters, Type, extract_parameters

from functions.accounts.addresses import address_of
from functions.accounts.authentication import BUSY
from functions.accounts.hash_queue import Line
from functions.accounts.login_history import NOBODY
from functions.accounts.model import RequestOrigin
from functions.accounts.passwords import Argon2Hasher
from functions.accounts.rate_limits import BUSY_OF_NETWORK, PASSWORD_OF_ADDRESS, PASSWORD_OF_NETWORK
from functions.platform.errors import Busy, Malformed, StoreUnavailable, TooManyAttempts, WrongCredentials
from functions.platform.messages import RecordLogin
from tests.support.accounts import (
    CHEAP,
    ELSEWHERE,
    HOME,
    OTHER_PASSWORD,
    PASSWORD,
    CountingHasher,
    World,
    make_email,
)

if TYPE_CHECKING:
    from functions.accounts.model import Login

STRONGER = Parameters(Type.ID, 19, salt_len=16, hash_len=32, time_cost=2, memory_cost=16, parallelism=1)


def authenticate(world: World, email: str, password: str = PASSWORD, origin: RequestOrigin = HOME) -> Login:
    return world.authentication.authenticate(address_of(email), password, origin)


def fail(world: World, email: str, times: int = 1, origin: RequestOrigin = HOME) -> None:
    for _ in range(times):
        with pytest.raises(WrongCredentials):
            authenticate(world, email, OTHER_PASSWORD, origin)


def test_an_address_without_an_account_causes_the_same_work_and_answer_as_a_wrong_password() -> None:
    world = World()
    known, unknown = world.member().email, make_email("nobody")
    seen = []
    for email in (known, unknown):
        world.hasher.verified.clear()
        world.queues.sent.clear()
        with pytest.raises(WrongCredentials) as wrong:
            authenticate(world, email, OTHER_PASSWORD)
        (verified,) = world.hasher.verified
        (message,) = world.queues.of(RecordLogin)
        seen.append(
            (wrong.value.status, wrong.value.code, wrong.value.detail, extract_parameters(verified), message.outcome)
        )
    assert seen[0] == seen[1]
    assert message.user_id == NOBODY


def test_no_password_opens_an_address_without_an_account() -> None:
    world = World()
    for password in (PASSWORD, world.hasher.dummy[:100]):
        with pytest.raises(WrongCredentials):
            authenticate(world, make_email(), password)


def test_the_sixth_attempt_within_a_minute_is_refused_without_a_hash_even_if_it_is_right() -> None:
    world = World()
    email = world.member().email
    fail(world, email, PASSWORD_OF_ADDRESS.attempts)
    world.hasher.verified.clear()
    world.clock.forward(seconds=20)
    with pytest.raises(TooManyAttempts) as refused:
        authenticate(world, email)
    assert refused.value.retry_after_s == 40 and not world.hasher.verified


def test_a_block_applies_to_one_address_from_one_network_and_ends() -> None:
    world = World()
    email, other = world.member().email, world.member().email
    fail(world, email, PASSWORD_OF_ADDRESS.attempts)
    assert authenticate(world, other).email == other
    assert authenticate(world, email, origin=ELSEWHERE).email == email
    with pytest.raises(TooManyAttempts):
        authenticate(world, email.upper())
    world.clock.forward(seconds=PASSWORD_OF_ADDRESS.window_s)
    assert authenticate(world, email).email == email


def test_success_clears_the_failures_of_that_address_but_not_of_others() -> None:
    world = World()
    email, other = world.member().email, world.member().email
    fail(world, email, 4)
    fail(world, other, 4)
    authenticate(world, email)
    fail(world, email, 5)
    fail(world, other, 1)
    with pytest.raises(TooManyAttempts):
        authenticate(world, other)


def test_one_network_cannot_try_one_password_on_every_address() -> None:
    world = World()
    email = world.member().email
    for _ in range(PASSWORD_OF_NETWORK.attempts):
        fail(world, make_email("sprayed"))
    with pytest.raises(TooManyAttempts):
        authenticate(world, email)
    assert authenticate(world, email, origin=ELSEWHERE).email == email


def test_logging_in_to_an_own_account_does_not_clear_the_attempts_of_a_network() -> None:
    world = World()
    own = world.member().email
    for _ in range(PASSWORD_OF_NETWORK.attempts):
        fail(world, make_email("sprayed"))
        world.clock.forward(milliseconds=1)
        if len(world.limiter.attempts[HOME.ip, "password"]) < PASSWORD_OF_NETWORK.attempts:
            authenticate(world, own)
    with pytest.raises(TooManyAttempts):
        authenticate(world, make_email("sprayed"))


def test_an_ipv6_network_is_counted_as_one() -> None:
    world = World()
    email = world.member().email
    for host in range(PASSWORD_OF_ADDRESS.attempts):
        fail(world, email, origin=RequestOrigin(f"2001:db8::{host + 1:x}", "Firefox"))
    with pytest.raises(TooManyAttempts):
        authenticate(world, email, origin=RequestOrigin("2001:db8::ffff", "Firefox"))


def test_only_the_first_refused_attempt_of_a_block_is_recorded() -> None:
    world = World()
    viewer = world.member()
    fail(world, viewer.email, PASSWORD_OF_ADDRESS.attempts)
    for _ in range(10):
        with pytest.raises(TooManyAttempts):
            authenticate(world, viewer.email)
    world.settle()
    outcomes = [entry.outcome.value for entry in world.history_store.entries.values()]
    assert outcomes.count("limited") == 1 and outcomes.count("wrong_password") == PASSWORD_OF_ADDRESS.attempts


@pytest.mark.parametrize("password", ["", "x" * 129, "x" * 10_000, "nul\x00" * 3, "\ud800" * 9])
def test_an_impossible_password_is_refused_before_it_is_counted(password: str) -> None:
    world = World()
    email = world.member().email
    for _ in range(10):
        with pytest.raises(Malformed):
            authenticate(world, email, password)
    assert not world.hasher.verified
    assert authenticate(world, email).email == email


def test_attempts_that_no_store_answered_are_not_counted() -> None:
    world = World()
    email = world.member().email
    world.logins.away = True
    for _ in range(10):
        with pytest.raises(StoreUnavailable):
            authenticate(world, email)
    world.logins.away = False
    assert authenticate(world, email).email == email


@pytest.fixture
def busy_world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Return accounts whose hasher is busy until `monkeypatch` is undone."""
    world = World()

    def busy(password_hash: str, password: str, line: Line) -> bool:
        raise Busy("Many people are logging in right now.")

    monkeypatch.setattr(world.hasher, "verify", busy)
    return world


def fail_busy(world: World, email: str, times: int) -> None:
    for _ in range(times):
        with pytest.raises(Busy):
            authenticate(world, email)


def test_busy_attempts_are_no_failed_attempts(busy_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    email = busy_world.member().email
    fail_busy(busy_world, email, 10)
    monkeypatch.undo()
    fail(busy_world, email, PASSWORD_OF_ADDRESS.attempts - 1)
    assert authenticate(busy_world, email).email == email


def test_a_network_whose_attempts_are_busy_again_and_again_must_pause(
    busy_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = busy_world.member().email
    for _ in range(BUSY_OF_NETWORK.attempts):
        fail_busy(busy_world, make_email("flood"), 1)
    monkeypatch.undo()
    with pytest.raises(TooManyAttempts) as refused:
        authenticate(busy_world, email)
    assert refused.value.retry_after_s == BUSY_OF_NETWORK.window_s and not busy_world.hasher.verified
    assert authenticate(busy_world, email, origin=ELSEWHERE).email == email
    busy_world.clock.forward(seconds=BUSY_OF_NETWORK.window_s)
    assert authenticate(busy_world, email).email == email


def test_attempts_that_were_hashed_do_not_count_as_busy() -> None:
    world = World()
    for _ in range(PASSWORD_OF_NETWORK.attempts - 1):
        fail(world, make_email("sprayed"))
    assert not world.limiter.attempts[HOME.ip, BUSY]


def test_people_wait_with_their_network_and_known_ones_with_their_account() -> None:
    world = World()
    address = address_of(world.member().email)
    home, sixth = HOME, RequestOrigin("2001:db8:7:1::5", "Firefox")
    world.hasher.lines.clear()
    for origin, known in ((home, False), (sixth, False), (home, True), (sixth, True)):
        login = world.authentication.authenticate(address, PASSWORD, origin, known=known)
    own = world.authentication.line_of(login)
    assert world.hasher.lines == [Line(HOME.ip), Line("2001:db8:7::/48"), own, own]
    assert own.known and address.key not in own.name


def test_nothing_is_hashed_while_attempts_cannot_be_counted() -> None:
    world = World()
    email = world.member().email
    world.limiter.away = True
    with pytest.raises(StoreUnavailable):
        authenticate(world, email)
    assert not world.hasher.verified


def test_an_unreachable_history_changes_no_answer() -> None:
    world = World()
    email = world.member().email
    world.queues.refused, world.history_store.away = (RecordLogin,), True
    fail(world, email)
    assert authenticate(world, email).email == email


def test_a_password_is_hashed_again_when_the_parameters_have_changed() -> None:
    world = World(hasher=CountingHasher(STRONGER))
    viewer = world.member()
    old = Argon2Hasher(CHEAP).hash(PASSWORD)
    world.logins.replace_hash(viewer.user_id, over=world.logins.logins[viewer.user_id].password_hash, new=old)
    world.authentication.renew_hash(authenticate(world, viewer.email), PASSWORD)
    renewed = world.logins.logins[viewer.user_id].password_hash
    assert extract_parameters(renewed) == STRONGER
    assert authenticate(world, viewer.email).email == viewer.email


def test_a_renewed_hash_does_not_overwrite_a_new_password() -> None:
    world = World(hasher=CountingHasher(STRONGER))
    viewer = world.member()
    login = world.logins.logins[viewer.user_id]
    old = Argon2Hasher(CHEAP).hash(PASSWORD)
    world.logins.replace_hash(viewer.user_id, over=login.password_hash, new=old)
    login = authenticate(world, viewer.email)
    changed = Argon2Hasher(STRONGER).hash(OTHER_PASSWORD)
    world.logins.replace_hash(viewer.user_id, over=old, new=changed)
    world.authentication.renew_hash(login, PASSWORD)
    assert world.logins.logins[viewer.user_id].password_hash == changed
