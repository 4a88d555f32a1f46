"""The owner's routes in tests: a key, the headers that show it or a session, and who lets in whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Never

from functions.accounts.admin_auth import Owners
from functions.accounts.model import Session, Viewer
from functions.platform.errors import Forbidden, Unauthenticated

OPERATOR_KEY = "an-operator-key-of-forty-characters-or-so"
AS_OPERATOR = {"x-operator-key": OPERATOR_KEY}
AS_ADMINISTRATOR = {"Authorization": "Bearer administrator"}
AS_VIEWER = {"Authorization": "Bearer viewer"}
ADMINISTRATOR = Viewer(user_id="a" * 32, email="admin@example.org", admin=True)


def administrator(session: str) -> Viewer:
    """Return the administrator of a session, as the accounts would."""
    match session:
        case "administrator":
            return ADMINISTRATOR
        case "viewer":
            raise Forbidden("Only an administrator may do this; log in as one.")
        case _:
            raise Unauthenticated("Nobody is logged in, or no longer; log in and try again.")


def make_owners(operator_key: str = OPERATOR_KEY) -> Owners:
    """Return who lets the owner in, with two sessions known."""
    return Owners(operator_key, administrator)


class SomeAreLoggedIn:
    """Accounts that know the administrator's session."""

    def viewer(self, token: str) -> Viewer:
        """Return who is logged in."""
        return administrator(token)


class NobodyIsLoggedIn:
    """Accounts of which every question who is asking gets the same answer."""

    def viewer(self, token: str) -> Never:
        """Know nobody."""
        raise Unauthenticated("Nobody is logged in, or no longer; log in and try again.")

    session = administrator = viewer


VIEWER = Viewer(user_id="b" * 32, email="viewer@example.org", confirmed=True)
EXPIRES_AT = datetime(2027, 1, 1, tzinfo=UTC)


class FakeAccess:
    """Authenticates the sessions `viewer` and `administrator`, and the operator's key, as the application would."""

    def session(self, token: str) -> Session:
        """Return the session of a token; raise Unauthenticated."""
        viewers = {"viewer": VIEWER, "administrator": ADMINISTRATOR}
        if token not in viewers:
            raise Unauthenticated("Nobody is logged in, or no longer; log in and try again.")
        return Session(viewers[token], EXPIRES_AT - timedelta(days=30), EXPIRES_AT)

    def owner(self, token: str, key: str) -> str:
        """Return who calls as the owner; raise Unauthenticated or Forbidden."""
        return make_owners().admit(token, key)
