"""The Studio's setup in Chromium: it says what is missing, and its buttons query the services of this copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.pages import SIZES, overflow
from tests.support.studio import Studio
from tests.support.viewers import make_administrator

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.support.product import Product


@pytest.fixture(scope="module")
def studio(product: Product, browser: Browser) -> Studio:
    """Return the Studio of the product, opened by an administrator."""
    return Studio(product, make_administrator(product), browser)


@SIZES
def test_each_service_is_tested_by_a_button(studio: Studio, size: tuple[int, int]) -> None:
    axe = web_folder(studio.product.home) / "node_modules" / "axe-core" / "axe.min.js"
    expected = {
        "keys": ("Set up", "second step of your account"),
        "paypal": ("No real money", "sends its messages to"),
        "omdb": ("Simulator", "Sintel (2010)"),
        "neo4j": ("Set up", "Neo4j answers."),
        "domain": ("Temporary address", "The home page opens at"),
        "mail": ("Emails stay here", studio.administrator.email),
    }
    with studio.at("setup", size) as (page, wrong):
        page.get_by_text("2 of 6 parts are set up.").wait_for()
        assert violations(page, axe) == []
        for part, (state, sentence) in expected.items():
            section = page.locator(f"[data-setup={part}]")
            assert section.locator("[data-hook=state]").inner_text() == state
            button = section.locator("[data-hook=test]")
            said = section.get_by_role("status").filter(has_not_text="Testing")
            button.click()
            said.wait_for()
            if "moment ago" in said.inner_text():  # another test has just tried the same service
                continue
            assert sentence in said.inner_text(), part
        assert overflow(page) <= 0
        assert violations(page, axe) == []
        assert wrong == []
