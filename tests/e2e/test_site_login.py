"""The login and registration forms in Chromium: where errors are shown, how long users wait, and where they go next."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.support.pages import focused, opened, refused, until
from tests.support.people import Person, fill_login, log_in, make_person, opener, register

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Route

    from tests.support.product import Product

STORED = "Object.keys({area}).filter((key) => key === 'notflix.session').length"
REFUSED = """
const insecure = () => new DOMException("The operation is insecure.", "SecurityError");
window.BroadcastChannel = class { constructor() { throw insecure(); } };
CacheStorage.prototype.keys = () => Promise.reject(insecure());
"""
"""A browser that refuses this site channels and caches, as Firefox does if site data are blocked."""
NOTHING_STORED = (
    REFUSED
    + """
for (const name of ["localStorage", "sessionStorage"]) {
  Object.defineProperty(window, name, { get() { throw insecure(); } });
}
"""
)
TRAPS = ("https://evil.test/", "//evil.test/", "/\\evil.test", "/\t/evil.test", "/.//evil.test", "javascript:alert(1)")


@pytest.fixture(scope="module")
def site(product: Product) -> str:
    """Return the site's address."""
    return product.endpoints["site"]


@pytest.fixture(scope="module")
def member(site: str, browser: Browser) -> Person:
    """Return a person who has an account."""
    person = make_person("member")
    with opened(browser, f"{site}/404.html") as (page, _):
        register(page, site, person)
    return person


def test_a_session_lasts_as_long_as_the_tabs_or_on_the_device_as_one_wants(
    site: str, browser: Browser, member: Person
) -> None:
    with opened(browser, f"{site}/404.html") as (page, _):
        log_in(page, site, member)
        assert page.evaluate(STORED.format(area="sessionStorage")) == 1
        assert page.evaluate(STORED.format(area="localStorage")) == 0
        second = page.context.new_page()
        second.goto(site)
        opener(second).wait_for()
        opener(second).click()
        second.get_by_role("button", name="Log out", exact=True).click()
        page.get_by_role("link", name="Log in", exact=True).wait_for()
        log_in(page, site, member, remember=True)
        assert page.evaluate(STORED.format(area="sessionStorage")) == 0
        assert page.evaluate(STORED.format(area="localStorage")) == 1
        page.close()
        second.goto(f"{site}/search.html")
        opener(second).wait_for()


def test_a_browser_that_refuses_caches_logs_in_searches_and_logs_out(
    site: str, browser: Browser, member: Person
) -> None:
    with opened(browser, f"{site}/404.html", first=REFUSED) as (page, wrong):
        log_in(page, site, member)
        page.goto(f"{site}/search.html?q=nothing+is+called+like+this")
        page.get_by_text("Nothing found for “nothing is called like this”").wait_for()
        opener(page).click()
        page.get_by_role("button", name="Log out", exact=True).click()
        page.wait_for_url(f"{site}/login.html?why=out")
        page.get_by_text("You are logged out.").wait_for()
        assert wrong == []


def test_a_browser_that_stores_nothing_is_told_so_at_the_login(site: str, browser: Browser) -> None:
    with opened(browser, f"{site}/login.html", first=NOTHING_STORED) as (page, wrong):
        page.get_by_text("Your browser does not let this site store data").wait_for()
        page.goto(f"{site}/plans.html")
        page.get_by_role("button", name="Subscribe with PayPal").first.click()
        page.wait_for_url(f"{site}/register.html?next=*")
        assert wrong == []


def test_logging_in_leads_back_to_where_one_came_from(site: str, browser: Browser, member: Person) -> None:
    with opened(browser, f"{site}/search.html?q=lin") as (page, _):
        page.get_by_role("link", name="Log in", exact=True).click()
        fill_login(page, member)
        page.wait_for_url(f"{site}/search.html?q=lin")


@pytest.mark.parametrize("trap", TRAPS)
def test_no_link_to_the_login_page_leads_off_the_site(site: str, browser: Browser, member: Person, trap: str) -> None:
    with opened(browser, f"{site}/login.html?next={quote(trap, safe='')}") as (page, _):
        fill_login(page, member)
        page.wait_for_url(f"{site}/")


def test_a_wrong_password_is_told_beside_the_field_and_the_sixth_try_has_to_wait(site: str, browser: Browser) -> None:
    person = make_person("blocked")
    with opened(browser, f"{site}/login.html") as (page, _):
        for _attempt in range(5):
            fill_login(page, Person(person.email, "not this one"))
            page.get_by_text("The email address or the password is wrong.").wait_for()
            assert focused(page) == "password"
            assert page.get_by_label("Email address").input_value() == person.email
            page.get_by_label("Password", exact=True).fill("")
        fill_login(page, person)
        page.get_by_role("alert").get_by_text("Try again in").wait_for()
        button = page.locator("[data-hook=send]").first
        wait = button.inner_text()
        assert wait.startswith("Wait ")
        until(page, "document.querySelector('[data-hook=send]').innerText", lambda text: text != wait)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        button.click(force=True)
        page.get_by_label("Password", exact=True).press("Enter")
        assert not [address for address in asked if address.endswith("/api/sessions")]
        page.get_by_label("Email address").fill("somebody.else@example.org")
        assert button.inner_text() == "Log in"


def test_after_a_wait_the_form_can_be_sent_again(site: str, browser: Browser, member: Person) -> None:
    with opened(browser, f"{site}/login.html") as (page, _):
        waiting = {"Retry-After": "2", "Access-Control-Expose-Headers": "Retry-After"}
        page.route("**/api/sessions", refused(429, "too_many_attempts", "Too many attempts.", waiting))
        fill_login(page, member)
        page.get_by_text("Too many attempts.").wait_for()
        page.unroute("**/api/sessions")
        page.get_by_text("You can try again now.").wait_for()
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{site}/")


def test_a_refusal_that_does_not_let_the_page_read_the_wait_is_told_all_the_same(
    site: str, browser: Browser, member: Person
) -> None:
    with opened(browser, f"{site}/login.html") as (page, _):
        page.route("**/api/sessions", refused(429, "too_many_attempts", "Wait a minute.", {"Retry-After": "60"}))
        fill_login(page, member)
        page.get_by_text("Wait a minute.").wait_for()
        assert page.get_by_role("button", name="Log in").is_enabled()


def test_while_the_store_is_away_nothing_typed_is_lost(site: str, browser: Browser, member: Person) -> None:
    with opened(browser, f"{site}/login.html") as (page, wrong):
        page.route("**/api/sessions", refused(503, "store_unavailable", "The database logins_db is busy."))
        fill_login(page, member)
        page.get_by_role("alert").get_by_text("That did not work just now. Try again in a moment.").wait_for()
        assert page.get_by_label("Email address").input_value() == member.email
        assert page.get_by_label("Password", exact=True).input_value() == member.password
        page.unroute("**/api/sessions")
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{site}/")
        assert wrong == []


def test_a_form_is_sent_once_however_often_one_presses(site: str, browser: Browser, member: Person) -> None:
    with opened(browser, f"{site}/login.html") as (page, _):
        held: list[Route] = []
        page.route("**/api/sessions", lambda route: held.append(route))
        fill_login(page, member)
        page.get_by_role("button", name="Logging in…").wait_for()
        page.get_by_label("Password", exact=True).press("Enter")
        page.get_by_role("button", name="Logging in…").click(force=True)
        page.wait_for_timeout(300)
        posts = [route for route in held if route.request.method == "POST"]
        assert len(posts) == 1
        posts[0].continue_()
        page.wait_for_url(f"{site}/")


def test_what_is_missing_is_pointed_at_before_anything_is_sent(site: str, browser: Browser) -> None:
    with opened(browser, f"{site}/register.html") as (page, _):
        page.get_by_role("button", name="Create account").click()
        assert page.get_by_text("Enter your email address.").is_visible()
        assert focused(page) == "email"
        page.get_by_label("Email address").fill("ada@example.org")
        assert page.get_by_text("Enter your email address.").is_hidden()
        page.get_by_label("Password", exact=True).fill("short")
        page.get_by_role("button", name="Create account").click()
        assert page.get_by_text("That is 5 characters; use 8 or more.").is_visible()
        assert focused(page) == "password"
        assert page.get_by_label("Password", exact=True).get_attribute("aria-invalid") == "true"


def test_a_password_can_be_looked_at(site: str, browser: Browser) -> None:
    with opened(browser, f"{site}/login.html") as (page, _):
        field = page.get_by_label("Password", exact=True)
        page.get_by_role("button", name="Show password").click()
        assert field.get_attribute("type") == "text"
        page.get_by_role("button", name="Hide password").click()
        assert field.get_attribute("type") == "password"


def test_an_easily_guessed_password_and_a_taken_address_are_told_beside_their_fields(
    site: str, browser: Browser, member: Person
) -> None:
    with opened(browser, f"{site}/register.html?next=%2Fsearch.html") as (page, _):
        page.get_by_label("Email address").fill(make_person("weak").email)
        page.get_by_label("Password", exact=True).fill("password1")
        page.get_by_role("button", name="Create account").click()
        page.locator("[data-field=password]").get_by_text("too easy to guess").wait_for()
        assert focused(page) == "password"
        page.get_by_label("Email address").fill(member.email.upper())
        page.get_by_label("Password", exact=True).fill(member.password)
        page.get_by_role("button", name="Create account").click()
        page.locator("[data-field=email] [data-hook=fault]:visible").wait_for()
        assert focused(page) == "email"
        page.locator("[data-hook=taken]").get_by_role("link", name="Log in").click()
        fill_login(page, member)
        page.wait_for_url(f"{site}/search.html")


def test_the_keyboard_alone_is_enough(
    site: str, browser: Browser, member: Person, keyboard_walk: Callable[[str], None]
) -> None:
    with opened(browser, f"{site}/login.html") as (page, _):
        page.get_by_label("Email address").focus()
        page.keyboard.type(member.email)
        page.keyboard.press("Tab")
        page.keyboard.type(member.password)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{site}/")
        opener(page).focus()
        page.keyboard.press("Enter")
        entries = page.locator("#account-menu a, #account-menu button")
        for _ in range(entries.all_inner_texts().index("Account") + 1):
            page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent.trim()") == "Account"
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Account", level=1).wait_for()
    keyboard_walk("login")
