"""The words of accounts: a login, the viewer a session speaks for, an entry of the history, a link sent by mail."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from functions.platform.errors import (
    StoreUnavailable,
)

if TYPE_CHECKING:
    from datetime import datetime


class Busy(StoreUnavailable):
    """More passwords are to be hashed than there is memory for; trying again in a moment helps."""

    code = "busy"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is logged in; `user_id` is 32 hex digits and never changes, `email` is as they typed it."""

    user_id: str
    email: str = field(repr=False)
    admin: bool = False
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Login:
    """An account as the logins store keeps it; `address` is the normalised form of `email`, by which it is found."""

    user_id: str
    address: str = field(repr=False)
    email: str = field(repr=False)
    password_hash: str = field(repr=False)
    admin: bool
    confirmed_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from: the address that our front saw, and the browser in a few words."""

    ip: str
    browser: str


class Outcome(StrEnum):
    """How a try to log in ended."""

    SUCCESS = "success"
    WRONG_PASSWORD = "wrong_password"
    LIMITED = "limited"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A try to log in: when, whence, with what browser, how it ended; `entry_id` makes recording it twice harmless."""

    entry_id: str
    user_id: str
    at: datetime
    ip: str
    browser: str
    outcome: Outcome


class Purpose(StrEnum):
    """What a mailed link is good for."""

    CONFIRM = "confirm"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Session:
    """Someone's being logged in; it ends at `ends_at` at the latest, and earlier if it is left unused."""

    viewer: Viewer
    created_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session and the token that it is known by, which is given out once and kept nowhere."""

    token: str = field(repr=False)
    session: Session


class Logins(Protocol):
    """The store of logins: each method is one stored procedure. All raise StoreUnavailable while the server is away."""

    def register(self, login: Login) -> None:
        """Keep a new login; raise AddressTaken."""

    def find(self, address: str, dummy_hash: str) -> Login:
        """Return the login of the address; for an unknown one, a row of that shape without id, with the dummy hash."""

    def get(self, user_id: str) -> Login | None:
        """Return the login of an id."""

    def replace_hash(self, user_id: str, *, over: str, new: str) -> bool:
        """Set the password's hash if it still is `over`; say whether it was."""

    def make_administrator(self, user_id: str) -> None:
        """Make the account an administrator's."""

    def keep_link(self, link_hash: str, user_id: str, purpose: Purpose, expires_at: datetime) -> None:
        """Keep the hash of a link, in place of any earlier one of the same account and purpose."""

    def use_link(self, link_hash: str, purpose: Purpose, now: datetime) -> str | None:
        """Return whose link this is and end it; None if it is unknown, used, of another purpose or over."""

    def confirm(self, user_id: str, at: datetime) -> None:
        """Note that the address has been confirmed."""

    def delete(self, user_id: str) -> None:
        """Delete the account and its links; doing it twice is harmless."""

    def expire_links(self, now: datetime) -> int:
        """Delete the links that are over; say how many it were."""


class LoginHistory(Protocol):
    """The store of login history: each method is one stored procedure, and raises StoreUnavailable as Logins does."""

    def record(self, entry: HistoryEntry) -> None:
        """Keep an entry; the same entry id again changes nothing."""

    def page(self, user_id: str, *, before: datetime | None, limit: int) -> list[HistoryEntry]:
        """Return entries of a user, newest first, those older than `before` if it is given."""

    def forget(self, user_id: str) -> None:
        """Delete all entries of a user."""

    def expire(self, before: datetime) -> int:
        """Delete the entries from before a time; say how many it were."""
