"""Authentication of callers: viewers by session, owners by session or by the operator's key."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.accounts.admin_auth import AdminAuth
    from functions.accounts.model import Session


class AccountAccess:
    """Authenticates callers for `platform/triggers.py`; `find_session` returns a session or raises Unauthenticated."""

    def __init__(self, find_session: Callable[[str], Session], admin_auth: AdminAuth) -> None:
        self._find_session = find_session
        self._admin_auth = admin_auth

    def session(self, token: str) -> Session:
        """Return the session of a token. Raises Unauthenticated."""
        return self._find_session(token)

    def owner(self, token: str, key: str) -> str:
        """Return the id under which an owner's call is recorded. Raises Unauthenticated or Forbidden."""
        return self._admin_auth.admit(token, key)
