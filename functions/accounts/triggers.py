"""The functions of accounts: what people ask by HTTP, and what is done afterwards by queue and timer."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import azure.functions as func

from functions import bootstrap
from functions.accounts.browsers import browser_of
from functions.accounts.model import Origin
from functions.accounts.views import public_entitlement, public_entry, public_session, public_viewer
from functions.platform.errors import Conflict, Malformed, StoreUnavailable
from functions.platform.http import answer, bearer, client_of, endpoint, json_object, no_content, operator_key

if TYPE_CHECKING:
    from functions.accounts.model import Viewer

log = logging.getLogger(__name__)
blueprint = func.Blueprint()  # type: ignore[no-untyped-call]

STORAGE = "AzureWebJobsStorage"
ANONYMOUS = func.AuthLevel.ANONYMOUS


@blueprint.function_name("register")
@blueprint.route("accounts", methods=["POST"], auth_level=ANONYMOUS)
@endpoint
def register(req: func.HttpRequest) -> func.HttpResponse:
    """Open an account: {"email", "password"}."""
    email, password = _texts(req, "email", "password")
    viewer = bootstrap.accounts().register(email, password, _origin(req))
    return answer({"user_id": viewer.user_id, "email": viewer.email}, status=201)


@blueprint.function_name("log_in")
@blueprint.route("sessions", methods=["POST"], auth_level=ANONYMOUS)
@endpoint
def log_in(req: func.HttpRequest) -> func.HttpResponse:
    """Open a session: {"email", "password"}; one that the caller has already ends."""
    email, password = _texts(req, "email", "password")
    return answer(public_session(bootstrap.accounts().log_in(email, password, _origin(req), replacing=bearer(req))))


@blueprint.function_name("log_out")
@blueprint.route("sessions", methods=["DELETE"], auth_level=ANONYMOUS)
@endpoint
def log_out(req: func.HttpRequest) -> func.HttpResponse:
    """End the caller's session, with ?everywhere=true every one of theirs."""
    accounts, token = bootstrap.accounts(), bearer(req)
    viewer = accounts.viewer(token)
    match req.params.get("everywhere", "false"):
        case "true":
            accounts.log_out_everywhere(viewer)
        case "false":
            accounts.log_out(token)
        case _:
            raise Malformed("`everywhere` must be true or false.")
    return no_content()


@blueprint.function_name("get_me")
@blueprint.route("me", methods=["GET"], auth_level=ANONYMOUS)
@endpoint
def get_me(req: func.HttpRequest) -> func.HttpResponse:
    """Answer who is logged in, until when at the latest, and what they may watch."""
    session = bootstrap.accounts().session(bearer(req))
    body = {**public_viewer(session.viewer), "session_expires_at": session.ends_at.isoformat()}
    return answer({**body, "entitlement": _entitlement(session.viewer)})


@blueprint.function_name("change_password")
@blueprint.route("me/password", methods=["PUT"], auth_level=ANONYMOUS)
@endpoint
def change_password(req: func.HttpRequest) -> func.HttpResponse:
    """Set a new password: {"current", "new"}; every other session ends, and the caller's has a new token."""
    viewer = bootstrap.accounts().viewer(bearer(req))
    current, new = _texts(req, "current", "new")
    return answer(public_session(bootstrap.accounts().change_password(viewer, current, new, _origin(req))))


@blueprint.function_name("delete_account")
@blueprint.route("me", methods=["DELETE"], auth_level=ANONYMOUS)
@endpoint
def delete_account(req: func.HttpRequest) -> func.HttpResponse:
    """Delete the account and all that is known of it: {"password"}."""
    viewer = bootstrap.accounts().viewer(bearer(req))
    (password,) = _texts(req, "password")
    bootstrap.accounts().delete(viewer, password, _origin(req))
    return no_content()


@blueprint.function_name("list_logins")
@blueprint.route("me/logins", methods=["GET"], auth_level=ANONYMOUS)
@endpoint
def list_logins(req: func.HttpRequest) -> func.HttpResponse:
    """Answer a page of the caller's tries to log in, newest first: ?cursor=."""
    viewer = bootstrap.accounts().viewer(bearer(req))
    entries, cursor = bootstrap.accounts().logins_of(viewer, req.params.get("cursor", ""))
    return answer({"logins": [public_entry(entry) for entry in entries], "cursor": cursor})


@blueprint.function_name("send_confirmation")
@blueprint.route("me/confirmation", methods=["POST"], auth_level=ANONYMOUS)
@endpoint
def send_confirmation(req: func.HttpRequest) -> func.HttpResponse:
    """Mail the caller another link that confirms their address."""
    viewer = bootstrap.accounts().viewer(bearer(req))
    bootstrap.accounts().send_confirmation(viewer)
    return answer({}, status=202)


@blueprint.function_name("confirm_address")
@blueprint.route("confirmations", methods=["POST"], auth_level=ANONYMOUS)
@endpoint
def confirm_address(req: func.HttpRequest) -> func.HttpResponse:
    """Confirm the address to which a link was mailed: {"token"}."""
    (token,) = _texts(req, "token")
    return answer({"email": bootstrap.accounts().confirm(token, _origin(req))})


@blueprint.function_name("request_reset")
@blueprint.route("password-resets", methods=["POST"], auth_level=ANONYMOUS)
@endpoint
def request_reset(req: func.HttpRequest) -> func.HttpResponse:
    """Have a link mailed that sets a new password: {"email"}; the answer is the same whether there is an account."""
    (email,) = _texts(req, "email")
    bootstrap.accounts().ask_reset(email, _origin(req))
    return answer({}, status=202)


@blueprint.function_name("reset_password")
@blueprint.route("password-resets", methods=["PUT"], auth_level=ANONYMOUS)
@endpoint
def reset_password(req: func.HttpRequest) -> func.HttpResponse:
    """Set a new password by a mailed link: {"token", "password"}; every session of the account ends."""
    token, password = _texts(req, "token", "password")
    bootstrap.accounts().reset(token, password, _origin(req))
    return no_content()


@blueprint.function_name("make_administrator")
@blueprint.route("administrators", methods=["POST"], auth_level=ANONYMOUS)
@endpoint
def make_administrator(req: func.HttpRequest) -> func.HttpResponse:
    """Make the account of an address an administrator's, and open it if there is none: {"email"}."""
    bootstrap.owners().admit(bearer(req), operator_key(req))
    (email,) = _texts(req, "email")
    viewer, created, link = bootstrap.accounts().make_administrator(email)
    return answer({"email": viewer.email, "created": created, "link": link}, status=201)


@blueprint.function_name("start_reset")
@blueprint.queue_trigger("msg", "start-reset", STORAGE)
def start_reset(msg: func.QueueMessage) -> None:
    """Mail the link that somebody asked for: {"email"}."""
    bootstrap.accounts().start_reset(_text_of(msg, "email"))


@blueprint.function_name("record_login")
@blueprint.queue_trigger("msg", "record-login", STORAGE)
def record_login(msg: func.QueueMessage) -> None:
    """Keep an entry of the login history: {"entry_id", "user_id", "at", "ip", "browser", "outcome"}."""
    bootstrap.login_journal().record(_body(msg))


@blueprint.function_name("record_login_poison")
@blueprint.queue_trigger("msg", "record-login-poison", STORAGE)
def record_login_poison(msg: func.QueueMessage) -> None:
    """Try again what the store did not take; while it is away the host leaves the message and comes back to it."""
    try:
        bootstrap.login_journal().record(_body(msg))
    except Malformed as error:
        log.error("A message of record-login is thrown away: %s", error.detail)


@blueprint.function_name("forget_viewer")
@blueprint.queue_trigger("msg", "forget-viewer", STORAGE)
def forget_viewer(msg: func.QueueMessage) -> None:
    """Forget all that is known of someone whose account is gone: {"user_id"}."""
    _forget(_text_of(msg, "user_id"))


@blueprint.function_name("forget_viewer_poison")
@blueprint.queue_trigger("msg", "forget-viewer-poison", STORAGE)
def forget_viewer_poison(msg: func.QueueMessage) -> None:
    """Try again what a store did not do; a message about an account that was not deleted after all is dropped."""
    try:
        _forget(_text_of(msg, "user_id"))
    except (Malformed, Conflict) as error:
        log.error("A message of forget-viewer is thrown away: %s", error.detail)


@blueprint.function_name("tidy_accounts")
@blueprint.timer_trigger("timer", "0 20 3 * * *")
def tidy_accounts(timer: func.TimerRequest) -> None:
    """Delete, once a day, the links that are over and the entries of the history that are old."""
    del timer
    bootstrap.accounts().tidy()


def _forget(user_id: str) -> None:
    if not bootstrap.accounts().is_gone(user_id):
        raise Conflict(f"The account {user_id} is still there; what is known of it is not forgotten.")
    for forget in bootstrap.forgetters():
        forget(user_id)


def _origin(req: func.HttpRequest) -> Origin:
    client = client_of(req, bootstrap.resources.settings().front_hops)
    return Origin(client.ip, browser_of(client.user_agent))


def _texts(req: func.HttpRequest, *names: str) -> list[str]:
    """Return fields of the body in their order; raise Malformed unless each of them is text."""
    body = json_object(req)
    return [_text(body, name) for name in names]


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise Malformed(f"`{name}` must be there, as text.")
    return value


def _body(msg: func.QueueMessage) -> dict[str, Any]:
    try:
        body = json.loads(msg.get_body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Malformed("The message must be a JSON object.")
    return body


def _text_of(msg: func.QueueMessage, name: str) -> str:
    return _text(_body(msg), name)


def _entitlement(viewer: Viewer) -> dict[str, Any] | None:
    """Return what the viewer may watch, or None while that cannot be found out: the rest of the answer is good."""
    try:
        return public_entitlement(bootstrap.entitlements().of(viewer))
    except StoreUnavailable as error:
        log.warning("The entitlement cannot be found out: %s", error.detail)
        return None
