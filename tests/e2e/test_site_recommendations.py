"""Recommendations in the running product: shelves reflect the watched titles, and the displayed reasons are true."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.library import playable, publish, shelves, similar, stock, titles_of, watch_whole
from tests.support.pages import SIZES, opened, overflow
from tests.support.stopping import stopped
from tests.support.viewers import as_owner, make_subscriber, make_viewer, soon

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.support.product import Product

LINDT = ("rec-tide", "rec-dawn", "rec-dusk", "rec-noon")
NEXT = ("rec-first", "rec-second", "rec-third", "rec-fourth")


@pytest.fixture(scope="module")
def library(product: Product) -> dict[str, str]:
    """Fill the catalogue with films by one director, and with films that viewers watch in sequence."""
    endpoints = product.endpoints
    stock(
        endpoints,
        *(
            playable(name, added_s=number, name=name[4:].title(), directors=("Ada Lindt",), genres=("Drama",))
            for number, name in enumerate(LINDT)
        ),
        *(
            playable(
                name, added_s=9 + number, name=name[4:].title(), genres=("Western",), imdb_rating=7.0 + number / 10
            )
            for number, name in enumerate(NEXT)
        ),
    )
    soon(lambda: len(similar(endpoints, "rec-tide")) >= 3)
    for _ in range(3):
        other = make_subscriber(endpoints)
        for name in NEXT:
            watch_whole(other, name)
    return endpoints


@pytest.fixture(scope="module")
def axe(product: Product) -> Path:
    return web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"


def headings(page: Page) -> list[str]:
    """Return the headings of the shelves on a home page."""
    page.locator(".row-shelf [data-hook=name]").first.wait_for()
    return page.locator(".row-shelf h2").all_inner_texts()


@SIZES
def test_a_title_page_shows_what_is_like_it_and_why(
    library: dict[str, str], browser: Browser, axe: Path, size: tuple[int, int]
) -> None:
    with opened(browser, f"{library['site']}/title.html?id=rec-tide", size) as (page, wrong):
        more = page.locator("[data-hook=more]")
        more.get_by_text("Also directed by Ada Lindt").first.wait_for()
        assert set(more.locator(".card-name").all_inner_texts()) >= {"Dawn", "Dusk", "Noon"}
        assert "Tide" not in more.locator(".card-name").all_inner_texts()
        assert overflow(page) <= 0
        assert violations(page, axe) == []
        assert wrong == []


@SIZES
def test_the_shelves_of_a_home_page_follow_what_was_watched(
    library: dict[str, str], browser: Browser, axe: Path, size: tuple[int, int]
) -> None:
    viewer = make_subscriber(library)
    before = shelves(viewer)
    assert "For you" not in before
    watch_whole(viewer, "rec-first")
    expected = dict.fromkeys(NEXT[1:], "Because you watched First")
    found = soon(lambda: now_shown if (now_shown := shelves(viewer)).get("For you") == expected else {})
    assert not any("rec-first" in shelf for shelf in found.values())
    with opened(browser, library["site"], size, viewer=viewer) as (page, wrong):
        page.get_by_role("heading", name="For you").wait_for()
        shelf = page.locator(".row-shelf").filter(has=page.get_by_role("heading", name="For you"))
        assert shelf.locator(".card-facts").all_inner_texts() == ["Because you watched First"] * 3
        assert overflow(page) <= 0
        assert violations(page, axe) == []
        assert wrong == []


def test_a_shelf_because_of_a_film_stands_there_once_it_was_watched_and_goes_with_the_history(
    library: dict[str, str],
) -> None:
    viewer = make_subscriber(library)
    watch_whole(viewer, "rec-tide")
    found = soon(lambda: shelves(viewer).get("Because you watched Tide", {}))
    assert set(found) >= {"rec-dawn", "rec-dusk", "rec-noon"}
    assert found["rec-dawn"] == "Also directed by Ada Lindt"
    assert viewer.ask("DELETE", "usage").status_code == 204
    soon(lambda: "Because you watched Tide" not in shelves(viewer))


def test_a_thumb_down_takes_the_shelf_away(library: dict[str, str]) -> None:
    viewer = make_subscriber(library)
    watch_whole(viewer, "rec-dusk")
    soon(lambda: "Because you watched Dusk" in shelves(viewer))
    assert viewer.ask("PUT", "ratings/rec-dusk", {"rating": -1}).ok
    soon(lambda: "Because you watched Dusk" not in shelves(viewer))


def test_somebody_new_sees_what_is_popular_and_who_is_not_logged_in_no_shelf_of_their_own(
    library: dict[str, str], browser: Browser
) -> None:
    viewer = make_viewer(library)
    soon(lambda: set(NEXT) <= set(shelves(viewer).get("Popular now", {})))
    with opened(browser, library["site"], viewer=viewer) as (page, wrong):
        page.get_by_role("heading", name="Popular now").wait_for()
        assert wrong == []
    with opened(browser, library["site"]) as (page, wrong):
        assert not {"For you", "Popular now"} & set(headings(page))
        assert wrong == []
    assert requests.get(f"{library['api']}/api/recommendations", timeout=30).status_code == 401


def test_a_withdrawn_film_is_recommended_no_more(library: dict[str, str]) -> None:
    stock(library, playable("rec-gone", name="Gone", directors=("Ada Lindt",)))
    soon(lambda: "rec-gone" in similar(library, "rec-tide"))
    assert as_owner(library, "DELETE", "titles/rec-gone").status_code == 204
    soon(lambda: "rec-gone" not in similar(library, "rec-tide"))


def test_whoever_leaves_is_no_longer_in_the_graph(product: Product, library: dict[str, str]) -> None:
    viewer = make_subscriber(library)
    watch_whole(viewer, "rec-tide")
    soon(lambda: "Because you watched Tide" in shelves(viewer))
    before = rebuilt(product)
    assert viewer.ask("DELETE", "me", {"password": "correct horse battery staple"}).status_code == 204
    soon(lambda: rebuilt(product)["viewers"] < before["viewers"])


def rebuilt(product: Product) -> dict[str, Any]:
    """Rebuild the graph as the owner; return the final state."""
    done = product.run("admin", "rebuild-graph", "--json")
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["phase"] == "done"
    return told


def test_the_owner_makes_the_graph_anew_with_what_no_message_ever_told(
    product: Product, library: dict[str, str]
) -> None:
    with titles_of(library) as titles:
        assert titles.add(playable("rec-untold", name="Untold", directors=("Ada Lindt",), published=True))
    told = rebuilt(product)
    assert told["titles"] >= len(LINDT) + len(NEXT) + 1
    assert similar(library, "rec-untold")["rec-tide"] == "Also directed by Ada Lindt"
    publish(library)


def test_while_the_graph_hangs_pages_come_and_say_nothing_untrue(
    product: Product, library: dict[str, str], browser: Browser
) -> None:
    viewer = make_subscriber(library)
    watch_whole(viewer, "rec-first")
    soon(lambda: "For you" in shelves(viewer))
    status = json.loads(product.run("status", "--json").stdout)
    graph = next(service["pid"] for service in status["services"] if service["name"] == "arcadedb")
    with stopped(graph):
        found = shelves(viewer)
        assert set(found) == {"Highly rated"}
        assert {words.split(" ")[0] for words in found["Highly rated"].values()} == {"Rated"}
        with opened(browser, library["site"], viewer=viewer) as (page, wrong):
            page.get_by_role("heading", name="Highly rated").wait_for()
            assert not {"For you", "Popular now"} & set(headings(page))
            assert wrong == []
        assert set(similar(library, "rec-tide").values()) == {"Also Drama"}
    soon(lambda: "For you" in shelves(viewer))
