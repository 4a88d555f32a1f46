"""Accounts over stores in memory: what a person may do, and what ends when something changes."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from functions.accounts.login_history import KEPT_FOR
from functions.accounts.model import Busy, Login, Outcome
from functions.accounts.rate_limits import CONFIRMATION, REGISTRATION, RESET_OF_ADDRESS, RESET_OF_NETWORK
from functions.platform.errors import (
    AddressTaken,
    Conflict,
    Forbidden,
    LinkExpired,
    Malformed,
    StoreUnavailable,
    TooManyAttempts,
    Unauthenticated,
    WeakPassword,
    WrongCredentials,
    WrongPassword,
)
from tests.support.accounts import ELSEWHERE, HOME, OTHER_PASSWORD, PASSWORD, SITE, World, make_email, make_entry

# Registering and logging in


def test_who_registers_can_log_in_and_is_known_from_then_on() -> None:
    world = World()
    viewer = world.accounts.register("Jo@Example.org", PASSWORD, HOME)
    opened = world.accounts.log_in("jo@example.ORG", PASSWORD, HOME)
    assert world.accounts.viewer(opened.token) == viewer
    assert (viewer.email, viewer.admin, viewer.confirmed) == ("Jo@example.org", False, False)


def test_an_address_is_taken_in_every_form_of_it() -> None:
    world = World()
    world.member("josé@münchen.example.org")
    for form in ("JOSÉ@münchen.example.org", "jose\u0301@xn--mnchen-3ya.example.org", " José@MÜNCHEN.example.org"):
        with pytest.raises(AddressTaken):
            world.accounts.register(form, PASSWORD, HOME)


def test_a_weak_password_opens_no_account() -> None:
    world = World()
    with pytest.raises(WeakPassword):
        world.accounts.register(make_email(), "password1", HOME)
    assert not world.logins.logins and not world.hasher.hashed


def test_accounts_are_not_opened_by_the_thousand_from_one_network() -> None:
    world = World()
    for _ in range(REGISTRATION.attempts):
        world.member()
    with pytest.raises(TooManyAttempts):
        world.member()
    world.accounts.register(make_email(), PASSWORD, ELSEWHERE)
    world.clock.forward(seconds=REGISTRATION.window_s)
    world.member()


def test_an_account_is_opened_even_if_the_first_letter_cannot_be_sent(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.post.away = True
    viewer = world.member()
    assert viewer.email not in caplog.text and "could not be sent" in caplog.text
    assert world.accounts.log_in(viewer.email, PASSWORD, HOME)


def test_each_log_in_has_a_token_of_its_own_and_ends_the_session_it_replaces() -> None:
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
def test_a_token_that_was_not_given_out_is_nobodys(token: str) -> None:
    with pytest.raises(Unauthenticated):
        World().accounts.viewer(token)


def test_the_history_shows_successes_and_failures_with_place_and_browser() -> None:
    world = World()
    viewer = world.member()
    with pytest.raises(WrongCredentials):
        world.accounts.log_in(viewer.email, OTHER_PASSWORD, ELSEWHERE)
    world.clock.forward(seconds=1)
    world.accounts.log_in(viewer.email, PASSWORD, HOME)
    world.settle()
    entries, cursor = world.accounts.logins_of(viewer, "")
    assert [(entry.outcome, entry.ip, entry.browser) for entry in entries] == [
        (Outcome.SUCCESS, HOME.ip, HOME.browser),
        (Outcome.WRONG_PASSWORD, ELSEWHERE.ip, ELSEWHERE.browser),
    ]
    assert cursor is None


def test_one_may_log_out_here_or_everywhere() -> None:
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
def test_a_log_in_that_an_old_password_began_does_not_outlive_its_end(
    change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    viewer = world.member()
    admit = world.gate.admit

    def meanwhile(*arguments: object) -> Login:
        login: Login = admit(*arguments)  # type: ignore[arg-type]
        if change == "password":
            new = world.hasher.hash(OTHER_PASSWORD)
            assert world.logins.replace_hash(viewer.user_id, over=login.password_hash, new=new)
        else:
            world.logins.delete(viewer.user_id)
        world.sessions.close_all(viewer.user_id)
        return login

    monkeypatch.setattr(world.gate, "admit", meanwhile)
    with pytest.raises(WrongCredentials):
        world.accounts.log_in(viewer.email, PASSWORD, HOME)
    assert not world.sessions.live


def test_a_hash_that_another_log_in_renewed_meanwhile_ends_nobodys_session(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    viewer = world.member()
    admit = world.gate.admit

    def meanwhile(*arguments: object) -> Login:
        login: Login = admit(*arguments)  # type: ignore[arg-type]
        world.logins.replace_hash(viewer.user_id, over=login.password_hash, new=world.hasher.hash(PASSWORD))
        return login

    monkeypatch.setattr(world.gate, "admit", meanwhile)
    opened = world.accounts.log_in(viewer.email, PASSWORD, HOME)
    assert world.accounts.viewer(opened.token) == viewer


def test_rights_that_were_given_during_a_log_in_reach_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    viewer = world.member()
    admit = world.gate.admit

    def meanwhile(*arguments: object) -> Login:
        login: Login = admit(*arguments)  # type: ignore[arg-type]
        world.logins.make_administrator(viewer.user_id)
        return login

    monkeypatch.setattr(world.gate, "admit", meanwhile)
    opened = world.accounts.log_in(viewer.email, PASSWORD, HOME)
    assert world.accounts.administrator(opened.token).user_id == viewer.user_id


# One's own account


def test_a_new_password_ends_every_other_session_and_goes_on_under_a_new_token() -> None:
    world = World()
    viewer = world.member()
    here, there = (world.accounts.log_in(viewer.email, PASSWORD, HOME).token for _ in range(2))
    opened = world.accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, HOME)
    assert list(world.sessions.live) == [opened.token] and opened.token not in (here, there)
    assert world.post.last("password_changed").to == viewer.email
    with pytest.raises(WrongCredentials):
        world.accounts.log_in(viewer.email, PASSWORD, HOME)
    assert world.accounts.log_in(viewer.email, OTHER_PASSWORD, HOME)


def test_a_stolen_session_does_not_find_the_password_out() -> None:
    world = World()
    viewer = world.member()
    opened = world.accounts.log_in(viewer.email, PASSWORD, HOME)
    for _ in range(5):
        with pytest.raises(WrongPassword) as wrong:
            world.accounts.change_password(viewer, "not this one", OTHER_PASSWORD, ELSEWHERE)
    assert wrong.value.status == 403
    for attempt in (
        lambda: world.accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, ELSEWHERE),
        lambda: world.accounts.delete(viewer, PASSWORD, ELSEWHERE),
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


def test_of_two_changes_at_once_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    viewer = world.member()
    monkeypatch.setattr(world.logins, "replace_hash", lambda *_, **__: False)
    with pytest.raises(Conflict):
        world.accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, HOME)


def test_a_deleted_account_is_gone_whole_and_its_address_is_free() -> None:
    world = World()
    viewer = world.member()
    token = world.accounts.log_in(viewer.email, PASSWORD, HOME).token
    world.settle()
    world.accounts.delete(viewer, PASSWORD, HOME)
    with pytest.raises(Unauthenticated):
        world.accounts.viewer(token)
    assert world.leaving == [viewer.user_id]
    world.settle()
    assert not world.logins.logins and not world.logins.links and not world.history.entries
    assert world.post.last("account_deleted").to == viewer.email
    assert world.member(viewer.email).user_id != viewer.user_id


def test_a_wrong_password_deletes_nothing() -> None:
    world = World()
    viewer = world.member()
    with pytest.raises(WrongPassword):
        world.accounts.delete(viewer, OTHER_PASSWORD, HOME)
    assert not world.leaving and viewer.user_id in world.logins.logins


def test_nothing_is_deleted_that_nobody_would_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    viewer = world.member()

    def away(user_id: str) -> None:
        raise StoreUnavailable("The queue does not take messages.")

    world.accounts._outside = replace(world.accounts._outside, forget=away)
    with pytest.raises(StoreUnavailable):
        world.accounts.delete(viewer, PASSWORD, HOME)
    assert viewer.user_id in world.logins.logins


def test_what_is_known_of_someone_is_kept_while_the_account_is_there() -> None:
    world = World()
    viewer = world.member()
    token = world.accounts.log_in(viewer.email, PASSWORD, HOME).token
    assert not world.accounts.is_gone(viewer.user_id)
    assert world.accounts.viewer(token) == viewer
    world.logins.delete(viewer.user_id)
    assert world.accounts.is_gone(viewer.user_id)
    with pytest.raises(Unauthenticated):
        world.accounts.viewer(token)


def test_links_that_are_over_and_old_entries_are_tidied_away() -> None:
    world = World()
    viewer = world.member()
    world.history.record(make_entry(viewer.user_id))
    world.accounts.tidy()
    assert world.logins.links and world.history.entries
    world.clock.forward(seconds=KEPT_FOR.total_seconds() + 1)
    world.accounts.tidy()
    assert not world.logins.links and not world.history.entries


# Mailed links


def test_a_mailed_link_confirms_the_address_once_and_sessions_know_it() -> None:
    world = World()
    viewer = world.member()
    token = world.accounts.log_in(viewer.email, PASSWORD, HOME).token
    letter = world.post.last("confirm")
    assert letter.to == viewer.email and letter.link.startswith(f"{SITE}/confirm.html#token=")
    assert world.accounts.confirm(letter.token, HOME) == viewer.email
    assert world.accounts.viewer(token).confirmed
    with pytest.raises(LinkExpired):
        world.accounts.confirm(letter.token, HOME)


def test_a_link_dies_after_half_an_hour_or_when_a_later_one_is_mailed() -> None:
    world = World()
    viewer = world.member()
    first = world.post.last("confirm").token
    world.accounts.send_confirmation(viewer)
    second = world.post.last("confirm").token
    with pytest.raises(LinkExpired) as over:
        world.accounts.confirm(first, HOME)
    assert over.value.status == 410
    world.clock.forward(minutes=30)
    with pytest.raises(LinkExpired):
        world.accounts.confirm(second, HOME)


def test_a_link_is_good_for_its_purpose_only() -> None:
    world = World()
    viewer = world.member()
    world.accounts.ask_reset(viewer.email, HOME)
    world.settle()
    with pytest.raises(LinkExpired):
        world.accounts.reset(world.post.last("confirm").token, OTHER_PASSWORD, HOME)
    with pytest.raises(LinkExpired):
        world.accounts.confirm(world.post.last("reset").token, HOME)
    world.accounts.reset(world.post.last("reset").token, OTHER_PASSWORD, HOME)


@pytest.mark.parametrize("token", ["", "x", "'; DELETE FROM links", "\ud800\x00", "a" * 100_000])
def test_a_link_that_was_never_mailed_is_over(token: str) -> None:
    world = World()
    for attempt in (lambda: world.accounts.confirm(token, HOME), lambda: world.accounts.reset(token, PASSWORD, HOME)):
        with pytest.raises(LinkExpired):
            attempt()
    assert not world.hasher.hashed


def test_links_and_letters_hold_no_token_that_the_store_keeps() -> None:
    world = World()
    world.member()
    token = world.post.last("confirm").token
    assert len(token) >= 43 and token not in repr(world.logins.links)


def test_a_confirmed_address_is_not_confirmed_again() -> None:
    world = World()
    viewer = replace(world.member(), confirmed=True)
    with pytest.raises(Conflict):
        world.accounts.send_confirmation(viewer)


def test_letters_are_not_sent_by_the_dozen() -> None:
    world = World()
    viewer = world.member()
    for _ in range(CONFIRMATION.attempts):
        world.accounts.send_confirmation(viewer)
    with pytest.raises(TooManyAttempts):
        world.accounts.send_confirmation(viewer)
    for email in (viewer.email, make_email("nobody")):
        for origin in (HOME, ELSEWHERE, HOME):
            world.accounts.ask_reset(email, origin)
        with pytest.raises(TooManyAttempts):
            world.accounts.ask_reset(email, ELSEWHERE)
    for _ in range(RESET_OF_NETWORK.attempts):
        world.accounts.ask_reset(make_email(), replace(HOME, ip="192.0.2.1"))
    with pytest.raises(TooManyAttempts):
        world.accounts.ask_reset(make_email(), replace(HOME, ip="192.0.2.1"))
    assert RESET_OF_ADDRESS.attempts == 3


def test_a_forgotten_password_is_replaced_by_a_mailed_link_which_ends_all_sessions() -> None:
    world = World()
    viewer = world.member()
    token = world.accounts.log_in(viewer.email, PASSWORD, HOME).token
    world.accounts.ask_reset(viewer.email.upper(), ELSEWHERE)
    world.settle()
    letter = world.post.last("reset")
    assert letter.to == viewer.email
    world.accounts.reset(letter.token, OTHER_PASSWORD, ELSEWHERE)
    with pytest.raises(Unauthenticated):
        world.accounts.viewer(token)
    opened = world.accounts.log_in(viewer.email, OTHER_PASSWORD, HOME)
    assert world.accounts.viewer(opened.token).confirmed
    with pytest.raises(WrongCredentials):
        world.accounts.log_in(viewer.email, PASSWORD, HOME)
    with pytest.raises(LinkExpired):
        world.accounts.reset(letter.token, PASSWORD, HOME)


def test_a_reset_asked_for_an_address_without_an_account_mails_nobody() -> None:
    world = World()
    world.accounts.ask_reset(make_email("nobody"), HOME)
    assert len(world.resets) == 1
    world.settle()
    assert not world.post.letters


def test_a_letter_goes_to_the_address_of_the_account_not_to_the_one_that_was_typed() -> None:
    world = World()
    world.member("strasse@example.org")
    world.accounts.ask_reset("straße@example.org", ELSEWHERE)
    world.settle()
    assert world.post.last("reset").to == "strasse@example.org"


def test_a_link_that_brought_nothing_is_not_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    viewer = world.member()
    world.accounts.ask_reset(viewer.email, HOME)
    world.settle()
    token = world.post.last("reset").token
    for weak in ("password1", viewer.email, "x" * 10_000, "nul\x00" * 4):
        with pytest.raises(Malformed):
            world.accounts.reset(token, weak, HOME)

    def busy(password: str) -> str:
        raise Busy("Too many people log in at this moment.")

    with monkeypatch.context() as crowded:
        crowded.setattr(world.hasher, "hash", busy)
        with pytest.raises(Busy):
            world.accounts.reset(token, OTHER_PASSWORD, HOME)
    world.accounts.reset(token, OTHER_PASSWORD, HOME)
    assert world.accounts.log_in(viewer.email, OTHER_PASSWORD, HOME)


# The owner


def test_an_administrator_is_made_from_nothing_and_chooses_a_password_by_a_link() -> None:
    world = World()
    viewer, created, link = world.accounts.make_administrator("Owner@example.org")
    assert created and viewer.admin and link
    assert world.post.last("welcome_admin").link == link
    with pytest.raises(WrongCredentials):
        world.accounts.log_in(viewer.email, PASSWORD, HOME)
    world.accounts.reset(link.partition("#token=")[2], PASSWORD, HOME)
    opened = world.accounts.log_in("owner@example.org", PASSWORD, HOME)
    assert world.accounts.administrator(opened.token).user_id == viewer.user_id


def test_a_confirmed_account_becomes_an_administrators_at_once_and_keeps_its_password() -> None:
    world = World()
    viewer = world.member()
    token = world.accounts.log_in(viewer.email, PASSWORD, HOME).token
    with pytest.raises(Forbidden):
        world.accounts.administrator(token)
    world.accounts.confirm(world.post.last("confirm").token, HOME)
    _, created, link = world.accounts.make_administrator(viewer.email.upper())
    assert (created, link) == (False, None)
    assert world.accounts.administrator(token).user_id == viewer.user_id


def test_whoever_took_the_owners_address_first_does_not_become_an_administrator() -> None:
    world = World()
    stranger = world.member("owner@example.org")
    token = world.accounts.log_in(stranger.email, PASSWORD, HOME).token
    _, created, link = world.accounts.make_administrator("owner@example.org")
    assert not created and link
    with pytest.raises(Unauthenticated):
        world.accounts.viewer(token)
    with pytest.raises(WrongCredentials):
        world.accounts.log_in(stranger.email, PASSWORD, HOME)


# Stores that are away


def test_who_cannot_be_looked_up_is_not_taken_for_nobody() -> None:
    world = World()
    token = world.accounts.log_in(world.member().email, PASSWORD, HOME).token
    world.sessions.away = True
    with pytest.raises(StoreUnavailable):
        world.accounts.viewer(token)


def test_nothing_that_people_do_reaches_the_log_in_clear(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    world = World()
    viewer = world.member("secretive@example.org")
    opened = world.accounts.log_in(viewer.email, PASSWORD, HOME)
    world.post.away = True
    world.accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, HOME)
    world.queue.away = world.history.away = True
    world.accounts.log_in(viewer.email, OTHER_PASSWORD, HOME)
    world.accounts.delete(viewer, OTHER_PASSWORD, HOME)
    text = caplog.text + repr(opened) + repr(viewer)
    for secret in (PASSWORD, OTHER_PASSWORD, opened.token, "secretive", world.post.letters[0].token):
        assert secret not in text
