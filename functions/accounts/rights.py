"""The rights that the sessions of an account have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.accounts.model import viewer_of

if TYPE_CHECKING:
    from functions.accounts.ports import LoginStore, SessionStore
    from functions.platform.viewer import Viewer


def update_rights(logins: LoginStore, sessions: SessionStore, viewer: Viewer) -> Viewer:
    """Give the sessions of an account the rights of `viewer`, or those that it has by then; return it as it is stored.

    A process that was suspended between reading an account and changing its sessions must not undo what another one has
    changed meanwhile: sessions would keep rights that were taken away. So the account is read once more afterwards.
    """
    while True:
        sessions.update_rights(viewer)
        login = logins.get_login(viewer.user_id)
        if login is None or viewer_of(login) == viewer:
            return viewer
        viewer = viewer_of(login)
