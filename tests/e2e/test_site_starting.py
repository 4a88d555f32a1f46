"""When pages load their scripts: after the pictures for guests, at once for members, who alone get the player."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.support.evening import playing, upload_evening
from tests.support.pages import PHONE, opened, until
from tests.support.viewers import soon

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

FONT = re.compile(r"/vendor/inter\.[0-9a-f]+\.woff2")
HASH = re.compile(r"\.[0-9a-f]{12}\.")
IMPATIENT = (
    "const later = setTimeout; window.setTimeout = (act, ms, ...more) => (ms === 2000 ? 0 : later(act, ms, ...more));"
)
"""Takes the page's patience away: only its load event loads its scripts."""

NOTES_STOPS = (
    "const stop = window.stop.bind(window);"
    "window.stop = () => { sessionStorage.setItem('stopped', location.pathname); stop(); };"
)
"""Notes which page was the last to stop loading."""


@pytest.fixture(scope="module")
def film(product: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload a film; return its watch page's address once the home page has been published."""
    address = upload_evening(product, tmp_path_factory.mktemp("starting"))
    soon(lambda: address.rpartition("=")[2] in requests.get(f"{product.endpoints['site']}/", timeout=30).text)
    return address


def home_of(film: str) -> str:
    return f"{film.partition('/watch')[0]}/"


def requested(page: Page) -> list[str]:
    """Return the paths of the scripts that a page requests from now on, without the hashes in their names."""
    paths: list[str] = []
    page.on("request", lambda asked: paths.append(HASH.sub(".", asked.url.partition("/js/")[2])))
    return paths


def hold_font(page: Page) -> list[Any]:
    """Keep the font from loading, which the page's load event waits for; return what is held."""
    held: list[Any] = []
    page.route(FONT, lambda route: held.append(route))
    return held


def test_a_guest_sees_the_page_before_its_scripts(film: str, browser: Browser) -> None:
    with opened(browser, "about:blank", first=IMPATIENT) as (page, wrong):
        paths, held = requested(page), hold_font(page)
        page.goto(home_of(film), wait_until="domcontentloaded")
        page.get_by_role("link", name="Log in").wait_for()
        assert "home.js" not in paths
        assert page.evaluate("document.readyState") == "interactive"
        held[0].continue_()
        page.unroute(FONT)
        until(page, "null", lambda _: "home.js" in paths)
        page.get_by_role("link", name="Log in").click()
        page.wait_for_url(re.compile(r"/login\.html"))
        assert wrong == []


def test_a_picture_that_never_arrives_does_not_keep_the_scripts_away(film: str, browser: Browser) -> None:
    with opened(browser, "about:blank") as (page, wrong):
        paths, held = requested(page), hold_font(page)
        page.goto(home_of(film), wait_until="domcontentloaded")
        until(page, "null", lambda _: "home.js" in paths)
        assert held
        assert wrong == []


def test_what_a_guest_types_before_the_scripts_are_loaded_is_searched(film: str, browser: Browser) -> None:
    with opened(browser, "about:blank", first=IMPATIENT) as (page, wrong):
        held = hold_font(page)
        page.goto(home_of(film), wait_until="domcontentloaded")
        page.get_by_role("combobox", name="Search titles, people, genres").press_sequentially("evening")
        page.get_by_role("option", name="Evening").first.wait_for()
        assert held
        assert wrong == []


def test_a_button_that_a_guest_presses_before_the_scripts_are_loaded_works(film: str, browser: Browser) -> None:
    with opened(browser, "about:blank", PHONE, first=IMPATIENT) as (page, wrong):
        hold_font(page)
        scripts: list[Any] = []
        page.route(re.compile(r"/js/"), lambda route: scripts.append(route))
        page.goto(home_of(film), wait_until="domcontentloaded")
        page.get_by_role("button", name="Menu").click()
        until(page, "null", lambda _: bool(scripts))
        assert page.locator("#guest-menu").is_hidden()
        page.route(re.compile(r"/js/"), lambda route: route.continue_())  # without a gap, unlike `unroute`
        for route in scripts:
            route.continue_()
        page.locator("#guest-menu").get_by_role("link", name="Plans").wait_for()
        assert wrong == []


def test_a_member_does_not_wait_for_pictures(film: str, viewer: SomeViewer, browser: Browser) -> None:
    with opened(browser, f"{home_of(film)}404.html", viewer=viewer, first=IMPATIENT) as (page, wrong):
        paths, held = requested(page), hold_font(page)
        page.goto(home_of(film), wait_until="domcontentloaded")
        page.get_by_role("button", name="Your account").wait_for()
        assert "home.js" in paths
        assert held
        assert page.get_by_role("link", name="Log in").is_hidden()
        assert wrong == []


def test_a_guest_is_sent_to_the_login_before_anything_is_loaded(film: str, browser: Browser) -> None:
    with opened(browser, "about:blank", first=NOTES_STOPS) as (page, wrong):
        paths = requested(page)
        page.goto(film)
        page.wait_for_url(re.compile(r"/login\.html\?next=%2Fwatch"))
        page.get_by_role("heading", name="Log in").wait_for()
        assert page.evaluate("sessionStorage.getItem('stopped')") == "/watch.html"
        assert not [path for path in paths if path.startswith("player/") or path == "watch.js"]
        assert wrong == []


def test_a_new_tab_plays_with_the_session_of_another(film: str, viewer: SomeViewer, browser: Browser) -> None:
    """A session that is not kept on the device is known to its own tab only, which gives it to others."""
    session = json.dumps(json.dumps(dict(viewer.session)))
    with opened(browser, f"{home_of(film)}404.html") as (page, wrong):
        page.evaluate(f"sessionStorage.setItem('notflix.session', {session})")
        page.goto(home_of(film))
        page.get_by_role("button", name="Your account").wait_for()
        other = page.context.new_page()
        other.goto(film)
        playing(other)
        assert wrong == []
