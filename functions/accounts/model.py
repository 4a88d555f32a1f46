"""The domain of accounts: a login, a session, an entry of the login history, the purpose of a link."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from functions.platform.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Login:
    """An account as stored; `address` is the normalised form of `email`, by which the account is found."""

    user_id: str
    address: str = field(repr=False)
    email: str = field(repr=False)
    password_hash: str = field(repr=False)
    admin: bool
    confirmed_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RequestOrigin:
    """The origin of a request: the IP address seen by the trusted proxy, and the short name of the browser."""

    ip: str
    browser: str


class LoginOutcome(StrEnum):
    """The result of an attempt to log in."""

    SUCCESS = "success"
    WRONG_PASSWORD = "wrong_password"
    LIMITED = "limited"


@dataclass(frozen=True, slots=True)
class LoginHistoryEntry:
    """An attempt to log in: time, IP address, browser and outcome; `entry_id` makes recording it idempotent."""

    entry_id: str
    user_id: str
    at: datetime
    ip: str
    browser: str
    outcome: LoginOutcome


class LinkPurpose(StrEnum):
    """The purpose of a mailed link."""

    CONFIRM = "confirm"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Session:
    """A login session; it expires at `ends_at`, or earlier if it is idle for too long."""

    viewer: Viewer
    created_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session, its token, and the token of the device; both tokens are returned once and never stored."""

    token: str = field(repr=False)
    session: Session
    device: str = field(default="", repr=False)
