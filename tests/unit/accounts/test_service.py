"""Accounts with in-memory stores: registration, sessions, the viewer's own account, and the owner."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from functions.accounts.login_history import KEPT_FOR
from functions.accounts.model import Login, LoginOutcome
from functions.accounts.moderation import FORGET_AFTER_S, FORGET_AGAIN_S
from functions.accounts.rate_limits import REGISTRATION
from functions.platform.errors import (
    AccountStillExists,
    AddressTaken,
    Conflict,
    Forbidden,
    Malformed,
    StoreUnavailable,
    TooManyAttempts,
    Unauthenticated,
    WeakPassword,
    WrongCredentials,
    WrongPassword,
)
from functions.platform.messages import ForgetViewer, RecordLogin, SendMail
from infra.local.home import REPOSITORY
from tests.support.account_world import World
from tests.support.accounts import ELSEWHERE, HOME, OTHER_PASSWORD, PASSWORD, make_email, make_entry, token_of


def test_a_registered_viewer_can_log_in() -> None:
    world = World()
    viewer = world.accounts.register("Jo@Example.org", PASSWORD, HOME)
    opened = world.accounts.log_in("jo@example.ORG", PASSWORD, HOME)
    assert world.accounts.viewer(opened.token) == viewer
    assert (viewer.email, viewer.admin, viewer.confirmed) == ("Jo@example.org", False, False)


def test_every_spelling_of_a_registered_address_is_taken() -> None:
    world = World()
    world.member("josé@münchen.example.org")
    for form in ("JOSÉ@münchen.example.org", "jose\u0301@xn--mnchen-3ya.example.org", " José@MÜNCHEN.example.org"):
        with pytest.raises(AddressTaken):
            world.accounts.register(form, PASSWORD, HOME)


def test_a_weak_password_is_refused_before_it_is_hashed() -> None:
    world = World()
    with pytest.raises(WeakPassword):
        world.accounts.register(make_email(), "password1", HOME)
    assert not world.logins.logins and not world.hasher.hashed


def test_registrations_from_one_network_are_limited() -> None:
    world = World()
    for _ in range(REGISTRATION.attempts):
        world.member()
    with pytest.raises(TooManyAttempts):
        world.member()
    world.accounts.register(make_email(), PASSWORD, ELSEWHERE)
    world.clock.forward(seconds=REGISTRATION.window_s)
    world.member()


def test_an_account_is_opened_even_if_the_first_email_cannot_be_sent(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.queues.refused = (SendMail,)
    viewer = world.member()
    assert viewer.email not in caplog.text and "could not be sent" in caplog.text
    assert world.accounts.log_in(viewer.email, PASSWORD, HOME)


def test_each_login_has_a_new_token_and_ends_the_session_it_replaces() -> None:
    world = World()
    email = world.member().email
    first = world.accounts.log_in(email, PASSWORD, HOME)
    second = world.accounts.log_in(email, PASSWORD, ELSEWHERE)
    third = world.accounts.log_in(email, PASSWORD, HOME, replacing=first.token)
    assert len({first.token, second.token, third.token}) == 3
    with pytest.raises(Unauthenticated):
        world.accounts.viewer(first.token)
    assert world.accounts.viewer(second.token) == world.accounts.viewer(third.token)


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "\ud800", "Bearer", "é\x00"])
def test_an_unknown_token_is_unauthenticated(token: str) -> None:
    with pytest.raises(Unauthenticated):
        World().accounts.viewer(token)


def test_the_history_shows_successes_and_failures_with_ip_and_browser() -> None:
    world = World()
    viewer = world.member()
    with pytest.raises(WrongCredentials):
        world.accounts.log_in(viewer.email, OTHER_PASSWORD, ELSEWHERE)
    world.clock.forward(seconds=1)
    world.accounts.log_in(viewer.email, PASSWORD, HOME)
    world.settle()
    page = world.accounts.logins_of(viewer, cursor="", limit=20)
    assert [(entry.outcome, entry.ip, entry.browser) for entry in page.entries] == [
        (LoginOutcome.SUCCESS, HOME.ip, HOME.browser),
        (LoginOutcome.WRONG_PASSWORD, ELSEWHERE.ip, ELSEWHERE.browser),
    ]
    assert page.cursor is None


def test_a_viewer_can_log_out_of_one_session_or_of_all() -> None:
    world = World()
    viewer = world.member()
    here, there, beyond = (world.accounts.log_in(viewer.email, PASSWORD, HOME).token for _ in range(3))
    world.accounts.log_out(here)
    with pytest.raises(Unauthenticated):
        world.accounts.viewer(here)
    assert world.accounts.viewer(there) == viewer
    world.accounts.log_out_everywhere(viewer)
    for token in (there, beyond):
        with pytest.raises(Unauthenticated):
            world.accounts.viewer(token)


@pytest.mark.parametrize("change", ["password", "deletion"])
def test_a_concurrent_login_with_the_old_password_opens_no_session(
    change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    viewer = world.member()
    authenticate = world.authentication.authenticate

    def concurrently(*arguments: Any, known: str) -> Login:
        login = authenticate(*arguments, known=known)
        if change == "password":
            new = world.hasher.hash(OTHER_PASSWORD)
            assert world.logins.replace_hash(viewer.user_id, over=login.password_hash, new=new)
        else:
            world.logins.delete_login(viewer.user_id)
        world.sessions.end_sessions_of(viewer.user_id)
        return login

    monkeypatch.setattr(world.authentication, "authenticate", concurrently)
    with pytest.raises(WrongCredentials):
        world.accounts.log_in(viewer.email, PASSWORD, HOME)
    assert not world.sessions.live


def test_a_hash_that_a_concurrent_login_renewed_ends_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    viewer = world.member()
    authenticate = world.authentication.authenticate

    def concurrently(*arguments: Any, known: str) -> Login:
        login = authenticate(*arguments, known=known)
        world.logins.replace_hash(viewer.user_id, over=login.password_hash, new=world.hasher.hash(PASSWORD))
        return login

    monkeypatch.setattr(world.authentication, "authenticate", concurrently)
    opened = world.accounts.log_in(viewer.email, PASSWORD, HOME)
    assert world.accounts.viewer(opened.token) == viewer


def test_rights_granted_during_a_login_reach_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    viewer = world.member()
    authenticate = world.authentication.authenticate

    def concurrently(*arguments: Any, known: str) -> Login:
        login = authenticate(*arguments, known=known)
        world.logins.make_administrator(viewer.user_id)
        return login

    monkeypatch.setattr(world.authentication, "authenticate", concurrently)
    opened = world.accounts.log_in(viewer.email, PASSWORD, HOME)
    assert world.accounts.viewer(opened.token).admin


def test_a_new_password_ends_every_session_and_opens_a_new_one() -> None:
    world = World()
    viewer = world.member()
    here, there = (world.accounts.log_in(viewer.email, PASSWORD, HOME).token for _ in range(2))
    opened = world.accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, HOME)
    assert list(world.sessions.live) == [opened.token] and opened.token not in (here, there)
    assert world.last_email("password_changed").to == viewer.email
    with pytest.raises(WrongCredentials):
        world.accounts.log_in(viewer.email, PASSWORD, HOME)
    assert world.accounts.log_in(viewer.email, OTHER_PASSWORD, HOME)


def test_a_stolen_session_cannot_guess_the_password() -> None:
    world = World()
    viewer = world.member()
    opened = world.accounts.log_in(viewer.email, PASSWORD, HOME)
    for _ in range(5):
        with pytest.raises(WrongPassword) as wrong:
            world.accounts.change_password(viewer, "not this one", OTHER_PASSWORD, ELSEWHERE)
    assert wrong.value.status == 403
    for attempt in (
        lambda: world.accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, ELSEWHERE),
        lambda: world.accounts.delete_account(viewer, PASSWORD, ELSEWHERE),
    ):
        with pytest.raises(TooManyAttempts):
            attempt()
    assert world.accounts.viewer(opened.token) == viewer


def test_a_weak_new_password_changes_nothing() -> None:
    world = World()
    viewer = world.member()
    opened = world.accounts.log_in(viewer.email, PASSWORD, HOME)
    for weak in ("password1", viewer.email, "x" * 10_000):
        with pytest.raises(Malformed):
            world.accounts.change_password(viewer, PASSWORD, weak, HOME)
    assert world.accounts.viewer(opened.token) == viewer


def test_one_of_two_concurrent_changes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    viewer = world.member()
    monkeypatch.setattr(world.logins, "replace_hash", lambda *_, **__: False)
    with pytest.raises(Conflict):
        world.accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, HOME)


def test_a_reset_during_a_change_of_the_password_leaves_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    viewer = world.confirmed_member()
    replace_hash = world.logins.replace_hash

    def concurrently(*arguments: Any, **named: Any) -> bool:
        monkeypatch.undo()
        replaced = replace_hash(*arguments, **named)
        world.accounts.request_reset(viewer.email, ELSEWHERE)
        world.settle()
        world.accounts.reset_password(world.last_token("reset"), "ten loud trumpets", ELSEWHERE)
        return replaced

    monkeypatch.setattr(world.logins, "replace_hash", concurrently)
    with pytest.raises(Unauthenticated):
        world.accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, HOME)
    assert not world.sessions.live


def test_a_deleted_account_leaves_nothing_and_its_address_is_free() -> None:
    world = World()
    viewer = world.member()
    token = world.accounts.log_in(viewer.email, PASSWORD, HOME).token
    world.settle()
    world.accounts.delete_account(viewer, PASSWORD, HOME)
    with pytest.raises(Unauthenticated):
        world.accounts.viewer(token)
    for delay_s in (FORGET_AFTER_S, FORGET_AGAIN_S):
        assert (ForgetViewer(viewer.user_id), delay_s) in world.queues.sent
    world.settle()
    assert not world.logins.logins and not world.logins.links and not world.history_store.entries
    assert world.last_email("account_deleted").to == viewer.email
    assert world.member(viewer.email).user_id != viewer.user_id


def test_the_last_deletion_of_data_comes_when_no_function_of_before_can_run_any_more() -> None:
    host = json.loads((REPOSITORY / "host.json").read_text(encoding="utf-8"))
    hours, minutes, seconds = map(int, host["functionTimeout"].split(":"))
    assert hours * 3600 + minutes * 60 + seconds < FORGET_AGAIN_S


def test_data_is_deleted_even_if_the_first_message_was_given_up_before_the_account_was_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    viewer = world.member()
    world.accounts.log_in(viewer.email, PASSWORD, HOME)
    world.settle()
    delete_login = world.logins.delete_login

    def delete_late(user_id: str) -> None:
        world.settle()  # the account still exists, so the message is dropped
        delete_login(user_id)

    monkeypatch.setattr(world.logins, "delete_login", delete_late)
    world.accounts.delete_account(viewer, PASSWORD, HOME)
    world.settle()
    assert not world.history_store.entries


def test_a_wrong_password_deletes_nothing() -> None:
    world = World()
    viewer = world.member()
    with pytest.raises(WrongPassword):
        world.accounts.delete_account(viewer, OTHER_PASSWORD, HOME)
    assert not world.queues.of(ForgetViewer) and viewer.user_id in world.logins.logins


def test_an_account_is_not_deleted_if_its_data_cannot_be_scheduled_for_deletion() -> None:
    world = World()
    viewer = world.member()
    world.queues.refused = (ForgetViewer,)
    with pytest.raises(StoreUnavailable):
        world.accounts.delete_account(viewer, PASSWORD, HOME)
    assert viewer.user_id in world.logins.logins


def test_the_data_of_an_account_is_kept_while_the_account_exists() -> None:
    forgotten: list[str] = []
    world = World(forgetters=(forgotten.append,))
    viewer = world.member()
    token = world.accounts.log_in(viewer.email, PASSWORD, HOME).token
    with pytest.raises(AccountStillExists) as early:
        world.accounts.forget_viewer(viewer.user_id)
    assert early.value.retryable and not forgotten
    assert world.accounts.viewer(token) == viewer
    world.logins.delete_login(viewer.user_id)
    world.accounts.forget_viewer(viewer.user_id)
    assert forgotten == [viewer.user_id]
    with pytest.raises(Unauthenticated):
        world.accounts.viewer(token)


def test_expired_links_and_old_entries_are_deleted() -> None:
    world = World()
    viewer = world.member()
    world.history_store.store_entry(make_entry(viewer.user_id))
    world.accounts.tidy()
    assert world.logins.links and world.history_store.entries
    world.clock.forward(seconds=KEPT_FOR.total_seconds() + 1)
    world.accounts.tidy()
    assert not world.logins.links and not world.history_store.entries


def test_a_new_administrator_sets_a_password_by_a_mailed_link() -> None:
    world = World()
    viewer, created, link = world.accounts.make_administrator("Owner@example.org")
    assert created and viewer.admin and link
    assert world.last_email("welcome_admin").link == link
    with pytest.raises(WrongCredentials):
        world.accounts.log_in(viewer.email, PASSWORD, HOME)
    world.accounts.reset_password(token_of(link), PASSWORD, HOME)
    _, opened = world.protect(viewer)
    assert world.accounts.administrator(opened.token).user_id == viewer.user_id


def test_a_confirmed_account_becomes_an_administrator_and_keeps_its_password() -> None:
    world = World()
    viewer = world.member()
    world.accounts.confirm_address(world.last_token("confirm"), HOME)
    token = world.protect(viewer)[1].token
    with pytest.raises(Forbidden):
        world.accounts.administrator(token)
    _, created, link = world.accounts.make_administrator(viewer.email.upper())
    assert (created, link) == (False, None)
    assert world.accounts.administrator(token).user_id == viewer.user_id


def test_a_stranger_who_registered_the_owners_address_first_does_not_become_an_administrator() -> None:
    world = World()
    stranger = world.member("owner@example.org")
    token = world.accounts.log_in(stranger.email, PASSWORD, HOME).token
    _, created, link = world.accounts.make_administrator("owner@example.org")
    assert not created and link
    with pytest.raises(Unauthenticated):
        world.accounts.viewer(token)
    with pytest.raises(WrongCredentials):
        world.accounts.log_in(stranger.email, PASSWORD, HOME)


def test_an_unreachable_session_store_is_not_reported_as_unauthenticated() -> None:
    world = World()
    token = world.accounts.log_in(world.member().email, PASSWORD, HOME).token
    world.sessions.away = True
    with pytest.raises(StoreUnavailable):
        world.accounts.viewer(token)


def test_no_password_token_or_address_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world = World()
    viewer = world.member("secretive@example.org")
    opened = world.accounts.log_in(viewer.email, PASSWORD, HOME)
    world.queues.refused = (SendMail,)
    world.accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, HOME)
    world.queues.refused, world.history_store.away = (SendMail, RecordLogin), True
    world.accounts.log_in(viewer.email, OTHER_PASSWORD, HOME)
    world.accounts.delete_account(viewer, OTHER_PASSWORD, HOME)
    text = caplog.text + repr(opened) + repr(viewer)
    for secret in (PASSWORD, OTHER_PASSWORD, opened.token, "secretive", token_of(world.emails[0].link)):
        assert secret not in text
