"""`admin create` against the functions of accounts and mail, which run in the host with real stores."""

from __future__ import annotations

import json
import shutil
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests

from infra.local.cli.admin import (
    create_administrator,
    reset_second_factor,
    revoke_administrator,
    show_administrators,
)
from infra.local.home import CannotRun
from tests.integration.host.running import REPOSITORY, RunningHost
from tests.support.mail import MailServer
from tests.support.viewers import add_authenticator
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import Stack

APP = """
import azure.functions as func
from functions.accounts.factor_triggers import app as factors
from functions.accounts.triggers import app as accounts
from functions.mail.triggers import app as mail

app = func.FunctionApp()
app.register_functions(accounts.blueprint)
app.register_functions(factors.blueprint)
app.register_functions(mail.blueprint)
"""
PASSWORD = "a long walk along the river"


@pytest.fixture(scope="module")
def post() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture(scope="module")
def api(stack: Stack, post: MailServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the functions of accounts and mail; return their address."""
    folder = tmp_path_factory.mktemp("accounts")
    shutil.copy(REPOSITORY / "host.json", folder)
    (folder / "accounts_app.py").write_text(APP)
    host = RunningHost(stack.settings.storage, folder / "host.log")
    settings = {**stack.environment, "SMTP_URL": f"smtp://127.0.0.1:{post.port}", "MAIL_FROM": "films@example.org"}
    host.start(app="accounts_app", root=folder, **settings, PYTHONPATH=str(REPOSITORY))
    yield f"http://127.0.0.1:{host.port}"
    host.close()


@pytest.fixture
def product(stack: Stack, api: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the state folder of a product whose API is at `api`."""
    (tmp_path / "endpoints.json").write_text(json.dumps({**stack.endpoints, "api": api}))
    monkeypatch.setenv("NOTFLIX_HOME", str(tmp_path))
    return api


def create(email: str, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    create_administrator(email, as_json=True)
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return told


def ask(api: str, method: str, path: str, *, session: str = "", **body: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {session}"} if session else {}
    return requests.request(method, f"{api}/api/{path}", json=body, headers=headers, timeout=30)


def log_in(api: str, email: str) -> str:
    answer = ask(api, "POST", "sessions", email=email, password=PASSWORD)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


def test_a_new_administrator_chooses_a_password_by_the_link_and_may_do_what_is_the_owners(
    product: str, post: MailServer, stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    told = create("first@example.org", capsys)
    assert (told["email"], told["created"]) == ("first@example.org", True)
    link = str(told["link"])
    assert link.startswith(f"{stack.environment['SITE_ORIGIN']}/reset.html#token=")
    eventually(lambda: "first@example.org" in post.handler.recipients)

    token = urlsplit(link).fragment.removeprefix("token=")
    assert ask(product, "PUT", "password-resets", token=token, password=PASSWORD).status_code == 200
    session = log_in(product, "first@example.org")
    alone = ask(product, "POST", "administrators", session=session, email="second@example.org")
    assert (alone.status_code, alone.json()["error"]) == (403, "second_factor_required")
    session = str(add_authenticator(product, session, PASSWORD)[0]["token"])
    again = ask(product, "POST", "administrators", session=session, email="second@example.org")
    assert (again.status_code, again.json()["created"]) == (201, True)


def test_the_owners_routes_are_closed_to_strangers_and_viewers(product: str, stack: Stack) -> None:
    assert ask(product, "POST", "accounts", email="viewer@example.org", password=PASSWORD).status_code == 201
    session = log_in(product, "viewer@example.org")
    refused = ask(product, "POST", "administrators", session=session, email="viewer@example.org")
    assert (refused.status_code, refused.json()["error"]) == (403, "forbidden")
    stranger = ask(product, "POST", "administrators", email="viewer@example.org")
    assert (stranger.status_code, stranger.json()["error"]) == (401, "unauthenticated")
    assert not ask(product, "GET", "me", session=session).json()["admin"]


def test_what_was_done_is_told_in_one_sentence(product: str, capsys: pytest.CaptureFixture[str]) -> None:
    create_administrator("third@example.org", as_json=False)
    sentence = capsys.readouterr().out
    assert sentence.startswith("third@example.org is a new administrator; to set a password, open this link within 30")
    assert "/reset.html#token=" in sentence and len(sentence.splitlines()) == 1

    assert ask(product, "POST", "accounts", email="squatter@example.org", password=PASSWORD).status_code == 201
    create_administrator("squatter@example.org", as_json=False)
    sentence = capsys.readouterr().out
    assert "had an unconfirmed account" in sentence and "its old password was removed" in sentence
    assert ask(product, "POST", "sessions", email="squatter@example.org", password=PASSWORD).status_code == 401


def test_a_confirmed_account_keeps_its_password(product: str, capsys: pytest.CaptureFixture[str]) -> None:
    token = urlsplit(str(create("fourth@example.org", capsys)["link"])).fragment.removeprefix("token=")
    assert ask(product, "PUT", "password-resets", token=token, password=PASSWORD).status_code == 200
    create_administrator("fourth@example.org", as_json=False)
    assert "fourth@example.org already had an account, which is now an administrator; its password is" in (
        capsys.readouterr().out
    )
    log_in(product, "fourth@example.org")


def test_an_administrator_is_listed_and_revoked_by_email_address(
    product: str, capsys: pytest.CaptureFixture[str]
) -> None:
    token = urlsplit(str(create("seventh@example.org", capsys)["link"])).fragment.removeprefix("token=")
    show_administrators(as_json=False)
    assert "seventh@example.org (has not set a password yet)" in capsys.readouterr().out.splitlines()
    assert ask(product, "PUT", "password-resets", token=token, password=PASSWORD).ok
    session = log_in(product, "seventh@example.org")
    show_administrators(as_json=True)
    listed = {one["email"]: one for one in json.loads(capsys.readouterr().out)}
    assert listed["seventh@example.org"]["confirmed"]
    revoke_administrator(" SEVENTH@example.org")
    assert "no longer an administrator" in capsys.readouterr().out
    assert ask(product, "GET", "me", session=session).status_code == 401
    assert not ask(product, "GET", "me", session=log_in(product, "seventh@example.org")).json()["admin"]
    with pytest.raises(CannotRun, match="is not an administrator"):
        revoke_administrator("seventh@example.org")


def test_nobody_revokes_themselves(product: str, capsys: pytest.CaptureFixture[str]) -> None:
    token = urlsplit(str(create("eighth@example.org", capsys)["link"])).fragment.removeprefix("token=")
    assert ask(product, "PUT", "password-resets", token=token, password=PASSWORD).ok
    session = str(add_authenticator(product, log_in(product, "eighth@example.org"), PASSWORD)[0]["token"])
    own = ask(product, "GET", "me", session=session).json()["user_id"]
    refused = ask(product, "DELETE", f"administrators/{own}", session=session)
    assert (refused.status_code, refused.json()["error"]) == (409, "conflict")
    assert ask(product, "GET", "administrators", session=session).status_code == 200


def test_a_lost_second_factor_is_removed_by_the_operator_only(product: str, capsys: pytest.CaptureFixture[str]) -> None:
    token = urlsplit(str(create("sixth@example.org", capsys)["link"])).fragment.removeprefix("token=")
    assert ask(product, "PUT", "password-resets", token=token, password=PASSWORD).status_code == 200
    session, app = add_authenticator(product, log_in(product, "sixth@example.org"), PASSWORD)
    asked = ask(product, "POST", "sessions", email="sixth@example.org", password=PASSWORD).json()
    assert (asked["step"], asked["kinds"]) == ("second_factor", ["totp", "recovery_code"])
    code = app.code(datetime.now(UTC) + timedelta(seconds=30))  # the next code, because each is accepted once
    answered = ask(product, "POST", "sessions/second-factor", ticket=asked["ticket"], code=code)
    assert answered.json()["factor"] == "totp"

    by_session = ask(product, "POST", "second-factor-resets", session=str(session["token"]), email="sixth@example.org")
    assert (by_session.status_code, by_session.json()["error"]) == (403, "forbidden")
    reset_second_factor("sixth@example.org", as_json=False)
    assert "1 second step was removed, every device was logged out" in capsys.readouterr().out
    assert ask(product, "GET", "me", session=str(session["token"])).status_code == 401
    log_in(product, "sixth@example.org")
    reset_second_factor("sixth@example.org", as_json=True)
    answer = json.loads(capsys.readouterr().out)
    assert (answer["email"], answer["removed"]) == ("sixth@example.org", 0)


@pytest.mark.parametrize("email", ["", "nobody", "a@b@example.org", "x" * 300 + "@example.org", "a\nb@example.org"])
def test_a_bad_address_is_refused_with_the_apis_own_sentence(product: str, email: str) -> None:
    with pytest.raises(CannotRun, match=r"Enter a valid email address|The email address is too long"):
        create_administrator(email, as_json=False)


def test_without_a_running_product_it_says_how_to_start_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTFLIX_HOME", str(tmp_path))
    with pytest.raises(CannotRun, match=r"not running; start it with `./notflix up`"):
        create_administrator("first@example.org", as_json=False)


def test_many_at_once_make_one_administrator(product: str, capsys: pytest.CaptureFixture[str], stack: Stack) -> None:
    headers = {"x-operator-key": stack.endpoints["api_key"]}
    statuses: list[int] = []

    def make() -> None:
        answer = requests.post(
            f"{product}/api/administrators", json={"email": "fifth@example.org"}, headers=headers, timeout=30
        )
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {201, 409} and 201 in statuses
    assert not create("fifth@example.org", capsys)["created"]
