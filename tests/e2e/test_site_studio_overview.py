"""The overview of the Studio in Chromium: figures, plots with tables, what is missing, and reports that fail."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient

from functions.platform.time import now
from functions.usage.day_store import MongoViewingDays
from functions.usage.days import DayViewing
from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.pages import SIZES, overflow, refused, until
from tests.support.studio import Studio
from tests.support.viewers import make_administrator

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.support.product import Product

OVERFLOWING = """[...document.querySelectorAll(".tile p, .plot-head *")].filter((node) =>
  node.scrollWidth > node.clientWidth + 1).map((node) => node.textContent)"""


@pytest.fixture(scope="module")
def studio(product: Product, browser: Browser) -> Studio:
    """Return the Studio of a product in which films were watched on each of the last ten days."""
    with MongoClient[dict[str, Any]](product.endpoints["mongo"], tz_aware=True) as client:
        days = MongoViewingDays(client["notflix"])
        for ago in range(10):
            watched = DayViewing(minutes=90 * ago, starts=ago, startup_ms=900 * ago, stalls=1, stalled_ms=4000)
            days.count(now().date() - timedelta(days=ago), watched)
    return Studio(product, make_administrator(product), browser)


@pytest.fixture(scope="module")
def axe(product: Product) -> Path:
    """Return the path of the axe script."""
    return web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"


def loaded(page: Page) -> None:
    """Wait until all reports are shown."""
    until(page, "document.querySelectorAll('#panel-overview [aria-busy]').length", lambda busy: busy == 0)


@SIZES
def test_the_overview_shows_figures_plots_and_the_state_of_the_stores(
    studio: Studio, axe: Path, size: tuple[int, int]
) -> None:
    with studio.at("overview", size) as (page, wrong):
        loaded(page)
        report = studio.administrator.ask("GET", "reports/viewing?days=30").json()
        watched = page.get_by_role("list", name="Figures").get_by_role("listitem").filter(has_text="Watched")
        assert float(watched.locator("[data-hook=value]").inner_text().split()[0].replace(",", "")) >= 67.5
        # at midnight, the day moves to another place
        assert max(day["watched_min"] for day in report["days"][-11:-9]) >= 90 * 9
        plot = page.get_by_role("figure").filter(has_text="Hours watched")
        plot.get_by_role("img", name="Hours watched.").wait_for()
        until(page, "document.querySelectorAll('.plot-area canvas').length", lambda drawn: drawn >= 3)
        health = page.get_by_role("list", name="Health")
        health.get_by_text("Accounts and payments").wait_for()
        assert health.get_by_role("listitem").count() >= 6
        assert page.evaluate(OVERFLOWING) == []
        assert overflow(page) <= 0
        assert violations(page, axe) == []
        plot.get_by_text("Table").click()
        plot.get_by_role("row").nth(10).wait_for()
        assert plot.get_by_role("row").count() == 31
        assert violations(page, axe) == []
        assert wrong == []


def test_the_period_can_be_chosen_and_a_day_is_read_under_the_pointer(studio: Studio) -> None:
    began = now()
    with studio.at("overview") as (page, wrong):
        loaded(page)
        page.get_by_label("Period").select_option("7")
        plot = page.get_by_role("figure").filter(has_text="Films started")
        until(page, "document.querySelectorAll('.plot-table tbody tr').length", lambda rows: rows > 0)
        plot.get_by_text("Table").click()
        until(
            page,
            """[...document.querySelectorAll('.plot')].find((one) => one.textContent.includes('Films started'))
               .querySelectorAll('tbody tr').length""",
            lambda rows: rows == 7,
        )
        area = plot.get_by_role("img")
        area.scroll_into_view_if_needed()
        box = area.bounding_box()
        assert box
        page.mouse.move(box["x"] + 80, box["y"] + box["height"] / 2)  # over the first day
        days = [(each - timedelta(days=6)).strftime("%-d %b") for each in (began, now())]
        plot.locator("[data-hook=read]").filter(has_text=re.compile("|".join(days))).wait_for()
        assert wrong == []


def test_a_report_that_cannot_be_read_says_so_and_the_others_are_shown(studio: Studio) -> None:
    with studio.at("overview") as (page, wrong):
        page.route("**/api/reports/business**", refused(503, "store_unavailable", "The database is busy."))
        page.reload()
        page.get_by_role("alert").filter(has_text="The database is busy.").wait_for()
        page.get_by_role("figure").filter(has_text="Hours watched").wait_for()
        page.unroute("**/api/reports/business**")
        page.get_by_role("button", name="Try again Subscribers and revenue").click()
        page.get_by_role("figure").filter(has_text="New and lost subscribers").wait_for()
        page.get_by_role("alert").filter(has_text="The database is busy.").wait_for(state="hidden")
        assert wrong == []


def test_without_the_library_of_plots_the_tables_are_open(studio: Studio) -> None:
    with studio.at("setup") as (page, wrong):
        page.route("**/vendor/uplot.*.js", lambda route: route.abort())
        page.get_by_role("tab", name="Overview").click()
        plot = page.get_by_role("figure").filter(has_text="Hours watched")
        plot.get_by_role("row").nth(5).wait_for()
        assert plot.get_by_role("img").count() == 0
        assert wrong == []


def test_plots_are_loaded_with_the_overview_only(studio: Studio) -> None:
    asked: list[str] = []
    with studio.at("setup") as (page, wrong):
        page.on("request", lambda request: asked.append(request.url))
        page.reload()
        page.get_by_text("parts are set up.").wait_for()
        assert not [url for url in asked if "/vendor/uplot." in url or "/reports/" in url]
        page.get_by_role("tab", name="Overview").click()
        loaded(page)
        assert [url for url in asked if "/vendor/uplot." in url]
        assert wrong == []
