"""The pages in Chromium, at desktop and phone sizes: complete, without errors, accessible, usable with the keyboard."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.storage.blob import ContainerClient

from functions.platform.identifiers import title_id_for
from infra.local.demo.art.studio import draw
from infra.local.demo.library import DemoTitle, load
from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.media import Film, make_film
from tests.support.pages import DESKTOP, PHONE, opened, overflow, until
from tests.support.uploads import Storefront
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Route

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
PLAYABLE, ANNOUNCED = "ringfall", ("red-meridian", "halfway-moon", "the-quiet-orchard")
SHOWN_AT_FIRST = ("name", "facts", "plot", "genres", "credits", "play-label")
WITHIN_S = PATIENCE_S


def page_of(title: str) -> str:
    """Return the path of a demonstration title's page."""
    return f"/title/{title_id_for(f'{title}.mp4')}"


@pytest.fixture(scope="module")
def site(product: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Announce three demonstration titles and add one with a film; return the site's address when all are published."""
    folder = tmp_path_factory.mktemp("site")
    packages = web_folder(product.home) / "node_modules"
    chosen = {title.stem: title for title in load() if title.stem in (PLAYABLE, *ANNOUNCED)}
    storage = product.endpoints["storage_connection"]
    with ContainerClient.from_connection_string(storage, "uploads") as uploads:
        for title in chosen.values():
            _announce(uploads, title, folder, packages)
    storefront = Storefront(product.endpoints)
    sent = storefront.send(f"{PLAYABLE}.mp4", make_film(Film(frames=480), folder))
    storefront.ended([sent], within_s=WITHIN_S)
    storefront.close()
    address = product.endpoints["site"]
    _published(address, {title_id_for(f"{stem}.mp4") for stem in chosen})
    return address


def _announce(uploads: ContainerClient, title: DemoTitle, folder: Path, packages: Path) -> None:
    assert title.design is not None
    art = draw(title.design, title.billing, folder, packages)
    uploads.upload_blob(f"{title.stem}.jpg", art.poster.read_bytes(), overwrite=True)
    uploads.upload_blob(f"{title.stem}.backdrop.jpg", art.backdrop.read_bytes(), overwrite=True)
    uploads.upload_blob(f"{title.stem}.json", json.dumps(title.sidecar).encode(), overwrite=True)


def _published(address: str, wanted: set[str]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while True:
        answer = requests.get(f"{address}/catalogue/search.json", timeout=30)
        titles: list[dict[str, Any]] = answer.json()["titles"] if answer.ok else []
        ready = {title["id"] for title in titles if title["status"] == "ready"}
        described = {title["id"] for title in titles if title["plot"] and title["artwork"]["backdrop"]}
        if wanted <= described and title_id_for(f"{PLAYABLE}.mp4") in ready:
            return
        assert time.monotonic() < deadline, f"published so far: {titles}"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def axe(product: Product) -> Path:
    """Return the path of the axe script."""
    return web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"


@SIZES
@pytest.mark.parametrize(
    ("path", "shows"),
    [
        ("/", "[data-shelf] .card-title"),
        (page_of(PLAYABLE), "article h1"),
        (page_of(ANNOUNCED[0]), "article h1"),
        ("/search.html", ".grid-titles .card-title"),
        ("/search.html?q=lin", ".grid-titles .card-title"),
        ("/genre.html?name=Romance", ".grid-titles .card-title"),
        ("/person.html?name=Lin%20Zhao", ".grid-titles .card-title"),
        ("/no/such/page", "h1"),
    ],
    ids=["home", "title", "announced", "films", "search", "genre", "person", "missing"],
)
def test_a_page_is_complete_quiet_and_accessible(
    site: str, browser: Browser, axe: Path, size: tuple[int, int], path: str, shows: str
) -> None:
    with opened(browser, site + path, size) as (page, wrong):
        page.locator(shows).first.wait_for()
        page.wait_for_load_state("networkidle")
        assert overflow(page) <= 0
        assert violations(page, axe) == []
        assert page.locator("h1").count() == 1
        assert page.title() != ""
        broken = "[...document.images].filter((i) => !i.hidden && i.complete && !i.naturalWidth).map((i) => i.src)"
        assert page.evaluate(broken) == []
        assert wrong == []


def test_home_leads_to_the_film_with_two_clicks(site: str, viewer: SomeViewer, browser: Browser) -> None:
    with opened(browser, site, viewer=viewer) as (page, _):
        page.locator("[data-shelf] .card-title", has_text="Ringfall").first.click()
        page.get_by_role("heading", name="Ringfall", level=1).wait_for()
        page.get_by_role("link", name="Play").click()
        page.wait_for_url("**/watch.html?id=*")


def test_a_title_page_tells_who_made_it(site: str, browser: Browser) -> None:
    with opened(browser, site + page_of(PLAYABLE)) as (page, _):
        page.get_by_role("heading", name="Ringfall", level=1).wait_for()
        assert "dying planet" in page.locator("[data-hook=plot]").inner_text()
        assert "Lin Zhao" in page.locator(".credits").inner_text()
        poster, story = (page.locator(each).bounding_box() for each in (".title-poster", ".title-story"))
        assert poster and story
        assert poster["x"] < 100 and story["x"] - poster["x"] - poster["width"] < 60, "the story is beside the poster"
        page.locator(".credits").get_by_role("link", name="Lin Zhao").click()
        page.get_by_role("heading", name="Lin Zhao", level=1).wait_for()
        page.locator(".grid-titles").get_by_text("Ringfall").first.wait_for()


def test_an_announced_title_offers_nothing_to_play(site: str, browser: Browser) -> None:
    with opened(browser, site + page_of(ANNOUNCED[0])) as (page, _):
        page.get_by_text("Coming soon", exact=True).first.wait_for()
        assert not page.get_by_role("link", name="Play").is_visible()


def test_search_narrows_as_one_types_and_keeps_the_address(site: str, browser: Browser) -> None:
    with opened(browser, f"{site}/search.html") as (page, _):
        page.locator(".grid-titles .card-title").first.wait_for()
        page.locator("#q").press_sequentially("halfway")
        until(page, "document.querySelectorAll('.grid-titles li').length", lambda count: count == 1)
        assert page.url.endswith("/search.html?q=halfway")
        page.locator("#q").fill("zzzz")
        page.get_by_text("Nothing found for “zzzz”").wait_for()
        page.locator("#q").fill("")
        page.locator(".genre-links").get_by_role("link", name="Romance").click()
        assert page.url.endswith("genre=Romance")
        page.locator(".card-title", has_text="Halfway Moon").wait_for()


def test_the_search_page_uses_the_catalogue_that_it_preloads(site: str, browser: Browser) -> None:
    asked: list[str] = []
    with opened(browser, f"{site}/404.html") as (page, wrong):
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{site}/search.html")
        page.locator(".grid-titles .card-title").first.wait_for()
        page.wait_for_load_state("networkidle")
        assert [url for url in asked if url.endswith("/catalogue/index.json")] == [f"{site}/catalogue/index.json"]
        assert wrong == []


def test_a_search_for_a_very_long_word_fits_the_window(site: str, browser: Browser) -> None:
    with opened(browser, f"{site}/search.html?q={'wide' * 40}", (820, 1180)) as (page, _):
        page.get_by_text("Nothing found for “wide").wait_for()
        assert overflow(page) <= 0


def test_the_search_field_of_every_page_suggests_titles_people_and_genres(
    site: str, browser: Browser, axe: Path
) -> None:
    with opened(browser, site + page_of(ANNOUNCED[0])) as (page, wrong):
        field = page.get_by_role("combobox", name="Search titles, people, genres")
        field.press_sequentially("rinfall")  # with a typo
        page.get_by_role("option", name="Ringfall").wait_for()
        assert violations(page, axe) == []
        field.fill("lin zhao")
        page.get_by_role("option", name="Lin Zhao").wait_for()
        field.fill("roman")
        page.get_by_role("option", name="Romance").wait_for()
        field.fill("rinfall")
        page.get_by_role("option", name="Ringfall").wait_for()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{page_of(PLAYABLE)}")
        assert wrong == []


def test_the_published_pages_show_their_content_without_scripts(site: str, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site)
    assert page.locator(".hero h1").is_visible()
    assert page.locator("[data-shelf] .card-title").count() > 0
    page.goto(site + page_of(PLAYABLE))
    assert page.get_by_role("heading", name="Ringfall", level=1).is_visible()
    assert "Lin Zhao" in page.locator(".credits").inner_text()
    context.close()


def test_the_script_of_a_published_page_changes_nothing_that_is_right(site: str, browser: Browser) -> None:
    """What a guest sees first stays in place: the same elements with the same texts and pictures."""
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(site + page_of(PLAYABLE))
    before = {hook: plain.locator(f"[data-hook={hook}]").first.inner_text() for hook in SHOWN_AT_FIRST}
    context.close()
    with opened(browser, site + page_of(PLAYABLE)) as (page, _):
        page.wait_for_load_state("networkidle")
        after = {hook: page.locator(f"[data-hook={hook}]").first.inner_text() for hook in SHOWN_AT_FIRST}
    assert after == before


def test_a_page_that_is_not_written_yet_is_shown_by_the_general_one(site: str, browser: Browser) -> None:
    with opened(browser, f"{site}/title/nothing-000000") as (page, _):
        page.get_by_role("heading", name="This film is not available.").wait_for()


def test_search_engines_and_feed_readers_find_the_titles(site: str) -> None:
    sitemap = requests.get(f"{site}/sitemap.xml", timeout=30)
    assert f"<loc>{site}{page_of(PLAYABLE)}</loc>" in sitemap.text
    assert f"Sitemap: {site}/sitemap.xml" in requests.get(f"{site}/robots.txt", timeout=30).text
    assert "Ringfall" in requests.get(f"{site}/feed.xml", timeout=30).text
    page = requests.get(site + page_of(PLAYABLE), timeout=30)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f'<meta property="og:url" content="{site}{page_of(PLAYABLE)}">' in page.text


def test_pictures_are_sent_as_avif_in_the_width_that_fits(site: str, browser: Browser) -> None:
    with opened(browser, site + page_of(PLAYABLE), PHONE) as (page, _):
        backdrop = page.locator("[data-hook=backdrop]")
        until(page, "document.querySelector('[data-hook=backdrop]').currentSrc", lambda source: source)
        assert "/backdrop-768.avif?v=" in backdrop.evaluate("(image) => image.currentSrc")


def test_titles_without_a_film_stand_under_coming_soon_and_nowhere_else(site: str, browser: Browser) -> None:
    with opened(browser, site) as (page, _):
        soon = page.get_by_role("region", name="Coming soon")
        soon.get_by_text("Red Meridian").first.wait_for()
        # other tests add films to this product, so the featured film varies; it is one that can be played
        assert page.get_by_role("heading", level=1).first.inner_text() != "Red Meridian"
        assert page.get_by_role("link", name="Play").first.is_visible()
        cards = (
            "[...document.querySelectorAll('[data-shelf] .card-name')].filter((n) => n.textContent === 'Red Meridian')"
        )
        assert page.evaluate(f"{cards}.length") == 1
        page.goto(f"{site}/search.html")
        page.get_by_role("region", name="Coming soon").get_by_text("Red Meridian").first.wait_for()
        films = page.get_by_role("list", name="Films found")
        assert films.get_by_text("Ringfall").count() >= 1
        assert films.get_by_text("Red Meridian").count() == 0
        page.goto(site + page_of(PLAYABLE))
        page.get_by_role("heading", name="Ringfall", level=1).wait_for()
        page.wait_for_load_state("networkidle")
        assert page.locator("[data-hook=more]").get_by_text("Red Meridian").count() == 0


def test_a_guest_on_a_phone_reaches_the_plans_and_their_list(site: str, browser: Browser) -> None:
    with opened(browser, site, PHONE) as (page, wrong):
        menu = page.get_by_role("button", name="Menu")
        menu.click()
        page.locator("#guest-menu").get_by_role("link", name="My list").wait_for()
        page.keyboard.press("Escape")
        assert menu.evaluate("(button) => button === document.activeElement")
        menu.click()
        page.locator("#guest-menu").get_by_role("link", name="Plans").click()
        page.wait_for_url("**/plans.html")
        assert wrong == []


def test_an_unknown_title_is_told_as_such(site: str, browser: Browser) -> None:
    with opened(browser, f"{site}/title.html?id=nothing-000000") as (page, _):
        page.get_by_role("heading", name="This film is not available.").wait_for()


def test_an_empty_service_says_how_to_add_the_first_film_and_comes_alive_by_itself(site: str, browser: Browser) -> None:
    with opened(browser, f"{site}/404.html") as (page, wrong):
        page.route("**/catalogue/home.json", lambda route: route.fulfill(status=404, body="none"))
        page.goto(site)
        page.get_by_text("./notflix ingest film.mkv").wait_for()
        page.unroute("**/catalogue/home.json")
        page.locator("[data-shelf] .card-title").first.wait_for()
        assert wrong == []


def test_a_catalogue_that_does_not_load_offers_to_try_again(site: str, browser: Browser) -> None:
    unpublished = requests.get(f"{site}/templates/home.html", timeout=30).text
    with opened(browser, f"{site}/404.html") as (page, _):
        page.route(f"{site}/", lambda route: route.fulfill(body=unpublished, content_type="text/html"))
        page.route("**/catalogue/home.json", lambda route: route.fulfill(status=403, body="{}"))
        page.goto(site)
        page.get_by_role("heading", name="The catalogue did not load.").wait_for()
        page.unroute("**/catalogue/home.json")
        page.get_by_role("button", name="Try again").click()
        page.locator("[data-shelf] .card-title").first.wait_for()


def test_the_keyboard_reaches_content_and_films(site: str, browser: Browser) -> None:
    with opened(browser, site) as (page, _):
        page.locator("[data-shelf] .card-title").first.wait_for()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


def test_what_is_typed_while_the_catalogue_loads_is_searched(site: str, browser: Browser) -> None:
    held: list[Route] = []
    with opened(browser, f"{site}/404.html") as (page, wrong):
        page.route("**/catalogue/index.json", lambda route: held.append(route))
        with page.expect_request("**/catalogue/index.json"):
            page.goto(f"{site}/search.html?genre=Drama")
        page.get_by_role("searchbox").fill("nothing is called like this")
        while not held:
            page.wait_for_timeout(50)
        for route in held:
            route.continue_()
        page.get_by_text("Nothing found in Drama for “nothing is called like this”").wait_for()
        assert wrong == []
