"""Authentication: attempts are counted before hashing, and known and unknown addresses cause the same work."""

from __future__ import annotations

from typing import Any

import pytest
from argon2 import Parameters, Type, extract_parameters

from functions.accounts.addresses import address_of
from functions.accounts.authentication import BUSY, SESSION
from functions.accounts.hash_queue import Line
from functions.accounts.login_history import NOBODY
from functions.accounts.model import RequestOrigin
from functions.accounts.passwords import Argon2Hasher
from functions.accounts.rate_limits import BUSY_OF_NETWORK, PASSWORD_OF_ADDRESS, PASSWORD_OF_NETWORK
from functions.platform.errors import Busy, Malformed, StoreUnavailable, TooManyAttempts, WrongCredentials
from functions.platform.messages import RecordLogin
from tests.support.account_world import CountingHasher, World
from tests.support.accounts import CHEAP, ELSEWHERE, HOME, OTHER_PASSWORD, PASSWORD, make_email

STRONGER = Parameters(Type.ID, 19, salt_len=16, hash_len=32, time_cost=2, memory_cost=16, parallelism=1)


def test_an_address_without_an_account_causes_the_same_work_and_answer_as_a_wrong_password() -> None:
    world = World()
    known, unknown = world.member().email, make_email("nobody")
    seen = []
    for email in (known, unknown):
        world.hasher.verified.clear()
        world.queues.sent.clear()
        with pytest.raises(WrongCredentials) as wrong:
            world.authenticate(email, OTHER_PASSWORD)
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
            world.authenticate(make_email(), password)


def test_the_sixth_attempt_within_a_minute_is_refused_without_a_hash_even_if_it_is_right() -> None:
    world = World()
    email = world.member().email
    world.fail_attempts(email, PASSWORD_OF_ADDRESS.attempts)
    world.hasher.verified.clear()
    world.clock.forward(seconds=20)
    with pytest.raises(TooManyAttempts) as refused:
        world.authenticate(email)
    assert refused.value.retry_after_s == 40 and not world.hasher.verified


def test_a_block_applies_to_one_address_from_one_network_and_ends() -> None:
    world = World()
    email, other = world.member().email, world.member().email
    world.fail_attempts(email, PASSWORD_OF_ADDRESS.attempts)
    assert world.authenticate(other).email == other
    assert world.authenticate(email, origin=ELSEWHERE).email == email
    with pytest.raises(TooManyAttempts):
        world.authenticate(email.upper())
    world.clock.forward(seconds=PASSWORD_OF_ADDRESS.window_s)
    assert world.authenticate(email).email == email


def test_success_clears_the_failures_of_that_address_but_not_of_others() -> None:
    world = World()
    email, other = world.member().email, world.member().email
    world.fail_attempts(email, 4)
    world.fail_attempts(other, 4)
    world.authenticate(email)
    world.fail_attempts(email, 5)
    world.fail_attempts(other, 1)
    with pytest.raises(TooManyAttempts):
        world.authenticate(other)


def test_one_network_cannot_try_one_password_on_every_address() -> None:
    world = World()
    email = world.member().email
    for _ in range(PASSWORD_OF_NETWORK.attempts):
        world.fail_attempts(make_email("sprayed"))
    with pytest.raises(TooManyAttempts):
        world.authenticate(email)
    assert world.authenticate(email, origin=ELSEWHERE).email == email


def test_logging_in_to_an_own_account_does_not_clear_the_attempts_of_a_network() -> None:
    world = World()
    own = world.member().email
    for _ in range(PASSWORD_OF_NETWORK.attempts):
        world.fail_attempts(make_email("sprayed"))
        world.clock.forward(milliseconds=1)
        if len(world.limiter.attempts[HOME.ip, "password"]) < PASSWORD_OF_NETWORK.attempts:
            world.authenticate(own)
    with pytest.raises(TooManyAttempts):
        world.authenticate(make_email("sprayed"))


def test_an_ipv6_network_is_counted_as_one() -> None:
    world = World()
    email = world.member().email
    for host in range(PASSWORD_OF_ADDRESS.attempts):
        world.fail_attempts(email, origin=RequestOrigin(f"2001:db8::{host + 1:x}", "Firefox"))
    with pytest.raises(TooManyAttempts):
        world.authenticate(email, origin=RequestOrigin("2001:db8::ffff", "Firefox"))


def test_only_the_first_refused_attempt_of_a_block_is_recorded() -> None:
    world = World()
    viewer = world.member()
    world.fail_attempts(viewer.email, PASSWORD_OF_ADDRESS.attempts)
    for _ in range(10):
        with pytest.raises(TooManyAttempts):
            world.authenticate(viewer.email)
    world.settle()
    outcomes = [entry.outcome.value for entry in world.history_store.entries.values()]
    assert outcomes.count("limited") == 1 and outcomes.count("wrong_password") == PASSWORD_OF_ADDRESS.attempts


@pytest.mark.parametrize("password", ["", "x" * 129, "x" * 10_000, "nul\x00" * 3, "\ud800" * 9])
def test_an_impossible_password_is_refused_before_it_is_counted(password: str) -> None:
    world = World()
    email = world.member().email
    for _ in range(10):
        with pytest.raises(Malformed):
            world.authenticate(email, password)
    assert not world.hasher.verified
    assert world.authenticate(email).email == email


def test_attempts_that_no_store_answered_are_not_counted() -> None:
    world = World()
    email = world.member().email
    world.logins.away = True
    for _ in range(10):
        with pytest.raises(StoreUnavailable):
            world.authenticate(email)
    world.logins.away = False
    assert world.authenticate(email).email == email


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
            world.authenticate(email)


def test_busy_attempts_are_no_failed_attempts(busy_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    email = busy_world.member().email
    fail_busy(busy_world, email, 10)
    monkeypatch.undo()
    busy_world.fail_attempts(email, PASSWORD_OF_ADDRESS.attempts - 1)
    assert busy_world.authenticate(email).email == email


def test_a_network_whose_attempts_are_busy_again_and_again_must_pause(
    busy_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = busy_world.member().email
    for _ in range(BUSY_OF_NETWORK.attempts):
        fail_busy(busy_world, make_email("flood"), 1)
    monkeypatch.undo()
    with pytest.raises(TooManyAttempts) as refused:
        busy_world.authenticate(email)
    assert refused.value.retry_after_s == BUSY_OF_NETWORK.window_s and not busy_world.hasher.verified
    assert busy_world.authenticate(email, origin=ELSEWHERE).email == email
    busy_world.clock.forward(seconds=BUSY_OF_NETWORK.window_s)
    assert busy_world.authenticate(email).email == email


def test_attempts_that_were_hashed_do_not_count_as_busy() -> None:
    world = World()
    for _ in range(PASSWORD_OF_NETWORK.attempts - 1):
        world.fail_attempts(make_email("sprayed"))
    assert not world.limiter.attempts[HOME.ip, BUSY]


def test_people_wait_with_their_network_and_known_ones_with_their_account() -> None:
    world = World()
    address = address_of(world.member().email)
    home, sixth = HOME, RequestOrigin("2001:db8:7:1::5", "Firefox")
    world.hasher.lines.clear()
    for origin, known in ((home, ""), (sixth, ""), (home, "device"), (sixth, SESSION)):
        login = world.authentication.authenticate(address, PASSWORD, origin, known=known)
    own = world.authentication.line_of(login)
    assert world.hasher.lines == [Line(HOME.ip), Line("2001:db8:7::/48"), own, own]
    assert own.known and address.key not in own.name


def test_a_new_account_is_hashed_in_the_line_of_its_network_and_a_new_password_in_that_of_the_account() -> None:
    world = World()
    viewer = world.accounts.register(make_email(), PASSWORD, RequestOrigin("2001:db8:7:1::5", "Firefox"))
    assert world.hasher.lines == [Line("2001:db8:7::/48")]
    own = world.authentication.line_of(world.logins.logins[viewer.user_id])
    world.accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, HOME)
    world.accounts.request_reset(viewer.email, ELSEWHERE)
    world.settle()
    world.accounts.reset_password(world.last_token("reset"), PASSWORD, ELSEWHERE)
    assert world.hasher.lines[1:] == [own, own, own]


def test_nothing_is_hashed_while_attempts_cannot_be_counted() -> None:
    world = World()
    email = world.member().email
    world.limiter.away = True
    with pytest.raises(StoreUnavailable):
        world.authenticate(email)
    assert not world.hasher.verified


def test_an_unreachable_history_changes_no_answer() -> None:
    world = World()
    email = world.member().email
    world.queues.refused, world.history_store.away = (RecordLogin,), True
    world.fail_attempts(email)
    assert world.authenticate(email).email == email


def test_a_password_is_hashed_again_when_the_parameters_have_changed() -> None:
    world = World(hasher=CountingHasher(STRONGER))
    viewer = world.member()
    old = Argon2Hasher(CHEAP).hash(PASSWORD)
    world.logins.replace_hash(viewer.user_id, over=world.logins.logins[viewer.user_id].password_hash, new=old)
    world.authentication.renew_hash(world.authenticate(viewer.email), PASSWORD)
    renewed = world.logins.logins[viewer.user_id].password_hash
    assert extract_parameters(renewed) == STRONGER
    assert world.authenticate(viewer.email).email == viewer.email


def test_a_renewed_hash_does_not_overwrite_a_new_password() -> None:
    world = World(hasher=CountingHasher(STRONGER))
    viewer = world.member()
    login = world.logins.logins[viewer.user_id]
    old = Argon2Hasher(CHEAP).hash(PASSWORD)
    world.logins.replace_hash(viewer.user_id, over=login.password_hash, new=old)
    login = world.authenticate(viewer.email)
    changed = Argon2Hasher(STRONGER).hash(OTHER_PASSWORD)
    world.logins.replace_hash(viewer.user_id, over=old, new=changed)
    world.authentication.renew_hash(login, PASSWORD)
    assert world.logins.logins[viewer.user_id].password_hash == changed


@pytest.mark.parametrize("known", [True, False])
def test_a_login_asks_the_rate_limiter_twice_and_reads_the_account_twice(
    known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    email = world.member().email
    device = world.accounts.log_in(email, PASSWORD, HOME).device
    calls: list[str] = []
    for store, names in (
        (world.limiter, ("reserve", "record_success", "cancel")),
        (world.logins, ("find_login", "get_login")),
        (world.logins.factors, ("list_factors",)),
    ):
        for name in names:
            original = getattr(store, name)

            def counted(*arguments: Any, _name: str = name, _original: Any = original, **named: Any) -> Any:
                calls.append(_name)
                return _original(*arguments, **named)

            monkeypatch.setattr(store, name, counted)
    world.accounts.log_in(email, PASSWORD, HOME, device=device if known else "")
    assert calls.count("reserve") == 2
    assert (calls.count("find_login"), calls.count("get_login"), calls.count("record_success")) == (1, 1, 1)
