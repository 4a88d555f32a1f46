"""Accounts in Chromium, at desktop and phone sizes: from registration to deletion, including the possible errors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.pages import SIZES, focused, opened, overflow, refused, until
from tests.support.people import (
    Person,
    emails_to,
    fill_login,
    link_to,
    log_in,
    make_person,
    opener,
    register,
)
from tests.support.viewers import soon

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.support.product import Product

PATHS = ("/login.html", "/register.html", "/forgot.html", "/reset.html#token=x", "/confirm.html")


@pytest.fixture(scope="module")
def site(product: Product) -> str:
    """Return the site's address."""
    return product.endpoints["site"]


@pytest.fixture(scope="module")
def axe(product: Product) -> Path:
    """Return the path of the axe script."""
    return web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def member(site: str, browser: Browser) -> Person:
    """Return a person who has an account."""
    person = make_person("member")
    with opened(browser, f"{site}/404.html") as (page, _):
        register(page, site, person)
    return person


def shown_in_time(page: Page, ends: list[str]) -> None:
    """Wait until the account page shows exactly these login outcomes; its entries arrive through a queue."""

    def look() -> bool:
        page.reload()
        page.locator(".login-entry").first.wait_for()
        return page.locator(".login-outcome").all_inner_texts() == ends

    soon(look)


# From registration to logout


@SIZES
def test_a_person_registers_stays_logged_in_sees_their_logins_changes_the_password_and_logs_out(
    product: Product, site: str, browser: Browser, axe: Path, size: tuple[int, int]
) -> None:
    person, today = make_person("whole"), datetime.now(UTC).date()
    changed = Person(person.email, "nine slow bicycles")
    with opened(browser, f"{site}/404.html", size) as (page, wrong), opened(browser, site) as (elsewhere, _):
        register(page, site, person)
        assert person.email in page.locator("[data-state=done]").inner_text()
        page.get_by_role("link", name="Start watching").click()
        opener(page).wait_for()
        page.reload()
        opener(page).click()
        assert page.locator("#account-menu").get_by_text(person.email).is_visible()
        page.get_by_role("link", name="Account", exact=True).click()

        entry = page.locator(".login-entry").first
        entry.wait_for()
        assert "Chrome on Linux" in entry.inner_text()
        assert "Logged in" in entry.inner_text()
        assert "Today" in entry.inner_text() or datetime.now(UTC).date() != today
        until(page, "document.querySelectorAll('.login-entry .tag:not([hidden])').length", lambda marked: marked == 1)
        assert page.get_by_text("Not confirmed", exact=True).is_visible()

        log_in(elsewhere, site, person)
        page.get_by_label("Current password").fill(person.password)
        page.get_by_label("New password").fill(changed.password)
        page.get_by_role("button", name="Change password").click()
        page.get_by_text("Your password is changed.").wait_for()
        assert page.get_by_label("Current password").input_value() == ""
        assert overflow(page) <= 0
        assert violations(page, axe) == []
        page.reload()
        page.locator(".login-entry").first.wait_for()

        elsewhere.goto(f"{site}/account.html")
        elsewhere.get_by_text("Your session has ended.").wait_for()
        fill_login(elsewhere, person)
        elsewhere.get_by_text("The email address or the password is wrong.").wait_for()
        fill_login(elsewhere, changed)
        elsewhere.wait_for_url(f"{site}/account.html")

        opener(page).click()
        page.get_by_role("button", name="Log out", exact=True).click()
        page.get_by_text("You are logged out.").wait_for()
        assert not opener(page).is_visible()
        page.goto(f"{site}/account.html")
        page.wait_for_url(f"{site}/login.html?next=%2Faccount.html")
        assert wrong == []


@SIZES
@pytest.mark.parametrize(
    "path", ["/login.html", "/register.html", "/forgot.html", "/reset.html#token=x", "/confirm.html"]
)
def test_a_page_around_logging_in_is_complete_quiet_and_accessible(
    site: str, browser: Browser, axe: Path, size: tuple[int, int], path: str
) -> None:
    with opened(browser, site + path, size) as (page, wrong):
        page.locator(".gate-card h1:visible").wait_for()
        page.wait_for_load_state("networkidle")
        assert overflow(page) <= 0
        assert violations(page, axe) == []
        assert page.locator("h1:visible").count() == 1
        assert wrong == []


@SIZES
def test_the_account_page_its_menu_and_its_dialog_are_accessible(
    site: str, browser: Browser, axe: Path, member: Person, size: tuple[int, int]
) -> None:
    with opened(browser, f"{site}/404.html", size) as (page, wrong):
        log_in(page, site, member)
        page.goto(f"{site}/account.html")
        page.locator(".login-entry").first.wait_for()
        opener(page).click()
        assert overflow(page) <= 0
        assert violations(page, axe) == []
        page.keyboard.press("Escape")
        assert page.locator("#account-menu").is_hidden()
        page.get_by_role("button", name="Delete account…").click()
        page.get_by_role("dialog", name="Delete this account?").wait_for()
        assert focused(page) == "delete-password"
        assert violations(page, axe) == []
        page.keyboard.press("Escape")
        assert page.get_by_role("dialog").count() == 0
        assert wrong == []


# Sessions and the account


def test_logging_out_everywhere_ends_the_sessions_of_other_browsers(
    site: str, browser: Browser, member: Person
) -> None:
    with opened(browser, f"{site}/404.html") as (page, _), opened(browser, site) as (elsewhere, _other):
        log_in(page, site, member)
        log_in(elsewhere, site, member)
        page.goto(f"{site}/account.html")
        page.get_by_role("button", name="Log out everywhere").click()
        page.get_by_text("You are logged out on every device.").wait_for()
        elsewhere.goto(f"{site}/account.html")
        elsewhere.get_by_text("Your session has ended.").wait_for()


def test_the_history_tells_failed_tries_and_reaches_back(site: str, browser: Browser) -> None:
    person = make_person("history")
    with opened(browser, f"{site}/404.html") as (page, _):
        register(page, site, person)
        opener(page).click()
        page.get_by_role("button", name="Log out", exact=True).click()
        fill_login(page, Person(person.email, "not this one"))
        page.get_by_text("The email address or the password is wrong.").wait_for()
        fill_login(page, person)
        page.wait_for_url(f"{site}/")
        page.goto(f"{site}/account.html")
        shown_in_time(page, ["Logged in", "Wrong password", "Logged in"])
        assert "This one" in page.locator(".login-entry").first.inner_text()
        assert page.locator(".login-entry .tag:visible").count() == 1


def test_an_account_whose_history_does_not_load_can_try_again(site: str, browser: Browser, member: Person) -> None:
    with opened(browser, f"{site}/404.html") as (page, _):
        log_in(page, site, member)
        page.route("**/api/me/logins*", refused(404, "not_found", "The history is away."))
        page.goto(f"{site}/account.html")
        page.get_by_text("The history is away.").wait_for()
        page.unroute("**/api/me/logins*")
        page.get_by_role("button", name="Try again").click()
        page.locator(".login-entry").first.wait_for()


def test_a_wrong_current_password_changes_nothing(site: str, browser: Browser, member: Person) -> None:
    with opened(browser, f"{site}/404.html") as (page, _):
        log_in(page, site, member)
        page.goto(f"{site}/account.html")
        page.get_by_label("Current password").fill("not this one")
        page.get_by_label("New password").fill("nine slow bicycles")
        page.get_by_role("button", name="Change password").click()
        page.locator("[data-field=current]").get_by_text("The password is wrong.").wait_for()
        assert focused(page) == "current"
        page.reload()
        page.locator(".login-entry").first.wait_for()


# Emails


def test_a_mailed_link_confirms_the_address_once(product: Product, site: str, browser: Browser) -> None:
    person = make_person("confirm")
    with opened(browser, f"{site}/404.html") as (page, wrong):
        register(page, site, person)
        first = link_to(product, person.email, "confirm.html")
        page.goto(f"{site}/account.html")
        page.get_by_role("button", name="Send it again").click()
        page.get_by_text(f"We sent a link to {person.email}").wait_for()
        second = link_to(product, person.email, "confirm.html", beside=(first,))
        page.goto(second)
        page.get_by_role("heading", name="Your address is confirmed.").wait_for()
        assert page.url == f"{site}/confirm.html"
        page.goto(f"{site}/account.html")
        page.get_by_text("Confirmed", exact=True).wait_for()
        assert page.get_by_role("button", name="Send it again").is_hidden()
        page.goto(second)
        page.get_by_role("heading", name="This link does not work.").wait_for()
        assert wrong == []


def test_a_program_that_only_opens_the_mailed_link_confirms_nothing(
    product: Product, site: str, browser: Browser
) -> None:
    person = make_person("scanned")
    with opened(browser, f"{site}/404.html") as (page, _):
        register(page, site, person)
        link = link_to(product, person.email, "confirm.html")
        with opened(browser, link) as (elsewhere, wrong):
            elsewhere.get_by_role("heading", name="Confirm your address").wait_for()
            elsewhere.wait_for_load_state("networkidle")
            page.goto(f"{site}/account.html")
            page.get_by_text("Not confirmed", exact=True).wait_for()
            assert overflow(elsewhere) == 0
            elsewhere.get_by_role("button", name="Confirm address").click()
            elsewhere.get_by_role("heading", name="Your address is confirmed.").wait_for()
            assert wrong == []


@SIZES
def test_a_forgotten_password_is_replaced_by_a_mailed_link(
    product: Product, site: str, browser: Browser, size: tuple[int, int]
) -> None:
    person = make_person("forgot")
    changed = Person(person.email, "nine slow bicycles")
    with opened(browser, f"{site}/404.html", size) as (page, wrong), opened(browser, site) as (elsewhere, _):
        register(elsewhere, site, person)
        page.goto(f"{site}/login.html")
        page.get_by_role("link", name="Forgot your password?").click()
        page.get_by_label("Email address").fill(person.email)
        page.get_by_role("button", name="Send the link").click()
        page.get_by_role("heading", name="Check your inbox.").wait_for()
        page.goto(link_to(product, person.email, "reset.html"))
        page.get_by_label("New password").fill("password1")
        assert page.url == f"{site}/reset.html"
        page.get_by_role("button", name="Change password").click()
        page.get_by_text("too easy to guess").wait_for()
        page.get_by_label("New password").fill(changed.password)
        page.get_by_role("button", name="Change password").click()
        page.get_by_role("heading", name="Your password is changed.").wait_for()
        page.get_by_role("link", name="Log in").last.click()
        fill_login(page, changed)
        page.wait_for_url(f"{site}/")
        elsewhere.goto(f"{site}/account.html")
        elsewhere.get_by_text("Your session has ended.").wait_for()
        assert wrong == []


def test_a_link_for_an_unknown_address_is_asked_for_in_the_same_way_and_nobody_is_written_to(
    product: Product, site: str, browser: Browser
) -> None:
    nobody, somebody = make_person("nobody"), make_person("somebody")
    with opened(browser, f"{site}/404.html") as (page, _):
        register(page, site, somebody)
        for person in (nobody, somebody):
            page.goto(f"{site}/forgot.html")
            page.get_by_label("Email address").fill(person.email)
            page.get_by_role("button", name="Send the link").click()
            page.get_by_role("heading", name="Check your inbox.").wait_for()
        # this link was requested after the other one, so an email to the other person would have arrived by now
        link_to(product, somebody.email, "reset.html")
        assert emails_to(product, nobody.email) == []


def test_a_link_that_is_not_whole_or_unknown_leads_on(site: str, browser: Browser) -> None:
    with opened(browser, f"{site}/reset.html") as (page, _):
        page.get_by_role("heading", name="This link does not work.").wait_for()
        page.goto(f"{site}/reset.html#token=unknown")
        page.get_by_label("New password").fill("nine slow bicycles")
        page.get_by_role("button", name="Change password").click()
        page.get_by_role("heading", name="This link does not work.").wait_for()
        page.get_by_role("link", name="Get a new link").click()
        page.get_by_role("heading", name="Forgot your password?").wait_for()


# Deletion


def test_an_account_is_deleted_with_its_password_and_is_gone(product: Product, site: str, browser: Browser) -> None:
    person = make_person("gone")
    with opened(browser, f"{site}/404.html") as (page, wrong):
        register(page, site, person)
        page.goto(f"{site}/account.html")
        page.get_by_role("button", name="Delete account…").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Your password").fill("not this one")
        dialog.get_by_role("button", name="Delete for good").click()
        dialog.get_by_text("The password is wrong.").wait_for()
        dialog.get_by_role("button", name="Cancel").click()
        page.get_by_role("button", name="Delete account…").click()
        dialog.get_by_label("Your password").fill(person.password)
        dialog.get_by_role("button", name="Delete for good").click()
        page.get_by_role("heading", name="Your account is deleted.").wait_for()
        page.get_by_role("link", name="Log in", exact=True).wait_for()
        page.goto(f"{site}/login.html")
        fill_login(page, person)
        page.get_by_text("The email address or the password is wrong.").wait_for()
        assert wrong == []
        register(page, site, person)
