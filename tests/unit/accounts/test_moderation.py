"""Owners log people out and delete their accounts; an administrator's account is protected."""

from __future__ import annotations

import logging

import pytest

from functions.accounts.moderation import FORGET_AFTER_S, FORGET_AGAIN_S
from functions.platform.errors import Conflict, NotFound, StoreUnavailable, Unauthenticated
from functions.platform.messages import ForgetViewer, SendMail
from tests.support.account_world import World
from tests.support.accounts import HOME, PASSWORD

OWNER = "d" * 32


def test_all_sessions_end_and_the_account_remains(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    viewer = world.confirmed_member()
    tokens = [world.accounts.log_in(viewer.email, PASSWORD, HOME).token for _ in range(2)]
    with caplog.at_level(logging.WARNING):
        world.accounts.moderation.end_sessions(viewer.user_id, by=OWNER)
        world.accounts.moderation.end_sessions(viewer.user_id, by=OWNER)
    for token in tokens:
        with pytest.raises(Unauthenticated):
            world.accounts.session(token)
    assert f"All sessions of {viewer.user_id} were ended by {OWNER}." in caplog.text
    assert world.accounts.session(world.accounts.log_in(viewer.email, PASSWORD, HOME).token)


def test_an_erased_account_is_gone_with_its_data_and_is_told_so(caplog: pytest.LogCaptureFixture) -> None:
    forgotten: list[str] = []
    world = World(forgetters=(forgotten.append,))
    viewer = world.confirmed_member()
    token = world.accounts.log_in(viewer.email, PASSWORD, HOME).token
    with caplog.at_level(logging.WARNING):
        world.accounts.moderation.erase(viewer.user_id, by=OWNER)
    with pytest.raises(Unauthenticated):
        world.accounts.session(token)
    with pytest.raises(NotFound):
        world.accounts.find_account(viewer.email)
    sent = world.queues.sent
    forgets = [(message, delay) for message, delay in sent if isinstance(message, ForgetViewer)]
    assert [delay for _, delay in forgets] == [FORGET_AFTER_S, FORGET_AGAIN_S, 0]
    assert [message.kind for message, _ in sent if isinstance(message, SendMail)][-1] == "account_erased"
    world.accounts.forget_viewer(viewer.user_id)
    assert forgotten == [viewer.user_id]
    assert viewer.email not in caplog.text and OWNER in caplog.text


@pytest.mark.parametrize("away", ["sessions", "queues"])
def test_an_account_that_was_deleted_is_erased_although_a_store_fails_afterwards(
    monkeypatch: pytest.MonkeyPatch, away: str
) -> None:
    """A repeated call would find no account; the messages that were sent before the deletion complete it."""
    world = World()
    viewer = world.confirmed_member()
    token = world.accounts.log_in(viewer.email, PASSWORD, HOME).token
    delete = world.logins.delete_login

    def fail(*given: object, **named: object) -> None:
        raise StoreUnavailable("The store does not answer.")

    with monkeypatch.context() as patched:

        def delete_and_lose_a_store(user_id: str) -> None:
            delete(user_id)
            target, name = (world.sessions, "end_sessions_of") if away == "sessions" else (world.queues, "send")
            patched.setattr(target, name, fail)

        patched.setattr(world.logins, "delete_login", delete_and_lose_a_store)
        world.accounts.moderation.erase(viewer.user_id, by=OWNER)
    forgets = [delay for message, delay in world.queues.sent if isinstance(message, ForgetViewer)]
    assert forgets[:2] == [FORGET_AFTER_S, FORGET_AGAIN_S]
    world.accounts.forget_viewer(viewer.user_id)
    with pytest.raises(Unauthenticated):
        world.accounts.session(token)
    with pytest.raises(NotFound):
        world.accounts.find_account(viewer.email)


def test_the_account_of_an_administrator_is_not_erased() -> None:
    world = World()
    viewer = world.confirmed_member()
    world.accounts.make_administrator(viewer.email)
    with pytest.raises(Conflict):
        world.accounts.moderation.erase(viewer.user_id, by=OWNER)
    world.accounts.administrators.revoke(viewer.user_id, by=OWNER)
    world.accounts.moderation.erase(viewer.user_id, by=OWNER)


def test_nobody_is_nobody() -> None:
    moderation = World().accounts.moderation
    for act in (moderation.end_sessions, moderation.erase):
        with pytest.raises(NotFound):
            act("e" * 32, by=OWNER)
