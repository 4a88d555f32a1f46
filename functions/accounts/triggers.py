"""The functions of accounts: HTTP routes for viewers and the owner, queues, and a daily timer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from functions import bootstrap
from functions.platform.errors import (
    AccountStillExists,
    AddressTaken,
    AgeLimited,
    Busy,
    Conflict,
    LinkExpired,
    NotFound,
    StoreUnavailable,
    TooManyAttempts,
    WeakPassword,
    WrongCredentials,
    WrongPassword,
    WrongSecondFactor,
)
from functions.platform.http import bearer, client_of
from functions.platform.triggers import ANYONE, OWNER, SIGNED, VIEWER, SliceApp

if TYPE_CHECKING:
    import azure.functions as func

    from functions.accounts.model import RequestOrigin, Session
    from functions.accounts.schemas import (
        Account,
        AddressConfirmation,
        Administrator,
        AdministratorList,
        ChosenEmails,
        ChosenLanguage,
        ConfirmedAddress,
        EmailRequested,
        FactorCheck,
        KnownDevice,
        LoginAnswer,
        LoginPage,
        LoginRequest,
        LoginsQuery,
        LogOutQuery,
        Me,
        NewAdministrator,
        NewSession,
        PasswordChange,
        PasswordConfirmation,
        PasswordReset,
        Registration,
        ResetRequest,
    )
    from functions.billing.schemas import PublicEntitlement
    from functions.platform.field_types import UserId
    from functions.platform.messages import ForgetViewer, RecordLogin, StartReset
    from functions.platform.viewer import Viewer

log = logging.getLogger(__name__)
app = SliceApp(bootstrap, "functions.accounts.schemas")

FORGET_AGAIN_S = 60
"""The delay in seconds after which the deletion of an account's data is tried again."""


@app.post("accounts", caller=ANYONE, status=201, raises=(AddressTaken, WeakPassword, TooManyAttempts, Busy))
def register(request: func.HttpRequest, body: Registration) -> Account:
    """Open an account and send an email with a confirmation link."""
    from functions.accounts.schemas import Account

    return Account.of(bootstrap.accounts().register(body.email, body.password, origin_of(request)))


@app.post("sessions", caller=ANYONE, raises=(WrongCredentials, TooManyAttempts, Busy))
def log_in(request: func.HttpRequest, body: LoginRequest) -> NewSession | FactorCheck:
    """Open a session, or ask for the second factor if the account has one.

    If the request contains the token of another session, that session ends.
    """
    from functions.accounts.login_flow import SecondFactorNeeded
    from functions.accounts.schemas import FactorCheck, NewSession

    accounts, origin = bootstrap.accounts(), origin_of(request)
    try:
        opened = accounts.log_in(body.email, body.password, origin, replacing=bearer(request), device=body.device)
    except SecondFactorNeeded as needed:
        return FactorCheck.of(needed.challenge)
    return NewSession.of(opened)


@app.post("sessions/second-factor", caller=SIGNED, raises=(WrongSecondFactor, TooManyAttempts))
def log_in_with_factor(request: func.HttpRequest, body: LoginAnswer) -> NewSession:
    """Verify the answer to a request for the second factor and open a session."""
    from functions.accounts.schemas import NewSession

    accounts, origin = bootstrap.accounts(), origin_of(request)
    opened = accounts.log_in_with_factor(
        body.ticket, body.proof(), origin, replacing=bearer(request), device=body.device
    )
    return NewSession.of(opened)


@app.delete("sessions", caller=VIEWER)
def log_out(request: func.HttpRequest, viewer: Viewer, query: LogOutQuery) -> None:
    """End the session, or every session of the viewer."""
    if query.everywhere:
        bootstrap.accounts().log_out_everywhere(viewer)
    else:
        bootstrap.accounts().log_out(bearer(request))


@app.get("me", caller=VIEWER)
def get_me(session: Session) -> Me:
    """Return the viewer who is logged in, when the session ends, and whether they may play films."""
    from functions.accounts.schemas import Me

    return Me.of(session, _entitlement(session.viewer))


@app.put("me/password", caller=VIEWER, raises=(WrongPassword, WeakPassword, TooManyAttempts, Conflict, Busy))
def change_password(request: func.HttpRequest, session: Session, body: PasswordChange) -> NewSession:
    """Set a new password, end every session of the viewer, and open a new one."""
    from functions.accounts.schemas import NewSession

    accounts, origin = bootstrap.accounts(), origin_of(request)
    opened = accounts.change_password(session.viewer, body.current, body.new, origin, factor=session.factor)
    return NewSession.of(opened)


@app.delete("me", caller=VIEWER, raises=(WrongPassword, TooManyAttempts, Busy))
def delete_account(request: func.HttpRequest, viewer: Viewer, body: PasswordConfirmation) -> None:
    """Delete the account and its data; records of payments are kept without a name."""
    bootstrap.accounts().delete_account(viewer, body.password, origin_of(request))


@app.get("me/logins", caller=VIEWER)
def list_logins(viewer: Viewer, query: LoginsQuery) -> LoginPage:
    """Return a page of the viewer's login history, newest first."""
    from functions.accounts.schemas import LoginPage

    return LoginPage.of(bootstrap.accounts().logins_of(viewer, cursor=query.cursor, limit=query.limit))


@app.get("me/emails", caller=VIEWER)
def get_email_choices(viewer: Viewer) -> ChosenEmails:
    """Return which optional emails the viewer receives."""
    from functions.accounts.schemas import ChosenEmails

    return ChosenEmails.of(bootstrap.accounts().email_choices.choices_of(viewer))


@app.put("me/language", caller=VIEWER, raises=(AgeLimited,))
def set_language(viewer: Viewer, body: ChosenLanguage) -> None:
    """Write the viewer's emails in a language from now on; logging in on a page in another language changes it."""
    bootstrap.accounts().email_choices.choose_language(viewer, body.language)


@app.put("me/emails", caller=VIEWER, raises=(AgeLimited,))
def set_email_choices(viewer: Viewer, body: ChosenEmails) -> ChosenEmails:
    """Choose which optional emails the viewer receives; all others are always sent."""
    from functions.accounts.model import EmailChoices
    from functions.accounts.schemas import ChosenEmails

    return ChosenEmails.of(bootstrap.accounts().email_choices.choose(viewer, EmailChoices(payments=body.payments)))


@app.post("me/confirmation", caller=VIEWER, status=202, raises=(Conflict, TooManyAttempts))
def send_confirmation(viewer: Viewer) -> EmailRequested:
    """Mail the viewer another confirmation link."""
    from functions.accounts.schemas import EmailRequested

    bootstrap.accounts().send_confirmation(viewer)
    return EmailRequested()


@app.post("confirmations", caller=ANYONE, raises=(LinkExpired, TooManyAttempts, Conflict))
def confirm_address(request: func.HttpRequest, body: AddressConfirmation) -> ConfirmedAddress:
    """Confirm an email address by a mailed link."""
    from functions.accounts.schemas import ConfirmedAddress

    return ConfirmedAddress(bootstrap.accounts().confirm_address(body.token, origin_of(request)))


@app.post("password-resets", caller=ANYONE, status=202, raises=(TooManyAttempts,))
def request_reset(request: func.HttpRequest, body: ResetRequest) -> EmailRequested:
    """Mail a link that sets a new password. The answer is the same whether or not the address has an account."""
    from functions.accounts.schemas import EmailRequested

    bootstrap.accounts().request_reset(body.email, origin_of(request), device=body.device)
    return EmailRequested()


@app.put("password-resets", caller=ANYONE, raises=(LinkExpired, WeakPassword, TooManyAttempts, Conflict, Busy))
def reset_password(request: func.HttpRequest, body: PasswordReset) -> KnownDevice:
    """Set a new password by a mailed link, and end every session of the account."""
    from functions.accounts.schemas import KnownDevice

    return KnownDevice(bootstrap.accounts().reset_password(body.token, body.password, origin_of(request)))


@app.post("administrators", caller=OWNER, status=201, raises=(AddressTaken, Conflict), subject="user_id")
def make_administrator(request: func.HttpRequest, body: NewAdministrator) -> Administrator:
    """Make the account of an email address an administrator; open the account if there is none."""
    from functions.accounts.schemas import Administrator

    language = origin_of(request).language
    viewer, created, link = bootstrap.accounts().make_administrator(body.email, language=language)
    return Administrator(viewer.user_id, viewer.email, created, link)


@app.get("administrators", caller=OWNER)
def list_administrators() -> AdministratorList:
    """Return all administrators."""
    from functions.accounts.schemas import AdministratorList

    return AdministratorList.of(bootstrap.accounts().administrators.list_all())


@app.delete("administrators/{id}", caller=OWNER, raises=(NotFound, Conflict))
def revoke_administrator(id: UserId, owner: str) -> None:
    """Revoke the rights of an administrator and end their sessions; the account remains."""
    bootstrap.accounts().administrators.revoke(id, by=owner)


@app.queue("start-reset")
def start_reset(message: StartReset) -> None:
    """Mail a requested reset link."""
    bootstrap.accounts().mail_reset_link(message.email, known=message.known)


@app.dead_letters("start-reset")
def start_reset_poison(message: StartReset) -> None:
    """Defer a reset link that could not be mailed, or give it up after its last deferral."""
    bootstrap.accounts().defer_reset(message)


@app.queue("record-login")
def record_login(message: RecordLogin) -> None:
    """Store an entry of the login history."""
    bootstrap.accounts().login_history.store_attempt(message)


@app.dead_letters("record-login")
def record_login_poison(message: RecordLogin) -> None:
    """Retry storing an entry; while the store is unreachable, the host keeps retrying."""
    bootstrap.accounts().login_history.store_attempt(message)


@app.queue("forget-viewer")
def forget_viewer(message: ForgetViewer) -> None:
    """Delete all data of a deleted account."""
    bootstrap.accounts().forget_viewer(message.user_id)


@app.dead_letters("forget-viewer")
def forget_viewer_poison(message: ForgetViewer) -> None:
    """Retry deleting data that a store failed to delete earlier, until no store is away.

    If the account still exists, the message is dropped.
    """
    try:
        bootstrap.accounts().forget_viewer(message.user_id)
    except AccountStillExists as error:
        log.error("A message of forget-viewer is dropped: %s", error.detail)
    except StoreUnavailable as error:
        log.warning("The data of a deleted account is deleted later: %s", error.detail)
        bootstrap.resources.queues().send(message, delay_s=FORGET_AGAIN_S)


@app.timer("0 20 3 * * *")
def tidy_accounts() -> None:
    """Delete expired links and old login history, and encrypt second factors with the newest key, once a day."""
    bootstrap.accounts().tidy()


def origin_of(request: func.HttpRequest) -> RequestOrigin:
    """Return the origin of a request."""
    from functions.accounts.model import RequestOrigin
    from functions.platform.browsers import browser_of
    from functions.platform.languages import language_of

    client = client_of(request, bootstrap.resources.settings().front_hops)
    return RequestOrigin(client.ip, browser_of(client.user_agent), language_of(request.headers))


def _entitlement(viewer: Viewer) -> PublicEntitlement | None:
    """Return the viewer's entitlement, or None while billing is unreachable; the rest of the answer is still valid."""
    from functions.billing.schemas import PublicEntitlement

    try:
        return PublicEntitlement.of(bootstrap.entitlements().of(viewer))
    except StoreUnavailable as error:
        log.warning("The entitlement cannot be determined: %s", error.detail)
        return None
