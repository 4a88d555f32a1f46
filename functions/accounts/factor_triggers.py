"""The functions of second factors: HTTP routes for viewers, and the owner's reset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap
from functions.accounts.triggers import origin_of
from functions.platform.errors import (
    AddressNotConfirmed,
    Busy,
    Conflict,
    Forbidden,
    NotFound,
    TooManyAttempts,
    WrongPassword,
    WrongSecondFactor,
)
from functions.platform.triggers import OWNER, VIEWER, SliceApp

if TYPE_CHECKING:
    import azure.functions as func

    from functions.accounts.factor_schemas import (
        AuthenticatorCode,
        AuthenticatorSetup,
        FactorAnswer,
        FactorId,
        FactorList,
        FactorReset,
        FactorsChanged,
        NewPasskeyAnswer,
        PasskeyCreation,
        Permit,
        PermitUse,
        ProtectedAccount,
        RecoveryCodes,
    )
    from functions.accounts.model import Session
    from functions.accounts.schemas import PasswordConfirmation
    from functions.platform.viewer import Viewer

app = SliceApp(bootstrap, "functions.accounts.factor_schemas")


@app.get("me/second-factors", caller=VIEWER)
def list_second_factors(viewer: Viewer) -> FactorList:
    """Return the viewer's authenticator apps and passkeys, and how many recovery codes are left."""
    from functions.accounts.factor_schemas import FactorList

    return FactorList.of(bootstrap.accounts().factors.overview(viewer))


@app.post(
    "me/second-factors/permits",
    caller=VIEWER,
    raises=(WrongPassword, AddressNotConfirmed, TooManyAttempts, Busy),
)
def request_factor_permit(request: func.HttpRequest, viewer: Viewer, body: PasswordConfirmation) -> Permit:
    """Return a permit to change second factors, or ask for the existing second factor."""
    from functions.accounts.factor_schemas import Permit

    return Permit.of(bootstrap.accounts().factors.request_permit(viewer, body.password, origin_of(request)))


@app.put("me/second-factors/permits", caller=VIEWER, raises=(WrongSecondFactor, Forbidden, TooManyAttempts))
def confirm_factor_permit(request: func.HttpRequest, viewer: Viewer, body: FactorAnswer) -> Permit:
    """Return a permit to change second factors, once the existing second factor has been proved."""
    from functions.accounts.factor_schemas import Permit

    accounts = bootstrap.accounts()
    return Permit.of(accounts.factors.confirm_permit(viewer, body.ticket, body.proof(), origin_of(request)))


@app.post("me/second-factors/authenticators", caller=VIEWER, raises=(Forbidden,))
def begin_authenticator(viewer: Viewer, body: PermitUse) -> AuthenticatorSetup:
    """Return a new secret for an authenticator app."""
    from functions.accounts.factor_schemas import AuthenticatorSetup

    return AuthenticatorSetup.of(bootstrap.accounts().factors.begin_totp(viewer, body.permit))


@app.put("me/second-factors/authenticators", caller=VIEWER, raises=(WrongSecondFactor, Forbidden, Conflict))
def add_authenticator(request: func.HttpRequest, session: Session, body: AuthenticatorCode) -> FactorsChanged:
    """Add the authenticator app that produced this code, end every session, and open a new one."""
    from functions.accounts.factor_schemas import FactorsChanged

    factors, origin = bootstrap.accounts().factors, origin_of(request)
    return FactorsChanged.of(factors.finish_totp(session, body.ticket, body.code, body.name, origin))


@app.post("me/second-factors/passkeys", caller=VIEWER, raises=(Forbidden,))
def begin_passkey(viewer: Viewer, body: PermitUse) -> PasskeyCreation:
    """Return what the browser needs to create a passkey."""
    from functions.accounts.factor_schemas import PasskeyCreation

    return PasskeyCreation.of(bootstrap.accounts().factors.begin_passkey(viewer, body.permit))


@app.put("me/second-factors/passkeys", caller=VIEWER, raises=(Forbidden, Conflict))
def add_passkey(request: func.HttpRequest, session: Session, body: NewPasskeyAnswer) -> FactorsChanged:
    """Add the passkey that the browser created, end every session, and open a new one."""
    from functions.accounts.factor_schemas import FactorsChanged

    factors, origin = bootstrap.accounts().factors, origin_of(request)
    return FactorsChanged.of(factors.finish_passkey(session, body.ticket, body.passkey, body.name, origin))


@app.delete("me/second-factors/{id}", caller=VIEWER, status=200, raises=(NotFound, Forbidden, Conflict))
def remove_second_factor(request: func.HttpRequest, session: Session, id: FactorId, body: PermitUse) -> FactorsChanged:
    """Remove an authenticator app or a passkey, end every session, and open a new one."""
    from functions.accounts.factor_schemas import FactorsChanged

    factors, origin = bootstrap.accounts().factors, origin_of(request)
    return FactorsChanged.of(factors.remove(session, body.permit, id, origin))


@app.post("me/recovery-codes", caller=VIEWER, raises=(Forbidden, Conflict))
def renew_recovery_codes(viewer: Viewer, body: PermitUse) -> RecoveryCodes:
    """Replace the recovery codes."""
    from functions.accounts.factor_schemas import RecoveryCodes

    return RecoveryCodes(bootstrap.accounts().factors.renew_recovery_codes(viewer, body.permit))


@app.post("second-factor-resets", caller=OWNER, raises=(NotFound,), subject="user_id")
def reset_second_factors(owner: str, body: ProtectedAccount) -> FactorReset:
    """Remove all second factors of an account, with the operator's key only."""
    from functions.accounts.factor_schemas import FactorReset

    viewer, removed = bootstrap.accounts().factors.reset(body.email, by=owner)
    return FactorReset(viewer.user_id, viewer.email, removed)
