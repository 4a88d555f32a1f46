"""People in front of a running product: with an account, logged in, and let in by the owner or by paying."""

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
    """Someone who is logged in."""

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
        """Return what the viewer may."""
        answer = self.ask("GET", "subscription")
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()["entitlement"]
        return found

    def plays(self, title_id: str) -> int:
        """Return the status that opening a title answers."""
        return self.ask("POST", f"titles/{title_id}/playback").status_code


def make_viewer(endpoints: Mapping[str, str], *, email: str = "") -> SomeViewer:
    """Open an account at the running product and log in."""
    api = endpoints["api"]
    credentials = {"email": email or f"ada-{secrets.token_hex(6)}@example.org", "password": PASSWORD}
    opened = requests.post(f"{api}/api/accounts", json=credentials, timeout=TIMEOUT_S)
    assert opened.status_code == 201, opened.text
    answer = requests.post(f"{api}/api/sessions", json=credentials, timeout=TIMEOUT_S)
    assert answer.ok, answer.text
    session = answer.json()
    return SomeViewer(api, session["user_id"], credentials["email"], session["token"], session)


def make_administrator(product: Product) -> SomeViewer:
    """Have the owner make an administrator, choose a password by the link, and log in."""
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
    """Grant a viewer free access and return them."""
    answer = as_owner(endpoints, "POST", "grants", {"email": viewer.email, "days": days})
    assert answer.status_code == 201, answer.text
    return viewer


def make_subscriber(endpoints: Mapping[str, str]) -> SomeViewer:
    """Return a viewer who may play everything."""
    return let_in(endpoints, make_viewer(endpoints))


def as_owner(endpoints: Mapping[str, str], method: str, path: str, body: object = None) -> requests.Response:
    """Call the API as the owner."""
    headers = {"x-operator-key": endpoints["api_key"]}
    return requests.request(method, f"{endpoints['api']}/api/{path}", json=body, headers=headers, timeout=TIMEOUT_S)


def log_in_browser(context: BrowserContext, viewer: SomeViewer) -> None:
    """Let every page of a browser context find the viewer's session, as if they had logged in there."""
    kept = json.dumps(json.dumps(dict(viewer.session)))
    context.add_init_script(f"localStorage.setItem('notflix.session', {kept});")


def soon[T](look: Callable[[], T], *, within_s: float = 10) -> T:
    """Return what `look` returns as soon as it is true; fail with its last value when the time is over."""
    deadline = time.monotonic() + within_s
    while not (seen := look()):
        assert time.monotonic() < deadline, f"not within {within_s} s; last seen: {seen!r}"
        time.sleep(0.1)
    return seen
