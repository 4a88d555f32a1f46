"""What people are told when something is refused: short sentences that say what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from functions.accounts.login_flow import SecondFactorNeeded
from functions.accounts.model import Factor, FactorProof
from functions.accounts.rate_limits import CODE_OF_ACCOUNT, CONFIRMATION, FACTOR_OF_NETWORK, LINK, REGISTRATION
from functions.platform.errors import NotflixError, TooManyAttempts, WrongCredentials, WrongSecondFactor
from tests.support.account_world import World
from tests.support.accounts import ELSEWHERE, HOME, OTHER_PASSWORD, PASSWORD, SITE, make_email
from tests.support.authenticators import SoftPasskey
from tests.support.wording import is_sentence

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.accounts.service import AccountService
    from functions.platform.viewer import Viewer

OPERATOR = "operator"


def told(action: Callable[[], object]) -> str:
    """Return the sentence with which an action is refused."""
    with pytest.raises(NotflixError) as refused:
        action()
    assert is_sentence(refused.value.detail)
    return refused.value.detail


def until_limited(action: Callable[[], object], attempts: int) -> str:
    """Return the sentence with which an action is refused after it was done as often as is allowed."""
    for _ in range(attempts):
        try:
            action()
        except TooManyAttempts:
            pytest.fail("refused too early")
        except NotflixError:
            continue
    return told(action)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def viewer(world: World) -> Viewer:
    return world.confirmed_member()


def test_who_is_not_logged_in_or_has_too_few_rights_is_told_what_is_missing(world: World, viewer: Viewer) -> None:
    accounts: AccountService = world.accounts
    assert told(lambda: accounts.session("")) == told(lambda: accounts.viewer("x"))
    token = accounts.log_in(viewer.email, PASSWORD, HOME).token
    told(lambda: accounts.administrator(token))
    world.logins.make_administrator(viewer.user_id)
    token = accounts.log_in(viewer.email, PASSWORD, HOME).token
    told(lambda: accounts.administrator(token))


def test_a_login_that_fails_says_no_more_than_it_must(world: World, viewer: Viewer) -> None:
    wrong = told(lambda: world.accounts.log_in(viewer.email, OTHER_PASSWORD, HOME))
    assert told(lambda: world.accounts.log_in(make_email("nobody"), OTHER_PASSWORD, HOME)) == wrong
    world.protect(viewer)
    with pytest.raises(SecondFactorNeeded) as needed:
        world.accounts.log_in(viewer.email, PASSWORD, HOME)
    assert is_sentence(needed.value.detail)


@pytest.mark.parametrize("change", ["password", "deletion", "factor"])
def test_a_login_during_a_change_of_the_account_says_what_any_other_would(
    world: World, viewer: Viewer, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_session = world.sessions.open_session

    def concurrently(*arguments: Any, **named: Any) -> Any:
        monkeypatch.undo()
        opened = open_session(*arguments, **named)
        if change == "password":
            login = world.logins.logins[viewer.user_id]
            new = world.hasher.hash(OTHER_PASSWORD)
            assert world.logins.replace_hash(viewer.user_id, over=login.password_hash, new=new)
        elif change == "deletion":
            world.logins.delete_login(viewer.user_id)
        else:
            world.protect(viewer)
        return opened

    monkeypatch.setattr(world.sessions, "open_session", concurrently)
    error = SecondFactorNeeded if change == "factor" else WrongCredentials
    with pytest.raises(error):
        world.accounts.log_in(viewer.email, PASSWORD, HOME)


def test_the_limits_of_a_network_say_which_attempts_were_too_many(world: World) -> None:
    def register() -> None:
        world.accounts.register(make_email(), PASSWORD, HOME)

    until_limited(register, REGISTRATION.attempts)
    until_limited(lambda: world.accounts.confirm_address("x", HOME), LINK.attempts)
    until_limited(lambda: world.accounts.log_in("jo@example.org", "x", HOME), 5)


def test_emails_that_are_not_sent_again_are_where_to_look_for_the_earlier_ones(world: World) -> None:
    viewer = world.member()
    until_limited(lambda: world.accounts.send_confirmation(viewer), CONFIRMATION.attempts)
    until_limited(lambda: world.accounts.request_reset(viewer.email, HOME), 3)
    confirmed = replace(viewer, confirmed=True)
    told(lambda: world.accounts.send_confirmation(confirmed))


def test_a_link_that_is_over_says_to_request_a_new_one(world: World) -> None:
    told(lambda: world.accounts.confirm_address("x", HOME))
    told(lambda: world.accounts.reset_password("x", OTHER_PASSWORD, HOME))


def test_changes_of_the_own_account_need_the_password_and_are_not_made_twice(
    world: World, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = world.accounts
    for wrong in (
        lambda: accounts.change_password(viewer, OTHER_PASSWORD, "ten loud trumpets", HOME),
        lambda: accounts.delete_account(viewer, OTHER_PASSWORD, HOME),
        lambda: world.factors.request_permit(viewer, OTHER_PASSWORD, HOME),
    ):
        told(wrong)
    accounts.request_reset(viewer.email, HOME)
    world.settle()
    token = world.last_token("reset")
    with monkeypatch.context() as patched:
        patched.setattr(world.logins, "replace_hash", lambda *_, **__: False)
        told(lambda: accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, HOME))
        told(lambda: accounts.reset_password(token, OTHER_PASSWORD, HOME))


def test_a_session_of_an_account_that_was_deleted_and_registered_again_is_no_longer_valid(world: World) -> None:
    viewer = world.member("jo@example.org")
    world.logins.delete_login(viewer.user_id)
    told(lambda: world.accounts.send_confirmation(viewer))
    world.member("jo@example.org")
    for action in (
        lambda: world.accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, HOME),
        lambda: world.accounts.delete_account(viewer, PASSWORD, HOME),
        lambda: world.factors.request_permit(viewer, PASSWORD, HOME),
    ):
        told(action)


def test_the_owner_is_told_which_account_does_not_exist_or_must_not_be_changed(
    world: World, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts, unknown = world.accounts, "e" * 32
    told(lambda: accounts.find_account(make_email("nobody")))
    for action in (
        lambda: accounts.administrators.revoke(unknown, by=OPERATOR),
        lambda: accounts.moderation.erase(unknown, by=OPERATOR),
        lambda: accounts.moderation.end_sessions(unknown, by=OPERATOR),
    ):
        told(action)
    told(lambda: accounts.administrators.revoke(viewer.user_id, by=viewer.user_id))
    told(lambda: accounts.forget_viewer(viewer.user_id))
    unconfirmed = world.member()
    with monkeypatch.context() as patched:
        patched.setattr(world.logins, "replace_hash", lambda *_, **__: False)
        told(lambda: accounts.make_administrator(unconfirmed.email))
    accounts.make_administrator(viewer.email)
    told(lambda: accounts.moderation.erase(viewer.user_id, by=OPERATOR))
    told(lambda: world.factors.reset(make_email("nobody"), by=OPERATOR))
    told(lambda: world.factors.reset(viewer.email, by=viewer.user_id))


def test_second_steps_that_are_refused_say_what_else_is_possible(world: World, viewer: Viewer) -> None:
    app, opened = world.protect(viewer)
    ticket = world.challenge(viewer.email).ticket

    def prove(proof: FactorProof, origin: Any = HOME) -> str:
        return told(lambda: world.accounts.log_in_with_factor(ticket, proof, origin))

    prove(FactorProof("000000"))
    prove(FactorProof("aaaa-aaaa-aaaa-aaaa"))
    prove(FactorProof(passkey={"id": "x"}))
    for _ in range(CODE_OF_ACCOUNT.attempts - 1):
        prove(FactorProof("000000"))
    prove(FactorProof(app.code(world.clock())))
    until_limited(
        lambda: world.accounts.log_in_with_factor(ticket, FactorProof("aaaa-aaaa-aaaa-aaaa"), ELSEWHERE),
        FACTOR_OF_NETWORK.attempts,
    )
    told(lambda: world.accounts.log_in_with_factor("x", FactorProof("000000"), HOME))
    world.factors.reset(viewer.email, by=OPERATOR)
    prove(FactorProof("000000"))
    told(lambda: world.accounts.viewer(opened.token))


def test_changes_of_second_factors_say_what_is_missing(world: World, viewer: Viewer) -> None:
    factors, session = world.factors, world.accounts.log_in(viewer.email, PASSWORD, HOME).session
    permit = factors.request_permit(viewer, PASSWORD, HOME).permit
    told(lambda: factors.renew_recovery_codes(viewer, permit))
    told(lambda: factors.remove(session, permit, "0" * 32, HOME))
    told(lambda: factors.begin_totp(world.confirmed_member(), permit))
    setup = factors.begin_totp(viewer, permit)
    told(lambda: factors.finish_totp(session, setup.ticket, "000000", "", HOME))
    creation = factors.begin_passkey(viewer, permit)
    answer = SoftPasskey(SITE).create(creation.options)
    told(lambda: factors.finish_passkey(session, creation.ticket, answer, "x" * 61, HOME))
    elsewhere = SoftPasskey("https://example.org").create(creation.options)
    told(lambda: factors.finish_passkey(session, creation.ticket, elsewhere, "", HOME))
    told(lambda: factors.request_permit(world.member(), PASSWORD, HOME))


def test_a_factor_that_is_removed_while_it_is_used_says_to_use_another(
    world: World, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, _ = world.protect(viewer)
    ticket = world.challenge(viewer.email).ticket
    monkeypatch.setattr(world.logins.factors, "record_use", lambda *_, **__: False)
    with pytest.raises(WrongSecondFactor) as refused:
        world.accounts.log_in_with_factor(ticket, FactorProof(app.code(world.clock())), HOME)
    assert is_sentence(refused.value.detail)


def test_a_session_that_was_opened_during_another_change_says_to_log_in_again(
    world: World, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_sessions = world.sessions.end_sessions_of

    def concurrently(user_id: str) -> None:
        monkeypatch.undo()
        world.logins.delete_login(user_id)
        end_sessions(user_id)

    monkeypatch.setattr(world.sessions, "end_sessions_of", concurrently)
    told(lambda: world.accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, HOME, factor=Factor.NONE))
