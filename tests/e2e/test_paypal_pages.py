"""The pages of the PayPal simulator in a real browser, at phone and desktop sizes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.paypal import Listener, make_active, make_plan, make_subscription, running_simulator

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser


@pytest.mark.parametrize("width", [390, 1440])
def test_a_payer_approves_with_the_keyboard_and_is_led_back(browser: Browser, tmp_path: Path, width: int) -> None:
    with Listener().listening() as shop, running_simulator(tmp_path) as paypal:
        context = {"brand_name": "Notflix", "return_url": f"{shop.url}/back", "cancel_url": f"{shop.url}/no"}
        subscription = make_subscription(paypal, make_plan(paypal), application_context=context)
        page = browser.new_page(viewport={"width": width, "height": 844})
        page.goto(subscription["links"][0]["href"])
        assert page.get_by_role("heading", name="Notflix asks for your approval").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.value") == "approve"
        with page.expect_request(f"{shop.url}/back*") as led:
            page.keyboard.press("Enter")
        assert f"subscription_id={subscription['id']}" in led.value.url
        assert paypal.ask("GET", f"/v1/billing/subscriptions/{subscription['id']}")["status"] == "ACTIVE"
        page.wait_for_url(f"{shop.url}/back*")
        page.goto(subscription["links"][0]["href"])  # by going back
        with page.expect_request(f"{shop.url}/back*"):
            page.get_by_role("link", name="Return to the merchant").click()
        page.close()


@pytest.mark.parametrize("width", [390, 1440])
def test_the_overview_acts_on_a_subscription(browser: Browser, tmp_path: Path, width: int) -> None:
    with running_simulator(tmp_path) as paypal:
        id_ = make_active(paypal)
        page = browser.new_page(viewport={"width": width, "height": 844})
        page.goto(paypal.url)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_role("button", name=f"Suspend: {id_}").click()
        page.get_by_role("button", name=f"Activate: {id_}").wait_for()
        page.get_by_role("button", name="Send events twice").click()
        page.locator("dl > div", has_text=re.compile(r"^copies\s*2$")).wait_for()
        assert paypal.ask("GET", f"/v1/billing/subscriptions/{id_}")["status"] == "SUSPENDED"
        assert paypal.control("GET", "switches")["copies"] == 2
        page.close()
