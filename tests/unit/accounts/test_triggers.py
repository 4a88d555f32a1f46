"""The functions of accounts: every response to any request is documented, and every message has its effect."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from functions import bootstrap
from functions.accounts import triggers
from functions.accounts.access import AccountAccess
from functions.accounts.login_history import message_of
from functions.billing.model import Entitlement
from functions.platform.deferrals import DEFERRALS_S
from functions.platform.errors import AccountStillExists, StoreUnavailable
from functions.platform.messages import ForgetViewer, SendMail, StartReset, encode
from functions.platform.settings import Settings
from tests.support.account_world import World
from tests.support.accounts import HOME, OTHER_PASSWORD, PASSWORD, make_email, make_entry
from tests.support.api import call
from tests.support.owners import AS_OPERATOR, make_owners
from tests.support.queues import handle

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
    """Entitles every viewer, unless the store is unreachable."""

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
    monkeypatch.setattr(bootstrap, "access", lambda: AccountAccess(made.accounts.session, make_owners()))
    monkeypatch.setattr(bootstrap.resources, "queues", lambda: made.queues)
    monkeypatch.setattr(bootstrap, "entitlements", lambda: entitled)
    return made


def ask(function: Any, address: str, session: str = "", /, **body: object) -> tuple[int, Any]:
    headers = {**FROM_HOME, "Authorization": f"Bearer {session}"} if session else FROM_HOME
    return call(function, address, body=body, headers=headers)


def log_in(email: str, password: str = PASSWORD) -> str:
    status, session = ask(triggers.log_in, "sessions", email=email, password=password)
    assert status == 200, session
    return str(session["token"])


def test_the_life_of_an_account(world: World) -> None:
    email = make_email()
    status, account = ask(triggers.register, "accounts", email=email, password=PASSWORD)
    assert (status, account["email"]) == (201, email)
    assert ask(triggers.register, "accounts", email=email, password=PASSWORD)[1]["error"] == "address_taken"
    token = log_in(email)
    status, me = ask(triggers.get_me, "me", token)
    assert (status, me["user_id"], me["confirmed"]) == (200, account["user_id"], False)
    assert me["entitlement"] == {"entitled": True, "reason": "subscription", "until": None}
    assert ask(triggers.send_confirmation, "me/confirmation", token) == (202, {})
    token_of_link = world.last_token("confirm")
    assert ask(triggers.confirm_address, "confirmations", token=token_of_link) == (200, {"email": email})
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


def test_a_login_ends_the_session_whose_token_is_sent_along(world: World) -> None:
    email = world.member().email
    first = log_in(email)
    status, second = ask(triggers.log_in, "sessions", first, email=email, password=PASSWORD)
    assert status == 200
    assert ask(triggers.get_me, "me", first)[0] == 401 and ask(triggers.get_me, "me", second["token"])[0] == 200


def test_a_device_that_has_logged_in_before_is_known_by_its_token(world: World) -> None:
    email, other = world.member().email, world.member().email
    _, session = ask(triggers.log_in, "sessions", email=email, password=PASSWORD)
    device = session["device"]
    assert email not in device
    for address, token, known in ((email, device, True), (other, device, False), (email, device[:-1], False)):
        world.hasher.lines.clear()
        assert ask(triggers.log_in, "sessions", email=address, password=PASSWORD, device=token)[0] == 200
        assert [line.known for line in world.hasher.lines] == [known]
    assert ask(triggers.log_in, "sessions", email=email, password=OTHER_PASSWORD, device=device)[0] == 401


def test_an_unknown_address_and_a_wrong_password_get_the_same_answer(world: World) -> None:
    known = ask(triggers.log_in, "sessions", email=world.member().email, password=OTHER_PASSWORD)
    unknown = ask(triggers.log_in, "sessions", email=make_email("nobody"), password=OTHER_PASSWORD)
    assert known == unknown
    assert (known[0], known[1]["error"]) == (401, "wrong_credentials")


def test_a_reset_request_gets_the_same_answer_for_every_address(world: World) -> None:
    email = world.member().email
    answers = [ask(triggers.request_reset, "password-resets", email=each) for each in (email, make_email("nobody"))]
    assert answers == [(202, {}), (202, {})]
    for message in world.queues.of(StartReset):
        handle(triggers.start_reset, encode(message))
    assert len([email for email in world.emails if email.kind == "reset"]) == 1
    token = world.last_token("reset")
    assert ask(triggers.reset_password, "password-resets", token=token, password="password1")[0] == 422
    assert ask(triggers.reset_password, "password-resets", token=token, password=OTHER_PASSWORD)[0] == 200
    assert ask(triggers.reset_password, "password-resets", token=token, password=PASSWORD)[1]["error"] == "link_over"
    assert log_in(email, OTHER_PASSWORD)


def test_a_refused_login_says_when_to_try_again(world: World) -> None:
    email = world.member().email
    for _ in range(5):
        assert ask(triggers.log_in, "sessions", email=email, password=OTHER_PASSWORD)[0] == 401
    status, body = ask(triggers.log_in, "sessions", email=email, password=PASSWORD)
    assert (status, body["error"]) == (429, "too_many_attempts") and "60 seconds" in body["detail"]


def test_a_forged_client_address_is_not_trusted(world: World) -> None:
    email = world.member().email
    for number in range(5):
        headers = {"X-Forwarded-For": f"192.0.2.{number}, {HOME.ip}"}
        body = {"email": email, "password": OTHER_PASSWORD}
        assert call(triggers.log_in, "sessions", body=body, headers=headers)[0] == 401
    assert ask(triggers.log_in, "sessions", email=email, password=PASSWORD)[0] == 429


def test_only_the_owner_can_make_administrators(world: World) -> None:
    email = make_email("owner")
    assert call(triggers.make_administrator, "administrators", body={"email": email})[0] == 401
    asked = {"body": {"email": email}, "headers": AS_OPERATOR}
    status, made = call(triggers.make_administrator, "administrators", **asked)
    assert (status, made["email"], made["created"]) == (201, email, True) and "/reset.html#token=" in made["link"]


def test_get_me_answers_without_entitlement_while_billing_is_unreachable(world: World) -> None:
    token = log_in(world.member().email)
    bootstrap.entitlements().away = True  # type: ignore[attr-defined]
    status, me = ask(triggers.get_me, "me", token)
    assert status == 200 and me["entitlement"] is None


@pytest.mark.parametrize("value", [*NASTY, None, 7, [], {"$ne": 1}, True])
def test_any_value_of_any_field_is_answered_with_a_sentence(world: World, value: Any) -> None:
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
    for status, body in answers:  # one of these requests may set a valid password
        assert status < 300 or (400 <= status < 500 and body["detail"].endswith(".")), body
    assert not [body for status, body in (*answers[:4], *answers[6:]) if status < 300]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"null"])
def test_a_body_that_is_not_an_object_is_malformed(world: World, body: bytes) -> None:
    for function in (triggers.register, triggers.log_in, triggers.request_reset, triggers.confirm_address):
        status, answer = call(function, "x", body=body, headers=FROM_HOME)
        assert (status, answer["error"]) == (422, "malformed")


BOMBS = {
    "99 MB": (b'{"email": "' + b"x" * 99_000_000 + b'"}', 413, "payload_too_large"),
    "64 KiB and one byte": (b'{"email": "' + b"x" * (65_536 + 1 - 13) + b'"}', 413, "payload_too_large"),
    "200,000 brackets": (b"[" * 65_000, 422, "malformed"),
    "nested unknown field": (b'{"unknown": ' + b"[" * 65_000, 422, "malformed"),
    "nested objects": (b'{"a":' * 13_000, 422, "malformed"),
    "long number": (b'{"email": 1' + b"0" * 60_000 + b"}", 422, "malformed"),
    "invalid UTF-8": (b'{"email": "\xff\xfe", "password": "x"}', 422, "malformed"),
    "invalid UTF-8 in a name": (b'{"\xff": "x"}', 422, "malformed"),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("route", ["register", "log_in"])
def test_a_hostile_body_is_refused_within_limits(world: World, route: str, name: str) -> None:
    body, status, code = BOMBS[name]
    call(getattr(triggers, route), "x", body=b"{}", headers=FROM_HOME)  # imports what every request needs
    tracemalloc.start()
    try:
        answered, answer = call(getattr(triggers, route), "x", body=body, headers=FROM_HOME)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (answered, answer["error"]) == (status, code)
    assert peak < 2_000_000 and not world.hasher.verified and not world.logins.logins


def test_200_000_brackets_are_too_large(world: World) -> None:
    for function in (triggers.register, triggers.log_in):
        assert call(function, "x", body=b"[" * 200_000, headers=FROM_HOME)[0] == 413


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_that_a_page_of_another_origin_can_send_is_refused(world: World, media_type: str) -> None:
    email = world.member().email
    body, headers = {"email": email, "password": PASSWORD}, {**FROM_HOME, "Content-Type": media_type}
    status, answer = call(triggers.log_in, "sessions", body=body, headers=headers)
    assert (status, answer["error"]) == (415, "unsupported_media_type")
    assert not world.sessions.live


def test_the_login_history_is_paged(world: World) -> None:
    viewer = world.member()
    token = log_in(viewer.email)
    world.settle()
    for _ in range(4):
        world.history_store.store_entry(make_entry(viewer.user_id))
    sizes, address = [], "me/logins?limit=2"
    while address:
        status, page = ask(triggers.list_logins, address, token)
        assert status == 200
        sizes.append(len(page["logins"]))
        address = f"me/logins?limit=2&cursor={page['cursor']}" if page["cursor"] else ""
    assert sizes == [2, 2, 1]
    assert ask(triggers.list_logins, "me/logins?cursor=x", token)[1]["error"] == "malformed"
    assert ask(triggers.list_logins, "me/logins?limit=0", token)[0] == 422


def test_times_have_the_one_format(world: World) -> None:
    status, session = ask(triggers.log_in, "sessions", email=world.member().email, password=PASSWORD)
    assert (status, session["expires_at"]) == (200, "2026-12-24T12:00:00Z")
    assert ask(triggers.get_me, "me", session["token"])[1]["session_expires_at"] == "2026-12-24T12:00:00Z"
    world.settle()
    (entry,) = ask(triggers.list_logins, "me/logins", session["token"])[1]["logins"]
    assert entry["at"] == "2026-11-24T12:00:00Z"


def test_a_message_becomes_one_entry_of_the_history(world: World) -> None:
    entry = make_entry(world.member().user_id)
    for function in (triggers.record_login, triggers.record_login_poison):
        handle(function, encode(message_of(entry)))
    assert list(world.history_store.entries.values()) == [entry]


def test_an_entry_stays_in_its_queue_until_the_store_accepts_it(world: World) -> None:
    entry = make_entry(world.member().user_id)
    world.history_store.away = True
    for function in (triggers.record_login, triggers.record_login_poison):
        with pytest.raises(StoreUnavailable):
            handle(function, encode(message_of(entry)))
    world.history_store.away = False
    handle(triggers.record_login_poison, encode(message_of(entry)))
    assert list(world.history_store.entries.values()) == [entry]


ENTRY = encode(message_of(make_entry("a" * 32)))


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"{}",
        b"\xff",
        b'{"user_id": 7}',
        b'{"email": ["x"]}',
        b'{"email": "\xff"}',
        ENTRY.replace(b"2026-11-24T12:00:00Z", b"yesterday"),
        ENTRY.replace(b"2026-11-24T12:00:00Z", b"2026-11-24T12:00:00"),
        ENTRY.replace(b'"success"', b'"maybe"'),
        ENTRY.replace(b'"203.0.113.7"', b"7"),
    ],
)
def test_a_malformed_message_is_parked(world: World, body: bytes) -> None:
    for function, queue in (
        (triggers.record_login, "record-login"),
        (triggers.record_login_poison, "record-login"),
        (triggers.start_reset, "start-reset"),
        (triggers.start_reset_poison, "start-reset"),
        (triggers.forget_viewer, "forget-viewer"),
        (triggers.forget_viewer_poison, "forget-viewer"),
    ):
        if body.startswith(b'{"entry_id"') and queue == "forget-viewer":
            continue  # the body contains a user id, so it is also a valid message of this queue
        handle(function, body)
        assert world.queues.parked[-1][:2] == (queue, body)
    assert not world.history_store.entries and not world.emails and not world.queues.dead


def test_a_reset_link_that_could_not_be_mailed_is_deferred_and_mailed_after_the_outage(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    email = world.member(make_email("secretive")).email
    message = StartReset(email, known=True)
    world.queues.refused = (SendMail, StartReset)
    with pytest.raises(StoreUnavailable):
        handle(triggers.start_reset_poison, encode(message))
    world.queues.refused = (SendMail,)
    for delay_s in DEFERRALS_S:
        with pytest.raises(StoreUnavailable):
            handle(triggers.start_reset, encode(message))
        handle(triggers.start_reset_poison, encode(message))
        message = world.queues.of(StartReset)[-1]
        assert (message.known, world.queues.sent[-1]) == (True, (message, delay_s))
    assert "is deferred for 900 s" in caplog.text and "is given up" not in caplog.text
    world.queues.refused = ()
    handle(triggers.start_reset, encode(message))
    assert world.last_email("reset").to == email

    sent = len(world.queues.sent)
    handle(triggers.start_reset_poison, encode(message))
    assert "is given up" in caplog.text and len(world.queues.sent) == sent
    assert "secretive" not in caplog.text


def test_a_reset_of_a_malformed_address_is_parked(world: World) -> None:
    handle(triggers.start_reset, encode(StartReset("not an address")))
    handle(triggers.start_reset_poison, encode(StartReset("not an address")))
    assert [queue for queue, _ in world.queues.dead] == [queue for queue, *_ in world.queues.parked] == ["start-reset"]


def test_every_slice_deletes_the_data_of_a_deleted_account(world: World) -> None:
    forgotten: list[tuple[str, str]] = []
    world.forgetters = tuple(
        lambda user_id, name=name: forgotten.append((name, user_id))  # type: ignore[misc]
        for name in ("usage", "billing")
    )
    user_id = world.member().user_id
    world.history_store.store_entry(make_entry(user_id))
    with pytest.raises(AccountStillExists):
        handle(triggers.forget_viewer, encode(ForgetViewer(user_id)))
    handle(triggers.forget_viewer_poison, encode(ForgetViewer(user_id)))
    assert not forgotten and world.history_store.entries
    world.logins.delete_login(user_id)
    handle(triggers.forget_viewer, encode(ForgetViewer(user_id)))
    assert forgotten == [("usage", user_id), ("billing", user_id)] and not world.history_store.entries


def test_a_deletion_that_a_store_refused_is_retried(world: World) -> None:
    message, world.history_store.away = ForgetViewer("f" * 32), True
    with pytest.raises(StoreUnavailable):
        handle(triggers.forget_viewer, encode(message))
    handle(triggers.forget_viewer_poison, encode(message))
    assert world.queues.sent[-1] == (message, triggers.FORGET_AGAIN_S), "its attempts begin again later"


def test_the_timer_deletes_expired_links(world: World) -> None:
    world.member()
    world.clock.forward(days=1, hours=1)
    function: Any = triggers.tidy_accounts
    function._function.get_user_function()(None)
    assert not world.logins.links
