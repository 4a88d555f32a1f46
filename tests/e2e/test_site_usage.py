"""Films resume where the viewer stopped, the next episode starts automatically, and lists and history are private."""

from __future__ import annotations

import json
import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
from pymongo import MongoClient

from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.evening import playing
from tests.support.media import Film, Sound, make_film
from tests.support.pages import DESKTOP, PHONE, SIZES, opened, overflow, until
from tests.support.uploads import Storefront
from tests.support.viewers import PASSWORD, make_subscriber, soon

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Route

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

TIME = "window.notflix?.stats().time ?? 0"
EPISODES = ("The.Boats.S01E01", "The.Boats.S01E02")
FIRST_S = 48
SECOND_S = 16
NO_COUNTDOWN = "const every = setInterval; window.setInterval = (act, ms) => (ms === 1000 ? 0 : every(act, ms));"
"""Holds the countdown to the next film, which would begin while its card is being checked."""


@pytest.fixture(scope="module")
def episodes(product: Product, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Upload a series of two short episodes; return the ids of its titles."""
    folder = tmp_path_factory.mktemp("usage")
    storefront = Storefront(product.endpoints)
    sent = []
    for name, seconds in zip(EPISODES, (FIRST_S, SECOND_S), strict=True):
        described = folder / f"{name}.json"
        described.write_text(json.dumps({"plot": "Boats come and go.", "genres": ["Drama"]}))
        storefront.send(described.name, described)
        film = Film(
            name=f"{name}.mp4", rate=Fraction(24), frames=24 * seconds, width=320, height=180, sounds=(Sound(),)
        )
        sent.append(storefront.send(f"{name}.mp4", make_film(film, folder)))
    jobs = storefront.ended(sent, within_s=400)
    storefront.close()
    assert {job["status"] for job in jobs.values()} == {"ready"}, jobs
    return sent[0].title_id, sent[1].title_id


@pytest.fixture
def viewer(product: Product) -> SomeViewer:
    """Return a viewer who has not watched anything yet."""
    return make_subscriber(product.endpoints)


def watch(product: Product, title_id: str) -> str:
    return f"{product.endpoints['site']}/watch.html?id={title_id}"


def title_page(product: Product, title_id: str) -> str:
    return f"{product.endpoints['site']}/title.html?id={title_id}"


def place(viewer: SomeViewer, title_id: str) -> float:
    """Return the position where the viewer resumes, as the API reports it."""
    return float(viewer.ask("GET", f"usage/{title_id}").json()["resume_s"])


def position(viewer: SomeViewer, title_id: str) -> float:
    """Return the viewer's position as the API reports it; -1 before the first heartbeat."""
    view = viewer.ask("GET", f"usage/{title_id}").json()["view"]
    return float(view["position_s"]) if view else -1.0


def watched(viewer: SomeViewer, title_id: str, position_s: float) -> None:
    """Record that the viewer has watched a title up to a position, without a browser."""
    ticket = viewer.ask("POST", f"titles/{title_id}/playback").json()["usage_ticket"]
    answer = viewer.ask("PUT", f"usage/{title_id}", {"ticket": ticket, "sequence": 1, "position_s": position_s})
    assert answer.status_code == 204, answer.text


def shelves(page: Page) -> list[str]:
    """Return the headings of the shelves on the home page."""
    page.locator(".row-shelf [data-hook=name]").first.wait_for()
    page.wait_for_load_state("networkidle")  # the viewer's own shelves arrive after those of the catalogue
    return page.locator(".row-shelf h2").all_inner_texts()


def test_a_film_left_after_twenty_seconds_goes_on_there_on_another_device(
    product: Product, episodes: tuple[str, str], viewer: SomeViewer, browser: Browser
) -> None:
    first, _ = episodes
    with opened(browser, watch(product, first), DESKTOP, viewer=viewer) as (page, wrong):
        until(page, TIME, lambda time: time >= 20)
        asked_at, left_at = time.monotonic(), page.evaluate(TIME)
        page.goto(f"{product.endpoints['site']}/404.html")  # until then, the film plays on
        last_s = left_at + time.monotonic() - asked_at
        assert wrong == []
    soon(lambda: left_at - 1 < place(viewer, first) < last_s + 1)
    resume_s, asked_at = place(viewer, first), time.monotonic()
    with opened(browser, watch(product, first), PHONE, viewer=viewer) as (page, wrong):
        began: float = until(page, TIME, lambda time: time > 0)
        assert resume_s - 2 < began < resume_s + 2 + time.monotonic() - asked_at
        playing(page)
        assert wrong == []


def test_the_place_is_told_on_pause_and_seek_and_while_the_film_plays(
    product: Product, episodes: tuple[str, str], viewer: SomeViewer, browser: Browser
) -> None:
    first, _ = episodes
    told: list[dict[str, Any]] = []
    with opened(browser, f"{product.endpoints['site']}/404.html", viewer=viewer) as (page, wrong):
        page.on(
            "request",
            lambda request: (
                told.append(json.loads(request.post_data or ""))
                if "/api/usage/" in request.url and request.post_data
                else None
            ),
        )
        page.goto(watch(product, first))
        playing(page)
        page.keyboard.press("k")
        paused_at: float = page.evaluate(TIME)
        soon(lambda: abs(position(viewer, first) - paused_at) < 0.1)
        page.keyboard.press("5")
        soon(lambda: abs(place(viewer, first) - FIRST_S / 2) < 0.5)
        page.keyboard.press("k")
        beats = len(told)
        until(page, TIME, lambda time: time > FIRST_S / 2 + 16)
        assert len(told) > beats
        assert wrong == []
    numbers = [beat["sequence"] for beat in told]
    assert numbers == sorted(set(numbers))
    last = told[-1]
    assert last["watched_s"] < FIRST_S / 2 + 5  # the skipped part does not count as watched
    assert last["qoe"]["startup_ms"] > 0
    assert last["qoe"]["bitrate_kbps"] > 0


def test_a_ticket_that_has_died_is_renewed_and_the_sitting_goes_on(
    product: Product, episodes: tuple[str, str], viewer: SomeViewer, browser: Browser
) -> None:
    first, _ = episodes
    with opened(browser, f"{product.endpoints['site']}/404.html", viewer=viewer) as (page, _):
        refused: list[str] = []

        def refuse_once(route: Route) -> None:
            if refused or route.request.method != "PUT":
                route.continue_()
                return
            refused.append(json.loads(route.request.post_data or "")["ticket"])
            route.fulfill(status=401, headers={"access-control-allow-origin": "*"}, body="")

        page.route("**/api/usage/*", refuse_once)
        page.goto(watch(product, first))
        playing(page)
        with page.expect_request("**/playback") as renewal:
            page.keyboard.press("k")
        sent = json.loads(renewal.value.post_data or "")
        assert sent["usage_ticket"] == refused[0] and sent["stream_ticket"]
        page.unroute("**/api/usage/*")
        page.keyboard.press("5")
        soon(lambda: abs(position(viewer, first) - FIRST_S / 2) < 0.5)


def test_at_the_end_the_next_episode_is_offered_and_begins_by_itself(
    product: Product, episodes: tuple[str, str], viewer: SomeViewer, browser: Browser
) -> None:
    first, second = episodes
    with opened(browser, f"{watch(product, first)}&from={FIRST_S - 3}", viewer=viewer) as (page, wrong):
        offer = page.locator(".next")
        offer.wait_for()
        assert offer.get_by_role("heading").inner_text() == "The Boats S01E02"
        assert offer.get_by_text("Next episode").is_visible()
        assert "Plays in" in offer.locator(".next-count").inner_text()
        page.wait_for_url(f"**/watch.html?id={second}")
        playing(page)
        assert wrong == []
    soon(lambda: viewer.ask("GET", f"usage/{first}").json()["view"]["finished"])


def test_an_offer_can_be_declined_or_taken_at_once(
    product: Product, episodes: tuple[str, str], viewer: SomeViewer, browser: Browser
) -> None:
    first, second = episodes
    with opened(browser, f"{watch(product, first)}&from={FIRST_S - 3}", viewer=viewer) as (page, _):
        offer = page.locator(".next")
        offer.wait_for()
        page.keyboard.press("Escape")
        offer.wait_for(state="hidden")
        page.wait_for_timeout(1500)
        assert first in page.url
        page.evaluate(f"notflix.video.currentTime = {FIRST_S - 2}; notflix.video.play()")
        offer.wait_for()
        offer.get_by_role("link", name="Play now").click()
        page.wait_for_url(f"**/watch.html?id={second}")


def test_after_the_last_episode_nothing_of_the_series_is_offered(
    product: Product, episodes: tuple[str, str], viewer: SomeViewer, browser: Browser
) -> None:
    _, second = episodes
    with opened(browser, f"{watch(product, second)}&from={SECOND_S - 2}", viewer=viewer) as (page, wrong):
        until(page, "window.notflix?.stats().ended ?? false")
        page.wait_for_timeout(1000)
        assert page.get_by_text("Next episode").count() == 0 or not page.get_by_text("Next episode").is_visible()
        assert wrong == []


def test_the_home_page_follows_what_is_watched(
    product: Product, episodes: tuple[str, str], viewer: SomeViewer, browser: Browser
) -> None:
    first, _ = episodes
    with opened(browser, product.endpoints["site"], viewer=viewer) as (page, wrong):
        assert "Continue watching" not in shelves(page)
        watched(viewer, first, FIRST_S / 4)
        page.reload()
        page.get_by_role("heading", name="Continue watching").wait_for()
        assert shelves(page)[0] == "Continue watching"
        card = page.get_by_role("region", name="Continue watching").get_by_role("link", name="The Boats S01E01")
        assert "1 min left" in card.inner_text()
        share = card.locator(".card-progress").evaluate("node => node.style.getPropertyValue('--share')")
        assert share == "25%"
        # not clicked, because the player would report its own position when the page is closed
        assert card.get_attribute("href") == f"/watch.html?id={first}"
        watched(viewer, first, FIRST_S)
        page.reload()
        assert "Continue watching" not in shelves(page)
        assert wrong == []


def test_a_titles_page_resumes_starts_over_and_keeps_marks(
    product: Product, episodes: tuple[str, str], viewer: SomeViewer, browser: Browser
) -> None:
    first, second = episodes
    watched(viewer, first, 12.5)
    with opened(browser, title_page(product, first), viewer=viewer) as (page, wrong):
        page.get_by_role("link", name="Resume at 0:12").wait_for()
        page.get_by_role("button", name="My list").click()
        page.get_by_text("Added to your list.").wait_for()
        page.get_by_role("button", name="Not for me").click()
        page.get_by_role("button", name="I like it").click()
        page.get_by_text("You like it.").wait_for()
        page.reload()
        page.locator("[aria-pressed=true]").get_by_text("My list").wait_for()
        pressed = page.locator("[aria-pressed=true]")
        assert [button.inner_text().strip() or button.get_attribute("aria-label") for button in pressed.all()] == [
            "My list",
            "I like it",
        ]
        page.get_by_role("link", name="Start over").click()
        assert until(page, TIME, lambda time: time > 0) < 10
        assert "from" not in urlsplit(page.url).query
        assert wrong == []
    assert viewer.ask("GET", "ratings").json()["ratings"][0]["rating"] == 1
    with opened(browser, title_page(product, second), viewer=viewer) as (page, _):
        page.get_by_role("link", name="Play", exact=True).wait_for()
        assert page.locator("[aria-pressed=true]").count() == 0


def test_a_mark_that_is_pressed_before_the_viewers_data_arrive_stays_pressed(
    product: Product, episodes: tuple[str, str], browser: Browser, viewer: SomeViewer
) -> None:
    def hold(route: Route) -> None:
        if route.request.method == "GET":
            held.append(route)
        else:
            route.continue_()

    held: list[Route] = []
    unmarked = {"view": None, "resume_s": 0, "listed": False, "rating": 0}
    with opened(browser, title_page(product, episodes[0]), viewer=viewer) as (page, wrong):
        page.route(f"**/api/usage/{episodes[0]}", hold)
        with page.expect_response("**/catalogue/titles/*.json"):
            page.reload()
        page.wait_for_timeout(500)
        listed = page.get_by_role("button", name="My list")
        listed.click()
        page.get_by_text("Added to your list.").wait_for()
        for route in held:
            route.fulfill(json=unmarked, headers={"access-control-allow-origin": "*"})
        page.wait_for_timeout(500)
        assert held and listed.get_attribute("aria-pressed") == "true"
        assert wrong == []


def test_a_list_is_shown_and_emptied(
    product: Product, episodes: tuple[str, str], viewer: SomeViewer, browser: Browser
) -> None:
    for title_id in episodes:
        viewer.ask("PUT", f"list/{title_id}")
    with opened(browser, f"{product.endpoints['site']}/list.html", viewer=viewer) as (page, wrong):
        page.get_by_role("button", name="Remove The Boats S01E02 from my list").click()
        page.get_by_text("Removed The Boats S01E02 from your list.").wait_for()
        remaining = page.get_by_role("list", name="Films on your list").get_by_role("link")
        assert [link.get_attribute("href") for link in remaining.all()] == [f"/title/{episodes[0]}"]
        page.keyboard.press("Enter")  # the focus has moved to the next entry's button
        page.get_by_text("Your list is empty.").wait_for()
        page.get_by_text("Removed The Boats S01E01 from your list.").wait_for()
        assert wrong == []
    assert viewer.ask("GET", "list").json() == {"titles": [], "cursor": None}


def test_history_is_cleared_title_by_title_or_all_at_once(
    product: Product, episodes: tuple[str, str], viewer: SomeViewer, browser: Browser
) -> None:
    first, second = episodes
    watched(viewer, first, 12)
    watched(viewer, second, SECOND_S)
    with opened(browser, f"{product.endpoints['site']}/history.html", viewer=viewer) as (page, wrong):
        entries = page.locator(".history-entry")
        entries.first.wait_for()
        assert "Watched to the end" in entries.nth(0).inner_text()
        assert "Stopped at 0:12 · 1 min left" in entries.nth(1).inner_text()
        page.get_by_role("button", name="Remove The Boats S01E02 from your history").click()
        page.get_by_text("Removed The Boats S01E02 from your history.").wait_for()
        assert entries.count() == 1
        page.get_by_role("button", name="Clear all").click()
        page.get_by_role("button", name="Cancel").click()
        assert entries.count() == 1
        page.get_by_role("button", name="Clear all").click()
        page.get_by_role("dialog").get_by_role("button", name="Clear all").click()
        page.get_by_text("You have not watched anything yet.").wait_for()
        assert wrong == []
    assert viewer.ask("GET", "usage").json()["entries"] == []
    assert place(viewer, first) == 0


def test_who_is_not_logged_in_is_led_to_log_in_and_back(
    product: Product, episodes: tuple[str, str], browser: Browser
) -> None:
    for page_name in ("list.html", "history.html"):
        with opened(browser, f"{product.endpoints['site']}/{page_name}") as (page, _):
            page.wait_for_url(f"**/login.html?next=%2F{page_name}")
    with opened(browser, title_page(product, episodes[0])) as (page, _):
        page.get_by_role("button", name="My list").click()
        page.wait_for_url("**/login.html?next=%2Ftitle.html**")


def test_with_the_account_goes_all_that_was_watched_and_marked(
    product: Product, episodes: tuple[str, str], viewer: SomeViewer
) -> None:
    first, second = episodes
    ticket = viewer.ask("POST", f"titles/{first}/playback").json()["usage_ticket"]
    beat = {"ticket": ticket, "sequence": 1, "position_s": 20}
    viewer.ask("PUT", f"usage/{first}", beat)
    viewer.ask("PUT", f"list/{second}")
    viewer.ask("PUT", f"ratings/{second}", {"rating": 1})
    with MongoClient[dict[str, Any]](product.endpoints["mongo"]) as client:
        usage = client["notflix"]["usage"]
        assert usage.count_documents({"user_id": viewer.user_id}) == 3
        assert viewer.ask("DELETE", "me", {"password": PASSWORD}).status_code == 204
        soon(lambda: usage.count_documents({"user_id": viewer.user_id}) == 0)
        late = requests.put(f"{viewer.api}/api/usage/{first}", json=beat | {"sequence": 2}, timeout=30)
        assert late.status_code == 204
        assert usage.count_documents({"user_id": viewer.user_id}) == 0


@SIZES
def test_what_is_a_viewers_own_is_accessible_and_fits(
    product: Product, episodes: tuple[str, str], viewer: SomeViewer, browser: Browser, size: tuple[int, int]
) -> None:
    axe: Path = web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"
    site = product.endpoints["site"]
    pages = {
        f"{site}/list.html": "Your list is empty.",
        f"{site}/history.html": "You have not watched anything yet.",
    }
    later = {
        f"{site}/list.html": "The Boats S01E01",
        f"{site}/history.html": "The Boats S01E01",
        site: "Continue watching",
        title_page(product, episodes[0]): "Start over",
    }
    for addresses in (pages, later):
        for address, words in addresses.items():
            with opened(browser, address, size, viewer=viewer) as (page, wrong):
                page.get_by_text(words).first.wait_for()
                assert violations(page, axe) == []
                assert overflow(page) <= 0
                assert wrong == []
        watched(viewer, episodes[0], 12)
        viewer.ask("PUT", f"list/{episodes[0]}")
    last = f"{watch(product, episodes[0])}&from={FIRST_S - 2}"
    with opened(browser, last, size, viewer=viewer, first=NO_COUNTDOWN) as (page, wrong):
        page.locator(".next").wait_for()
        assert violations(page, axe) == []
        assert overflow(page) <= 0
        assert wrong == []
