"""Guesses from many networks, even on stolen devices and in stolen sessions, are slowed down and lock nobody out."""

from __future__ import annotations

import pytest

from functions.accounts.model import RequestOrigin
from functions.accounts.rate_limits import (
    GUESSES_OF_ACCOUNT,
    GUESSES_WHILE_SLOW,
    KNOWN_DEVICE,
    PASSWORD_OF_ADDRESS,
    SITE_FACTOR,
)
from functions.platform.errors import TooManyAttempts, WrongCredentials, WrongPassword
from tests.support.account_world import World
from tests.support.accounts import ELSEWHERE, HOME, OTHER_PASSWORD, PASSWORD, make_email


def from_network(number: int) -> RequestOrigin:
    return RequestOrigin(f"198.18.{number // 250}.{number % 250 + 1}", "curl")


def in_site(number: int) -> RequestOrigin:
    return RequestOrigin(f"2001:db8:1:{number:x}::1", "curl")


def guess_from_many_networks(world: World, email: str) -> int:
    """Guess until the account is slowed down; return the number of networks that were used."""
    networks = GUESSES_OF_ACCOUNT.attempts // PASSWORD_OF_ADDRESS.attempts
    for number in range(networks):
        world.fail_attempts(email, PASSWORD_OF_ADDRESS.attempts, from_network(number))
    return networks


def test_guessing_from_many_networks_slows_down_every_network_but_locks_nobody_out() -> None:
    world = World()
    email = world.member().email
    first = guess_from_many_networks(world, email)
    for number in range(first, first + 30):
        world.fail_attempts(email, GUESSES_WHILE_SLOW.attempts, from_network(number))
        with pytest.raises(TooManyAttempts) as slow:
            world.authenticate(email, OTHER_PASSWORD, from_network(number))
        assert slow.value.retry_after_s > PASSWORD_OF_ADDRESS.window_s
    assert world.authenticate(email, origin=ELSEWHERE).email == email, "a new device with the right password"
    assert world.authenticate(world.member().email, origin=from_network(0)), "another account"


def test_a_known_device_is_not_slowed_down_even_in_a_network_of_guessers() -> None:
    world = World()
    email = world.member().email
    device = world.accounts.log_in(email, PASSWORD, HOME).device
    guess_from_many_networks(world, email)
    world.fail_attempts(email, 1, HOME)
    with pytest.raises(TooManyAttempts):
        world.authenticate(email)
    for _ in range(3):
        with pytest.raises(WrongCredentials):
            world.accounts.log_in(email, OTHER_PASSWORD, HOME, device=device)
    assert world.accounts.log_in(email, PASSWORD, HOME, device=device)


def test_failures_on_known_devices_do_not_slow_down_others() -> None:
    world = World()
    email = world.member().email
    device = world.accounts.log_in(email, PASSWORD, HOME).device
    for number in range(GUESSES_OF_ACCOUNT.attempts // KNOWN_DEVICE.attempts):
        for _ in range(KNOWN_DEVICE.attempts):
            with pytest.raises(WrongCredentials):
                world.accounts.log_in(email, OTHER_PASSWORD, from_network(number), device=device)
        with pytest.raises(TooManyAttempts):
            world.accounts.log_in(email, PASSWORD, from_network(number), device=device)
    world.fail_attempts(email, PASSWORD_OF_ADDRESS.attempts, ELSEWHERE)


def test_a_stolen_device_token_is_slowed_down_over_all_networks_without_the_owners_other_devices() -> None:
    world = World()
    email = world.member().email
    stolen = world.accounts.log_in(email, PASSWORD, HOME).device
    world.clock.forward(hours=1)
    own = world.accounts.log_in(email, PASSWORD, HOME).device
    for number in range(GUESSES_OF_ACCOUNT.attempts):
        with pytest.raises(WrongCredentials):
            world.accounts.log_in(email, OTHER_PASSWORD, from_network(number), device=stolen)
    with pytest.raises(WrongCredentials):
        world.accounts.log_in(email, OTHER_PASSWORD, from_network(99), device=stolen)
    with pytest.raises(TooManyAttempts) as slow:
        world.accounts.log_in(email, OTHER_PASSWORD, from_network(99), device=stolen)
    assert slow.value.retry_after_s > KNOWN_DEVICE.window_s
    assert world.accounts.log_in(email, PASSWORD, from_network(99), device=own)
    assert world.accounts.log_in(email, PASSWORD, ELSEWHERE, device=stolen), "the right password, from a new network"


@pytest.mark.parametrize("action", ["change_password", "delete_account", "request_permit"])
def test_a_stolen_session_is_slowed_down_over_all_networks_but_locks_nobody_out(action: str) -> None:
    world = World()
    viewer = world.confirmed_member()
    device = world.accounts.log_in(viewer.email, PASSWORD, HOME).device

    def guess(password: str, origin: RequestOrigin) -> None:
        if action == "change_password":
            world.accounts.change_password(viewer, password, "four loud umbrellas", origin)
        elif action == "delete_account":
            world.accounts.delete_account(viewer, password, origin)
        else:
            world.factors.request_permit(viewer, password, origin)

    for number in range(GUESSES_OF_ACCOUNT.attempts):
        with pytest.raises(WrongPassword):
            guess(OTHER_PASSWORD, from_network(number))
    for number in range(100, 130):
        with pytest.raises(WrongPassword):
            guess(OTHER_PASSWORD, from_network(number))
        with pytest.raises(TooManyAttempts) as slow:
            guess(PASSWORD, from_network(number))
        assert slow.value.retry_after_s > KNOWN_DEVICE.window_s
    assert world.accounts.log_in(viewer.email, PASSWORD, HOME, device=device)
    assert world.accounts.log_in(viewer.email, PASSWORD, ELSEWHERE)
    guess(PASSWORD, HOME)


def test_an_attempt_that_is_refused_because_the_account_is_guessed_counts_towards_no_other_limit() -> None:
    world = World()
    email = world.member().email
    first = guess_from_many_networks(world, email)
    origin = from_network(first)
    world.fail_attempts(email, GUESSES_WHILE_SLOW.attempts, origin)
    counted = len(world.limiter.attempts[origin.ip, "password"])
    for _ in range(10):
        with pytest.raises(TooManyAttempts):
            world.authenticate(email, OTHER_PASSWORD, origin)
    assert len(world.limiter.attempts[origin.ip, "password"]) == counted == 1


def test_the_right_password_for_a_guessed_account_clears_what_it_counted() -> None:
    world = World()
    email = world.member().email
    guess_from_many_networks(world, email)
    for _ in range(3):
        assert world.authenticate(email, origin=ELSEWHERE).email == email
    assert not world.limiter.attempts[ELSEWHERE.ip, "password"]


def test_a_reset_makes_the_device_known() -> None:
    world = World()
    email = world.member().email
    guess_from_many_networks(world, email)
    world.fail_attempts(email, GUESSES_WHILE_SLOW.attempts, HOME)
    world.accounts.request_reset(email, HOME)
    world.settle()
    device = world.accounts.reset_password(world.last_token("reset"), OTHER_PASSWORD, HOME)
    with pytest.raises(TooManyAttempts):
        world.accounts.log_in(email, OTHER_PASSWORD, HOME)
    assert world.accounts.log_in(email, OTHER_PASSWORD, HOME, device=device)


def test_an_unknown_address_is_slowed_down_in_the_same_way() -> None:
    world = World()
    email = make_email("nobody")
    first = guess_from_many_networks(world, email)
    world.fail_attempts(email, 1, from_network(first))
    with pytest.raises(TooManyAttempts):
        world.authenticate(email, OTHER_PASSWORD, from_network(first))


def test_the_networks_of_an_ipv6_site_have_a_common_limit() -> None:
    world = World()
    email = world.member().email
    attempts = PASSWORD_OF_ADDRESS.attempts * SITE_FACTOR
    for number in range(attempts):
        world.fail_attempts(email, 1, in_site(number))
    with pytest.raises(TooManyAttempts):
        world.authenticate(email, origin=in_site(attempts))
    assert world.authenticate(email, origin=RequestOrigin("2001:db8:2::1", "curl")).email == email


def test_each_guessed_account_and_its_sessions_have_an_attempt_of_their_own_in_a_network() -> None:
    world = World()
    viewer, other = world.confirmed_member(), world.confirmed_member()
    for number in range(GUESSES_OF_ACCOUNT.attempts):
        world.fail_attempts(viewer.email, 1, from_network(number))
        world.fail_attempts(other.email, 1, from_network(number))
        with pytest.raises(WrongPassword):
            world.accounts.delete_account(viewer, OTHER_PASSWORD, from_network(number))
    world.fail_attempts(viewer.email, GUESSES_WHILE_SLOW.attempts, HOME)
    world.fail_attempts(other.email, GUESSES_WHILE_SLOW.attempts, HOME)
    with pytest.raises(WrongPassword):
        world.accounts.delete_account(viewer, OTHER_PASSWORD, HOME)


def test_the_known_devices_of_two_people_in_one_network_have_limits_of_their_own() -> None:
    world = World()
    careless, careful = world.member().email, world.member().email
    devices = {email: world.accounts.log_in(email, PASSWORD, HOME).device for email in (careless, careful)}
    for _ in range(KNOWN_DEVICE.attempts):
        with pytest.raises(WrongCredentials):
            world.accounts.log_in(careless, OTHER_PASSWORD, HOME, device=devices[careless])
    with pytest.raises(TooManyAttempts):
        world.accounts.log_in(careless, PASSWORD, HOME, device=devices[careless])
    assert world.accounts.log_in(careful, PASSWORD, HOME, device=devices[careful])


def test_strangers_in_the_same_network_do_not_use_up_the_attempts_of_a_known_device() -> None:
    world = World()
    email = world.member().email
    device = world.accounts.log_in(email, PASSWORD, HOME).device
    world.fail_attempts(email, PASSWORD_OF_ADDRESS.attempts, HOME)
    with pytest.raises(TooManyAttempts):
        world.authenticate(email)
    assert world.accounts.log_in(email, PASSWORD, HOME, device=device)
