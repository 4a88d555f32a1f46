"""People who use the pages of the running product, and the emails that they receive."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.local.simulators.mail.box import Box
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from infra.local.simulators.mail.box import Mail
    from tests.support.product import Product

WITHIN_S = PATIENCE_S
POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Person:
    """A person with an email address and a password."""

    email: str
    password: str


def make_person(name: str = "ada") -> Person:
    """Return a person without an account."""
    return Person(f"{name}.{uuid.uuid4().hex[:10]}@example.org", "seven quiet lanterns")


def register(page: Page, site: str, person: Person, *, next_page: str = "") -> None:
    """Register on the page; the person is logged in afterwards."""
    page.goto(f"{site}/register.html{next_page and f'?next={next_page}'}")
    page.get_by_label("Email address").fill(person.email)
    page.get_by_label("Password", exact=True).fill(person.password)
    page.get_by_role("button", name="Create account").click()
    page.get_by_role("heading", name="Welcome to Notflix.").wait_for()


def fill_login(page: Page, person: Person, *, remember: bool = False) -> None:
    """Log in on the login page, which must be open."""
    page.get_by_label("Email address").fill(person.email)
    page.get_by_label("Password", exact=True).fill(person.password)
    page.get_by_label("Keep me logged in on this device").set_checked(remember)
    page.get_by_role("button", name="Log in").click()


def log_in(page: Page, site: str, person: Person, *, remember: bool = False) -> None:
    """Log in, and wait until the home page shows the account menu."""
    page.goto(f"{site}/login.html")
    fill_login(page, person, remember=remember)
    page.wait_for_url(f"{site}/")
    opener(page).wait_for()


def opener(page: Page) -> Any:
    """Return the button in the bar that opens the account menu."""
    return page.get_by_role("button", name="Your account")


def emails_to(product: Product, email: str) -> list[Mail]:
    """Return the emails that have arrived for an address, newest first."""
    return Box(product.home.data("mail")).mails(to=email)


def link_to(product: Product, email: str, page: str, *, beside: tuple[str, ...] = ()) -> str:
    """Wait for a mailed link to a page of the site, ignoring the links in `beside`; return the link."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        links = [link for mail in emails_to(product, email) for link in mail.links if f"/{page}#" in link]
        new = [link for link in links if link not in beside]
        if new:
            return str(new[0])
        assert time.monotonic() < deadline, f"no link to {page} has arrived within {WITHIN_S} s"
        time.sleep(POLL_S)
