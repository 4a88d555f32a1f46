"""The site in German: every page is complete, accessible and fits its window, and the language is chosen and kept."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests

from functions.catalogue.model import Status
from infra.local.stores.packages import web_folder
from tests.support.accessibility import faults_beyond_axe, violations
from tests.support.catalogue import make_title
from tests.support.library import titles_of
from tests.support.media import Film, make_film
from tests.support.pages import DESKTOP, PHONE, SMALL, opened, overflow, refused, until
from tests.support.uploads import Storefront
from tests.support.viewers import make_administrator, make_viewer
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

WIDTHS = (1440, 820, 390)
GERMAN = "de-DE"
LOADED = "!document.querySelector('.panel:not([hidden]) [aria-busy=true]')"
GUESTS_PAGES = {
    "search.html": "Filme",
    "genre.html?name=Drama": "",
    "person.html?name=Nobody": "",
    "plans.html": "Jeder Film. Ein Abo.",
    "login.html": "Einloggen",
    "register.html": "Erstell dein Konto",
    "forgot.html": "Passwort vergessen?",
    "reset.html#token=0": "Neues Passwort wählen",
    "confirm.html#token=0": "Bestätige deine Adresse",
    "downloads.html": "Downloads",
    "accessibility.html": "Barrierefreiheit",
    "help.html": "Hilfe",
    "404.html": "Diese Szene wurde herausgeschnitten.",
}
VIEWERS_PAGES = {
    "account.html": "Konto",
    "list.html": "Meine Liste",
    "history.html": "Verlauf",
    "profiles.html": "Wer schaut?",
    "subscribed.html": "Du hast noch kein Abo.",
}
COVERED = """() => {
  const shown = [...document.querySelectorAll(".site-nav-bar :is(a, button)")].filter((each) => each.offsetParent);
  const boxes = shown.map((each) => ({ name: each.textContent.trim(), box: each.getBoundingClientRect() }));
  boxes.sort((one, other) => one.box.left - other.box.left);
  return boxes.filter(({ box }, at) => at && box.left < boxes[at - 1].box.right).map(({ name }) => name);
}"""
TABS = ("Übersicht", "Filme", "Titel", "Personen", "Tarife", "Seiten", "Einrichtung", "Protokoll")


@pytest.fixture(scope="module")
def title_id(product: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload a short film; return its title's id once it is published."""
    storefront = Storefront(product.endpoints)
    sent = storefront.send("Nordlicht.mp4", make_film(Film(frames=240), tmp_path_factory.mktemp("german")))
    job = storefront.ended([sent], within_s=300)[sent.blob]
    storefront.close()
    assert job["status"] == "ready", job
    site = product.endpoints["site"]
    deadline = time.monotonic() + PATIENCE_S
    while not (
        all(requests.get(f"{site}{path}title/{sent.title_id}", timeout=30).ok for path in ("/", "/de/"))
        and '"ready"' in requests.get(f"{site}/catalogue/home.json", timeout=30).text
        and sent.title_id in requests.get(f"{site}/de/", timeout=30).text
    ):
        assert time.monotonic() < deadline, "the title is not published in both languages"
        time.sleep(0.5)
    return sent.title_id


@pytest.fixture(scope="module")
def axe(product: Product) -> Path:
    """Return the path of the axe script."""
    return web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"


def check(page: Page, axe: Path) -> list[Any]:
    """Return what is wrong with a German page: violations, and the widths at which it is wider than its window."""
    assert page.evaluate("document.documentElement.lang") == "de"
    found: list[Any] = [*violations(page, axe, targets=True), *faults_beyond_axe(page)]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        if overflow(page) > 0:
            found.append((width, overflow(page)))
    page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
    return found


def test_pages_for_guests_are_german_and_accessible(product: Product, browser: Browser, axe: Path) -> None:
    site = product.endpoints["site"]
    wrong_pages: dict[str, list[Any]] = {}
    with opened(browser, site, locale=GERMAN) as (page, wrong):
        for path, heading in GUESTS_PAGES.items():
            page.goto(f"{site}/de/{path}")
            page.wait_for_load_state("networkidle")
            if heading and "#" not in path:
                page.get_by_role("heading", name=heading, level=1).wait_for()
            if found := [*check(page, axe), *wrong]:
                wrong_pages[path] = found
            wrong.clear()
    assert wrong_pages == {}


def test_the_pages_of_a_title_are_german_and_accessible(
    product: Product, browser: Browser, axe: Path, title_id: str
) -> None:
    site = product.endpoints["site"]
    with opened(browser, site, locale=GERMAN) as (page, wrong):
        page.locator("[data-shelf] .card-title").first.wait_for()
        assert urlsplit(page.url).path == "/de/"
        page.get_by_role("heading", name="Neu auf Notflix").wait_for()
        assert check(page, axe) == []
        page.goto(f"{site}/title/{title_id}")
        page.locator("article h1").wait_for()
        assert urlsplit(page.url).path == f"/de/title/{title_id}"
        page.wait_for_load_state("networkidle")
        assert check(page, axe) == []
        assert wrong == []


def test_the_player_is_german_and_accessible(
    product: Product, browser: Browser, axe: Path, title_id: str, viewer: SomeViewer
) -> None:
    address = f"{product.endpoints['site']}/watch.html?id={title_id}"
    with opened(browser, address, SMALL, viewer=viewer, locale=GERMAN) as (page, wrong):
        until(page, "window.notflix?.stats().time ?? 0", lambda time: time > 0)
        assert urlsplit(page.url).path == "/de/watch.html"
        page.evaluate("notflix.video.pause()")
        page.get_by_role("button", name="Abspielen").first.wait_for()
        assert check(page, axe) == []
        page.keyboard.press("?")
        page.get_by_role("heading", name="Tastenkürzel").wait_for()
        assert violations(page, axe) == []
        page.keyboard.press("Escape")
        page.route("**/api/titles/*/playback", refused(402, "entitlement_required", "Subscribe to watch Nordlicht."))
        page.reload()
        page.get_by_text("Mit einem Abo kannst du diesen Film ansehen.").wait_for()
        assert check(page, axe) == []
        assert wrong == []


def test_pages_for_viewers_are_german_and_accessible(product: Product, browser: Browser, axe: Path) -> None:
    site = product.endpoints["site"]
    wrong_pages: dict[str, list[Any]] = {}
    with opened(browser, f"{site}/de/", viewer=make_viewer(product.endpoints), locale=GERMAN) as (page, wrong):
        for path, heading in VIEWERS_PAGES.items():
            page.goto(f"{site}/de/{path}")
            page.get_by_role("heading", name=heading, level=1, exact=True).wait_for()
            page.wait_for_load_state("networkidle")
            if found := [*check(page, axe), *wrong]:
                wrong_pages[path] = found
            wrong.clear()
        page.goto(f"{site}/de/account.html")
        page.get_by_text("Du hast kein Abo.").wait_for()  # a sentence of the API
        page.get_by_text(re.compile("^(Heute|Gestern), ")).first.wait_for()
    assert wrong_pages == {}


def test_the_studio_is_german_and_accessible(product: Product, browser: Browser, axe: Path) -> None:
    site = product.endpoints["site"]
    wrong_tabs: dict[str, list[Any]] = {}
    administrator = make_administrator(product)
    with titles_of(product.endpoints) as titles:  # a draft has the most buttons, and German words are long
        assert titles.add(make_title("entwurf-000001", name="Ein Entwurf", status=Status.ANNOUNCED, draft=True))
    with opened(browser, f"{site}/de/studio.html", viewer=administrator, locale=GERMAN) as (page, wrong):
        for tab in TABS:
            page.get_by_role("tab", name=tab, exact=True).click()
            until(page, LOADED)
            if found := [*check(page, axe), *wrong]:
                wrong_tabs[tab] = found
            wrong.clear()
    assert wrong_tabs == {}


def test_the_browsers_language_is_used_until_another_is_chosen_and_kept(
    product: Product, browser: Browser, title_id: str
) -> None:
    site = product.endpoints["site"]
    with opened(browser, f"{site}/search.html?q=nordlicht#said", PHONE, locale="de-CH") as (page, wrong):
        page.get_by_text("1 Film zu „nordlicht“").wait_for()
        assert page.url == f"{site}/de/search.html?q=nordlicht"
        page.get_by_role("link", name="English").click()
        page.get_by_text("1 film for “nordlicht”").wait_for()
        assert page.url == f"{site}/search.html?q=nordlicht"
        page.goto(f"{site}/de/title/{title_id}")
        page.wait_for_url(f"{site}/title/{title_id}")
        page.get_by_role("link", name="Deutsch").click()
        page.wait_for_url(f"{site}/de/title/{title_id}")
        page.goto(f"{site}/plans.html")
        page.get_by_role("heading", name="Jeder Film. Ein Abo.").wait_for()
        assert wrong == []


def test_a_page_in_german_is_shown_to_whoever_follows_a_link_to_it(product: Product, browser: Browser) -> None:
    site = product.endpoints["site"]
    with opened(browser, f"{site}/de/plans.html") as (page, _):
        page.get_by_role("heading", name="Jeder Film. Ein Abo.").wait_for()
        page.get_by_role("link", name="Start", exact=True).click()
        page.wait_for_url(f"{site}/de/")


def test_nothing_is_drawn_and_no_module_runs_before_the_language_is_right(product: Product, browser: Browser) -> None:
    """The script of the first page would take the token out of the address, and could use it."""
    site = product.endpoints["site"]
    context = browser.new_context(locale=GERMAN, service_workers="block")
    page = context.new_page()
    seen: list[str] = []
    page.expose_function("seen", lambda text: seen.append(str(text)))
    page.add_init_script(
        "document.addEventListener('DOMContentLoaded', () => window.seen("
        "`${document.documentElement.lang} ${document.body?.innerText.includes('Confirm your address')}`));"
    )
    page.goto(f"{site}/confirm.html#token=abc")
    page.wait_for_url(f"{site}/de/confirm.html*")
    page.get_by_text("Dieser Link funktioniert nicht.").or_(
        page.get_by_role("button", name="Adresse bestätigen")
    ).first.wait_for()
    until(page, "document.readyState", lambda state: state == "complete")
    assert [text for text in seen if text.startswith("en")] == []
    context.close()


def test_a_login_returns_to_the_page_in_german(product: Product, browser: Browser) -> None:
    site = product.endpoints["site"]
    viewer: SomeViewer = make_viewer(product.endpoints)
    with opened(browser, f"{site}/history.html", locale=GERMAN) as (page, wrong):
        page.wait_for_url("**/de/login.html?next=%2Fhistory.html*")
        page.get_by_label("E-Mail-Adresse").fill(viewer.email)
        page.get_by_label("Passwort", exact=True).fill("certainly not this one")
        page.get_by_role("button", name="Einloggen").click()
        page.get_by_text("E-Mail-Adresse oder Passwort stimmt nicht.").wait_for()
        assert wrong == []


def test_an_address_without_a_page_is_told_in_german(product: Product, browser: Browser) -> None:
    with opened(browser, f"{product.endpoints['site']}/no/such/page", locale=GERMAN) as (page, _):
        page.get_by_role("heading", name="Diese Szene wurde herausgeschnitten.").wait_for()
        assert urlsplit(page.url).path == "/de/404.html"
    with opened(browser, f"{product.endpoints['site']}/title/nothing-000000", locale=GERMAN) as (page, _):
        page.get_by_role("heading", name="Dieser Film ist nicht verfügbar.").wait_for()


@pytest.mark.parametrize("width", [320, 360, 390])
def test_nothing_in_the_navigation_covers_anything_else(product: Product, browser: Browser, width: int) -> None:
    """German words are longer, so the bar is full first in German."""
    for path in ("/de/", "/de/login.html", "/de/search.html"):
        with opened(browser, f"{product.endpoints['site']}{path}", (width, 640), locale=GERMAN) as (page, _):
            page.locator(".nav-login").wait_for()
            assert page.evaluate(COVERED) == [], path


def test_downloads_are_shown_in_german_without_a_connection(product: Product, browser: Browser) -> None:
    site = product.endpoints["site"]
    with opened(browser, f"{site}/de/downloads.html", service_worker=True, locale=GERMAN) as (page, _):
        until(page, "navigator.serviceWorker.ready.then(() => Boolean(navigator.serviceWorker.controller))")
        page.context.set_offline(True)
        page.goto(f"{site}/de/history.html")
        page.get_by_text("Ohne Verbindung wurde die Seite nicht geladen.").wait_for()
        page.goto(f"{site}/plans.html")  # in English, which this browser does not want
        page.get_by_text("Ohne Verbindung wurde die Seite nicht geladen.").wait_for()
        assert page.evaluate("document.documentElement.lang") == "de"
