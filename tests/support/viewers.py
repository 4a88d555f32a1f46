"""Viewers of a running product, who have an account, are logged in, and have access by a grant."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from playwright.sync_api import BrowserContext

    from tests.e2e.conftest import Product

TIMEOUT_S = 30
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class SomeViewer:
    """A logged-in viewer."""

    api: str
    user_id: str
    email: str
    token: str = field(repr=False)
    session: Mapping[str, Any] = field(repr=False)

    def ask(self, method: str, path: str, body: object = None) -> requests.Response:
        """Call the API as this viewer."""
        headers = {"Authorization": f"Bearer {self.token}"}
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
    answer = requests.post(f"{api}/api/sessions", json=credentials, timeout=TIMEOUT_S)
    assert answer.ok, answer.text
    session = answer.json()
    return SomeViewer(api, session["user_id"], credentials["email"], session["token"], session)


def make_administrator(product: Product) -> SomeViewer:
    """Create an administrator on the command line, choose a password with the link, and log in."""
    api, email = product.endpoints["api"], f"owner-{secrets.token_hex(6)}@example.org"
    made = product.run("admin", "create", email, "--json")
    assert made.returncode == 0, made.stderr
    token = urlsplit(json.loads(made.stdout)["link"]).fragment.removeprefix("token=")
    chosen = {"token": token, "password": PASSWORD}
    assert requests.put(f"{api}/api/password-resets", json=chosen, timeout=TIMEOUT_S).status_code == 204
    credentials = {"email": email, "password": PASSWORD}
    session = requests.post(f"{api}/api/sessions", json=credentials, timeout=TIMEOUT_S).json()
    return SomeViewer(api, session["user_id"], email, session["token"], session)


def let_in(endpoints: Mapping[str, str], viewer: SomeViewer, *, days: int = 1) -> SomeViewer:
    """Grant free access to a viewer; return the viewer."""
    answer = as_owner(endpoints, "POST", "grants", {"email": viewer.email, "days": days})
    assert answer.status_code == 201, answer.text
    return viewer


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


def soon[T](look: Callable[[], T], *, within_s: float = 10) -> T:
    """Call `look` until it returns a truthy value; return that value, or fail with the last value after `within_s`."""
    deadline = time.monotonic() + within_s
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {within_s} s; last seen: {seen!r}"
        time.sleep(0.1)
    return seen
