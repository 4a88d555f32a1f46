"""The studio page itself: who can open it, and its tabs. It runs after the tests that fill the tabs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from infra.local.stores.packages import web_folder
from tests.support.pages import DESKTOP, PHONE, opened, overflow, until, violations
from tests.support.people import opener
from tests.support.viewers import make_viewer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Product
    from tests.support.studio import StudioPage

SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])


@pytest.fixture(scope="module")
def axe(product: Product) -> Path:
    """Return the script of axe."""
    return web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"


def test_an_administrator_finds_the_studio_in_the_menu_and_a_viewer_does_not(
    product: Product, studio: StudioPage
) -> None:
    site = product.endpoints["site"]
    with opened(studio.browser, site, viewer=studio.administrator) as (page, wrong):
        opener(page).click()
        page.get_by_role("link", name="Studio").click()
        page.get_by_role("heading", name="Studio", exact=True).wait_for()
        page.get_by_role("heading", name="Upload").wait_for()
        assert wrong == []
    with opened(studio.browser, site, viewer=make_viewer(product.endpoints)) as (page, _):
        opener(page).click()
        page.get_by_role("link", name="Account", exact=True).wait_for()
        assert page.get_by_role("link", name="Studio").count() == 0


def test_who_is_no_administrator_is_told_so_and_a_stranger_logs_in_first(product: Product, studio: StudioPage) -> None:
    asked: list[str] = []
    with opened(studio.browser, product.endpoints["site"], viewer=make_viewer(product.endpoints)) as (page, wrong):
        page.on("request", lambda request: asked.append(request.url))
        page.goto(studio.address)
        page.get_by_role("heading", name="The studio is for administrators.").wait_for()
        assert page.get_by_role("tab").count() == 0
        assert not [url for url in asked if "/api/jobs" in url]
        assert wrong == []
    with opened(studio.browser, studio.address) as (page, _):
        page.wait_for_url("**/login.html?next=%2Fstudio.html")


def test_somebody_made_an_administrator_meanwhile_is_let_in_without_logging_in_anew(studio: StudioPage) -> None:
    known_as_before = replace(studio.administrator, session={**studio.administrator.session, "admin": False})
    with opened(studio.browser, studio.address, viewer=known_as_before) as (page, _):
        page.get_by_role("heading", name="Upload").wait_for()


@SIZES
def test_every_tab_is_complete_quiet_and_accessible(studio: StudioPage, axe: Path, size: tuple[int, int]) -> None:
    with studio.at("films", size) as (page, wrong):
        for tab in ("Films", "Titles", "People", "Plans"):
            page.get_by_role("tab", name=tab, exact=True).click()
            until(
                page, "document.querySelectorAll('[role=tabpanel]:not([hidden]) [aria-busy]').length", lambda n: n == 0
            )
            page.wait_for_load_state("networkidle")
            assert overflow(page) <= 0, tab
            assert violations(page, axe) == [], tab
        assert page.locator("h1:visible").count() == 1
        assert wrong == []


def test_the_tabs_are_walked_with_arrow_keys_and_kept_in_the_address(studio: StudioPage) -> None:
    with studio.at() as (page, _):
        page.get_by_role("tab", name="Films").focus()
        page.keyboard.press("ArrowRight")
        page.get_by_role("heading", name="Titles").wait_for()
        assert page.evaluate("document.activeElement.textContent") == "Titles"
        page.keyboard.press("End")
        page.get_by_role("heading", name="A new plan").wait_for()
        page.reload()
        page.get_by_role("heading", name="A new plan").wait_for()
        page.keyboard.press("Tab")
        page.get_by_role("tab", name="Plans").focus()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('[role=tabpanel]').id") == "panel-plans"
