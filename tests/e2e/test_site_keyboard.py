"""The whole way of a viewer by keyboard alone: from the home page to a film that plays, and to cancelling."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import requests

from tests.support.media import Film, make_film
from tests.support.pages import opened, until
from tests.support.uploads import Storefront
from tests.support.viewers import make_confirmed_viewer, soon
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

    from tests.support.product import Product

NAME = "Keyboard Harbour"
MOST_TABS = 150
WIDE_ENOUGH = (1100, 640)
"""The size of a window with a search field in which a film plays at little cost."""

FOCUSED = (
    "(({ ariaLabel, labels, textContent }) => ariaLabel || labels?.[0]?.textContent || textContent)"
    "(document.activeElement).trim()"
)


@pytest.fixture(scope="module")
def title_id(product: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload a film of ten seconds; return its title's id."""
    storefront = Storefront(product.endpoints)
    sent = storefront.send(f"{NAME}.mp4", make_film(Film(frames=240), tmp_path_factory.mktemp("keyboard")))
    assert storefront.ended([sent], within_s=300)[sent.blob]["status"] == "ready"
    storefront.close()
    return sent.title_id


def tab_to(page: Page, *names: str) -> None:
    """Press Tab until an element with one of the names has the focus."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:  # the element may appear while the page loads
        for _ in range(MOST_TABS):
            page.keyboard.press("Tab")
            if str(page.evaluate(FOCUSED)).startswith(names):
                return
            if page.evaluate("document.activeElement === document.body"):  # behind the last element
                break
    raise AssertionError(f"Tab does not lead to {names}")


def test_a_film_is_found_and_played(
    product: Product, browser: Browser, title_id: str, keyboard_walk: Callable[[str], None]
) -> None:
    viewer = make_confirmed_viewer(product)
    plan = viewer.ask("GET", "plans").json()["plans"][0]
    with opened(browser, product.endpoints["site"], WIDE_ENOUGH, viewer=viewer) as (page, wrong):
        tab_to(page, "Search")
        page.keyboard.type("keyboard harb")
        page.get_by_role("option", name=NAME).wait_for()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/title/{title_id}")
        tab_to(page, "Subscribe to watch")
        page.keyboard.press("Enter")
        page.wait_for_url("**/plans.html*")
        page.locator("[data-hook=plans] .plan").first.wait_for()
        tab_to(page, "Subscribe with PayPal")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{product.endpoints['paypal']}/**")
        tab_to(page, "Approve and subscribe")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="You’re all set.").wait_for()
        page.goto(f"{product.endpoints['site']}/title/{title_id}")
        tab_to(page, "Play")
        page.keyboard.press("Enter")
        page.wait_for_url("**/watch.html*")
        until(page, "window.notflix?.stats().time ?? 0", lambda at: at > 0)
        page.keyboard.press("k")
        until(page, "notflix.video.paused")
        tab_to(page, "Back")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/title/{title_id}")
        assert wrong == []
    assert viewer.ask("GET", "subscription").json()["plan"]["id"] == plan["id"]
    keyboard_walk("play")


def test_a_subscription_is_cancelled(product: Product, browser: Browser, keyboard_walk: Callable[[str], None]) -> None:
    viewer = make_confirmed_viewer(product)
    plan = viewer.ask("GET", "plans").json()["plans"][0]
    begun = viewer.ask("POST", "subscriptions", {"plan_id": plan["id"]}).json()["subscription_id"]
    approval = f"{product.endpoints['paypal']}/_simulator/subscriptions/{begun}/approve"
    assert requests.post(approval, json={}, timeout=PATIENCE_S).ok
    soon(lambda: viewer.ask("GET", "subscription").json()["state"] == "active")
    with opened(browser, product.endpoints["site"], viewer=viewer) as (page, wrong):
        tab_to(page, f"{viewer.email[0].upper()}Your account")
        page.keyboard.press("Enter")
        tab_to(page, "Account")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Account", level=1).wait_for()
        page.get_by_text("Your subscription is active.").wait_for()
        tab_to(page, "Cancel subscription…")
        page.keyboard.press("Enter")
        page.get_by_role("dialog").wait_for()
        tab_to(page, "Cancel subscription")
        page.keyboard.press("Enter")
        soon(lambda: viewer.ask("GET", "subscription").json()["state"] == "cancelled")
        page.get_by_text("Your subscription is cancelled.").wait_for()
        assert wrong == []
    keyboard_walk("cancel")
