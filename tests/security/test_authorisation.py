"""Every route of the contract, called by every kind of caller: who is let through, and with whose data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.security.rules import ANYONE, OPERATIONS, OWNER, RULES, SIGNED, VIEWER
from tests.support.library import playable, stock
from tests.support.viewers import TIMEOUT_S, make_viewer, soon

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

IN_PATH = {"id": "no-such-thing", "ticket": "no.ticket", "playlist": "master.m3u8"}

SIGNED_BY_OTHERS = {
    "film_key": b"",
    "hls_playlist": b"",
    "leave_stream": b'{"stream_ticket": "no.ticket"}',
    "log_in_with_factor": b'{"ticket": "no.ticket", "code": "123456"}',
    "record_usage": b'{"ticket": "no.ticket", "sequence": 1, "position_s": 1}',
    "record_usage_on_leaving": b'{"ticket": "no.ticket", "sequence": 1, "position_s": 1}',
    "request_position": b'{"stream_ticket": "no.ticket", "job_id": "abc", "position_s": 1}',
    "take_paypal_event": b'{"id": "WH-1", "event_type": "PAYMENT.SALE.COMPLETED"}',
}
"""The headers of requests without valid credentials."""


def ask(product: Product, operation: str, headers: Mapping[str, str], body: bytes = b"{}") -> int:
    """Call an operation and return the status. The default body is invalid for every operation that changes data."""
    method, path = OPERATIONS[operation]
    address = f"{product.endpoints['api']}/api{path.format(**IN_PATH)}"
    sent = {"Content-Type": "application/json", **headers}
    data = body if method in ("POST", "PUT", "PATCH", "DELETE") else None
    return requests.request(method, address, data=data, headers=sent, timeout=TIMEOUT_S).status_code


def as_session(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def strangers(product: Product) -> dict[str, dict[str, str]]:
    """Return the headers of callers that every operation with a session must refuse."""
    left = make_viewer(product.endpoints)
    assert left.ask("DELETE", "sessions").status_code == 204
    altered = make_viewer(product.endpoints).token
    return {
        "nobody": {},
        "a session that was logged out": as_session(left.token),
        "an altered session": as_session(altered[:-1] + ("A" if altered[-1] != "A" else "B")),
        "an empty session": as_session(""),
        "a session of another scheme": {"Authorization": f"Basic {altered}"},
        "a mistyped operator's key": {"x-operator-key": product.endpoints["api_key"][:-1]},
        "an empty operator's key": {"x-operator-key": ""},
    }


@pytest.fixture(scope="module")
def title(product: Product) -> str:
    """Return the id of a title that can be opened."""
    stock(product.endpoints, playable("harbour-lights"))
    return "harbour-lights"


@pytest.fixture(scope="module")
def operator(product: Product) -> dict[str, str]:
    """Return the headers of the owner's scripts."""
    return {"x-operator-key": product.endpoints["api_key"]}


def test_every_route_has_a_row() -> None:
    assert sorted(RULES) == sorted(OPERATIONS)
    assert len(RULES) == len(ANYONE) + len(SIGNED) + len(VIEWER) + len(OWNER)


@pytest.mark.parametrize("operation", OWNER)
def test_only_owners_reach_what_is_theirs(
    operation: str,
    product: Product,
    strangers: dict[str, dict[str, str]],
    operator: dict[str, str],
    newcomer: SomeViewer,
    administrator: SomeViewer,
) -> None:
    for name, headers in strangers.items():
        assert ask(product, operation, headers) == 401, name
    assert ask(product, operation, as_session(newcomer.token)) == 403
    both = {**as_session(newcomer.token), "x-operator-key": "mistyped"}
    assert ask(product, operation, both) in (401, 403)
    for headers in (operator, as_session(administrator.token)):
        assert ask(product, operation, headers) not in (401, 403, 500)


@pytest.mark.parametrize("operation", VIEWER)
def test_only_people_who_are_logged_in_reach_what_is_for_viewers(
    operation: str, product: Product, strangers: dict[str, dict[str, str]], operator: dict[str, str]
) -> None:
    for name, headers in {**strangers, "the operator's key": operator}.items():
        assert ask(product, operation, headers) == 401, name


def test_people_who_are_logged_in_are_let_through(product: Product) -> None:
    viewer = make_viewer(product.endpoints)
    last = "log_out"  # it ends the session
    for operation in sorted(VIEWER, key=lambda each: each == last):
        assert ask(product, operation, as_session(viewer.token)) not in (401, 403, 500), operation


@pytest.mark.parametrize("operation", ANYONE)
def test_anyone_reaches_what_is_public(operation: str, product: Product) -> None:
    assert ask(product, operation, {}) not in (401, 403, 500)


@pytest.mark.parametrize("operation", SIGNED)
def test_no_session_and_no_key_stand_in_for_a_proof(
    operation: str, product: Product, operator: dict[str, str], administrator: SomeViewer
) -> None:
    for headers in ({}, operator, as_session(administrator.token)):
        assert ask(product, operation, headers, SIGNED_BY_OTHERS[operation]) in (400, 401, 403, 404, 422)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_no_other_method_of_a_path_is_served(method: str, product: Product, operator: dict[str, str]) -> None:
    served = [re.compile(re.sub(r"{\w+}", "[^/]+", path)) for each, path in OPERATIONS.values() if each == method]
    for path in sorted({path for _, path in OPERATIONS.values()}):
        if not any(pattern.fullmatch(path) for pattern in served):  # `streams/left` is served as `streams/{id}` too
            address = f"{product.endpoints['api']}/api{path.format(**IN_PATH)}"
            status = requests.request(method, address, headers=operator, timeout=TIMEOUT_S).status_code
            assert status in (404, 405), f"{method} {path}"


class TestOneViewerNeverMeetsTheDataOfAnother:
    """There are two viewers with access; neither can see or change the other's data."""

    PRIVATE = ("list", "ratings", "usage", "me/logins", "payments", "subscription", "profiles")

    def seen(self, viewer: SomeViewer) -> dict[str, Any]:
        return {path: viewer.ask("GET", path).json() for path in self.PRIVATE}

    def personal(self, viewer: SomeViewer) -> list[str]:
        """Return the headings of the recommendations that come from what a viewer has watched."""
        shelves = viewer.ask("GET", "recommendations").json()["shelves"]
        return [shelf["heading"] for shelf in shelves if shelf["id"].startswith(("for-you", "because-"))]

    def test_neither_by_reading_nor_by_changing(self, product: Product, viewer: SomeViewer, title: str) -> None:
        other = make_viewer(product.endpoints)
        for each in (viewer, other):  # a login is recorded a moment after its answer
            soon(lambda each=each: each.ask("GET", "me/logins").json()["logins"])  # type: ignore[misc]
        before = self.seen(other)
        assert self.personal(other) == []
        assert viewer.ask("PUT", f"list/{title}").status_code == 204
        assert viewer.ask("PUT", f"ratings/{title}", {"rating": 1}).status_code == 204
        assert self.seen(other) == before
        assert self.personal(other) == []
        mine = self.seen(viewer)
        for method, path in (("DELETE", f"list/{title}"), ("DELETE", f"ratings/{title}"), ("DELETE", "usage")):
            assert other.ask(method, path).status_code in (204, 404)
        assert self.seen(viewer) == mine
