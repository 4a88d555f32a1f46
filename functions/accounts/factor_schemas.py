"""The JSON of second factors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from functions.accounts import totp
from functions.accounts.model import Factor
from functions.accounts.schemas import (
    Email,
    FactorAnswer,
    FactorCheck,
    FactorCode,
    FactorTicket,
    NewSession,
    PasskeyJson,
    PasswordConfirmation,
)
from functions.platform.field_types import Time, UserId

if TYPE_CHECKING:
    from functions.accounts.factor_service import (
        ChangedFactors,
        FactorOverview,
        FactorPermit,
        PasskeySetup,
        TotpSetup,
    )
    from functions.accounts.model import SecondFactor

__all__ = ["FactorAnswer", "PasswordConfirmation"]

FactorId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)", description="The id of a second factor.")]
FactorName = Annotated[str, Meta(max_length=200, description="A name by which the person recognises it.")]


class ProtectedAccount(Struct, frozen=True):
    """The email address of an account."""

    email: Email


class PermitUse(Struct, frozen=True):
    """A permit to change second factors."""

    permit: FactorTicket


class AuthenticatorCode(Struct, frozen=True):
    """The first code of a new authenticator app."""

    ticket: FactorTicket
    code: FactorCode
    name: FactorName = ""


class NewPasskeyAnswer(Struct, frozen=True):
    """The browser's answer after it has created a passkey."""

    ticket: FactorTicket
    passkey: PasskeyJson
    name: FactorName = ""


class OwnFactor(Struct, frozen=True):
    """An authenticator app or a passkey."""

    id: FactorId
    kind: Factor
    name: str
    created_at: Time
    last_used_at: Time | None

    @classmethod
    def of(cls, factor: SecondFactor) -> OwnFactor:
        """Return the JSON of a second factor."""
        return cls(factor.factor_id, factor.kind, factor.name, factor.created_at, factor.last_used_at)


class FactorList(Struct, frozen=True):
    """The second factors of an account."""

    factors: tuple[OwnFactor, ...]
    recovery_codes: Annotated[int, Meta(description="The number of unused recovery codes.")]
    required: Annotated[bool, Meta(description="Whether the account must have a second factor.")]

    @classmethod
    def of(cls, overview: FactorOverview) -> FactorList:
        """Return the JSON of an overview."""
        return cls(tuple(map(OwnFactor.of, overview.factors)), overview.recovery_codes, overview.required)


class Permit(Struct, frozen=True):
    """Either a permit to change second factors or a request for the existing second factor; the other field is null."""

    permit: str | None
    check: FactorCheck | None

    @classmethod
    def of(cls, permit: FactorPermit) -> Permit:
        """Return the JSON of a permit or challenge."""
        return cls(permit.permit or None, FactorCheck.of(permit.challenge) if permit.challenge else None)


class AuthenticatorSetup(Struct, frozen=True):
    """The secret for an authenticator app."""

    ticket: Annotated[str, Meta(description="Send it back with the app's first code.")]
    key: Annotated[str, Meta(description="The secret in base32, for typing it into the app.")]
    uri: Annotated[str, Meta(description="The secret as an `otpauth` URI, which the QR code contains.")]
    qr: Annotated[tuple[str, ...], Meta(description="The rows of the QR code, with `1` for a dark module.")]

    @classmethod
    def of(cls, setup: TotpSetup) -> AuthenticatorSetup:
        """Return the JSON of a new secret."""
        return cls(setup.ticket, setup.key, setup.uri, totp.qr_rows(setup.uri))


class PasskeyCreation(Struct, frozen=True):
    """What the browser needs to create a passkey."""

    ticket: Annotated[str, Meta(description="Send it back with the browser's answer.")]
    options: PasskeyJson

    @classmethod
    def of(cls, setup: PasskeySetup) -> PasskeyCreation:
        """Return the JSON of the options."""
        return cls(setup.ticket, dict(setup.options))


class RecoveryCodes(Struct, frozen=True):
    """New recovery codes, which are returned only once."""

    recovery_codes: tuple[str, ...]


class FactorsChanged(Struct, frozen=True):
    """The session that replaces all others, and new recovery codes; there are none if they did not change."""

    session: NewSession
    recovery_codes: tuple[str, ...]

    @classmethod
    def of(cls, changed: ChangedFactors) -> FactorsChanged:
        """Return the JSON of a change."""
        return cls(NewSession.of(changed.opened), changed.recovery_codes)


class FactorReset(Struct, frozen=True):
    """An account whose second factors were removed."""

    user_id: UserId
    email: str
    removed: Annotated[int, Meta(description="The number of removed authenticator apps and passkeys.")]
