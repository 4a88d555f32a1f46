"""Administrators for the owner: lists the accounts with the owner's rights, and revokes these rights."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from functions.platform.errors import Conflict, NotFound

if TYPE_CHECKING:
    from functions.accounts.ports import LoginStore, SessionStore
    from functions.platform.viewer import Viewer

log = logging.getLogger(__name__)


class Administrators:
    """The administrators of this copy; every method raises StoreUnavailable."""

    def __init__(self, logins: LoginStore, sessions: SessionStore) -> None:
        self._logins = logins
        self._sessions = sessions

    def list_all(self) -> list[Viewer]:
        """Return all administrators, sorted by email address."""
        return self._logins.list_administrators()

    def revoke(self, user_id: str, *, by: str) -> None:
        """Revoke an administrator's rights and end their sessions; the account remains as a viewer's account.

        `by` is the id under which the caller is recorded. Administrators cannot revoke their own rights, so that at
        least one administrator remains. Idempotent. Raises NotFound if there is no such account, or Conflict.
        """
        if user_id == by:
            raise Conflict("You cannot revoke your own rights. Ask another administrator to do it.")
        if self._logins.get_login(user_id) is None:
            raise NotFound(f"There is no account with the id {user_id}.")
        if self._logins.revoke_administrator(user_id):
            log.warning("The administrator %s was revoked by %s.", user_id, by)
        # only now: a login that read the account before the change may have opened a session with the old rights
        self._sessions.end_sessions_of(user_id)
