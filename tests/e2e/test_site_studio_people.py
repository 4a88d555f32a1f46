"""The Studio in Chromium: an administrator grants access, checks payments, creates plans; all tabs are accessible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from infra.local.stores.packages import web_folder
from tests.support.pages import DESKTOP, PHONE, opened, overflow, until, violations
from tests.support.people import make_person
from tests.support.studio import Studio, entry
from tests.support.viewers import PASSWORD, TIMEOUT_S, make_administrator, make_viewer, soon

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.e2e.conftest import Product

SIZES = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
COUNT_SHIFTS = """window.shifts = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""


@pytest.fixture(scope="module")
def studio(product: Product, browser: Browser) -> Studio:
    """Return the Studio of the product, opened by an administrator."""
    return Studio(product, make_administrator(product), browser)


@pytest.fixture(scope="module")
def axe(product: Product) -> Path:
    """Return the path of the axe script."""
    return web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"


def test_somebody_is_let_in_for_some_days_and_can_watch(studio: Studio) -> None:
    guest = make_viewer(studio.product.endpoints)
    with studio.at("people") as (page, wrong):
        page.get_by_label("Email address of the account").fill(make_person("nobody").email)
        page.get_by_label("Days").fill("30")
        page.get_by_role("button", name="Give access").click()
        page.locator("[data-field=email]").get_by_text("account").last.wait_for()
        page.get_by_label("Email address of the account").fill(guest.email)
        page.get_by_role("button", name="Give access").click()
        page.get_by_text(f"{guest.email} can watch for free until").wait_for()
        given = entry(page, "Free access", f"Account {guest.user_id[:12]}")
        given.get_by_text("Until").wait_for()
        assert "by you" in given.inner_text()
        assert wrong == []
    assert guest.entitlement()["reason"] == "grant"


def test_subscriptions_and_the_messages_of_paypal_are_listed(studio: Studio) -> None:
    payer = make_viewer(studio.product.endpoints)
    plan = payer.ask("GET", "plans").json()["plans"][0]
    begun = payer.ask("POST", "subscriptions", {"plan_id": plan["id"]}).json()
    control = f"{studio.product.endpoints['paypal']}/_simulator/subscriptions/{begun['subscription_id']}/approve"
    assert requests.post(control, json={}, timeout=TIMEOUT_S).ok
    soon(lambda: payer.entitlement()["entitled"], within_s=30)
    with studio.at("people") as (page, wrong):
        subscription = entry(page, "Subscriptions", payer.user_id[:12])
        subscription.get_by_text("Active").wait_for()
        assert plan["name"] in subscription.inner_text()
        message = entry(page, "Messages from PayPal", begun["subscription_id"])
        message.get_by_text("Processed").wait_for()
        assert "Billing subscription" in page.get_by_role("list", name="Messages from PayPal").inner_text()
        assert wrong == []


def test_the_subscription_of_a_deleted_account_is_listed(studio: Studio) -> None:
    payer = make_viewer(studio.product.endpoints)
    plan = payer.ask("GET", "plans").json()["plans"][0]
    begun = payer.ask("POST", "subscriptions", {"plan_id": plan["id"]}).json()
    control = f"{studio.product.endpoints['paypal']}/_simulator/subscriptions/{begun['subscription_id']}/approve"
    assert requests.post(control, json={}, timeout=TIMEOUT_S).ok
    soon(lambda: payer.entitlement()["entitled"], within_s=30)
    assert payer.ask("DELETE", "me", {"password": PASSWORD}).ok

    def accounts() -> list[str | None]:
        answer = studio.administrator.ask("GET", "subscriptions").json()["subscriptions"]
        return [one["user_id"] for one in answer]

    soon(lambda: None in accounts(), within_s=30)
    with studio.at("people") as (page, wrong):
        entry(page, "Subscriptions", "deleted account").wait_for()
        assert wrong == []


def test_a_plan_is_made_and_retired(studio: Studio) -> None:
    with studio.at("plans") as (page, wrong):
        page.get_by_role("textbox", name="Name", exact=True).fill("Weekly")
        page.get_by_label("Price").fill("cheap")
        page.get_by_role("button", name="Create plan").click()
        page.get_by_text("Enter a price such as 7.99.").wait_for()
        page.get_by_label("Price").fill("2,50")
        page.get_by_label("Charged").select_option("every week")
        page.get_by_role("button", name="Create plan").click()
        page.get_by_text("Created Weekly.").wait_for()
        plan = entry(page, "Plans", "Weekly")
        assert "€2.50 a week" in plan.inner_text()
        plan.get_by_role("button", name="Retire").click()
        page.get_by_role("dialog").get_by_role("button", name="Retire plan").click()
        page.get_by_text("Retired Weekly.").wait_for()
        entry(page, "Plans", "Weekly").get_by_text("Retired").wait_for()
        assert wrong == []
    offered = requests.get(f"{studio.product.endpoints['api']}/api/plans", timeout=TIMEOUT_S).json()["plans"]
    assert "Weekly" not in [one["name"] for one in offered]


# Accessibility


@SIZES
def test_every_tab_is_complete_quiet_and_accessible(studio: Studio, axe: Path, size: tuple[int, int]) -> None:
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


def test_the_tabs_are_walked_with_arrow_keys_and_kept_in_the_address(studio: Studio) -> None:
    with studio.at() as (page, _):
        page.get_by_role("tab", name="Films").focus()
        page.keyboard.press("ArrowRight")
        page.get_by_role("heading", name="Titles").wait_for()
        assert page.evaluate("document.activeElement.textContent") == "Titles"
        page.keyboard.press("End")
        page.get_by_role("heading", name="New plan").wait_for()
        page.reload()
        page.get_by_role("heading", name="New plan").wait_for()
        page.keyboard.press("Tab")
        page.get_by_role("tab", name="Plans").focus()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('[role=tabpanel]').id") == "panel-plans"


@SIZES
@pytest.mark.parametrize("tab", ["films", "titles", "people", "plans"])
def test_nothing_jumps_while_a_tab_loads(studio: Studio, size: tuple[int, int], tab: str) -> None:
    address = f"{studio.address}#{tab}"
    with opened(studio.browser, address, size, viewer=studio.administrator, first=COUNT_SHIFTS) as (page, _):
        until(page, "document.querySelectorAll('[role=tabpanel]:not([hidden]) [aria-busy]').length", lambda n: n == 0)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("shifts") < 0.01
