"""The domain of accounts: logins, sessions, entries of the login history, purposes of links, second factors."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from functions.platform.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


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
    has_second_factor: bool = False


@dataclass(frozen=True, slots=True)
class EmailChoices:
    """The optional emails that an account receives: confirmations of `payments`."""

    payments: bool = True


@dataclass(frozen=True, slots=True)
class RequestOrigin:
    """The origin of a request: the IP address seen by the trusted proxy, and the short name of the browser.

    `language` is the code of the page's language; empty if the request names none that emails are written in.
    """

    ip: str
    browser: str
    language: str = ""


class LoginOutcome(StrEnum):
    """The result of an attempt to log in."""

    SUCCESS = "success"
    WRONG_PASSWORD = "wrong_password"
    WRONG_SECOND_FACTOR = "wrong_second_factor"
    UNFINISHED = "unfinished"
    """The password was right, and the second factor was not proved (yet)."""

    LIMITED = "limited"


@dataclass(frozen=True, slots=True)
class LoginHistoryEntry:
    """An attempt to log in: time, IP address, browser and outcome; `entry_id` makes recording it idempotent.

    A finished login replaces the entry of the unfinished login with the same `entry_id`.
    """

    entry_id: str
    user_id: str
    at: datetime
    ip: str
    browser: str
    outcome: LoginOutcome


class LinkPurpose(StrEnum):
    """What a mailed link is for: confirming an email address, or setting a new password."""

    CONFIRM = "confirm"
    RESET = "reset"


class Factor(StrEnum):
    """What a login proved besides the password."""

    NONE = "none"
    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery_code"


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """An authenticator app or a passkey of an account.

    `secret` is encrypted: the shared secret of an authenticator app, or the public key of a passkey. `credential_id` is
    base64url, and empty for an authenticator app.
    """

    factor_id: str
    user_id: str
    kind: Factor
    name: str
    secret: str = field(repr=False)
    credential_id: str
    sign_count: int
    created_at: datetime
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A verified new passkey; `credential_id` is base64url, `public_key` is a COSE key (RFC 9052)."""

    credential_id: str
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class FactorProof:
    """What a person presents as the second factor: a code (TOTP or recovery code), or the answer of a passkey."""

    code: str = field(default="", repr=False)
    passkey: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FactorChallenge:
    """A request for the second factor of an account.

    `challenge_id` identifies the challenge without granting anything. `ticket` is sent back with the proof and expires
    at `expires_at`. `passkey_options` contains what the browser needs to ask for a passkey. It is None if the account
    has no passkey, or if passkeys cannot be used at the site's address.
    """

    challenge_id: str
    ticket: str = field(repr=False)
    kinds: tuple[Factor, ...]
    passkey_options: Mapping[str, Any] | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """A login session; it expires at `ends_at`, or earlier if it is idle for too long.

    `session_id` identifies the session without granting access, unlike its token.
    """

    viewer: Viewer
    created_at: datetime
    ends_at: datetime
    session_id: str = field(default="", repr=False)
    factor: Factor = Factor.NONE


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session, its token, and the token of the device; both tokens are returned once and never stored."""

    token: str = field(repr=False)
    session: Session
    device: str = field(default="", repr=False)


def viewer_of(login: Login) -> Viewer:
    """Return an account in the form that other slices use."""
    return Viewer(login.user_id, login.email, admin=login.admin, confirmed=login.confirmed_at is not None)
