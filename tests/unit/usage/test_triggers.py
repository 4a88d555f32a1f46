"""The functions of usage answer as documented, identify viewers by session or ticket, and separate viewers' data."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from functions import bootstrap
from functions.accounts.model import Session
from functions.platform.errors import Unauthenticated
from functions.platform.viewer import Viewer
from functions.usage import triggers
from tests.support.api import call
from tests.support.clock import NOON
from tests.support.usage import ADA, BOB, Cinema

ADAS, BOBS = {"Authorization": "Bearer ada"}, {"Authorization": "Bearer bob"}
FILM = {"id": "film"}


class Access:
    """Identifies two viewers by their tokens."""

    def session(self, token: str) -> Session:
        """Return the session of a token; raise Unauthenticated."""
        user_id = {"ada": ADA, "bob": BOB}.get(token)
        if user_id is None:
            raise Unauthenticated("Log in first.")
        return Session(Viewer(user_id, f"{token}@example.org"), NOON, NOON + timedelta(days=30))


@pytest.fixture
def cinema(monkeypatch: pytest.MonkeyPatch) -> Cinema:
    made = Cinema()
    monkeypatch.setattr(bootstrap, "usage", lambda: made.usage)
    monkeypatch.setattr(bootstrap, "access", Access)
    return made


def beat(ticket: object, **changes: object) -> dict[str, Any]:
    """Return the body of a heartbeat."""
    return {"ticket": ticket, "sequence": 1, "position_s": 30, "watched_s": 30.5, "qoe": {"rebuffers": 0}, **changes}


BY_SESSION: tuple[tuple[Any, str, dict[str, str], object], ...] = (
    (triggers.list_usage, "usage", {}, None),
    (triggers.clear_usage, "usage", {}, None),
    (triggers.get_title_usage, "usage/film", FILM, None),
    (triggers.clear_title_usage, "usage/film", FILM, None),
    (triggers.get_list, "list", {}, None),
    (triggers.add_to_list, "list/film", FILM, None),
    (triggers.remove_from_list, "list/film", FILM, None),
    (triggers.list_ratings, "ratings", {}, None),
    (triggers.rate_title, "ratings/film", FILM, {"rating": 1}),
    (triggers.unrate_title, "ratings/film", FILM, None),
)
"""Every route that needs a session: function, address, route values, body."""


@pytest.mark.parametrize(("function", "address", "route", "body"), BY_SESSION)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer stolen"}, {"Authorization": "Basic ada"}])
def test_without_a_session_nothing_is_answered(
    cinema: Cinema, function: Any, address: str, route: dict[str, str], body: object, headers: dict[str, str]
) -> None:
    status, said = call(function, address, route=route, body=body, headers=headers)
    assert (status, said["error"]) == (401, "unauthenticated")


@pytest.mark.parametrize(("function", "address", "route", "body"), BY_SESSION)
def test_no_route_shows_or_touches_what_is_anothers(
    cinema: Cinema, function: Any, address: str, route: dict[str, str], body: object
) -> None:
    cinema.opens(ADA).at(42.0)
    cinema.usage.list_title(ADA, "film")
    cinema.usage.rate_title(ADA, "film", -1)
    before = cinema.usage.title_state(ADA, "film")
    for named in ("", f"?user_id={ADA}"):
        status, said = call(function, address + named, route=route, body=body or {"user_id": ADA}, headers=BOBS)
        assert status in (200, 204)
        assert "42" not in json.dumps(said) and "-1" not in json.dumps(said)
    assert cinema.usage.title_state(ADA, "film") == before


@pytest.mark.parametrize("function", [triggers.record_usage, triggers.record_usage_on_leaving])
def test_a_heartbeat_counts_for_whom_its_ticket_names_whoever_is_logged_in(cinema: Cinema, function: Any) -> None:
    screen = cinema.opens(ADA)
    for headers in ({}, BOBS):
        assert call(function, "usage/film", route=FILM, body=beat(screen.ticket), headers=headers) == (204, None)
    assert (cinema.position(ADA), cinema.position(BOB)) == (30.0, None)


@pytest.mark.parametrize("function", [triggers.record_usage, triggers.record_usage_on_leaving])
def test_a_heartbeat_needs_a_ticket_of_its_title(cinema: Cinema, function: Any) -> None:
    ticket = cinema.opens(ADA, "other").ticket
    assert call(function, "usage/film", route=FILM, body=beat(ticket))[0] == 403
    assert call(function, "usage/film", route=FILM, body=beat("rubbish"))[0] == 401
    assert call(function, "usage/film", route=FILM, body={"sequence": 1, "position_s": 3})[0] == 422


@pytest.mark.parametrize(
    "odd",
    [
        {"position_s": -1},
        {"position_s": "30"},
        {"position_s": None},
        {"position_s": 151},
        {"position_s": 1e300},
        {"sequence": -1},
        {"sequence": 1.5},
        {"sequence": True},
        {"sequence": 2**63},
        {"watched_s": -0.1},
        {"qoe": {"rebuffers": -1}},
        {"qoe": {"startup_ms": 2**40}},
        {"qoe": []},
        {"ticket": 7},
        {"ticket": ""},
    ],
)
def test_a_heartbeat_that_cannot_be_is_refused_with_a_sentence(cinema: Cinema, odd: dict[str, object]) -> None:
    body = beat(cinema.opens().ticket) | odd
    for function in (triggers.record_usage, triggers.record_usage_on_leaving):
        status, said = call(function, "usage/film", route=FILM, body=json.dumps(body).encode())
        assert status == 422
        assert said["detail"].startswith(f"`{next(iter(odd))}")
    assert cinema.position() is None


NOT_NUMBERS = (
    b'{"ticket": "t", "sequence": 1, "position_s": NaN}',
    b'{"ticket": "t", "sequence": 1, "position_s": Infinity}',
    b'{"ticket": "t", "sequence": 1, "position_s": 1e400}',
    b'{"ticket": "t", "sequence": 1' + b"0" * 5000 + b', "position_s": 1}',
)


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b"\xff", b"[" * 5000, *NOT_NUMBERS])
def test_a_heartbeat_that_is_no_object_is_refused(cinema: Cinema, body: bytes) -> None:
    assert call(triggers.record_usage_on_leaving, "usage/film", route=FILM, body=body)[0] == 422


def test_history_and_the_place_on_the_titles_page(cinema: Cinema) -> None:
    cinema.opens(ADA).at(42.0)
    cinema.opens(ADA, "other").at(120.0)
    status, said = call(triggers.list_usage, "usage", headers=ADAS)
    assert status == 200
    assert [(entry["title_id"], entry["finished"]) for entry in said["entries"]] == [("other", True), ("film", False)]
    assert said["entries"][1]["progress"] == 0.35
    assert said["entries"][1]["title"]["name"] == "film"
    status, said = call(triggers.list_usage, "usage?unfinished=true&limit=1", headers=ADAS)
    assert [entry["title_id"] for entry in said["entries"]] == ["film"]
    assert call(triggers.get_title_usage, "usage/film", route=FILM, headers=ADAS)[1]["resume_s"] == 42.0
    nothing = {"view": None, "resume_s": 0.0, "listed": False, "rating": 0}
    assert call(triggers.get_title_usage, "usage/third", route={"id": "third"}, headers=ADAS) == (200, nothing)
    for function, path in (
        (triggers.list_usage, "usage"),
        (triggers.get_list, "list"),
        (triggers.list_ratings, "ratings"),
    ):
        for asked in ("limit=x", "limit=0", "limit=101", "cursor=x", "cursor=9999-12-31T23:59:59-14:00"):
            assert call(function, f"{path}?{asked}", headers=ADAS)[0] == 422
    assert call(triggers.list_usage, "usage?unfinished=null", headers=ADAS)[0] == 422


def test_history_is_cleared_one_by_one_or_all_at_once(cinema: Cinema) -> None:
    for title_id in ("film", "other", "third"):
        cinema.opens(ADA, title_id).at(42.0)
    assert call(triggers.clear_title_usage, "usage/film", route=FILM, headers=ADAS) == (204, None)
    assert len(cinema.usage.history(ADA).entries) == 2
    assert call(triggers.clear_usage, "usage", headers=ADAS) == (204, None)
    assert cinema.usage.history(ADA).entries == ()


def test_the_list_and_ratings(cinema: Cinema) -> None:
    assert call(triggers.add_to_list, "list/film", route=FILM, headers=ADAS) == (204, None)
    assert call(triggers.add_to_list, "list/x", route={"id": "x"}, headers=ADAS)[0] == 404
    status, said = call(triggers.get_list, "list", headers=ADAS)
    assert (status, [entry["title"]["id"] for entry in said["titles"]]) == (200, ["film"])
    assert call(triggers.remove_from_list, "list/film", route=FILM, headers=ADAS) == (204, None)
    assert call(triggers.rate_title, "ratings/film", route=FILM, body={"rating": -1}, headers=ADAS) == (204, None)
    status, said = call(triggers.list_ratings, "ratings", headers=ADAS)
    assert [(one["title_id"], one["rating"]) for one in said["ratings"]] == [("film", -1)]
    assert call(triggers.unrate_title, "ratings/film", route=FILM, headers=ADAS) == (204, None)


@pytest.mark.parametrize("rating", [0, 2, True, "1", None, 1.0])
def test_a_rating_is_a_thumb_up_or_down(cinema: Cinema, rating: object) -> None:
    status, _ = call(triggers.rate_title, "ratings/film", route=FILM, body={"rating": rating}, headers=ADAS)
    assert status == 422


@pytest.mark.parametrize("odd", ["a/b", "A", "x" * 61, "a~b", "../film", "film\n"])
def test_what_cannot_be_a_title_is_not_found(cinema: Cinema, odd: str) -> None:
    for function, address, _, body in BY_SESSION:
        if address in ("usage", "list", "ratings"):
            continue
        status, said = call(function, address, route={"id": odd}, body=body, headers=ADAS)
        assert (status, said["error"]) == (404, "not_found")


def test_only_a_beacon_may_send_its_heartbeat_as_text(cinema: Cinema) -> None:
    text = {"Content-Type": "text/plain;charset=UTF-8"}
    body = beat(cinema.opens().ticket)
    assert call(triggers.record_usage, "usage/film", route=FILM, body=body, headers=text)[0] == 415
    assert call(triggers.record_usage_on_leaving, "usage/film", route=FILM, body=body, headers=text)[0] == 204
