"""Administrators are listed; revoking one takes their rights away and ends their sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from functions.accounts.schemas import AdministratorList
from functions.platform.errors import Conflict, Forbidden, NotFound, Unauthenticated
from tests.support.account_world import World
from tests.support.accounts import HOME, OTHER_PASSWORD, PASSWORD

if TYPE_CHECKING:
    from functions.platform.viewer import Viewer

OPERATOR = "operator"


def make_administrator(world: World) -> Viewer:
    """Return a viewer who is an administrator and knows the password."""
    viewer = world.member()
    world.accounts.confirm_address(world.last_token("confirm"), HOME)
    world.accounts.make_administrator(viewer.email)
    return viewer


def test_a_revoked_administrator_is_logged_out_everywhere_and_returns_as_a_viewer() -> None:
    world = World()
    one, other = make_administrator(world), make_administrator(world)
    tokens = [world.accounts.log_in(one.email, PASSWORD, HOME).token for _ in range(2)]
    kept = world.protect(other)[1].token
    administrators = world.accounts.administrators
    assert {each.user_id for each in administrators.list_all()} == {one.user_id, other.user_id}
    administrators.revoke(one.user_id, by=other.user_id)
    administrators.revoke(one.user_id, by=other.user_id)
    for token in tokens:
        with pytest.raises(Unauthenticated):
            world.accounts.session(token)
    assert world.accounts.administrator(kept).user_id == other.user_id
    with pytest.raises(Forbidden):
        world.accounts.administrator(world.accounts.log_in(one.email, PASSWORD, HOME).token)
    assert [each.user_id for each in administrators.list_all()] == [other.user_id]


def test_rights_that_are_revoked_while_they_are_given_reach_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that gives them stands still, while another one revokes them and the person logs in again."""
    world = World()
    viewer = world.member()
    world.accounts.confirm_address(world.last_token("confirm"), HOME)
    update = world.sessions.update_rights
    tokens: list[str] = []

    def late(stale: Viewer) -> None:
        monkeypatch.undo()
        world.accounts.administrators.revoke(viewer.user_id, by=OPERATOR)
        tokens.append(world.accounts.log_in(viewer.email, PASSWORD, HOME).token)
        update(stale)

    monkeypatch.setattr(world.sessions, "update_rights", late)
    world.accounts.make_administrator(viewer.email)
    assert not world.accounts.session(tokens[0]).viewer.admin


def test_a_password_change_during_the_revocation_keeps_no_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    viewer = make_administrator(world)
    factor = world.protect(viewer)[1].session.factor
    hash_password = world.hasher.hash

    def concurrently(*arguments: Any) -> str:
        world.accounts.administrators.revoke(viewer.user_id, by=OPERATOR)
        return hash_password(*arguments)

    monkeypatch.setattr(world.hasher, "hash", concurrently)
    opened = world.accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, HOME, factor=factor)
    with pytest.raises(Forbidden):
        world.accounts.administrator(opened.token)


def test_the_revocation_is_logged_with_who_did_it(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    viewer = make_administrator(world)
    world.accounts.administrators.revoke(viewer.user_id, by=OPERATOR)
    assert f"The administrator {viewer.user_id} was revoked by operator." in caplog.text
    assert viewer.email not in caplog.text


def test_nobody_takes_their_own_rights_away_so_that_an_administrator_remains() -> None:
    world = World()
    viewer = make_administrator(world)
    with pytest.raises(Conflict):
        world.accounts.administrators.revoke(viewer.user_id, by=viewer.user_id)
    assert world.accounts.administrators.list_all() != []


def test_an_unknown_account_is_not_found() -> None:
    with pytest.raises(NotFound):
        World().accounts.administrators.revoke("0" * 32, by=OPERATOR)


def test_the_list_says_who_they_are_and_whose_address_is_confirmed() -> None:
    world = World()
    one, (new, _, _) = make_administrator(world), world.accounts.make_administrator("zoe@example.org")
    listed = AdministratorList.of(world.accounts.administrators.list_all()).administrators
    assert [(each.user_id, each.email, each.confirmed) for each in listed] == [
        (one.user_id, one.email, True),
        (new.user_id, "zoe@example.org", False),
    ]
