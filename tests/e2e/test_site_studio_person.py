"""The Studio finds a person in Chromium, logs them out, and deletes their account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.pages import SIZES, overflow
from tests.support.people import make_person
from tests.support.studio import Studio
from tests.support.viewers import let_in, make_administrator, make_viewer

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.support.product import Product


@pytest.fixture(scope="module")
def studio(product: Product, browser: Browser) -> Studio:
    """Return the Studio of the product, opened by an administrator."""
    return Studio(product, make_administrator(product), browser)


@SIZES
def test_a_person_is_found_logged_out_and_deleted(studio: Studio, size: tuple[int, int]) -> None:
    axe = web_folder(studio.product.home) / "node_modules" / "axe-core" / "axe.min.js"
    guest = let_in(studio.product.endpoints, make_viewer(studio.product.endpoints), days=30)
    with studio.at("people", size) as (page, wrong):
        part = page.locator("[data-part=person]")
        email, find = part.get_by_label("Email address of the person"), part.get_by_role("button", name="Find")
        email.fill(make_person("nobody").email)
        find.click()
        part.get_by_text("has no account").wait_for()
        email.fill(studio.administrator.email)
        find.click()
        part.get_by_text("Can watch everything as an administrator.").wait_for()
        assert not part.get_by_role("button", name="Delete account").is_visible()
        email.fill(guest.email.upper())
        find.click()
        part.get_by_text("Can watch for free until").wait_for()
        assert part.locator("[data-hook=name]").inner_text() == guest.email
        assert violations(page, axe) == []
        assert overflow(page) <= 0

        part.get_by_role("button", name="Log out everywhere").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        assert guest.ask("GET", "me").status_code == 200
        part.get_by_role("button", name="Log out everywhere").click()
        assert violations(page, axe) == []
        page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
        part.get_by_text("is logged out everywhere.").wait_for()
        assert guest.ask("GET", "me").status_code == 401

        part.get_by_role("button", name="Delete account").click()
        page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
        part.get_by_text(f"The account {guest.email} is deleted.").wait_for()
        email.fill(guest.email)
        find.click()
        part.get_by_text("has no account").wait_for()
        assert wrong == []
