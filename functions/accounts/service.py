"""Accounts: who is asking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from functions.errors import Forbidden, Unauthenticated

if TYPE_CHECKING:
    from functions.accounts.model import NewSession, Session, Viewer


class Sessions(Protocol):
    """The store of sessions; every method raises StoreUnavailable while it is away."""

    def open(self, viewer: Viewer, *, ip: str, browser: str) -> NewSession:
        """Open a session."""

    def find(self, token: str) -> Session | None:
        """Return the live session of a token, and note that it is in use."""

    def close(self, token: str) -> None:
        """End the session of a token."""

    def close_all(self, user_id: str) -> None:
        """End every session of an account."""

    def amend(self, viewer: Viewer) -> None:
        """Let the live sessions of an account know its rights."""


class Accounts:
    """What a person does with their account, and what other slices ask of it."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def session(self, token: str) -> Session:
        """Return the session of a token; raise Unauthenticated if it is missing, unknown or over."""
        session = self._sessions.find(token) if token else None
        if session is None:
            raise Unauthenticated("Nobody is logged in, or no longer; log in and try again.")
        return session

    def viewer(self, token: str) -> Viewer:
        """Return who is logged in under a token; raise Unauthenticated."""
        return self.session(token).viewer

    def administrator(self, token: str) -> Viewer:
        """Return the administrator logged in under a token; raise Unauthenticated, or Forbidden for anyone else."""
        viewer = self.viewer(token)
        if not viewer.admin:
            raise Forbidden("Only an administrator may do this; log in as one.")
        return viewer
