"""The JSON of accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from functions.accounts.model import LoginOutcome
from functions.billing.schemas import PublicEntitlement
from functions.platform.field_types import Cursor, Limit, NextCursor, Time, UserId

if TYPE_CHECKING:
    from functions.accounts.model import LoginHistoryEntry, OpenedSession, Session
    from functions.platform.pagination import Page
    from functions.platform.viewer import Viewer

Email = Annotated[str, Meta(description="An email address.")]
Password = Annotated[str, Meta(description="A password of at most 128 characters.")]
NewPassword = Annotated[str, Meta(description="A new password of 8 to 128 characters that is not easy to guess.")]
LinkToken = Annotated[str, Meta(description="The token of a mailed link, from the fragment of its address.")]


class LoginRequest(Struct, frozen=True):
    """The email address and the password of an account."""

    email: Email
    password: Password
    device: Annotated[str, Meta(description="The `device` of an earlier login on this device.")] = ""


class Registration(Struct, frozen=True):
    """The email address and the password of a new account."""

    email: Email
    password: NewPassword


class PasswordChange(Struct, frozen=True):
    """The current and the new password."""

    current: Password
    new: NewPassword


class PasswordConfirmation(Struct, frozen=True):
    """The password, which confirms a deletion."""

    password: Password


class AddressConfirmation(Struct, frozen=True):
    """The token of a mailed confirmation link."""

    token: LinkToken


class ResetRequest(Struct, frozen=True):
    """The email address of the account whose password was forgotten."""

    email: Email


class PasswordReset(Struct, frozen=True):
    """The token of a mailed reset link, and the new password."""

    token: LinkToken
    password: NewPassword


class NewAdministrator(Struct, frozen=True):
    """The email address of an account that may not exist yet."""

    email: Email


class LogOutQuery(Struct, frozen=True):
    """Which sessions to end."""

    everywhere: Annotated[bool, Meta(description="End every session of the viewer.")] = False


class LoginsQuery(Struct, frozen=True):
    """Which page of the login history to return."""

    cursor: Cursor = ""
    limit: Limit = 20


class Account(Struct, frozen=True):
    """A new account."""

    user_id: UserId
    email: str

    @classmethod
    def of(cls, viewer: Viewer) -> Account:
        """Return the JSON of a new account."""
        return cls(viewer.user_id, viewer.email)


class NewSession(Struct, frozen=True):
    """A session and its token, which is returned only once."""

    token: Annotated[str, Meta(description="Send it as `Authorization: Bearer …`.")]
    expires_at: Annotated[Time, Meta(description="When the session ends at the latest; it ends earlier when idle.")]
    user_id: UserId
    email: str
    admin: Annotated[bool, Meta(description="Whether the viewer is an administrator.")]
    confirmed: Annotated[bool, Meta(description="Whether the email address is confirmed.")]
    device: Annotated[
        str, Meta(description="Send it along with the next login on this device. It gives priority, never access.")
    ]

    @classmethod
    def of(cls, opened: OpenedSession) -> NewSession:
        """Return the JSON of a session that has just been opened."""
        session, viewer = opened.session, opened.session.viewer
        return cls(
            token=opened.token,
            expires_at=session.ends_at,
            user_id=viewer.user_id,
            email=viewer.email,
            admin=viewer.admin,
            confirmed=viewer.confirmed,
            device=opened.device,
        )


class Me(Struct, frozen=True):
    """The viewer of the session; `entitlement` is null while billing is unreachable."""

    user_id: UserId
    email: str
    admin: Annotated[bool, Meta(description="Whether the viewer is an administrator.")]
    confirmed: Annotated[bool, Meta(description="Whether the email address is confirmed.")]
    session_expires_at: Annotated[Time, Meta(description="When the session ends at the latest.")]
    entitlement: PublicEntitlement | None

    @classmethod
    def of(cls, session: Session, entitlement: PublicEntitlement | None) -> Me:
        """Return the JSON of the viewer of a session."""
        viewer = session.viewer
        return cls(viewer.user_id, viewer.email, viewer.admin, viewer.confirmed, session.ends_at, entitlement)


class LoginAttempt(Struct, frozen=True):
    """An attempt to log in."""

    at: Time
    ip: str
    browser: Annotated[str, Meta(description="Browser and operating system in a few words.")]
    outcome: LoginOutcome

    @classmethod
    def of(cls, entry: LoginHistoryEntry) -> LoginAttempt:
        """Return the JSON of an entry of the login history."""
        return cls(entry.at, entry.ip, entry.browser, entry.outcome)


class LoginPage(Struct, frozen=True):
    """A page of the login history, newest first."""

    logins: tuple[LoginAttempt, ...]
    cursor: NextCursor

    @classmethod
    def of(cls, page: Page[LoginHistoryEntry]) -> LoginPage:
        """Return the JSON of a page."""
        return cls(tuple(map(LoginAttempt.of, page.entries)), page.cursor)


class EmailRequested(Struct, frozen=True):
    """The email will be sent; a reset link is sent only if the address has an account."""


class ConfirmedAddress(Struct, frozen=True):
    """The email address that has been confirmed."""

    email: str


class Administrator(Struct, frozen=True):
    """An administrator; `link` is for setting the password, and null if the account already has a password."""

    email: str
    created: Annotated[bool, Meta(description="Whether the account is new.")]
    link: str | None
