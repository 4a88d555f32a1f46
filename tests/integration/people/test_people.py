"""With real stores, the owner finds a person by email address, ends their sessions and deletes their account."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from functions import bootstrap
from functions.accounts import triggers as accounts
from functions.billing.triggers import grant_access
from functions.people import triggers as people
from tests.support.accounts import PASSWORD, make_email
from tests.support.api import call
from tests.support.owners import AS_OPERATOR, OPERATOR_KEY
from tests.support.wiring import forget_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import Stack

pytestmark = pytest.mark.usefixtures("wired")


@pytest.fixture
def wired(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make `bootstrap` assemble everything again for this test, with the real stores."""
    own = {"MONGO_DATABASE": f"test_{uuid.uuid4().hex[:12]}", "OPERATOR_KEY": OPERATOR_KEY}
    for name, value in {**stack.environment, **own}.items():
        monkeypatch.setenv(name, value)
    forget_all()
    yield
    forget_all()


def find(email: str) -> tuple[int, Any]:
    return call(people.find_person, "people/search", body={"email": email}, headers=AS_OPERATOR)


def logged_in(email: str) -> dict[str, str]:
    credentials = {"email": email, "password": PASSWORD}
    assert call(accounts.register, "accounts", body=credentials)[0] == 201
    status, session = call(accounts.log_in, "sessions", body=credentials)
    assert status == 200
    return {"Authorization": f"Bearer {session['token']}"}


def test_a_person_is_found_in_any_spelling_with_access_and_subscription() -> None:
    email = make_email()
    logged_in(email)
    status, person = find(email.upper())
    assert (status, person["email"], person["confirmed"], person["admin"]) == (200, email, False, False)
    assert person["entitlement"] == {"entitled": False, "reason": "none", "until": None}
    assert person["subscription"]["state"] == "none"
    assert call(grant_access, "grants", body={"email": email, "days": 3}, headers=AS_OPERATOR)[0] == 201
    assert find(email)[1]["entitlement"]["reason"] == "grant"
    assert find(make_email())[0] == 404
    assert find("no address")[0] == find("")[0] == 422


def test_sessions_end_and_the_account_is_erased() -> None:
    email = make_email()
    session = logged_in(email)
    _, person = find(email)
    route = {"id": person["user_id"]}
    assert call(people.end_sessions, f"people/{route['id']}/sessions", route=route, headers=AS_OPERATOR)[0] == 204
    assert call(accounts.get_me, "me", headers=session)[0] == 401
    assert find(email)[0] == 200
    assert call(people.erase_person, f"people/{route['id']}", route=route, headers=AS_OPERATOR)[0] == 204
    assert find(email)[0] == 404
    assert call(people.erase_person, f"people/{route['id']}", route=route, headers=AS_OPERATOR)[0] == 404
    assert call(people.end_sessions, f"people/{route['id']}/sessions", route=route, headers=AS_OPERATOR)[0] == 404


def test_an_administrator_is_not_erased() -> None:
    email = make_email()
    logged_in(email)
    _, person = find(email)
    bootstrap.accounts().make_administrator(email)
    route = {"id": person["user_id"]}
    status, answer = call(people.erase_person, f"people/{route['id']}", route=route, headers=AS_OPERATOR)
    assert (status, answer["error"]) == (409, "conflict")
    assert find(email)[1]["admin"]
