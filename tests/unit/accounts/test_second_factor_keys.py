"""Secrets of second factors: their encryption, and the change of its key."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from functions.accounts.model import FactorProof
from functions.accounts.secret_cipher import CannotDecrypt
from functions.platform.errors import WrongSecondFactor
from tests.support.account_world import World
from tests.support.accounts import HOME, PASSWORD, SITE
from tests.support.authenticators import AuthenticatorApp, SoftPasskey


def test_no_secret_is_stored_in_clear_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world = World()
    viewer = world.confirmed_member()
    app, _ = world.protect(viewer)
    challenge = world.challenge(viewer.email)
    setup_texts = (app.key, app.key.replace(" ", ""), challenge.ticket)
    (factor,) = world.factors.overview(viewer).factors
    code = app.code(world.clock())
    seen = caplog.text + repr(factor) + repr(challenge) + repr(FactorProof(code)) + factor.secret
    for secret in (*setup_texts, code):
        assert secret not in seen


def restarted(world: World, keys: str) -> World:
    """Return the same accounts after a restart with other keys."""
    return World(clock=world.clock, logins=world.logins, second_factor_keys=keys)


OLD, NEW = "c" * 32, "n" * 32


def test_an_old_key_can_be_removed_a_day_after_a_new_one_was_added() -> None:
    world = World(second_factor_keys=OLD)
    viewer, other = world.confirmed_member(), world.confirmed_member()
    app, _ = world.protect(viewer)
    key = SoftPasskey(SITE)
    world.add_passkey(world.accounts.log_in(other.email, PASSWORD, HOME).session, key)
    restarted(world, f"{NEW},{OLD}").accounts.tidy()
    world = restarted(world, NEW)
    assert world.log_in_with_code(viewer.email, app)
    challenge = world.challenge(other.email)
    assert challenge.passkey_options
    assert world.accounts.log_in_with_factor(
        challenge.ticket, FactorProof(passkey=key.use(challenge.passkey_options)), HOME
    )


def test_secrets_are_written_again_only_if_an_older_key_encrypted_them(caplog: pytest.LogCaptureFixture) -> None:
    world = World(second_factor_keys=OLD)
    viewer, lost = world.confirmed_member(), world.confirmed_member()
    world.protect(viewer)
    world.protect(restarted(world, "l" * 32).confirmed_member())
    restarted(world, "l" * 32).protect(lost)
    secrets = {key: each.secret for key, each in world.logins.factors.factors.items()}
    restarted(world, OLD).accounts.tidy()
    assert {key: each.secret for key, each in world.logins.factors.factors.items()} == secrets
    both = restarted(world, f"{NEW},{OLD}")
    both.accounts.tidy()
    renewed = {key: each.secret for key, each in world.logins.factors.factors.items()}
    (kept,) = [key for key, secret in renewed.items() if secret == secrets[key]]
    assert world.logins.factors.factors[kept].user_id == lost.user_id, "no key decrypts it"
    assert "2 second factors were encrypted again" in caplog.text and "1 cannot be decrypted" in caplog.text
    both.accounts.tidy()
    assert {key: each.secret for key, each in world.logins.factors.factors.items()} == renewed


def test_a_secret_that_changes_meanwhile_is_not_overwritten() -> None:
    world = World(second_factor_keys=OLD)
    viewer = world.confirmed_member()
    world.protect(viewer)
    (factor,) = world.logins.factors.list_factors(viewer.user_id)
    world.logins.factors.replace_secret(replace(factor, secret="another"), "new")
    assert world.logins.factors.list_factors(viewer.user_id) == [factor]


def test_an_app_that_cannot_be_decrypted_does_not_block_the_other_factors() -> None:
    world = World(second_factor_keys=OLD)
    viewer = world.confirmed_member()
    first, opened = world.protect(viewer)
    permit = world.permit_of(viewer, first)
    world = restarted(world, NEW)
    setup = world.factors.begin_totp(viewer, permit)
    second = AuthenticatorApp(setup.key)
    world.factors.finish_totp(opened.session, setup.ticket, second.code(world.clock()), "Tablet", HOME)
    world.clock.forward(seconds=60)
    assert world.log_in_with_code(viewer.email, second)
    world.clock.forward(seconds=60)
    with pytest.raises(WrongSecondFactor):
        world.accounts.log_in_with_factor(world.challenge(viewer.email).ticket, FactorProof("000000"), HOME)


def test_an_account_whose_only_app_cannot_be_decrypted_says_so() -> None:
    world = World(second_factor_keys=OLD)
    viewer = world.confirmed_member()
    app, _ = world.protect(viewer)
    codes = world.factors.renew_recovery_codes(viewer, world.permit_of(viewer, app))
    world = restarted(world, NEW)
    with pytest.raises(CannotDecrypt):
        world.log_in_with_code(viewer.email, app)
    assert world.accounts.log_in_with_factor(world.challenge(viewer.email).ticket, FactorProof(codes[0]), HOME)
