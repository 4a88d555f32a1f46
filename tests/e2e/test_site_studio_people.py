"""The Studio in Chromium: an administrator grants access, checks payments, creates plans; all tabs are accessible."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import requests

from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.media import Film, make_film
from tests.support.pages import SIZES, opened, overflow, until
from tests.support.people import make_person
from tests.support.studio import Studio, entry
from tests.support.uploads import Storefront
from tests.support.viewers import (
    PASSWORD,
    TIMEOUT_S,
    let_in,
    make_administrator,
    make_confirmed_viewer,
    make_viewer,
    soon,
)

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.support.product import Product

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
        given = entry(page, "Free access", guest.email)
        given.get_by_text("Until").wait_for()
        assert "by you" in given.inner_text()
        assert wrong == []
    assert guest.entitlement()["reason"] == "grant"


def test_somebody_is_let_in_until_a_last_day(studio: Studio) -> None:
    guest = make_viewer(studio.product.endpoints)
    last = datetime.now(UTC).date() + timedelta(days=40)
    with studio.at("people") as (page, wrong):
        form = page.locator("[data-hook=grant-form]")
        form.get_by_label("Email address of the account").fill(guest.email)
        form.get_by_role("button", name="Give access").click()
        form.get_by_text("Enter a number of days, or choose the last day.").wait_for()
        form.get_by_label("or last day").fill(last.isoformat())
        form.get_by_role("button", name="Give access").click()
        page.get_by_text(f"{guest.email} can watch for free until {last.day} {last:%B}").wait_for()
        entry(page, "Free access", guest.email).get_by_text("Until").wait_for()
        assert wrong == []
    assert guest.entitlement()["reason"] == "grant"


def test_an_administrator_is_added_and_gets_a_link_to_set_a_password(studio: Studio) -> None:
    person = make_person("colleague")
    with studio.at("people") as (page, wrong):
        form = page.locator("[data-hook=administrator-form]")
        form.get_by_role("button", name="Add administrator").click()
        form.get_by_text("Enter your email address.").wait_for()
        form.get_by_label("Email address of the new administrator").fill(person.email)
        form.get_by_role("button", name="Add administrator").click()
        form.get_by_text(f"{person.email} is now an administrator.").wait_for()
        assert "#token=" in form.inner_text()
        entry(page, "Administrators", person.email).get_by_text("has not set a password yet").wait_for()
        assert wrong == []


def test_free_access_is_revoked_after_a_question(studio: Studio) -> None:
    guest = let_in(studio.product.endpoints, make_viewer(studio.product.endpoints), days=30)
    assert guest.entitlement()["reason"] == "grant"
    with studio.at("people") as (page, wrong):
        given = entry(page, "Free access", guest.email)
        given.get_by_role("button", name="Revoke").click()
        dialog = page.get_by_role("dialog")
        assert guest.email in dialog.inner_text() and "15 minutes" in dialog.inner_text()
        dialog.get_by_role("button", name="Cancel").click()
        assert guest.entitlement()["reason"] == "grant"
        given.get_by_role("button", name="Revoke").click()
        dialog.get_by_role("button", name="Revoke").click()
        given.get_by_text("Revoked", exact=True).wait_for()
        assert given.get_by_role("button").count() == 0
        assert wrong == []
    assert guest.entitlement()["reason"] == "none"


def test_another_administrator_is_revoked_and_logged_out(studio: Studio) -> None:
    former = make_administrator(studio.product)
    with studio.at("people") as (page, wrong):
        entry(page, "Administrators", studio.administrator.email).get_by_text("You", exact=True).wait_for()
        entry(page, "Administrators", former.email).get_by_role("button", name="Revoke").click()
        page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        entry(page, "Administrators", former.email).wait_for(state="detached")
        assert entry(page, "Administrators", studio.administrator.email).get_by_role("button").count() == 0
        assert wrong == []
    assert former.ask("GET", "me").status_code == 401
    assert former.ask("GET", "grants").status_code == 401


def are_settled(studio: Studio, subject: str) -> bool:
    """Return whether PayPal has sent all messages about a new subscription, and all are processed."""
    sent = studio.administrator.ask("GET", "paypal/events").json()["events"]
    settled = [event["type"] for event in sent if event["subject"] == subject and event["settled"]]
    kinds = ("BILLING.SUBSCRIPTION.CREATED", "BILLING.SUBSCRIPTION.ACTIVATED", "PAYMENT.SALE.COMPLETED")
    return set(settled) >= set(kinds)


def test_subscriptions_and_the_messages_of_paypal_are_listed(studio: Studio) -> None:
    payer = make_confirmed_viewer(studio.product)
    plan = payer.ask("GET", "plans").json()["plans"][0]
    begun = payer.ask("POST", "subscriptions", {"plan_id": plan["id"]}).json()
    control = f"{studio.product.endpoints['paypal']}/_simulator/subscriptions/{begun['subscription_id']}/approve"
    assert requests.post(control, json={}, timeout=TIMEOUT_S).ok
    soon(lambda: payer.entitlement()["entitled"])
    soon(lambda: are_settled(studio, begun["subscription_id"]))
    with studio.at("people") as (page, wrong):
        subscription = entry(page, "Subscriptions", payer.email)
        subscription.get_by_text("Active").wait_for()
        assert plan["name"] in subscription.inner_text()
        message = entry(page, "Messages from PayPal", begun["subscription_id"])
        message.get_by_text("Processed").wait_for()
        assert "Billing subscription" in page.get_by_role("list", name="Messages from PayPal").inner_text()
        assert wrong == []


def test_the_subscription_of_a_deleted_account_is_listed(studio: Studio) -> None:
    payer = make_confirmed_viewer(studio.product)
    plan = payer.ask("GET", "plans").json()["plans"][0]
    begun = payer.ask("POST", "subscriptions", {"plan_id": plan["id"]}).json()
    control = f"{studio.product.endpoints['paypal']}/_simulator/subscriptions/{begun['subscription_id']}/approve"
    assert requests.post(control, json={}, timeout=TIMEOUT_S).ok
    soon(lambda: payer.entitlement()["entitled"])
    assert payer.ask("DELETE", "me", {"password": PASSWORD}).ok

    def accounts() -> list[str | None]:
        answer = studio.administrator.ask("GET", "subscriptions").json()["subscriptions"]
        return [one["user_id"] for one in answer]

    soon(lambda: None in accounts())
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
        for tab in ("Overview", "Films", "Titles", "People", "Plans", "Pages", "Setup", "Log"):
            page.get_by_role("tab", name=tab, exact=True).click()
            until(
                page, "document.querySelectorAll('[role=tabpanel]:not([hidden]) [aria-busy]').length", lambda n: n == 0
            )
            page.wait_for_load_state("networkidle")
            assert overflow(page) <= 0, tab
            assert violations(page, axe) == [], tab
            page.evaluate("for (const each of document.querySelectorAll('main details')) each.open = true")
            assert overflow(page) <= 0, f"{tab}, with what it folds up"
        assert page.locator("h1:visible").count() == 1
        assert wrong == []


def test_the_tabs_are_walked_with_arrow_keys_and_kept_in_the_address(studio: Studio) -> None:
    with studio.at() as (page, _):
        page.get_by_role("tab", name="Films").focus()
        page.keyboard.press("ArrowRight")
        page.get_by_role("heading", name="Titles").wait_for()
        assert page.evaluate("document.activeElement.textContent") == "Titles"
        page.keyboard.press("End")
        page.get_by_role("heading", name="Log", exact=True).wait_for()
        page.reload()
        page.get_by_role("heading", name="Log", exact=True).wait_for()
        page.keyboard.press("Tab")
        page.get_by_role("tab", name="Log").focus()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('[role=tabpanel]').id") == "panel-log"


@pytest.fixture(scope="module")
def unrated(product: Product, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Add a title without an age rating, so that the Studio has something to list and a notice above the list."""
    storefront = Storefront(product.endpoints)
    film = make_film(Film(frames=24, width=320, height=180), tmp_path_factory.mktemp("unrated"))
    sent = storefront.send("unrated.mp4", film)
    assert storefront.ended([sent], within_s=400)[sent.blob]["status"] == "ready"
    storefront.close()


@SIZES
@pytest.mark.usefixtures("unrated")
@pytest.mark.parametrize("tab", ["overview", "films", "titles", "people", "plans", "pages", "setup", "log"])
def test_nothing_jumps_while_a_tab_loads(studio: Studio, size: tuple[int, int], tab: str) -> None:
    address = f"{studio.address}#{tab}"
    with opened(studio.browser, address, size, viewer=studio.administrator, first=COUNT_SHIFTS) as (page, _):
        until(page, "document.querySelectorAll('[role=tabpanel]:not([hidden]) [aria-busy]').length", lambda n: n == 0)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("shifts") < 0.01
