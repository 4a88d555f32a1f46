"""Second factors are added, removed and reset; concurrent changes never open a session that is not permitted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from functions.accounts.factor_service import LONGEST_NAME, MOST_FACTORS
from functions.accounts.model import Factor, FactorProof
from functions.accounts.recovery_codes import CODES, code_hash
from functions.platform.errors import (
    AddressNotConfirmed,
    Conflict,
    Forbidden,
    Malformed,
    NotFound,
    SecondFactorRequired,
    StoreUnavailable,
    Unauthenticated,
    WrongPassword,
    WrongSecondFactor,
)
from tests.support.account_world import World
from tests.support.accounts import ELSEWHERE, HOME, OTHER_PASSWORD, PASSWORD, SITE
from tests.support.authenticators import AuthenticatorApp, SoftPasskey

if TYPE_CHECKING:
    from functions.accounts.factor_service import TotpSetup


def test_adding_a_factor_ends_other_sessions_sends_an_email_and_shows_recovery_codes_once() -> None:
    world = World()
    viewer = world.confirmed_member()
    elsewhere = world.accounts.log_in(viewer.email, PASSWORD, ELSEWHERE)
    app, opened = world.protect(viewer)
    assert list(world.sessions.live) == [opened.token] and elsewhere.token != opened.token
    assert world.last_email("second_factor_added").to == viewer.email
    changed = world.add_passkey(opened.session, SoftPasskey(SITE), app)
    assert changed.recovery_codes == () and list(world.sessions.live) == [changed.opened.token]
    overview = world.factors.overview(viewer)
    assert [(each.kind, each.name) for each in overview.factors] == [(Factor.TOTP, "Phone"), (Factor.PASSKEY, "Key")]
    assert overview.recovery_codes == CODES


def test_a_change_needs_the_password_and_the_existing_factor() -> None:
    world = World()
    viewer = world.confirmed_member()
    with pytest.raises(WrongPassword):
        world.factors.request_permit(viewer, OTHER_PASSWORD, HOME)
    before = world.permit_of(viewer)
    app, _ = world.protect(viewer)
    asked = world.factors.request_permit(viewer, PASSWORD, HOME)
    assert asked.permit == "" and asked.challenge
    with pytest.raises(WrongSecondFactor):
        world.factors.confirm_permit(viewer, asked.challenge.ticket, FactorProof("000000"), HOME)
    for permit in (before, asked.challenge.ticket, "", "x.y"):
        for change in (
            lambda permit=permit: world.factors.begin_totp(viewer, permit),
            lambda permit=permit: world.factors.begin_passkey(viewer, permit),
            lambda permit=permit: world.factors.renew_recovery_codes(viewer, permit),
        ):
            with pytest.raises(Unauthenticated):
                change()
    other = world.confirmed_member()
    with pytest.raises(Forbidden):
        world.factors.begin_totp(other, world.permit_of(viewer, app))
    with pytest.raises(Forbidden):
        world.factors.confirm_permit(other, asked.challenge.ticket, FactorProof(app.code(world.clock())), HOME)


def test_a_factor_is_removed_and_with_the_last_one_the_recovery_codes() -> None:
    world = World()
    viewer = world.confirmed_member()
    app, opened = world.protect(viewer)
    (factor,) = world.factors.overview(viewer).factors
    permit = world.permit_of(viewer, app)
    with pytest.raises(NotFound):
        world.factors.remove(opened.session, permit, "0" * 32, HOME)
    changed = world.factors.remove(opened.session, permit, factor.factor_id, HOME)
    assert changed.opened.session.factor is Factor.NONE and list(world.sessions.live) == [changed.opened.token]
    assert world.factors.overview(viewer) == replace(world.factors.overview(viewer), factors=(), recovery_codes=0)
    assert world.last_email("second_factor_removed").to == viewer.email
    assert world.accounts.log_in(viewer.email, PASSWORD, HOME).session.factor is Factor.NONE


def test_an_unconfirmed_address_gets_no_factor_that_would_keep_its_owner_out() -> None:
    world = World()
    with pytest.raises(AddressNotConfirmed):
        world.factors.request_permit(world.member(), PASSWORD, HOME)


def test_names_are_cleaned_and_limited_and_so_is_the_number_of_factors() -> None:
    world = World()
    viewer = world.confirmed_member()
    app, opened = world.protect(viewer)
    session = opened.session
    with pytest.raises(Malformed):
        world.add_passkey(session, SoftPasskey(SITE), app, "x" * (LONGEST_NAME + 1))
    for number in range(MOST_FACTORS - 1):
        session = world.add_passkey(session, SoftPasskey(SITE), app, f" \u202e\n{number or ''}").opened.session
    assert [each.name for each in world.factors.overview(viewer).factors][1:3] == ["Passkey", "1"]
    with pytest.raises(Conflict):
        world.add_passkey(session, SoftPasskey(SITE), app)


def test_a_wrong_answer_adds_nothing() -> None:
    world = World()
    viewer = world.confirmed_member()
    session = world.accounts.log_in(viewer.email, PASSWORD, HOME).session
    permit = world.permit_of(viewer)
    setup = world.factors.begin_totp(viewer, permit)
    with pytest.raises(WrongSecondFactor):
        world.factors.finish_totp(session, setup.ticket, "000000", "", HOME)
    creation = world.factors.begin_passkey(viewer, permit)
    with pytest.raises(Malformed):
        answer = SoftPasskey("https://films.example.net").create(creation.options)
        world.factors.finish_passkey(session, creation.ticket, answer, "", HOME)
    with pytest.raises(Unauthenticated):
        world.factors.finish_totp(session, creation.ticket, "000000", "", HOME)
    assert world.factors.overview(viewer).factors == ()


def test_an_administrator_needs_a_second_factor_and_keeps_the_last_one() -> None:
    world = World()
    viewer = world.confirmed_member()
    world.logins.make_administrator(viewer.user_id)
    opened = world.accounts.log_in(viewer.email, PASSWORD, HOME)
    with pytest.raises(SecondFactorRequired):
        world.accounts.administrator(opened.token)
    app, opened = world.protect(opened.session.viewer)
    assert world.accounts.administrator(opened.token).user_id == viewer.user_id
    (factor,) = world.factors.overview(opened.session.viewer).factors
    with pytest.raises(Conflict):
        permit = world.permit_of(viewer, app)
        world.factors.remove(opened.session, permit, factor.factor_id, HOME)
    renewed = world.accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, HOME, factor=opened.session.factor)
    assert world.accounts.administrator(renewed.token)


def test_the_operator_resets_the_factors_of_an_account() -> None:
    world = World()
    viewer = world.confirmed_member()
    _, opened = world.protect(viewer)
    with pytest.raises(Forbidden):
        world.factors.reset(viewer.email, by=viewer.user_id)
    with pytest.raises(NotFound):
        world.factors.reset("nobody@example.org", by="operator")
    assert world.factors.reset(viewer.email.upper(), by="operator") == (viewer, 1)
    with pytest.raises(Unauthenticated):
        world.accounts.viewer(opened.token)
    assert world.last_email("second_factor_removed").to == viewer.email
    assert world.accounts.log_in(viewer.email, PASSWORD, HOME).session.factor is Factor.NONE


def test_a_deleted_account_leaves_no_factor() -> None:
    world = World()
    viewer = world.confirmed_member()
    world.protect(viewer)
    world.accounts.delete_account(viewer, PASSWORD, HOME)
    assert not world.logins.factors.factors and not world.logins.factors.codes


@pytest.mark.parametrize("change", ["password", "deletion"])
def test_a_change_while_a_factor_is_added_leaves_no_session(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    viewer = world.confirmed_member()
    world.accounts.request_reset(viewer.email, ELSEWHERE)
    world.settle()
    link = world.last_token("reset")
    add_factor = world.logins.factors.add_factor

    def concurrently(*arguments: Any, **named: Any) -> bool:
        monkeypatch.undo()
        if change == "password":
            world.accounts.reset_password(link, OTHER_PASSWORD, ELSEWHERE)
        else:
            world.accounts.delete_account(viewer, PASSWORD, ELSEWHERE)
        return add_factor(*arguments, **named)

    monkeypatch.setattr(world.logins.factors, "add_factor", concurrently)
    with pytest.raises(Unauthenticated):
        world.protect(viewer)
    assert not world.sessions.live


def test_a_password_change_opens_no_session_without_the_factor_that_was_added_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    viewer = world.confirmed_member()
    end_sessions = world.sessions.end_sessions_of
    replace_hash = world.logins.replace_hash

    def concurrently(*arguments: Any, **named: Any) -> bool:
        monkeypatch.undo()
        world.protect(viewer)
        replaced = replace_hash(*arguments, **named)
        end_sessions(viewer.user_id)
        return replaced

    monkeypatch.setattr(world.logins, "replace_hash", concurrently)
    with pytest.raises(Unauthenticated):
        world.accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, HOME)
    assert not world.sessions.live


def test_a_first_factor_that_cannot_be_stored_leaves_the_recovery_codes_and_a_stored_one_has_them() -> None:
    world = World()
    viewer = world.confirmed_member()
    session = world.accounts.log_in(viewer.email, PASSWORD, HOME).session
    setup = world.factors.begin_totp(viewer, world.permit_of(viewer))
    stored = world.logins.factors.add_factor
    calls: list[str] = []

    def killed(*arguments: Any, **named: Any) -> bool:
        stored(*arguments, **named)
        calls.append("stored")
        raise StoreUnavailable("The process was killed after the store answered.")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(world.logins.factors, "add_factor", killed)
        with pytest.raises(StoreUnavailable):
            code = AuthenticatorApp(setup.key).code(world.clock())
            world.factors.finish_totp(session, setup.ticket, code, "", HOME)
    assert calls == ["stored"] and world.logins.factors.count_recovery_codes(viewer.user_id) == CODES


def test_two_first_factors_at_the_same_time_have_one_set_of_recovery_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    viewer = world.confirmed_member()
    session = world.accounts.log_in(viewer.email, PASSWORD, HOME).session
    permit = world.permit_of(viewer)
    apps = [world.factors.begin_totp(viewer, permit) for _ in range(2)]
    shown: list[tuple[str, ...]] = []

    def finish(setup: TotpSetup) -> None:
        code = AuthenticatorApp(setup.key).code(world.clock())
        shown.append(world.factors.finish_totp(session, setup.ticket, code, "", HOME).recovery_codes)

    stored = world.logins.factors.add_factor

    def concurrently(*arguments: Any, **named: Any) -> bool:
        monkeypatch.undo()
        finish(apps[1])
        return stored(*arguments, **named)

    monkeypatch.setattr(world.logins.factors, "add_factor", concurrently)
    finish(apps[0])
    assert sorted(map(len, shown)) == [0, CODES]
    (codes,) = filter(None, shown)
    assert {code_hash(code) for code in codes} == world.logins.factors.codes[viewer.user_id]


def test_two_removals_at_the_same_time_leave_an_administrator_a_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    viewer = world.confirmed_member()
    world.logins.make_administrator(viewer.user_id)
    app, opened = world.protect(replace(viewer, admin=True))
    session = world.add_passkey(opened.session, SoftPasskey(SITE), app).opened.session
    permit = world.permit_of(viewer, app)
    first, second = world.factors.overview(viewer).factors
    remove = world.logins.factors.remove_factor

    def concurrently(user_id: str, factor_id: str) -> int:
        monkeypatch.undo()
        remove(user_id, second.factor_id)
        return remove(user_id, factor_id)

    monkeypatch.setattr(world.logins.factors, "remove_factor", concurrently)
    with pytest.raises(Conflict):
        world.factors.remove(session, permit, first.factor_id, HOME)
    assert len(world.factors.overview(viewer).factors) == 1
