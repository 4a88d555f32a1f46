"""The JSON of accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta, Struct

from functions.accounts.model import Factor, FactorProof, LoginOutcome
from functions.billing.schemas import PublicEntitlement
from functions.platform.field_types import Cursor, Limit, NextCursor, ProfileId, Time, UserId

if TYPE_CHECKING:
    from collections.abc import Iterable

    from functions.accounts.model import EmailChoices, FactorChallenge, LoginHistoryEntry, OpenedSession, Session
    from functions.platform.pagination import Page
    from functions.platform.viewer import Viewer

Email = Annotated[str, Meta(description="An email address.")]
Password = Annotated[str, Meta(description="A password of at most 128 characters.")]
NewPassword = Annotated[str, Meta(description="A new password of 8 to 128 characters that is not easy to guess.")]
LinkToken = Annotated[str, Meta(description="The token of a mailed link, from the fragment of its address.")]


FactorTicket = Annotated[str, Meta(max_length=4000, description="The `ticket` of the previous step.")]
FactorCode = Annotated[
    str, Meta(max_length=64, description="The code of an authenticator app, or a recovery code; spaces do not matter.")
]
PasskeyJson = Annotated[
    dict[str, Any],
    Meta(
        description="Options or answer of a passkey in WebAuthn's JSON form (`parseRequestOptionsFromJSON`, `toJSON`)."
    ),
]
Device = Annotated[str, Meta(description="The `device` of an earlier login on this device.")]
SessionFactor = Annotated[
    Factor, Meta(description="The second factor with which the session began; `none` for the password alone.")
]


class LoginRequest(Struct, frozen=True):
    """The email address and the password of an account."""

    email: Email
    password: Password
    device: Device = ""


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
    device: Device = ""


class PasswordReset(Struct, frozen=True):
    """The token of a mailed reset link, and the new password."""

    token: LinkToken
    password: NewPassword


class NewAdministrator(Struct, frozen=True):
    """The email address of an account that may not exist yet."""

    email: Email


class KnownAdministrator(Struct, frozen=True):
    """An account with the owner's rights."""

    user_id: UserId
    email: str
    confirmed: Annotated[bool, Meta(description="Whether the email address is confirmed.")]


class AdministratorList(Struct, frozen=True):
    """All administrators, sorted by email address."""

    administrators: tuple[KnownAdministrator, ...]

    @classmethod
    def of(cls, viewers: Iterable[Viewer]) -> AdministratorList:
        """Return the JSON of the administrators."""
        return cls(tuple(KnownAdministrator(one.user_id, one.email, one.confirmed) for one in viewers))


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


DeviceToken = Annotated[
    str, Meta(description="Send it along with the next login on this device. It gives priority, never access.")
]


class NewSession(Struct, frozen=True, tag_field="step", tag="done"):
    """A session and its token, which is returned only once."""

    token: Annotated[str, Meta(description="Send it as `Authorization: Bearer …`.")]
    expires_at: Annotated[Time, Meta(description="When the session ends at the latest; it ends earlier when idle.")]
    user_id: UserId
    email: str
    admin: Annotated[bool, Meta(description="Whether the viewer is an administrator.")]
    confirmed: Annotated[bool, Meta(description="Whether the email address is confirmed.")]
    device: DeviceToken
    factor: SessionFactor

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
            factor=session.factor,
        )


class FactorCheck(Struct, frozen=True, tag_field="step", tag="second_factor"):
    """A request for the second factor, which follows the right password."""

    ticket: Annotated[str, Meta(description="Send it back with the second factor.")]
    kinds: Annotated[tuple[Factor, ...], Meta(description="The kinds of second factors that the account has.")]
    passkey_options: PasskeyJson | None
    expires_at: Time

    @classmethod
    def of(cls, challenge: FactorChallenge) -> FactorCheck:
        """Return the JSON of a challenge."""
        options = dict(challenge.passkey_options) if challenge.passkey_options else None
        return cls(challenge.ticket, challenge.kinds, options, challenge.expires_at)


class FactorAnswer(Struct, frozen=True):
    """The answer to a request for the second factor: either a code or a passkey's answer."""

    ticket: FactorTicket
    code: FactorCode = ""
    passkey: PasskeyJson | None = None

    def proof(self) -> FactorProof:
        """Return what the person presents."""
        return FactorProof(self.code, self.passkey)


class LoginAnswer(FactorAnswer, frozen=True):
    """The answer to a request for the second factor, which completes a login."""

    device: Device = ""


class KnownDevice(Struct, frozen=True):
    """A token by which this device is known."""

    device: DeviceToken


class ChosenEmails(Struct, frozen=True):
    """Which optional emails the viewer receives."""

    payments: Annotated[bool, Meta(description="Whether each payment is confirmed by email.")]

    @classmethod
    def of(cls, choices: EmailChoices) -> ChosenEmails:
        """Return the JSON of choices."""
        return cls(choices.payments)


class ChosenLanguage(Struct, frozen=True):
    """The language in which the viewer receives emails."""

    language: Annotated[Literal["en", "de"], Meta(description="An ISO 639-1 code.")]


class Me(Struct, frozen=True):
    """The viewer of the session; `entitlement` is null while billing is unreachable."""

    user_id: UserId
    email: str
    admin: Annotated[bool, Meta(description="Whether the viewer is an administrator.")]
    confirmed: Annotated[bool, Meta(description="Whether the email address is confirmed.")]
    session_expires_at: Annotated[Time, Meta(description="When the session ends at the latest.")]
    factor: SessionFactor
    profile_id: ProfileId
    age_limit: Annotated[int | None, Meta(description="The profile cannot play titles for older people.")]
    entitlement: PublicEntitlement | None

    @classmethod
    def of(cls, session: Session, entitlement: PublicEntitlement | None) -> Me:
        """Return the JSON of the viewer of a session."""
        viewer = session.viewer
        return cls(
            user_id=viewer.user_id,
            email=viewer.email,
            admin=viewer.admin,
            confirmed=viewer.confirmed,
            session_expires_at=session.ends_at,
            factor=session.factor,
            profile_id=viewer.watcher_id,
            age_limit=viewer.age_limit,
            entitlement=entitlement,
        )


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

    user_id: UserId
    email: str
    created: Annotated[bool, Meta(description="Whether the account is new.")]
    link: str | None
