"""Terms, help and the other pages in Chromium: written in the Studio, read by visitors, linked in the footer."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.pages import SIZES, opened, overflow, refused, until
from tests.support.studio import Studio
from tests.support.viewers import make_administrator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    from tests.support.product import Product

TEXT = """# Cancelling

You can cancel on your [account page](/account.html).

- Write to [us](mailto:films@example.org)
- <script>document.title = "taken over"</script>

| Plan | Price |
|---|---|
| Monthly | €7.99 |
"""


@pytest.fixture(scope="module")
def studio(product: Product, browser: Browser) -> Studio:
    """Return the Studio of the product, opened by an administrator."""
    return Studio(product, make_administrator(product), browser)


@pytest.fixture
def nothing_published(studio: Studio) -> Iterator[None]:
    """Take all pages off the site before and after a test."""
    take_all_down(studio)
    yield
    take_all_down(studio)


def take_all_down(studio: Studio) -> None:
    for page in studio.administrator.ask("GET", "pages").json()["pages"]:
        version = f"?version={quote(page['version'])}" if page["version"] else ""
        assert studio.administrator.ask("DELETE", f"pages/{page['name']}{version}").ok


@pytest.fixture(scope="module")
def axe(product: Product) -> Path:
    """Return the path of the axe script."""
    return web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"


def footer_link(page: Page, name: str) -> Locator:
    """Return a link in the footer, once the page has read which pages are published."""
    until(page, "performance.getEntriesByName(`${location.origin}/pages/index.json`).length")
    return page.get_by_role("list", name="More pages").get_by_role("link", name=name, exact=True)


@pytest.mark.usefixtures("nothing_published")
@SIZES
def test_a_page_is_written_in_the_studio_and_read_by_visitors(studio: Studio, axe: Path, size: tuple[int, int]) -> None:
    with studio.at("pages", size) as (page, wrong):
        part = page.locator("[data-page=terms]")
        part.get_by_text("Not written yet").wait_for()
        part.locator("summary").click()
        part.get_by_role("button", name="Start with an outline").click()
        part.get_by_role("button", name="Publish").click()
        part.get_by_text("Replace ‹your name or company, and address› first.").wait_for()
        part.get_by_label("Text").fill(TEXT)
        assert violations(page, axe) == []
        assert overflow(page) <= 0
        part.get_by_role("button", name="Publish").click()
        part.get_by_text("Published.").wait_for()
        assert part.locator("[data-hook=state]").inner_text() == "Published"
        assert wrong == []
    site = studio.product.endpoints["site"]
    with opened(studio.browser, f"{site}/terms.html", size) as (page, wrong):
        page.get_by_role("heading", name="Cancelling", level=2).wait_for()
        assert page.get_by_role("link", name="account page").get_attribute("href") == "/account.html"
        assert page.get_by_text('<script>document.title = "taken over"</script>').is_visible()
        assert page.title() == "Terms of use: Notflix"
        footer_link(page, "Terms of use").wait_for()
        assert page.get_by_role("cell", name="€7.99").is_visible()
        assert overflow(page) <= 0
        assert violations(page, axe) == []
        assert page.context.cookies() == []
        assert wrong == []
    with studio.at("pages", size) as (page, wrong):
        part = page.locator("[data-page=terms]")
        part.locator("summary").click()
        part.get_by_role("button", name="Remove from the site").click()
        part.get_by_text("Removed from the site.").wait_for()
        assert part.get_by_label("Text").input_value() == TEXT
        assert wrong == []
    with opened(studio.browser, f"{site}/", size) as (page, wrong):
        assert footer_link(page, "Terms of use").count() == 0
        assert wrong == []


@pytest.mark.usefixtures("nothing_published")
def test_a_page_that_is_not_written_says_so_to_its_owner_only(studio: Studio, axe: Path) -> None:
    address = f"{studio.product.endpoints['site']}/privacy.html"
    with opened(studio.browser, address) as (page, wrong):
        page.get_by_text("There is nothing here at the moment.").wait_for()
        assert not page.get_by_text("You have not written this page yet.").is_visible()
        assert violations(page, axe) == []
        assert wrong == []
    with opened(studio.browser, address, viewer=studio.administrator) as (page, wrong):
        page.get_by_role("link", name="Write it in the Studio").wait_for()
        assert wrong == []


@pytest.mark.usefixtures("nothing_published")
def test_a_text_that_another_window_changed_is_not_overwritten(studio: Studio) -> None:
    with studio.at("pages") as (page, _):
        part = page.locator("[data-page=help]")
        part.locator("summary").click()
        part.get_by_label("Text").fill("From this window")
        there = studio.administrator.ask("PUT", "pages/help", {"markdown": "From another window"})
        assert there.ok
        part.get_by_role("button", name="Publish").click()
        part.get_by_text("This page was changed in the meantime").wait_for()
        page.get_by_role("tab", name="Titles").click()
        page.get_by_role("tab", name="Pages").click()
        part.get_by_text("This page was changed in the meantime").wait_for()
        part.get_by_role("button", name="Publish").click()
        part.get_by_text("This page was changed in the meantime").wait_for()
        assert part.get_by_label("Text").input_value() == "From this window"
    kept = studio.administrator.ask("GET", "pages").json()["pages"][0]
    assert (kept["name"], kept["markdown"]) == ("help", "From another window")


@pytest.mark.usefixtures("nothing_published")
def test_a_text_that_is_typed_when_the_session_ends_is_published_after_a_login_in_another_tab(
    studio: Studio, axe: Path
) -> None:
    with studio.at("pages") as (page, wrong):
        part = page.locator("[data-page=help]")
        part.locator("summary").click()
        part.get_by_label("Text").fill("Typed before")
        page.route("**/api/pages/help", refused(401, "unauthenticated", "Log in and try again."))
        part.get_by_role("button", name="Publish").click()
        dialog = page.get_by_role("dialog", name="You are logged out")
        dialog.get_by_role("link", name="Log in").wait_for()
        assert violations(page, axe) == []
        page.unroute("**/api/pages/help")
        other_tab = page.context.new_page()
        other_tab.goto(f"{studio.product.endpoints['site']}/404.html")  # every page that is opened here is logged in
        dialog.wait_for(state="hidden")
        assert part.get_by_label("Text").input_value() == "Typed before"
        part.get_by_role("button", name="Publish").click()
        part.get_by_text("Published.").wait_for()
        assert wrong == []
