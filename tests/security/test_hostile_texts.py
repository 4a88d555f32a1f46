"""Texts that mean something to a database, a query language, a header, a shell or a page, in each field for text.

Each is stored or refused as text: no answer is a server error, nobody else's data comes back, and nothing disappears.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests

from tests.support.library import playable, stock
from tests.support.product_content import graph_of
from tests.support.viewers import PASSWORD, TIMEOUT_S, as_owner, make_subscriber, make_viewer, soon

if TYPE_CHECKING:
    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

TEXTS = {
    "SQL": "' OR '1'='1' -- ",
    "a second SQL statement": "x'; DROP TABLE logins; -- ",
    "SQL in backquotes": "`logins`; SELECT SLEEP(10) #",
    "a Mongo operator": '{"$gt": ""}',
    "Mongo code": "'; return true; var x='",
    "a regular expression": "(a+)+$|.*",
    "Cypher": "'}) MATCH (n) DETACH DELETE n //",
    "a Redis command": "x\r\nFLUSHALL\r\n",
    "a header": "x\r\nSet-Cookie: session=1",
    "a page": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "a template": "{{7*7}}${7*7}<%= 7*7 %>",
    "a shell": "$(touch /tmp/x); `id` | tee",
    "a path": "../../../../etc/passwd",
    "a path in capitals": "..\\..\\..\\Windows\\win.ini",
    "an address": "http://169.254.169.254/metadata/instance",
    "a format": "%s%n%x{0.__class__}",
    "nothing visible": "\u202e\u200b\u2066",
    "the zero character": "a\x00b",
    "half a pair": "a\ud800b",
    "letters that combine": "Z" + "\u0351" * 300,
    "a long one": "ä" * 4_000,
}
TOLD_WITHIN_S = 300
"""How long the graph may take to learn of a change on a busy machine."""

OPERATORS: tuple[Any, ...] = ({"$ne": None}, {"$where": "sleep(10000)"}, ["x"], 1, True, None, {"__proto__": {"a": 1}})
"""Values that are not text, for fields that take text."""


@pytest.fixture(scope="module")
def title(product: Product) -> str:
    """Return the id of a title that can be opened."""
    stock(product.endpoints, playable("quiet-river", name="Quiet River"))
    return "quiet-river"


@pytest.fixture(scope="module")
def viewer(product: Product) -> SomeViewer:
    """Return a viewer with access that no generated request of an owner has revoked."""
    return make_subscriber(product.endpoints)


@pytest.fixture(autouse=True)
def nothing_is_gone(product: Product, viewer: SomeViewer, title: str) -> Any:
    """Check after each test that the account, its right to play and the title are still there."""
    yield
    assert viewer.ask("GET", "me").json()["email"] == viewer.email
    assert viewer.entitlement()["entitled"]
    assert as_owner(product.endpoints, "GET", "catalogue/titles").json()["titles"]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
class TestText:
    """One text in one field after the other."""

    def test_in_a_search(self, text: str, product: Product, title: str) -> None:
        for name in ("q", "genre", "cursor", "limit"):
            given = quote(text, errors="surrogatepass")
            answer = requests.get(f"{product.endpoints['api']}/api/titles?{name}={given}", timeout=TIMEOUT_S)
            assert answer.status_code in (200, 400, 414, 422, 431), name
            if name in ("q", "genre") and answer.status_code == 200:
                assert answer.json()["titles"] == []

    def test_in_a_path(self, text: str, viewer: SomeViewer, product: Product) -> None:
        given = quote(text, safe="", errors="surrogatepass")
        for method, path in (
            ("GET", f"titles/{given}"),
            ("GET", f"titles/{given}/similar"),
            ("POST", f"titles/{given}/playback"),
            ("PUT", f"list/{given}"),
            ("DELETE", f"ratings/{given}"),
            ("GET", f"usage/{given}"),
        ):
            assert viewer.ask(method, path).status_code in (400, 404, 414, 422, 431), path[:40]
        assert as_owner(product.endpoints, "GET", f"jobs/{given}").status_code in (400, 404, 414, 422, 431)

    def test_in_a_login_and_a_registration(self, text: str, product: Product) -> None:
        api = f"{product.endpoints['api']}/api"
        for body in ({"email": text, "password": PASSWORD}, {"email": f"{text}@example.org", "password": PASSWORD}):
            answer = requests.post(f"{api}/sessions", json=body, timeout=TIMEOUT_S)
            assert answer.status_code in (401, 422, 429), body
        answer = requests.post(f"{api}/accounts", json={"email": text, "password": PASSWORD}, timeout=TIMEOUT_S)
        assert answer.status_code in (422, 429)

    def test_as_a_session_and_as_a_key(self, text: str, product: Product) -> None:
        value = text.encode("utf-8", "surrogatepass").replace(b"\r", b"").replace(b"\n", b"").replace(b"\0", b"")[:4000]
        for headers in ({"Authorization": b"Bearer " + value}, {"x-operator-key": value}, {"X-Forwarded-For": value}):
            answer = requests.get(f"{product.endpoints['api']}/api/jobs", headers=headers, timeout=TIMEOUT_S)
            assert answer.status_code in (400, 401, 431), next(iter(headers))

    def test_as_a_name_and_as_a_plot(self, text: str, product: Product, title: str) -> None:
        for field in ("name", "plot"):
            answer = as_owner(product.endpoints, "PATCH", f"titles/{title}", {field: text})
            assert answer.status_code in (200, 422), field
            if answer.status_code == 200:
                shown = requests.get(f"{product.endpoints['api']}/api/titles/{title}", timeout=TIMEOUT_S).json()
                assert shown[field] == text.strip()
        assert as_owner(product.endpoints, "PATCH", f"titles/{title}", {"name": "Quiet River"}).status_code == 200

    def test_as_the_name_of_an_upload(self, text: str, product: Product) -> None:
        answer = as_owner(product.endpoints, "POST", "uploads", {"name": f"{text}.mp4", "size": 1})
        assert answer.status_code in (201, 422)
        if answer.status_code == 201:
            assert "/uploads/" in answer.json()["upload_url"]

    def test_as_a_plan(self, text: str, product: Product) -> None:
        offer = {"name": text, "price": "7.99", "currency": "EUR", "description": text}
        answer = as_owner(product.endpoints, "POST", "plans", offer)
        assert answer.status_code in (200, 201, 422)
        if answer.status_code != 422:
            assert as_owner(product.endpoints, "DELETE", f"plans/{answer.json()['id']}").status_code == 204


def test_cypher_is_stored_in_the_graph_as_text_and_deletes_nothing(
    product: Product, viewer: SomeViewer, title: str
) -> None:
    text, wrapped = TEXTS["Cypher"].strip(), "deep-river"
    stock(product.endpoints, playable(wrapped, name="Deep River"))
    assert viewer.ask("PUT", f"ratings/{title}", {"rating": 1}).ok
    opinion = (viewer.user_id, title)
    soon(lambda: opinion in graph_of(product).opinions, within_s=TOLD_WITHIN_S)
    before = graph_of(product)

    edit = {"name": text, "directors": [text], "genres": [text]}
    answer = as_owner(product.endpoints, "PATCH", f"titles/{wrapped}", edit)
    assert answer.ok, answer.text
    soon(lambda: text in graph_of(product).titles.get(wrapped, ()), within_s=TOLD_WITHIN_S)

    after = graph_of(product)
    assert before.titles.keys() <= after.titles.keys()
    assert before.opinions.items() <= after.opinions.items()
    assert {"DIRECTED", "IN_GENRE"} <= {kind for kind, _, title_id in after.relations if title_id == wrapped}


@pytest.mark.parametrize("value", OPERATORS, ids=map(str, OPERATORS))
def test_a_value_that_is_no_text_is_refused_where_text_belongs(value: Any, product: Product, title: str) -> None:
    api = f"{product.endpoints['api']}/api"
    for path in ("sessions", "accounts", "password-resets", "confirmations"):
        body = {"email": value, "password": value, "token": value}
        answer = requests.post(f"{api}/{path}", json=body, timeout=TIMEOUT_S)
        assert answer.status_code == 422, path
    body = {"name": value, "email": value, "days": value, "price": value, "currency": value}
    for path in ("uploads", "grants", "plans", "administrators"):
        assert as_owner(product.endpoints, "POST", path, body).status_code == 422, path
    assert as_owner(product.endpoints, "PATCH", f"titles/{title}", {"name": value}).status_code == 422


def test_the_texts_of_one_viewer_never_reach_another(product: Product, viewer: SomeViewer) -> None:
    other = make_viewer(product.endpoints, email=f"o'neil+{'x' * 20}@example.org")
    assert other.ask("GET", "me").json()["email"] == other.email
    assert viewer.ask("GET", "me").json()["email"] == viewer.email
