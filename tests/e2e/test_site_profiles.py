"""Profiles in Chromium: added, chosen, limited by age, protected by a PIN, and deleted."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.library import playable, stock, watch_whole
from tests.support.pages import PHONE, SIZES, focused, opened, overflow, refused, until
from tests.support.people import Person, fill_login, opener
from tests.support.viewers import (
    PASSWORD,
    SomeViewer,
    log_in_again,
    log_in_browser,
    make_subscriber,
    make_viewer,
)

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.support.product import Product

FOCUSED = "document.activeElement.querySelector('.profile-name')?.textContent"
KID = {"name": "Mia", "colour": "mint", "age_limit": 9, "password": PASSWORD}


@pytest.fixture(scope="module")
def site(product: Product) -> str:
    """Return the site's address."""
    return product.endpoints["site"]


@pytest.fixture(scope="module")
def axe(product: Product) -> Path:
    """Return the path of the axe script."""
    return web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def parent(product: Product) -> SomeViewer:
    """Return a viewer who is logged in."""
    return make_viewer(product.endpoints)


def heading(page: Page, words: str) -> None:
    page.get_by_role("heading", name=words, exact=True).wait_for()


def submit(page: Page, button: str, **fields: str) -> None:
    """Fill in the fields of the open dialog by their names, and press a button of it."""
    dialog = page.locator("dialog[open]")
    for name, value in fields.items():
        dialog.locator(f"[name='{name}']").fill(value)
    dialog.get_by_role("button", name=button, exact=True).click()


@SIZES
def test_a_parent_adds_a_child_who_cannot_return_without_the_pin(
    browser: Browser, site: str, axe: Path, parent: SomeViewer, size: tuple[int, int]
) -> None:
    with opened(browser, f"{site}/login.html", size) as (page, wrong):
        fill_login(page, Person(parent.email, PASSWORD))
        page.wait_for_url(f"{site}/")
        opener(page).click()
        page.get_by_role("link", name="Profiles", exact=True).click()
        heading(page, "Who is watching?")
        page.get_by_text("Everyone who watches with your account can have a profile").wait_for()
        page.get_by_role("button", name="Add profile").click()
        submit(page, "Save", name="", proof="")
        page.get_by_text("Enter a name.").wait_for()
        assert focused(page) == "name"
        assert violations(page, axe) == []
        page.locator("dialog[open] select").select_option("9")
        submit(page, "Save", name="Mia", proof="not the password")
        page.get_by_text("The password is wrong.").wait_for()
        submit(page, "Save", proof=PASSWORD)
        page.get_by_text("Mia can watch now.").wait_for()

        page.get_by_role("button", name="Manage profiles").click()
        page.get_by_text("Give every profile without an age limit a PIN").wait_for()
        page.get_by_role("button", name="Edit You").click()
        submit(page, "Save", name="Alex", pin="4711", proof=PASSWORD)
        page.get_by_text("Saved.").wait_for()
        assert not page.get_by_text("Give every profile without an age limit a PIN").is_visible()
        page.get_by_role("button", name="Done").click()
        assert overflow(page) <= 0
        assert violations(page, axe) == []

        page.get_by_role("button", name="Mia").click()
        page.wait_for_url(f"{site}/")
        opener(page).click()
        assert page.locator("#account-menu").get_by_text("Mia").is_visible()
        page.get_by_role("link", name="Profiles", exact=True).click()
        page.get_by_role("button", name="Alex").click()
        heading(page, "PIN of Alex")
        assert violations(page, axe) == []
        submit(page, "Continue", code="0000")
        page.get_by_text("This PIN is wrong.").wait_for()
        submit(page, "Continue", code="4711")
        page.wait_for_url(f"{site}/")
        opener(page).click()
        assert page.locator("#account-menu").get_by_text("Alex").is_visible()
        assert not [each for each in wrong if "403" not in each]


def test_after_logging_in_people_say_who_is_watching_by_keyboard_and_delete_a_profile(
    browser: Browser, site: str, parent: SomeViewer
) -> None:
    added = parent.ask("POST", "profiles", KID)
    assert added.status_code == 201, added.text
    with opened(browser, f"{site}/login.html?next=/list.html") as (page, wrong):
        fill_login(page, Person(parent.email, PASSWORD))
        page.wait_for_url(f"{site}/profiles.html?next=%2Flist.html")
        until(page, FOCUSED, lambda name: name == "You")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{site}/list.html")
        page.goto(f"{site}/profiles.html")
        until(page, FOCUSED, lambda name: name == "Mia")
        page.get_by_role("button", name="Manage profiles").click()
        page.get_by_role("button", name="Edit Mia").click()
        page.get_by_role("button", name="Delete profile").click()
        heading(page, "Delete Mia?")
        submit(page, "Delete profile", **{"remove-proof": PASSWORD})
        page.get_by_text("Mia was deleted.").wait_for()
        assert page.locator(".profile").count() == 1
        assert wrong == []


def test_a_change_after_which_the_list_does_not_load_was_made_and_says_so(
    browser: Browser, site: str, parent: SomeViewer
) -> None:
    assert parent.ask("POST", "profiles", KID).ok
    refuse = refused(503, "unavailable", "The list is away.")
    with opened(browser, f"{site}/profiles.html#manage", viewer=parent) as (page, _):
        for button, name in (("Edit Mia", "Lea"), ("Add profile", "Tom")):
            page.get_by_role("button", name=button).click()
            page.route(
                "**/api/profiles", lambda route: refuse(route) if route.request.method == "GET" else route.continue_()
            )
            submit(page, "Save", name=name, proof=PASSWORD)
            page.get_by_text("The list could not be loaded. Reload the page to see the change.").wait_for()
            assert "not changed" not in page.locator("[data-hook=said]").inner_text()
            page.unroute("**/api/profiles")
            page.reload()
            page.get_by_role("button", name=f"Edit {name}").wait_for()


def test_a_child_finds_and_plays_only_films_of_its_age_and_has_a_history_of_its_own(
    product: Product, browser: Browser, site: str
) -> None:
    child, name = make_subscriber(product.endpoints), f"quokka{secrets.token_hex(4)}"
    for_children, for_adults = f"{name}-pg", f"{name}-r"
    stock(
        product.endpoints,
        playable(for_children, name=f"{name} at home", rated="PG"),
        playable(for_adults, name=f"{name} at night", rated="R"),
        playable(f"{name}-none", name=f"{name} somewhere"),
    )
    profile = child.ask("POST", "profiles", KID).json()
    assert child.ask("PUT", "sessions/profile", {"profile_id": profile["id"]}).ok
    refused = child.ask("POST", f"titles/{for_adults}/playback")
    assert (refused.status_code, refused.json()["error"]) == (403, "age_limited")
    assert child.plays(f"{name}-none") == 403
    watch_whole(child, for_children)
    for title_id in (for_children, for_adults):
        assert child.ask("PUT", f"list/{title_id}").ok and child.ask("PUT", f"ratings/{title_id}", {"rating": 1}).ok
    for path, part in (("list", "titles"), ("ratings", "ratings"), ("usage", "entries")):
        assert [entry["title_id"] for entry in child.ask("GET", path).json()[part]] == [for_children]

    parent = log_in_again(child)
    assert parent.plays(for_adults) == 200
    assert for_children not in [entry["title_id"] for entry in parent.ask("GET", "usage").json()["entries"]]
    seen = parent.ask("GET", f"usage?profile={profile['id']}").json()["entries"]
    assert [entry["title_id"] for entry in seen] == [for_children]

    facts = {"profile_id": profile["id"], "profile_name": "Mia", "age_limit": 9}
    known = replace(child, session={**child.session, **facts})
    with opened(browser, f"{site}/search.html?q={name}", viewer=known) as (page, wrong):
        page.get_by_role("link", name=f"{name} at home").first.wait_for()
        assert page.locator("[data-hook=results] a").count() == 1
        page.goto(f"{site}/title/{for_adults}")
        page.get_by_text("This film is not for this profile.").wait_for()
        assert not page.locator("[data-hook=play]").is_visible()
        assert wrong == []


def test_the_page_is_german_too(browser: Browser, site: str, axe: Path, parent: SomeViewer) -> None:
    parent.ask("POST", "profiles", KID)
    with opened(browser, f"{site}/404.html", PHONE) as (page, wrong):
        log_in_browser(page.context, parent)
        page.goto(f"{site}/de/profiles.html#manage")
        heading(page, "Profile verwalten")
        page.get_by_role("button", name="Mia bearbeiten").click()
        heading(page, "Profil bearbeiten")
        assert overflow(page) <= 0
        assert violations(page, axe) == []
        assert wrong == []
