"""Authentication of the owner by the operator's key or by an administrator's session."""

from __future__ import annotations

import azure.functions as func
import pytest

from functions.accounts.admin_auth import KEY_CHARACTERS, OPERATOR
from functions.platform.errors import Forbidden, Unauthenticated
from functions.platform.http import bearer, operator_key
from tests.support.owners import (
    ADMINISTRATOR,
    AS_ADMINISTRATOR,
    AS_OPERATOR,
    AS_VIEWER,
    OPERATOR_KEY,
    make_owners,
)


def admit(headers: dict[str, str], configured: str = OPERATOR_KEY) -> str:
    request = func.HttpRequest(method="GET", url="http://127.0.0.1/api/jobs", headers=headers, body=b"")
    return make_owners(configured).admit(bearer(request), operator_key(request))


def test_the_key_is_accepted() -> None:
    assert admit(AS_OPERATOR) == OPERATOR
    assert admit({"X-Operator-Key": OPERATOR_KEY}) == OPERATOR


def test_an_administrator_is_admitted_under_their_user_id() -> None:
    assert admit(AS_ADMINISTRATOR) == ADMINISTRATOR.user_id


def test_a_viewers_session_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        admit(AS_VIEWER)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-operator-key": ""},
        {"x-operator-key": OPERATOR_KEY[:-1]},
        {"x-operator-key": OPERATOR_KEY + "x"},
        {"x-operator-key": "ключ" * 10},
        {"x-operator-key": "\udce4" * 40},
        {"x-functions-key": OPERATOR_KEY},
        {"Authorization": f"Bearer {OPERATOR_KEY}"},
        {"Authorization": "Basic administrator"},
        {"Authorization": "Bearer ended"},
        {**AS_ADMINISTRATOR, "x-operator-key": "mistyped"},
    ],
)
def test_any_other_caller_is_unauthenticated(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated) as refused:
        admit(headers)
    assert OPERATOR_KEY not in refused.value.detail


@pytest.mark.parametrize("configured", ["", "short", "x" * (KEY_CHARACTERS - 1)])
def test_no_key_is_accepted_if_the_configured_one_is_missing_or_short(
    configured: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Unauthenticated):
        admit({"x-operator-key": configured or "x"}, configured)
    assert "OPERATOR_KEY is missing or shorter than 32 characters" in caplog.text
    assert admit(AS_ADMINISTRATOR, configured) == ADMINISTRATOR.user_id


def test_the_key_is_verified_without_a_store() -> None:
    owners = make_owners()
    owners._administrator = lambda session: pytest.fail("a store was used")
    assert owners.admit("administrator", OPERATOR_KEY) == OPERATOR
