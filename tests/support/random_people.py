"""The people of a random test: they log in again whenever their session or account has ended, and may watch or not."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import requests

from tests.support.viewers import (
    PASSWORD,
    TIMEOUT_S,
    as_owner,
    let_in,
    make_administrator,
    make_confirmed_viewer,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

PLAN = {"price": "7.99", "currency": "EUR"}


@dataclass
class Cast:
    """The people of a walk, by what they may do; each exists from the first time that they are needed."""

    product: Product
    people: dict[str, SomeViewer] = field(default_factory=dict)

    def logged_in(self, role: str) -> SomeViewer:
        """Return a person with a valid session: a "viewer" without access, a "subscriber" or an "administrator"."""
        known = self.people.get(role)
        if known is None or not known.ask("GET", "me").ok:
            self.people[role] = self._renewed(known) or self._made(role)
        return self.people[role]

    def email_of(self, role: str) -> str:
        """Return the email address of a person who exists; empty if the person does not exist yet."""
        return self.people[role].email if role in self.people else ""

    def _renewed(self, known: SomeViewer | None) -> SomeViewer | None:
        """Return the person with a new session; None if the account is gone, has a new password or a second factor."""
        if known is None:
            return None
        credentials = {"email": known.email, "password": PASSWORD}
        answer = requests.post(f"{known.api}/api/sessions", json=credentials, timeout=TIMEOUT_S)
        session = answer.json()
        return replace(known, token=session["token"], session=session) if "token" in session else None

    def _made(self, role: str) -> SomeViewer:
        make: dict[str, Callable[[], SomeViewer]] = {
            "viewer": lambda: make_confirmed_viewer(self.product),
            "subscriber": lambda: let_in(self.product.endpoints, make_confirmed_viewer(self.product)),
            "administrator": lambda: make_administrator(self.product),
        }
        return make[role]()

    def may_watch(self, token: str) -> bool:
        """Return whether the person with a session has ever been given access or has ever paid.

        The answer does not come from entitlements, but from the grants, which owners give, and from the payments that
        PayPal's simulator has taken. Of a person whose session has ended nothing is known, so the answer is true.
        """
        headers = {"Authorization": f"Bearer {token}"}
        me = requests.get(f"{self.product.endpoints['api']}/api/me", headers=headers, timeout=TIMEOUT_S)
        if not me.ok or me.json()["admin"]:
            return True
        user_id = me.json()["user_id"]
        simulator = f"{self.product.endpoints['paypal']}/_simulator/subscriptions"
        subscriptions = requests.get(simulator, timeout=TIMEOUT_S).json()["subscriptions"]
        paid = (one for one in subscriptions if "last_payment" in one.get("billing_info", {}))
        return any(one.get("custom_id") == user_id for one in paid) or any(
            grant["user_id"] == user_id for grant in self._grants()
        )

    def _grants(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = as_owner(self.product.endpoints, "GET", f"grants?cursor={cursor}").json()
            found += page["grants"]
            if not (cursor := page["cursor"] or ""):
                return found


def restore_service(product: Product) -> None:
    """Undo what an owner's random actions have done to the whole service: no limit on encoding, and a plan on sale."""
    assert as_owner(product.endpoints, "PUT", "encoding/limit", {"usd": 0}).ok
    if not requests.get(f"{product.endpoints['api']}/api/plans", timeout=TIMEOUT_S).json()["plans"]:
        answer = as_owner(product.endpoints, "POST", "plans", {**PLAN, "name": f"Monthly {secrets.token_hex(2)}"})
        assert answer.ok, answer.text
