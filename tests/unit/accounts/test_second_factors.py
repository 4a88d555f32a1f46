"""Second factors: what a login asks for, what it accepts once, how guesses are limited, and what is recorded."""

from __future__ import annotations

from typing import Any

import pytest

from functions.accounts.login_flow import SecondFactorNeeded
from functions.accounts.model import Factor, FactorProof, LoginOutcome, RequestOrigin
from functions.accounts.passkeys import Passkeys
from functions.accounts.rate_limits import CODE_OF_ACCOUNT
from functions.accounts.recovery_codes import CODES
from functions.accounts.second_factors import LIFETIME
from functions.platform.errors import Conflict, TooManyAttempts, Unauthenticated, WrongSecondFactor
from functions.platform.messages import RecordLogin
from tests.support.account_world import World
from tests.support.accounts import ELSEWHERE, HOME, OTHER_PASSWORD, PASSWORD, SITE
from tests.support.authenticators import SoftPasskey


def test_a_login_asks_for_the_code_and_the_session_knows_how_it_began() -> None:
    world = World()
    viewer = world.confirmed_member()
    assert world.accounts.log_in(viewer.email, PASSWORD, HOME).session.factor is Factor.NONE
    app, opened = world.protect(viewer)
    assert opened.session.factor is Factor.TOTP
    before = len(world.sessions.live)
    challenge = world.challenge(viewer.email)
    assert challenge.kinds == (Factor.TOTP, Factor.RECOVERY_CODE) and challenge.passkey_options is None
    assert len(world.sessions.live) == before, "the password alone opens no session"
    session = world.log_in_with_code(viewer.email, app).session
    assert (session.factor, session.viewer.user_id) == (Factor.TOTP, viewer.user_id)


def test_a_code_is_accepted_once_within_its_tolerance() -> None:
    world = World()
    viewer = world.confirmed_member()
    app, _ = world.protect(viewer)
    code = app.code(world.clock())
    world.clock.forward(seconds=30)  # one step late is accepted
    world.accounts.log_in_with_factor(
        world.challenge(viewer.email).ticket, FactorProof(f" {code[:3]} {code[3:]} "), HOME
    )
    for ticket in (world.challenge(viewer.email).ticket, world.challenge(viewer.email, origin=ELSEWHERE).ticket):
        with pytest.raises(WrongSecondFactor):
            world.accounts.log_in_with_factor(ticket, FactorProof(code), HOME)
    late = app.code(world.clock())
    world.clock.forward(seconds=60)
    with pytest.raises(WrongSecondFactor):
        world.accounts.log_in_with_factor(world.challenge(viewer.email).ticket, FactorProof(late), HOME)


@pytest.mark.parametrize("code", ["", "000000", "12345", "1234567", "\ud800", "١٢٣٤٥٦", "x" * 64])
def test_anything_else_is_no_code(code: str) -> None:
    world = World()
    viewer = world.confirmed_member()
    world.protect(viewer)
    with pytest.raises(WrongSecondFactor):
        world.accounts.log_in_with_factor(world.challenge(viewer.email).ticket, FactorProof(code), HOME)
    assert world.queues.of(RecordLogin)[-1].outcome == LoginOutcome.WRONG_SECOND_FACTOR.value


def test_wrong_codes_are_limited_for_the_account_over_all_networks_but_not_on_known_devices() -> None:
    world = World()
    viewer = world.confirmed_member()
    app, opened = world.protect(viewer)
    for number in range(CODE_OF_ACCOUNT.attempts):
        with pytest.raises(WrongSecondFactor):
            origin = RequestOrigin(f"198.51.100.{number}", "curl")
            world.accounts.log_in_with_factor(world.challenge(viewer.email).ticket, FactorProof("000000"), origin)
    with pytest.raises(TooManyAttempts):
        world.log_in_with_code(viewer.email, app, ELSEWHERE)
    proof = FactorProof(app.code(world.clock()))
    ticket = world.challenge(viewer.email).ticket
    assert world.accounts.log_in_with_factor(ticket, proof, ELSEWHERE, device=opened.device)


def test_a_recovery_code_works_once_even_if_codes_of_apps_are_limited() -> None:
    world = World()
    viewer = world.confirmed_member()
    app, _ = world.protect(viewer)
    codes = world.factors.renew_recovery_codes(viewer, world.permit_of(viewer, app))
    assert len(set(codes)) == CODES == world.factors.overview(viewer).recovery_codes
    for _ in range(CODE_OF_ACCOUNT.attempts):
        with pytest.raises(WrongSecondFactor):
            world.accounts.log_in_with_factor(world.challenge(viewer.email).ticket, FactorProof("000000"), HOME)
    proof = FactorProof(codes[0].upper().replace("-", " "))
    world.clock.forward(seconds=60)
    session = world.accounts.log_in_with_factor(world.challenge(viewer.email).ticket, proof, HOME).session
    assert session.factor is Factor.RECOVERY_CODE
    with pytest.raises(WrongSecondFactor):
        world.accounts.log_in_with_factor(world.challenge(viewer.email).ticket, proof, HOME)
    assert world.factors.overview(viewer).recovery_codes == CODES - 1


def test_a_passkey_logs_in_and_its_answer_is_accepted_once() -> None:
    world = World()
    viewer = world.confirmed_member()
    key = SoftPasskey(SITE)
    opened = world.accounts.log_in(viewer.email, PASSWORD, HOME)
    changed = world.add_passkey(opened.session, key)
    assert changed.opened.session.factor is Factor.PASSKEY and len(changed.recovery_codes) == CODES
    challenge = world.challenge(viewer.email)
    assert challenge.kinds == (Factor.PASSKEY, Factor.RECOVERY_CODE)
    assert challenge.passkey_options
    proof = FactorProof(passkey=key.use(challenge.passkey_options))
    assert world.accounts.log_in_with_factor(challenge.ticket, proof, HOME).session.factor is Factor.PASSKEY
    with pytest.raises(WrongSecondFactor):
        world.accounts.log_in_with_factor(challenge.ticket, proof, HOME)
    with pytest.raises(WrongSecondFactor):
        world.accounts.log_in_with_factor(world.challenge(viewer.email).ticket, proof, HOME)


@pytest.mark.parametrize("change", ["origin", "key", "count", "other passkey", "rubbish", "empty"])
def test_a_wrong_answer_of_a_passkey_is_refused(change: str) -> None:
    world = World()
    viewer = world.confirmed_member()
    key = SoftPasskey(SITE)
    world.add_passkey(world.accounts.log_in(viewer.email, PASSWORD, HOME).session, key)
    challenge = world.challenge(viewer.email)
    assert challenge.passkey_options
    if change == "origin":
        key.origin = "https://films.example.net"
    elif change == "key":
        key.key = SoftPasskey(SITE).key
    elif change == "count":
        key.count = -1
    elif change == "other passkey":
        key.credential_id = b"another"
    answer: dict[str, Any] = key.use(challenge.passkey_options)
    if change == "rubbish":
        answer["response"] = {"clientDataJSON": 1, "authenticatorData": [], "signature": "\ud800"}
    elif change == "empty":
        answer = {"id": answer["id"]}
    with pytest.raises(WrongSecondFactor):
        world.accounts.log_in_with_factor(challenge.ticket, FactorProof(passkey=answer), HOME)


def test_a_passkey_that_was_copied_is_refused() -> None:
    world = World()
    viewer = world.confirmed_member()
    key = SoftPasskey(SITE)
    world.add_passkey(world.accounts.log_in(viewer.email, PASSWORD, HOME).session, key)
    for count, accepted in ((5, True), (4, False)):
        key.count = count
        challenge = world.challenge(viewer.email)
        assert challenge.passkey_options
        proof = FactorProof(passkey=key.use(challenge.passkey_options))
        if accepted:
            world.accounts.log_in_with_factor(challenge.ticket, proof, HOME)
        else:
            with pytest.raises(WrongSecondFactor):
                world.accounts.log_in_with_factor(challenge.ticket, proof, HOME)


def test_a_passkey_belongs_to_one_account() -> None:
    world = World()
    key = SoftPasskey(SITE)
    first, second = world.confirmed_member(), world.confirmed_member()
    world.add_passkey(world.accounts.log_in(first.email, PASSWORD, HOME).session, key)
    with pytest.raises(Conflict):
        world.add_passkey(world.accounts.log_in(second.email, PASSWORD, HOME).session, key)
    assert world.accounts.log_in(second.email, PASSWORD, HOME)


def test_a_ticket_expires_and_ends_with_the_password_and_with_each_change_of_factors() -> None:
    world = World()
    viewer = world.confirmed_member()
    app, opened = world.protect(viewer)
    expired = world.challenge(viewer.email).ticket
    world.clock.forward(seconds=LIFETIME.total_seconds())
    changed = world.challenge(viewer.email).ticket
    factors_changed = world.challenge(viewer.email).ticket
    for_permit = world.factors.request_permit(viewer, PASSWORD, HOME).challenge
    assert for_permit
    for ticket in (expired, for_permit.ticket, "", "x.y"):
        with pytest.raises(Unauthenticated):
            world.accounts.log_in_with_factor(ticket, FactorProof(app.code(world.clock())), HOME)
    world.add_passkey(opened.session, SoftPasskey(SITE), app)
    with pytest.raises(Unauthenticated):
        world.accounts.log_in_with_factor(factors_changed, FactorProof(app.code(world.clock())), HOME)
    world.accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, HOME, factor=Factor.TOTP)
    with pytest.raises(Unauthenticated):
        world.accounts.log_in_with_factor(changed, FactorProof(app.code(world.clock())), HOME)


def test_a_factor_added_during_a_login_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    viewer = world.confirmed_member()
    authenticate = world.authentication.authenticate

    def concurrently(*arguments: Any, known: str) -> Any:
        login = authenticate(*arguments, known=known)
        monkeypatch.undo()
        world.protect(viewer)
        return login

    monkeypatch.setattr(world.authentication, "authenticate", concurrently)
    with pytest.raises(SecondFactorNeeded):
        world.accounts.log_in(viewer.email, PASSWORD, HOME)
    assert [each.factor for each in world.sessions.live.values()] == [Factor.TOTP]


@pytest.mark.parametrize("change", ["password", "reset", "deletion"])
def test_a_change_during_the_second_step_leaves_no_session(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    viewer = world.confirmed_member()
    app, _ = world.protect(viewer)
    ticket, proof = world.challenge(viewer.email).ticket, FactorProof(app.code(world.clock()))
    open_session = world.sessions.open_session

    def concurrently(*arguments: Any, **named: Any) -> Any:
        monkeypatch.undo()
        if change == "password":
            world.accounts.change_password(viewer, PASSWORD, OTHER_PASSWORD, HOME, factor=Factor.TOTP)
        elif change == "reset":
            world.factors.reset(viewer.email, by="operator")
        else:
            world.accounts.delete_account(viewer, PASSWORD, HOME)
        world.sessions.end_sessions_of(viewer.user_id)
        return open_session(*arguments, **named)

    monkeypatch.setattr(world.sessions, "open_session", concurrently)
    with pytest.raises(Unauthenticated):
        world.accounts.log_in_with_factor(ticket, proof, HOME)
    assert not world.sessions.live


def test_apps_and_recovery_codes_work_while_the_address_of_the_site_admits_no_passkeys() -> None:
    world = World()
    viewer = world.confirmed_member()
    opened = world.accounts.log_in(viewer.email, PASSWORD, HOME)
    codes = world.add_passkey(opened.session, SoftPasskey(SITE)).recovery_codes
    world.passkeys = Passkeys("http://127.0.0.1:8080")
    challenge = world.challenge(viewer.email)
    assert challenge.passkey_options is None
    session = world.accounts.log_in_with_factor(challenge.ticket, FactorProof(codes[0]), HOME).session
    assert session.factor is Factor.RECOVERY_CODE


def outcomes(world: World) -> list[LoginOutcome]:
    """Return the outcomes in the login history, oldest first."""
    world.settle()
    return [entry.outcome for entry in world.history_store.entries.values()]


def test_a_right_password_leaves_an_entry_even_if_the_second_step_is_abandoned() -> None:
    world = World()
    viewer = world.confirmed_member()
    world.protect(viewer)
    world.settle()
    world.history_store.entries.clear()
    world.challenge(viewer.email, origin=ELSEWHERE)
    assert outcomes(world) == [LoginOutcome.UNFINISHED]
    (entry,) = world.history_store.entries.values()
    assert (entry.user_id, entry.ip) == (viewer.user_id, ELSEWHERE.ip)


@pytest.mark.parametrize("order", ["in order", "reversed"])
def test_a_login_with_two_steps_has_one_entry(order: str) -> None:
    world = World()
    viewer = world.confirmed_member()
    app, _ = world.protect(viewer)
    world.settle()
    world.history_store.entries.clear()
    world.log_in_with_code(viewer.email, app)
    if order == "reversed":
        world.queues.sent.reverse()
    assert outcomes(world) == [LoginOutcome.SUCCESS]


def test_a_wrong_code_has_an_entry_of_its_own() -> None:
    world = World()
    viewer = world.confirmed_member()
    world.protect(viewer)
    world.settle()
    world.history_store.entries.clear()
    ticket = world.challenge(viewer.email).ticket
    for _ in range(2):
        with pytest.raises(WrongSecondFactor):
            world.accounts.log_in_with_factor(ticket, FactorProof("000000"), HOME)
    assert sorted(outcomes(world)) == sorted([LoginOutcome.UNFINISHED, *[LoginOutcome.WRONG_SECOND_FACTOR] * 2])
