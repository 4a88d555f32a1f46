"""`admin create` and `mail` against a running product, and the permissions of an administrator."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from tests.support.people import emails_to
from tests.support.viewers import add_authenticator
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.support.product import Product


def ask(product: Product, method: str, path: str, headers: dict[str, str], body: object = None) -> requests.Response:
    return requests.request(method, f"{product.endpoints['api']}/api/{path}", json=body, headers=headers, timeout=30)


def test_a_new_administrator_gets_an_email_and_may_do_what_only_the_owner_may(product: Product) -> None:
    email, password = f"owner.{uuid.uuid4().hex[:8]}@example.org", "seven quiet lanterns"
    made = product.run("admin", "create", email, "--json")
    assert made.returncode == 0, made.stderr
    link = json.loads(made.stdout)["link"]
    [letter] = eventually(lambda: emails_to(product, email))
    assert letter.links == (link,) and "administrator" in letter.subject
    assert link in product.run("mail").stdout
    printed = json.loads(product.run("mail", "--json").stdout)["mails"]
    assert [mail["to"] for mail in printed if mail["links"] == [link]] == [email]

    token = urlsplit(link).fragment.removeprefix("token=")
    assert ask(product, "PUT", "password-resets", {}, {"token": token, "password": password}).ok
    session = ask(product, "POST", "sessions", {}, {"email": email, "password": password}).json()
    assert session["admin"]
    alone = {"Authorization": f"Bearer {session['token']}"}
    refused = ask(product, "POST", "uploads", alone, {"name": "film.mkv", "size": 1})
    assert (refused.status_code, refused.json()["error"]) == (403, "second_factor_required")
    session, _ = add_authenticator(product.endpoints["api"], session["token"], password)
    bearer = {"Authorization": f"Bearer {session['token']}"}
    key = {"x-operator-key": product.endpoints["api_key"]}
    for headers, status in ((bearer, 201), (key, 201), ({}, 401), ({"x-operator-key": "mistyped"}, 401)):
        asked = ask(product, "POST", "uploads", headers, {"name": "film.mkv", "size": 1})
        assert asked.status_code == status, headers

    for log in product.home.path.glob("logs/*.log"):
        assert email not in log.read_text(errors="replace"), log
        assert token not in log.read_text(errors="replace"), log


def test_an_invalid_address_is_rejected_in_one_sentence(product: Product) -> None:
    refused = product.run("admin", "create", "nobody")
    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1 and "email address" in refused.stderr
