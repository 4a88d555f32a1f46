"""History, list and ratings of a profile with an age limit name only titles that it may play."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions import bootstrap
from functions.accounts.model import Session
from functions.platform.viewer import Viewer
from functions.usage import triggers
from tests.support.api import call
from tests.support.catalogue import make_playback, make_title
from tests.support.clock import NOON
from tests.support.usage import ADA, Cinema

if TYPE_CHECKING:
    from functions.usage.service import HistoryItem

KID = 9
ADULT = [f"adult-{number}" for number in range(7)]
CHILDRENS = [f"kid-{number}" for number in range(3)]


@pytest.fixture
def cinema() -> Cinema:
    """Return a cinema in which every title was watched, listed and rated, those for children first and last."""
    made, playback = Cinema(), make_playback(complete=True)
    made.world.with_titles(make_title(name, playback=playback, rated="R") for name in ADULT)
    made.world.with_titles(make_title(name, playback=playback, rated="G") for name in CHILDRENS)
    for name in (*CHILDRENS[:2], *ADULT, "film", CHILDRENS[2]):
        made.opens(ADA, name).at(60.0)
        made.usage.list_title(ADA, name)
        made.usage.rate_title(ADA, name, 1)
    return made


def whole_history(cinema: Cinema, *, unfinished: bool, limit: int) -> list[list[str]]:
    """Return the pages of the history of a child."""
    pages: list[list[str]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = cinema.usage.history(ADA, unfinished=unfinished, age_limit=KID, cursor=cursor, limit=limit)
        pages.append([item.view.title_id for item in page.entries])
        cursor = page.cursor
    return pages


@pytest.mark.parametrize("unfinished", [True, False])
@pytest.mark.parametrize(
    ("limit", "pages"), [(1, [["kid-2"], ["kid-1"], ["kid-0"]]), (2, [["kid-2", "kid-1"], ["kid-0"]])]
)
def test_pages_of_the_history_are_full_whatever_is_left_out(
    cinema: Cinema, unfinished: bool, limit: int, pages: list[list[str]]
) -> None:
    assert whole_history(cinema, unfinished=unfinished, limit=limit) == pages


def test_without_a_limit_everything_is_shown(cinema: Cinema) -> None:
    assert len(cinema.usage.history(ADA, limit=100).entries) == 11
    assert len(cinema.usage.watch_list(ADA, limit=100).entries) == 11
    assert len(cinema.usage.ratings(ADA, limit=100).entries) == 11


def test_list_and_ratings_page_through_suitable_titles(cinema: Cinema) -> None:
    first = cinema.usage.watch_list(ADA, age_limit=KID, limit=2)
    rest = cinema.usage.watch_list(ADA, age_limit=KID, limit=2, cursor=first.cursor or "")
    listed = [item.mark.title_id for page in (first, rest) for item in page.entries]
    assert (listed, rest.cursor) == (["kid-2", "kid-1", "kid-0"], None)
    rated = cinema.usage.ratings(ADA, age_limit=KID, limit=3)
    assert ([mark.title_id for mark in rated.entries], rated.cursor) == (["kid-2", "kid-1", "kid-0"], None)


def test_the_age_of_a_withdrawn_title_is_unknown(cinema: Cinema) -> None:
    cinema.world.catalogue.withdraw_title("kid-1")
    entries: tuple[HistoryItem, ...] = cinema.usage.history(ADA, age_limit=KID).entries
    assert [item.view.title_id for item in entries] == ["kid-2", "kid-0"]
    assert [item.mark.title_id for item in cinema.usage.watch_list(ADA, age_limit=KID).entries] == ["kid-2", "kid-0"]


@pytest.mark.parametrize(
    ("function", "part"),
    [(triggers.list_usage, "entries"), (triggers.get_list, "titles"), (triggers.list_ratings, "ratings")],
)
@pytest.mark.parametrize("limit", [None, KID])
def test_the_limit_is_that_of_the_session(
    cinema: Cinema, monkeypatch: pytest.MonkeyPatch, function: Any, part: str, limit: int | None
) -> None:
    viewer = Viewer("c" * 32, "ada@example.org", profile_id=ADA, age_limit=limit)

    class Access:
        def session(self, token: str) -> Session:
            return Session(viewer, NOON, NOON + timedelta(days=30))

    monkeypatch.setattr(bootstrap, "usage", lambda: cinema.usage)
    monkeypatch.setattr(bootstrap, "access", Access)
    status, said = call(function, "usage?limit=100", headers={"Authorization": "Bearer child"})
    shown = {entry["title_id"] for entry in said[part]}
    assert status == 200 and shown >= set(CHILDRENS)
    assert bool(shown & {*ADULT, "film"}) == (limit is None)
