"""Accounts with the real stores: concurrent attempts, all spellings of an address, and no secrets in stolen data."""

from __future__ import annotations

import json
import logging
import subprocess
import threading
import uuid
from base64 import b64decode
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from functions import bootstrap
from functions.accounts import authentication, triggers
from functions.accounts.authentication import PasswordLimits
from functions.accounts.passwords import Argon2Hasher
from functions.accounts.rate_limits import PASSWORD_OF_ADDRESS
from functions.platform.errors import Busy, StoreUnavailable, TooManyAttempts, WrongCredentials
from tests.support.accounts import OTHER_PASSWORD, PASSWORD, make_email
from tests.support.api import call, respond
from tests.support.queues import drain, empty
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from functions.accounts.hash_queue import Line
    from functions.accounts.model import LoginHistoryEntry
    from tests.integration.conftest import Stack

pytestmark = pytest.mark.usefixtures("wired")

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
NASTY = (
    "' OR '1'='1' -- ",
    "'); DROP TABLE logins; -- ",
    "\\'; SELECT SLEEP(10); #",
    '{"$gt": ""}',
    "nul\x00byte in here",
    "🦊🌧️🛶🧂🪁🥁🧵🪑",
    "\ud800\udfff lone surrogates",
    "x" * 10_000,
    "é" * 5_000,
)


@pytest.fixture(autouse=True)
def quiet_queues(wired: None) -> None:
    """Empty the queues."""
    for queue in ("record-login", "send-mail", "start-reset", "forget-viewer"):
        empty(queue)


def ask(
    function: Any, address: str, session: str = "", /, *, ip: str = "203.0.113.7", **body: object
) -> tuple[int, Any]:
    headers = {"X-Forwarded-For": f"{ip}:50311", "User-Agent": FIREFOX}
    if session:
        headers["Authorization"] = f"Bearer {session}"
    return call(function, address, body=body, headers=headers)


def register(email: str = "", password: str = PASSWORD) -> str:
    email = email or make_email()
    status, account = ask(triggers.register, "accounts", email=email, password=password)
    assert status == 201, account
    return email


def history_of(user_id: str) -> tuple[LoginHistoryEntry, ...]:
    return bootstrap.accounts().login_history.page_of(user_id, cursor="", limit=9).entries


def attempt_login(email: str, password: str = PASSWORD, ip: str = "203.0.113.7") -> int:
    return ask(triggers.log_in, "sessions", ip=ip, email=email, password=password)[0]


def log_in(email: str, password: str = PASSWORD) -> str:
    status, session = ask(triggers.log_in, "sessions", email=email, password=password)
    assert status == 200, session
    return str(session["token"])


def emails() -> list[dict[str, str]]:
    client = bootstrap.resources.queue_service().get_queue_client("send-mail")
    return [json.loads(b64decode(message.content)) for message in client.peek_messages(32)]


def mailed_token(kind: str, to: str) -> str:
    """Return the token of the link in the most recent email."""
    links = [email["link"] for email in emails() if (email["kind"], email["to"]) == (kind, to)]
    return links[-1].partition("#token=")[2]


WRONG, LIMITED = (401, WrongCredentials.code), (429, TooManyAttempts.code)
NOT_NOW = ((503, Busy.code), (503, StoreUnavailable.code))
"""The answers if no place is free in the queue for hashes, or if a store is overloaded."""


def answer_to_login(email: str, password: str = PASSWORD, ip: str = "203.0.113.7") -> tuple[int, str]:
    """Return the status of an attempt, and the code of its error; check that the client is told when to try again."""
    headers = {"X-Forwarded-For": f"{ip}:50311", "User-Agent": FIREFOX}
    response, body = respond(triggers.log_in, "sessions", body={"email": email, "password": password}, headers=headers)
    answer = response.status_code, body.get("error", "")
    if answer == LIMITED or answer in NOT_NOW:
        assert int(response.headers["Retry-After"]) > 0
    return answer


def log_in_patiently(email: str, ip: str = "203.0.113.7") -> None:
    """Log in with the right password; an attempt for which there is no free place is repeated, as browsers do."""

    def log_in_now() -> bool:
        answer = answer_to_login(email, PASSWORD, ip)
        assert answer == (200, "") or answer in NOT_NOW
        return answer == (200, "")

    eventually(log_in_now, within_s=300, every_s=0.2)


def test_of_160_concurrent_wrong_attempts_five_are_hashed_and_others_are_not_affected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A busy machine may need more than a minute for so many attempts, so the limit applies to an hour."""
    limit = replace(PASSWORD_OF_ADDRESS, window_s=3600)
    monkeypatch.setattr(authentication, "PasswordLimits", lambda: PasswordLimits(of_address=limit))
    victim, bystander = register(), register()
    hashed, lock = [], threading.Lock()
    verify = Argon2Hasher.verify

    def counted(self: Argon2Hasher, password_hash: str, password: str, line: Line) -> bool:
        is_right = verify(self, password_hash, password, line)
        with lock:
            hashed.append(password)
        return is_right

    monkeypatch.setattr(Argon2Hasher, "verify", counted)
    with ThreadPoolExecutor(32) as people:
        attempts = [people.submit(answer_to_login, victim, f"guess number {number}") for number in range(160)]
        others = [people.submit(log_in_patiently, bystander) for _ in range(3)]
        elsewhere = people.submit(log_in_patiently, victim, "198.51.100.9")
        answers = Counter(each.result() for each in attempts)
        for other in (*others, elsewhere):
            other.result()
    # Five guesses and three logins wait in the line of one network. If the login from elsewhere is hashed first, the
    # last of the eight finds no free place in that line. Such an attempt is not hashed, and does not use up a try.
    while (answer := answer_to_login(victim, "guess that follows")) != LIMITED:
        answers[answer] += 1
    assert set(answers) <= {WRONG, LIMITED, *NOT_NOW}
    assert answers[WRONG] == limit.attempts == 5
    assert len([password for password in hashed if password.startswith("guess")]) == 5
    assert answer_to_login(victim, PASSWORD) == LIMITED
    assert len([password for password in hashed if password == PASSWORD]) == 4
    # make all attempts an hour older
    for key in bootstrap.resources.redis().scan_iter("attempts:*"):
        if bootstrap.resources.redis().type(key) == "zset":
            for member in bootstrap.resources.redis().zrange(key, 0, -1):
                bootstrap.resources.redis().zincrby(key, -3_600_001, str(member))
    assert attempt_login(victim, PASSWORD) == 200


def test_an_unknown_address_and_a_wrong_password_get_the_same_answer() -> None:
    known = ask(triggers.log_in, "sessions", email=register(), password=OTHER_PASSWORD)
    unknown = ask(triggers.log_in, "sessions", email=make_email("nobody"), password=OTHER_PASSWORD)
    assert known == unknown and known[0] == 401
    assert ask(triggers.request_reset, "password-resets", email=register()) == (202, {})
    assert ask(triggers.request_reset, "password-resets", email=make_email("nobody")) == (202, {})


def test_every_spelling_of_an_address_is_one_account() -> None:
    tail = uuid.uuid4().hex[:8]
    register(f"José.{tail}@München.example.org")
    for form in (f"JOSÉ.{tail}@MÜNCHEN.example.org", f"jose\u0301.{tail}@xn--mnchen-3ya.example.org"):
        assert ask(triggers.register, "accounts", email=form, password=PASSWORD)[0] == 409
        assert log_in(form)


def test_a_password_in_any_script_is_the_same_from_every_keyboard() -> None:
    email = register(password="пять cafe\u0301 🦊🌧️ фонарей")
    assert log_in(email, "пять café 🦊🌧️ фонарей")
    assert attempt_login(email, "пять cafe 🦊🌧️ фонарей") == 401


@pytest.mark.parametrize("text", NASTY, ids=lambda text: ascii(text)[:24])
def test_no_text_in_any_field_causes_a_server_error(text: str) -> None:
    email = register()
    token = log_in(email)
    answers = [
        ask(triggers.register, "accounts", email=text, password=PASSWORD),
        ask(triggers.register, "accounts", email=f"{text}@example.org", password=PASSWORD),
        ask(triggers.register, "accounts", email=email, password=text),
        ask(triggers.log_in, "sessions", email=text, password=PASSWORD),
        ask(triggers.log_in, "sessions", email=f"{text}@example.org", password=PASSWORD),
        ask(triggers.log_in, "sessions", email=email, password=text),
        ask(triggers.confirm_address, "confirmations", token=text),
        ask(triggers.reset_password, "password-resets", token=text, password=OTHER_PASSWORD),
        ask(triggers.reset_password, "password-resets", token="x", password=text),
        ask(triggers.request_reset, "password-resets", email=text),
        ask(triggers.change_password, "me/password", token, current=text, new=OTHER_PASSWORD),
        ask(triggers.delete_account, "me", token, password=text),
        ask(triggers.get_me, "me", text.encode("ascii", "ignore").decode() or "x"),
        ask(triggers.list_logins, f"me/logins?cursor={text[:50].encode('ascii', 'ignore').decode()}", token),
    ]
    assert all(status < 500 for status, _ in answers), answers
    assert log_in(email)


def test_an_address_can_contain_emoji_and_quotes() -> None:
    for local in ("🦊", "o'hara", "a`b", "x--y"):
        email = register(f"{local}.{uuid.uuid4().hex[:8]}@example.org")
        assert ask(triggers.get_me, "me", log_in(email))[1]["email"] == email


def test_successes_and_failures_are_recorded_through_the_queue() -> None:
    email = register()
    assert attempt_login(email, OTHER_PASSWORD, "198.51.100.9") == 401
    token = log_in(email)
    assert attempt_login(make_email("nobody"), OTHER_PASSWORD) == 401
    assert ask(triggers.list_logins, "me/logins", token)[1]["logins"] == []
    assert drain("record-login", triggers.record_login) == 3
    _, page = ask(triggers.list_logins, "me/logins", token)
    assert [(entry["outcome"], entry["ip"], entry["browser"]) for entry in page["logins"]] == [
        ("success", "203.0.113.7", "Firefox on Linux"),
        ("wrong_password", "198.51.100.9", "Firefox on Linux"),
    ]


def test_mailed_links_confirm_and_reset() -> None:
    email = register()
    token = log_in(email)
    assert ask(triggers.confirm_address, "confirmations", token=mailed_token("confirm", email))[0] == 200
    assert ask(triggers.get_me, "me", token)[1]["confirmed"] is True
    ask(triggers.request_reset, "password-resets", email=email.upper())
    assert drain("start-reset", triggers.start_reset) == 1
    link = mailed_token("reset", email)
    assert ask(triggers.reset_password, "password-resets", token=link, password=OTHER_PASSWORD)[0] == 200
    assert ask(triggers.get_me, "me", token)[0] == 401
    assert ask(triggers.reset_password, "password-resets", token=link, password=PASSWORD)[0] == 410
    assert log_in(email, OTHER_PASSWORD)


def test_concurrent_uses_of_a_link_set_one_password() -> None:
    email = register()
    ask(triggers.request_reset, "password-resets", email=email)
    drain("start-reset", triggers.start_reset)
    link = mailed_token("reset", email)
    chosen = [f"seven quiet lanterns {number}" for number in range(4)]
    with ThreadPoolExecutor(4) as people:
        answers = list(
            people.map(lambda new: ask(triggers.reset_password, "password-resets", token=link, password=new)[0], chosen)
        )
    assert sorted(answers) == [200, 410, 410, 410]
    assert [attempt_login(email, new) for new in chosen].count(200) == 1


def test_a_deleted_account_leaves_nothing_behind() -> None:
    email = register()
    token = log_in(email)
    drain("record-login", triggers.record_login)
    user_id = ask(triggers.get_me, "me", token)[1]["user_id"]
    assert history_of(user_id)
    assert ask(triggers.delete_account, "me", token, password=PASSWORD) == (204, None)
    assert ask(triggers.get_me, "me", token)[0] == 401
    assert attempt_login(email) == 401
    assert eventually(lambda: drain("forget-viewer", triggers.forget_viewer), every_s=0.5) == 1
    assert history_of(user_id) == ()
    drain("record-login", triggers.record_login)
    assert history_of(user_id) == ()
    assert register(email)


def test_stolen_stores_reveal_no_password_or_token_and_logs_no_address(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    email, secret, later = make_email("secretive"), "violet anchors drifting", "copper ladders humming"
    register(email, secret)
    tokens = [log_in(email, secret)]
    links = [mailed_token("confirm", email)]
    assert attempt_login(email, "tangerine guesses") == 401
    status, session = ask(triggers.change_password, "me/password", tokens[0], current=secret, new=later)
    assert status == 200
    tokens.append(session["token"])
    ask(triggers.request_reset, "password-resets", email=email)
    drain("start-reset", triggers.start_reset)
    links.append(mailed_token("reset", email))
    drain("record-login", triggers.record_login)
    for nobody in (make_email("secretive"), "secretive@@", "secretive\x00@example.org"):
        attempt_login(nobody)
    for _ in range(6):
        attempt_login(email, "tangerine guesses")

    databases, redis = dump_of_databases(stack), dump_of_redis()
    assert email in databases and "argon2id" in databases and "sess:" in redis
    for place in (databases, redis, caplog.text):
        for private in (secret, later, "tangerine", *tokens, *links):
            assert private not in place
    assert "secretive" not in caplog.text
    assert ask(triggers.delete_account, "me", tokens[-1], password=later)[0] in (204, 429)


def dump_of_databases(stack: Stack) -> str:
    parts = urlsplit(stack.endpoints["mysql"])
    return subprocess.run(
        [
            "mariadb-dump",
            "--no-defaults",
            f"--host={parts.hostname}",
            f"--port={parts.port}",
            f"--user={parts.username}",
            "--databases",
            "logins_db",
            "login_history_db",
        ],
        env={"MYSQL_PWD": parts.password or "", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def dump_of_redis() -> str:
    redis = bootstrap.resources.redis()
    found: list[object] = []
    for key in redis.scan_iter():
        match redis.type(key):
            case "hash":
                found.append((key, redis.hgetall(key)))
            case "zset":
                found.append((key, redis.zrange(key, 0, -1)))
            case _:
                found.append((key, redis.get(key)))
    return repr(found)
