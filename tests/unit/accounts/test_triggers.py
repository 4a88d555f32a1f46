"""The functions of accounts: what they answer is documented, whatever is sent, and messages do what they say."""

from __future__ import annotations

import json
from typing import Any

import azure.functions as func
import pytest

from functions import bootstrap
from functions.accounts import triggers
from functions.accounts.login_history import message_of
from functions.billing.model import Entitlement
from functions.platform.errors import Conflict, Malformed, StoreUnavailable
from functions.platform.settings import Settings
from tests.support.accounts import HOME, OTHER_PASSWORD, PASSWORD, World, make_email, make_entry
from tests.support.api import call
from tests.support.owners import AS_OPERATOR, make_owners

FROM_HOME = {
    "X-Forwarded-For": f"192.0.2.66, {HOME.ip}:50311",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
}
NASTY = (
    "' OR '1'='1",
    "'; DROP TABLE logins; -- ",
    '{"$gt": ""}',
    "nul\x00byte",
    "🦊🌧️",
    "\ud800",
    "x" * 10_000,
    "%00",
    "${jndi}",
    "",
)


class Entitled:
    """Whoever asks may watch, unless the store is away."""

    away = False

    def of(self, viewer: object) -> Entitlement:
        if self.away:
            raise StoreUnavailable("The store of subscriptions does not answer.")
        return Entitlement(True, "subscription")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made, entitled = World(), Entitled()
    monkeypatch.setattr(bootstrap.resources, "settings", lambda: Settings(storage="", mongo_url=""))
    monkeypatch.setattr(bootstrap, "accounts", lambda: made.accounts)
    monkeypatch.setattr(bootstrap, "login_journal", lambda: made.journal)
    monkeypatch.setattr(bootstrap, "entitlements", lambda: entitled)
    monkeypatch.setattr(bootstrap, "owners", make_owners)
    return made


def ask(function: Any, address: str, session: str = "", /, **body: object) -> tuple[int, Any]:
    headers = {**FROM_HOME, "Authorization": f"Bearer {session}"} if session else FROM_HOME
    return call(function, address, body=body, headers=headers)


def log_in(email: str, password: str = PASSWORD) -> str:
    status, session = ask(triggers.log_in, "sessions", email=email, password=password)
    assert status == 200, session
    return str(session["token"])


def message(body: object) -> func.QueueMessage:
    return func.QueueMessage(body=body if isinstance(body, bytes) else json.dumps(body).encode())


def run(function: Any, body: object) -> None:
    function._function.get_user_function()(message(body))


def test_a_person_uses_an_account_from_first_to_last(world: World) -> None:
    email = make_email()
    status, account = ask(triggers.register, "accounts", email=email, password=PASSWORD)
    assert (status, account["email"]) == (201, email)
    assert ask(triggers.register, "accounts", email=email, password=PASSWORD)[1]["error"] == "address_taken"
    token = log_in(email)
    status, me = ask(triggers.get_me, "me", token)
    assert (status, me["user_id"], me["confirmed"]) == (200, account["user_id"], False)
    assert me["entitlement"] == {"entitled": True, "reason": "subscription", "until": None}
    assert ask(triggers.send_confirmation, "me/confirmation", token) == (202, {})
    letter = world.post.last("confirm")
    assert ask(triggers.confirm_address, "confirmations", token=letter.token) == (200, {"email": email})
    assert ask(triggers.send_confirmation, "me/confirmation", token)[0] == 409
    assert ask(triggers.get_me, "me", token)[1]["confirmed"]
    world.settle()
    status, page = ask(triggers.list_logins, "me/logins", token)
    assert status == 200 and page["cursor"] is None
    assert [(entry["ip"], entry["browser"], entry["outcome"]) for entry in page["logins"]] == [
        (HOME.ip, "Firefox on Linux", "success")
    ]
    status, session = ask(triggers.change_password, "me/password", token, current=PASSWORD, new=OTHER_PASSWORD)
    assert status == 200 and ask(triggers.get_me, "me", token)[0] == 401
    assert ask(triggers.log_out, "sessions", session["token"]) == (204, None)
    assert ask(triggers.log_out, "sessions", session["token"])[0] == 401
    token = log_in(email, OTHER_PASSWORD)
    assert ask(triggers.delete_account, "me", token, password=PASSWORD)[1]["error"] == "wrong_password"
    assert ask(triggers.delete_account, "me", token, password=OTHER_PASSWORD) == (204, None)
    assert ask(triggers.get_me, "me", token)[0] == 401
    assert ask(triggers.log_in, "sessions", email=email, password=OTHER_PASSWORD)[0] == 401


def test_log_out_everywhere_ends_every_session(world: World) -> None:
    email = world.member().email
    here, there = log_in(email), log_in(email)
    assert ask(triggers.log_out, "sessions?everywhere=perhaps", here)[0] == 422
    assert ask(triggers.log_out, "sessions?everywhere=true", here) == (204, None)
    assert ask(triggers.get_me, "me", there)[0] == 401


def test_a_log_in_ends_the_session_that_came_with_it(world: World) -> None:
    email = world.member().email
    first = log_in(email)
    status, second = ask(triggers.log_in, "sessions", first, email=email, password=PASSWORD)
    assert status == 200
    assert ask(triggers.get_me, "me", first)[0] == 401 and ask(triggers.get_me, "me", second["token"])[0] == 200


def test_an_unknown_address_is_answered_as_a_wrong_password_is(world: World) -> None:
    known = ask(triggers.log_in, "sessions", email=world.member().email, password=OTHER_PASSWORD)
    unknown = ask(triggers.log_in, "sessions", email=make_email("nobody"), password=OTHER_PASSWORD)
    assert known == unknown
    assert (known[0], known[1]["error"]) == (401, "wrong_credentials")


def test_a_reset_is_answered_alike_for_everyone(world: World) -> None:
    email = world.member().email
    answers = [ask(triggers.request_reset, "password-resets", email=each) for each in (email, make_email("nobody"))]
    assert answers == [(202, {}), (202, {})]
    for reset in world.resets:
        run(triggers.start_reset, {"email": reset})
    assert len([letter for letter in world.post.letters if letter.kind == "reset"]) == 1
    token = world.post.last("reset").token
    assert ask(triggers.reset_password, "password-resets", token=token, password="password1")[0] == 422
    assert ask(triggers.reset_password, "password-resets", token=token, password=OTHER_PASSWORD) == (204, None)
    assert ask(triggers.reset_password, "password-resets", token=token, password=PASSWORD)[1]["error"] == "link_over"
    assert log_in(email, OTHER_PASSWORD)


def test_who_tried_too_often_is_told_when_to_come_back(world: World) -> None:
    email = world.member().email
    for _ in range(5):
        assert ask(triggers.log_in, "sessions", email=email, password=OTHER_PASSWORD)[0] == 401
    status, body = ask(triggers.log_in, "sessions", email=email, password=PASSWORD)
    assert (status, body["error"]) == (429, "too_many_attempts") and "60 seconds" in body["detail"]


def test_what_a_client_claims_to_be_its_address_is_not_believed(world: World) -> None:
    email = world.member().email
    for number in range(5):
        headers = {"X-Forwarded-For": f"192.0.2.{number}, {HOME.ip}"}
        body = {"email": email, "password": OTHER_PASSWORD}
        assert call(triggers.log_in, "sessions", body=body, headers=headers)[0] == 401
    assert ask(triggers.log_in, "sessions", email=email, password=PASSWORD)[0] == 429


def test_only_the_owner_makes_administrators(world: World) -> None:
    email = make_email("owner")
    assert call(triggers.make_administrator, "administrators", body={"email": email})[0] == 401
    asked = {"body": {"email": email}, "headers": AS_OPERATOR}
    status, made = call(triggers.make_administrator, "administrators", **asked)
    assert (status, made["email"], made["created"]) == (201, email, True) and "/reset.html#token=" in made["link"]


def test_a_viewer_is_known_while_subscriptions_are_not(world: World) -> None:
    token = log_in(world.member().email)
    bootstrap.entitlements().away = True  # type: ignore[attr-defined]
    status, me = ask(triggers.get_me, "me", token)
    assert status == 200 and me["entitlement"] is None


@pytest.mark.parametrize("value", [*NASTY, None, 7, [], {"$ne": 1}, True], ids=lambda value: ascii(value)[:30])
def test_every_field_takes_anything_and_answers_with_a_sentence(world: World, value: Any) -> None:
    email = world.member().email
    token = log_in(email)
    answers = [
        ask(triggers.register, "accounts", email=value, password=PASSWORD),
        ask(triggers.register, "accounts", email=email, password=value),
        ask(triggers.log_in, "sessions", email=value, password=PASSWORD),
        ask(triggers.log_in, "sessions", email=email, password=value),
        ask(triggers.change_password, "me/password", token, current=value, new=OTHER_PASSWORD),
        ask(triggers.change_password, "me/password", token, current=PASSWORD, new=value),
        ask(triggers.delete_account, "me", token, password=value),
        ask(triggers.confirm_address, "confirmations", token=value),
        ask(triggers.request_reset, "password-resets", email=value),
        ask(triggers.reset_password, "password-resets", token=value, password=OTHER_PASSWORD),
        ask(triggers.reset_password, "password-resets", token="x", password=value),
        call(triggers.make_administrator, "administrators", body={"email": value}, headers=AS_OPERATOR),
    ]
    for status, body in answers:  # some of these are good passwords, and one is chosen here
        assert status < 300 or (400 <= status < 500 and body["detail"].endswith(".")), body
    assert not [body for status, body in (*answers[:4], *answers[6:]) if status < 300]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"null"])
def test_a_body_that_is_no_object_is_malformed(world: World, body: bytes) -> None:
    for function in (triggers.register, triggers.log_in, triggers.request_reset, triggers.confirm_address):
        status, answer = call(function, "x", body=body, headers=FROM_HOME)
        assert (status, answer["error"]) == (422, "malformed")


def test_a_message_keeps_an_entry_of_the_history(world: World) -> None:
    entry = make_entry(world.member().user_id)
    for function in (triggers.record_login, triggers.record_login_poison):
        run(function, message_of(entry))
    assert list(world.history.entries.values()) == [entry]


def test_an_entry_that_the_store_does_not_take_waits_in_the_poison_queue_until_it_does(world: World) -> None:
    entry = make_entry(world.member().user_id)
    world.history.away = True
    for function in (triggers.record_login, triggers.record_login_poison):
        with pytest.raises(StoreUnavailable):
            run(function, message_of(entry))
    world.history.away = False
    run(triggers.record_login_poison, message_of(entry))
    assert list(world.history.entries.values()) == [entry]


@pytest.mark.parametrize("body", [b"{", b"[]", {}, {"user_id": 7}])
def test_a_message_that_says_nothing_is_thrown_away_in_the_end(
    world: World, body: object, caplog: pytest.LogCaptureFixture
) -> None:
    for function in (triggers.record_login, triggers.forget_viewer, triggers.start_reset):
        with pytest.raises(Malformed):
            run(function, body)
    for function in (triggers.record_login_poison, triggers.forget_viewer_poison):
        run(function, body)
    assert caplog.text.count("thrown away") == 2


def test_every_slice_forgets_whose_account_is_gone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[tuple[str, str]] = []
    slices = tuple(lambda user_id, name=name: forgotten.append((name, user_id)) for name in ("history", "usage"))
    monkeypatch.setattr(bootstrap, "forgetters", lambda: slices)
    user_id = world.member().user_id
    with pytest.raises(Conflict):
        run(triggers.forget_viewer, {"user_id": user_id})
    run(triggers.forget_viewer_poison, {"user_id": user_id})
    assert not forgotten
    world.logins.delete(user_id)
    run(triggers.forget_viewer, {"user_id": user_id})
    assert forgotten == [("history", user_id), ("usage", user_id)]


def test_what_a_slice_cannot_forget_now_is_asked_for_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.history.away = True
    monkeypatch.setattr(bootstrap, "forgetters", lambda: (world.history.forget,))
    for function in (triggers.forget_viewer, triggers.forget_viewer_poison):
        with pytest.raises(StoreUnavailable):
            run(function, {"user_id": "f" * 32})


def test_the_timer_tidies(world: World) -> None:
    world.member()
    world.clock.forward(hours=1)
    function: Any = triggers.tidy_accounts
    function._function.get_user_function()(None)
    assert not world.logins.links
