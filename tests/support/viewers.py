"""Viewers of a running product, who have an account, are logged in, and have access by a grant."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
import requests

from functions.platform.mysql_connections import Address, connect
from tests.support.authenticators import AuthenticatorApp
from tests.support.people import link_to
from tests.support.waiting import PATIENCE_S, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from playwright.sync_api import BrowserContext

    from tests.support.product import Product

TIMEOUT_S = PATIENCE_S
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class SomeViewer:
    """A logged-in viewer."""

    api: str
    user_id: str
    email: str
    token: str = field(repr=False)
    session: Mapping[str, Any] = field(repr=False)

    def ask(self, method: str, path: str, body: object = None, *, language: str = "en") -> requests.Response:
        """Call the API as this viewer, on a page in a language."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Language": language}
        return requests.request(method, f"{self.api}/api/{path}", json=body, headers=headers, timeout=TIMEOUT_S)

    def entitlement(self) -> dict[str, Any]:
        """Return the viewer's entitlement."""
        answer = self.ask("GET", "subscription")
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()["entitlement"]
        return found

    def plays(self, title_id: str) -> int:
        """Open a title; return the status of the answer."""
        return self.ask("POST", f"titles/{title_id}/playback").status_code


def make_viewer(endpoints: Mapping[str, str], *, email: str = "") -> SomeViewer:
    """Create an account in the running product and log in."""
    api = endpoints["api"]
    credentials = {"email": email or f"ada-{secrets.token_hex(6)}@example.org", "password": PASSWORD}
    opened = requests.post(f"{api}/api/accounts", json=credentials, timeout=TIMEOUT_S)
    assert opened.status_code == 201, opened.text
    return _logged_in(api, credentials["email"])


def _logged_in(api: str, email: str) -> SomeViewer:
    answer = requests.post(f"{api}/api/sessions", json={"email": email, "password": PASSWORD}, timeout=TIMEOUT_S)
    assert answer.ok, answer.text
    session = answer.json()
    return SomeViewer(api, session["user_id"], email, session["token"], session)


def log_in_again(viewer: SomeViewer) -> SomeViewer:
    """Log a viewer in again, as on another device; return the viewer with the new session."""
    return _logged_in(viewer.api, viewer.email)


def confirmed(viewer: SomeViewer, *, mysql_url: str) -> SomeViewer:
    """Confirm a viewer's address in the database, as its administrator, and log in again."""
    with connect(Address.of(mysql_url)) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE logins_db.logins SET confirmed_at = created_at WHERE user_id = %s", (viewer.user_id,))
        connection.commit()
    return log_in_again(viewer)


def make_confirmed_viewer(product: Product) -> SomeViewer:
    """Create an account in the running product, confirm its address by the mailed link, and log in."""
    viewer = make_viewer(product.endpoints)
    token = urlsplit(link_to(product, viewer.email, "confirm.html")).fragment.removeprefix("token=")
    answer = requests.post(f"{viewer.api}/api/confirmations", json={"token": token}, timeout=TIMEOUT_S)
    assert answer.ok, answer.text
    return log_in_again(viewer)


def make_administrator(product: Product) -> SomeViewer:
    """Create an administrator on the command line, choose a password with the link, log in, and add a second factor."""
    return make_protected_administrator(product)[0]


def make_protected_administrator(product: Product) -> tuple[SomeViewer, AuthenticatorApp]:
    """Return a new administrator, and the authenticator app that is their second factor."""
    api, email = product.endpoints["api"], f"owner-{secrets.token_hex(6)}@example.org"
    made = product.run("admin", "create", email, "--json")
    assert made.returncode == 0, made.stderr
    token = urlsplit(json.loads(made.stdout)["link"]).fragment.removeprefix("token=")
    chosen = {"token": token, "password": PASSWORD}
    assert requests.put(f"{api}/api/password-resets", json=chosen, timeout=TIMEOUT_S).ok
    credentials = {"email": email, "password": PASSWORD}
    session = requests.post(f"{api}/api/sessions", json=credentials, timeout=TIMEOUT_S).json()
    session, app = add_authenticator(api, session["token"], PASSWORD)
    return SomeViewer(api, session["user_id"], email, session["token"], session), app


def add_authenticator(api: str, token: str, password: str) -> tuple[dict[str, Any], AuthenticatorApp]:
    """Add an authenticator app to the account of a session; return the new session and the app."""
    headers = {"Authorization": f"Bearer {token}"}

    def ask(method: str, path: str, **body: str) -> dict[str, Any]:
        address = f"{api}/api/me/second-factors/{path}"
        answer = requests.request(method, address, json=body, headers=headers, timeout=TIMEOUT_S)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    setup = ask("POST", "authenticators", permit=ask("POST", "permits", password=password)["permit"])
    app = AuthenticatorApp(setup["key"])
    changed = ask("PUT", "authenticators", ticket=setup["ticket"], code=app.code(datetime.now(UTC)))
    return changed["session"], app


def let_in(endpoints: Mapping[str, str], viewer: SomeViewer, *, days: int = 1) -> SomeViewer:
    """Grant free access to a viewer; return the viewer."""
    answer = as_owner(endpoints, "POST", "grants", {"email": viewer.email, "days": days})
    assert answer.status_code == 201, answer.text
    return viewer


def revoke_grants(endpoints: Mapping[str, str], viewer: SomeViewer) -> requests.Response:
    """Revoke the newest grant of a viewer; return the answer."""
    page: dict[str, Any] = {"cursor": ""}
    while (cursor := page["cursor"]) is not None:
        page = as_owner(endpoints, "GET", f"grants?cursor={quote(cursor)}").json()
        for grant in page["grants"]:
            if grant["user_id"] == viewer.user_id:
                return as_owner(endpoints, "DELETE", f"grants/{grant['grant_id']}")
    pytest.fail(f"{viewer.email} has no grant")


def make_subscriber(endpoints: Mapping[str, str]) -> SomeViewer:
    """Return a new viewer who may play every title."""
    return let_in(endpoints, make_viewer(endpoints))


def as_owner(endpoints: Mapping[str, str], method: str, path: str, body: object = None) -> requests.Response:
    """Call the API as the owner."""
    headers = {"x-operator-key": endpoints["api_key"]}
    return requests.request(method, f"{endpoints['api']}/api/{path}", json=body, headers=headers, timeout=TIMEOUT_S)


def log_in_browser(context: BrowserContext, viewer: SomeViewer) -> None:
    """Store the viewer's session in every page of a browser context, as after a login."""
    kept = json.dumps(json.dumps(dict(viewer.session)))
    context.add_init_script(f"localStorage.setItem('notflix.session', {kept});")


def soon[T](look: Callable[[], T], *, within_s: float = PATIENCE_S, every_s: float | None = None) -> T:
    """Ask the product until `look` returns a truthy value; return that value, or fail with the last one."""
    return eventually(look, within_s=within_s, every_s=every_s)
