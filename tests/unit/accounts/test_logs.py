"""What the log says about accounts: complete sentences with ids and pseudonyms, never with addresses."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from functions.accounts.model import FactorProof, LoginOutcome
from functions.accounts.rate_limits import NOTICES_OF_ADDRESS
from functions.platform.errors import StoreUnavailable, WrongSecondFactor
from functions.platform.messages import RecordLogin, SendMail
from functions.platform.signed_tokens import SignedTokens
from tests.support.account_world import World
from tests.support.accounts import ELSEWHERE, HOME, OTHER_PASSWORD, PASSWORD, make_entry
from tests.support.authenticators import AuthenticatorApp
from tests.support.clock import NOON, Clock

if TYPE_CHECKING:
    from functions.platform.viewer import Viewer

REFUSED = "The queue send-mail does not accept messages."


def pseudonym(viewer: Viewer) -> str:
    """Return what replaces the viewer's address in the log."""
    return SignedTokens("k" * 32, Clock()).pseudonym(viewer.email)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def test_an_email_that_is_not_sent_is_logged_with_its_kind_and_reason(logged: pytest.LogCaptureFixture) -> None:
    world = World()
    world.queues.refused = (SendMail,)
    viewer = world.member()
    assert logged.messages == [f"The first email to {pseudonym(viewer)} could not be sent: {REFUSED}"]
    logged.clear()
    world.accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, HOME)
    assert logged.messages == [f"An email of kind password_changed to {pseudonym(viewer)} could not be sent: {REFUSED}"]


def test_emails_beyond_a_limit_are_logged_with_the_limit_and_once_per_hour(logged: pytest.LogCaptureFixture) -> None:
    world = World(mails_per_hour=1)
    first, second, third = world.member(), world.member(), world.member()
    many = "Many emails are being sent right now. Try again in 60 minutes."
    assert len(world.emails) == 1, "the open share is one email at least"
    assert logged.messages == [
        "The hourly limit of emails is reached; MAILS_PER_HOUR is 1.",
        f"The first email to {pseudonym(second)} could not be sent: {many}",
        f"The first email to {pseudonym(third)} could not be sent: {many}",
    ]
    logged.clear()
    world.accounts.mail_reset_link(first.email)
    assert logged.messages == [f"A reset link for {pseudonym(first)} is not mailed: {many}"]


def test_notices_beyond_the_limit_of_an_address_are_logged(logged: pytest.LogCaptureFixture) -> None:
    world = World()
    viewer = world.confirmed_member()
    passwords = [PASSWORD, OTHER_PASSWORD]
    for number in range(NOTICES_OF_ADDRESS.attempts + 1):
        world.accounts.change_password(viewer, passwords[number % 2], passwords[(number + 1) % 2], HOME)
    assert logged.messages == [
        f"An email of kind password_changed to {pseudonym(viewer)} could not be sent: "
        "Several emails were sent to this address in the last hour. Try again in 60 minutes."
    ]


def test_a_login_that_nothing_could_store_is_in_the_log(logged: pytest.LogCaptureFixture) -> None:
    world = World()
    viewer = world.member()
    world.queues.refused, world.history_store.away = (RecordLogin,), True
    world.history.record_attempt(viewer.user_id, HOME, LoginOutcome.SUCCESS)
    assert logged.messages == [f"Neither queue nor store accepted a login of {viewer.user_id}: success at {NOON}."]


def test_what_an_owner_does_with_an_account_is_logged_with_who_did_it(logged: pytest.LogCaptureFixture) -> None:
    world = World()
    viewer = world.confirmed_member()
    world.accounts.moderation.end_sessions(viewer.user_id, by="operator")
    world.accounts.moderation.erase(viewer.user_id, by="a" * 32)
    assert logged.messages == [
        f"All sessions of {viewer.user_id} were ended by operator.",
        f"The account {viewer.user_id} was deleted by {'a' * 32}.",
    ]


def test_tidying_is_logged_with_what_was_deleted(logged: pytest.LogCaptureFixture) -> None:
    world = World()
    viewer = world.member()
    for _ in range(2):
        world.history_store.store_entry(make_entry(viewer.user_id))
    world.clock.forward(days=200)
    world.accounts.tidy()
    assert logged.messages == ["1 expired links and 2 old entries of the login history were deleted."]


def test_secrets_that_are_encrypted_again_are_counted_in_the_log(logged: pytest.LogCaptureFixture) -> None:
    old = World(second_factor_keys="o" * 32)
    viewer = old.confirmed_member()
    old.protect(viewer)
    world = World(clock=old.clock, logins=old.logins, second_factor_keys=f"{'n' * 32},{'o' * 32}")
    logged.clear()
    world.factors.renew_encryption()
    assert logged.messages == [
        "1 second factors were encrypted again with the first key of SECOND_FACTOR_KEYS, so the others can be removed. "
        "0 cannot be decrypted with any of the keys."
    ]
    lost = World(clock=old.clock, logins=old.logins, second_factor_keys="x" * 32)
    (factor,) = lost.logins.factors.list_factors(viewer.user_id)
    logged.clear()
    with pytest.raises(Exception, match="A stored second factor cannot be decrypted; SECOND_FACTOR_KEYS lacks the key"):
        lost.accounts.log_in_with_factor(lost.challenge(viewer.email).ticket, FactorProof("000000"), HOME)
    assert logged.messages == [
        f"The authenticator app {factor.factor_id} of account {viewer.user_id}: A stored second factor cannot be "
        "decrypted; SECOND_FACTOR_KEYS lacks the key it was stored with."
    ]


def test_a_hash_that_cannot_be_renewed_is_logged_and_the_login_succeeds(
    logged: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    viewer = world.member()
    world.hasher.lines.clear()
    monkeypatch.setattr(world.hasher, "outdated", lambda _: True)

    def away(*arguments: Any, **named: Any) -> bool:
        raise StoreUnavailable("The store does not answer.")

    monkeypatch.setattr(world.logins, "replace_hash", away)
    assert world.accounts.log_in(viewer.email, PASSWORD, HOME)
    assert logged.messages == ["A password hash with old parameters could not be replaced: The store does not answer."]
    verified, renewed = world.hasher.lines
    assert not verified.known
    assert renewed == world.authentication.line_of(world.logins.logins[viewer.user_id]), "the account's own line"


def test_codes_that_strangers_guess_do_not_keep_somebody_who_is_logged_in_from_a_permit() -> None:
    world = World()
    viewer = world.confirmed_member()
    app, _ = world.protect(viewer)
    for _ in range(10):
        with pytest.raises(WrongSecondFactor):
            world.accounts.log_in_with_factor(
                world.challenge(viewer.email, origin=ELSEWHERE).ticket, FactorProof("000000"), ELSEWHERE
            )
    challenge = world.factors.request_permit(viewer, PASSWORD, HOME).challenge
    assert challenge
    proof = FactorProof(AuthenticatorApp(app.key).code(world.clock()))
    assert world.factors.confirm_permit(viewer, challenge.ticket, proof, HOME).permit
