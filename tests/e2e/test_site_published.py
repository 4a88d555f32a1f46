"""Published pages are usable before their scripts have what they need, and also if they never get it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.support.media import Film, make_film
from tests.support.pages import SIZES, opened, until
from tests.support.uploads import Storefront
from tests.support.viewers import make_viewer, soon

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

    from tests.support.product import Product

SCRIPTS = re.compile(r"/js/")
HOME, TITLE = "**/catalogue/home.json", "**/catalogue/titles/*.json"
DESCRIBED = {
    "title": "Lanterns",
    "year": 2020,
    "plot": "A light goes out.",
    "genres": ["Drama"],
    "actors": ["Lin Zhao"],
}
GIVEN_UP_MS = 6000
"""Later than the scripts have given up their first attempts to load the catalogue."""


@pytest.fixture(scope="module")
def site(product: Product) -> str:
    """Return the site's address."""
    return product.endpoints["site"]


@pytest.fixture(scope="module")
def film(product: Product, site: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload a film; return its title's path once it is published in both languages."""
    folder = tmp_path_factory.mktemp("published")
    storefront = Storefront(product.endpoints)
    sent = storefront.send("Harbour Lights.mp4", make_film(Film(frames=240), folder))
    assert storefront.ended([sent], within_s=300)[sent.blob]["status"] == "ready"
    storefront.close()
    path = f"/title/{sent.title_id}"
    soon(lambda: path in requests.get(f"{site}/", timeout=30).text and '"ready"' in asked(site, "catalogue/home.json"))
    soon(lambda: "play-label" in asked(site, f"de{path}"))
    return path


@pytest.fixture(scope="module")
def announced(product: Product, site: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Announce a title; return its path once it is published."""
    description = tmp_path_factory.mktemp("announced") / "Lanterns.json"
    description.write_text(json.dumps(DESCRIBED))
    storefront = Storefront(product.endpoints)
    path = f"/title/{storefront.send(description.name, description).title_id}"
    storefront.close()
    soon(lambda: "Lin Zhao" in asked(site, path))
    return path


def asked(site: str, path: str) -> str:
    """Return a page or a file of the site; "" if it does not exist."""
    answer = requests.get(f"{site}/{path.lstrip('/')}", timeout=30)
    return answer.text if answer.ok else ""


def hold(page: Page, address: str | re.Pattern[str]) -> list[Any]:
    """Keep all requests of an address without an answer from now on; return them."""
    held: list[Any] = []
    page.route(address, lambda route: held.append(route))
    return held


def release(page: Page, address: str | re.Pattern[str], held: list[Any]) -> None:
    """Let requests that were held, and all later ones, go on."""
    page.route(address, lambda route: route.continue_())
    for route in held:
        route.continue_()


def mark(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name="Yours").get_by_role("button", name=name)


def test_the_home_page_stays_if_the_catalogue_does_not_load(site: str, film: str, browser: Browser) -> None:
    with opened(browser, f"{site}/404.html") as (page, wrong):
        page.route(HOME, lambda route: route.abort())
        page.goto(site)
        page.wait_for_timeout(GIVEN_UP_MS)
        assert page.locator(f'a[href="{film}"]').first.is_visible()
        assert page.get_by_role("heading", name="The catalogue did not load.").count() == 0
        home = json.loads(asked(site, "catalogue/home.json"))
        home["rows"][0] |= {"id": "later", "name": "Loaded later"}
        page.route(HOME, lambda route: route.fulfill(json=home))
        page.get_by_role("heading", name="Loaded later").wait_for()
        assert wrong == []


def test_a_title_page_stays_if_its_title_does_not_load(site: str, film: str, browser: Browser) -> None:
    with opened(browser, f"{site}/404.html") as (page, wrong):
        page.route(TITLE, lambda route: route.abort())
        page.goto(site + film)
        page.wait_for_timeout(GIVEN_UP_MS)
        assert page.get_by_role("link", name="Play").is_visible()
        title = json.loads(asked(site, f"catalogue/titles/{film.rpartition('/')[2]}.json"))
        page.route(TITLE, lambda route: route.fulfill(json={**title, "awards": "Loaded later"}))
        page.get_by_text("Loaded later").wait_for()
        assert wrong == []


def test_a_title_that_was_withdrawn_is_not_shown_any_more(site: str, film: str, browser: Browser) -> None:
    with opened(browser, f"{site}/404.html") as (page, _):
        page.route(TITLE, lambda route: route.fulfill(status=404, body="none"))
        page.goto(site + film)
        page.get_by_role("heading", name="This film is not available.").wait_for()


@SIZES
def test_a_guest_who_wants_to_remember_a_film_before_its_scripts_are_loaded_logs_in(
    site: str, film: str, browser: Browser, size: tuple[int, int]
) -> None:
    with opened(browser, f"{site}/404.html", size) as (page, wrong):
        scripts, titles = hold(page, SCRIPTS), hold(page, TITLE)
        page.goto(site + film, wait_until="domcontentloaded")
        mark(page, "My list").click()
        until(page, "null", lambda _: bool(scripts))
        release(page, SCRIPTS, scripts)
        page.wait_for_url(f"{site}/login.html?next=%2Ftitle%2F*")
        assert titles, "the catalogue had not answered"
        assert wrong == []


def test_a_viewer_rates_a_film_before_its_description_is_loaded(
    product: Product, site: str, film: str, browser: Browser
) -> None:
    viewer = make_viewer(product.endpoints)
    with opened(browser, f"{site}/404.html", viewer=viewer) as (page, wrong):
        titles = hold(page, TITLE)
        page.goto(site + film)
        until(page, "null", lambda _: bool(titles))
        mark(page, "I like it").click()
        page.get_by_text("You like it.").wait_for()
        release(page, TITLE, titles)
        page.wait_for_load_state("networkidle")
        assert mark(page, "I like it").get_attribute("aria-pressed") == "true"
        assert viewer.ask("GET", f"usage/{film.rpartition('/')[2]}").json()["rating"] == 1
        assert wrong == []


@pytest.mark.parametrize("path", ["/", "/plans.html", ""], ids=["home", "plans", "title"])
def test_a_language_that_is_chosen_before_the_scripts_are_loaded_is_kept(
    site: str, film: str, browser: Browser, path: str
) -> None:
    path = path or film
    with opened(browser, f"{site}/404.html", locale="de-DE") as (page, _):
        page.goto(f"{site}/de{path}")
        hold(page, SCRIPTS)
        page.reload(wait_until="commit")
        page.locator("footer a[data-language=en]").click(no_wait_after=True)
        page.wait_for_url(site + path, wait_until="commit")
        page.route(SCRIPTS, lambda route: route.continue_())
        page.goto(site)
        page.get_by_role("link", name="Log in", exact=True).wait_for()
        assert page.evaluate("document.documentElement.lang") == "en"


def test_what_one_has_tabbed_to_keeps_the_focus_while_the_page_follows_its_title(
    site: str, announced: str, browser: Browser
) -> None:
    with opened(browser, f"{site}/404.html") as (page, wrong):
        page.goto(site + announced)
        for name in ("Drama", "Lin Zhao"):
            page.get_by_role("link", name=name, exact=True).focus()
            with page.expect_response("**/api/titles/*"):
                pass
            page.wait_for_timeout(500)
            assert page.evaluate("document.activeElement.textContent") == name
        assert wrong == []
