"""Credentials for routes in tests: an operator's key, headers with a key or a session, and their authentication."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Never

from functions.accounts.access import AccountAccess
from functions.accounts.admin_auth import AdminAuth
from functions.accounts.model import Session
from functions.platform.errors import Forbidden, Unauthenticated
from functions.platform.viewer import Viewer

OPERATOR_KEY = "an-operator-key-of-forty-characters-or-so"
AS_OPERATOR = {"x-operator-key": OPERATOR_KEY}
AS_ADMINISTRATOR = {"Authorization": "Bearer administrator"}
AS_VIEWER = {"Authorization": "Bearer viewer"}
AS_CHILD = {"Authorization": "Bearer child"}
ADMINISTRATOR = Viewer(user_id="a" * 32, email="admin@example.org", admin=True)


def administrator(session: str) -> Viewer:
    """Return the administrator of a session token; raise as `AccountService.administrator` does."""
    match session:
        case "administrator":
            return ADMINISTRATOR
        case "viewer":
            raise Forbidden("Only an administrator can do this. Log in as one.")
        case _:
            raise Unauthenticated("You are not logged in. Log in and try again.")


def make_owners(operator_key: str = OPERATOR_KEY) -> AdminAuth:
    """Return the authentication of the owner, with the sessions `administrator` and `viewer`."""
    return AdminAuth(operator_key, administrator)


class NobodyIsLoggedIn:
    """Accounts without sessions."""

    def viewer(self, token: str) -> Never:
        """Raise Unauthenticated."""
        raise Unauthenticated("You are not logged in. Log in and try again.")

    session = administrator = viewer


VIEWER = Viewer(user_id="b" * 32, email="viewer@example.org", confirmed=True)
CHILD = Viewer(user_id="b" * 32, email="viewer@example.org", confirmed=True, profile_id="7" * 32, age_limit=9)
EXPIRES_AT = datetime(2027, 1, 1, tzinfo=UTC)


class FakeAccess(AccountAccess):
    """Authenticates the sessions `viewer`, `child` and `administrator`, and the operator's key, as in the product."""

    def __init__(self) -> None:
        super().__init__(_session, make_owners())


def _session(token: str) -> Session:
    viewers = {"viewer": VIEWER, "child": CHILD, "administrator": ADMINISTRATOR}
    if token not in viewers:
        raise Unauthenticated("You are not logged in. Log in and try again.")
    return Session(viewers[token], EXPIRES_AT - timedelta(days=30), EXPIRES_AT, f"session of {token}")
