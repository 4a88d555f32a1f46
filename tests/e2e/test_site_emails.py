"""The choice of emails on the account page, and the emails that follow from it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import requests
from pypdf import PdfReader

from tests.support.pages import SIZES, opened, overflow, refused
from tests.support.people import emails_to
from tests.support.viewers import TIMEOUT_S, make_confirmed_viewer, soon

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

CHOICE = "Email me when a payment is taken"
RECEIVED = "Your payment to Notflix was received"


def pay(product: Product, viewer: SomeViewer) -> None:
    """Subscribe, approve at PayPal, and wait until the payment is listed."""
    plan = viewer.ask("GET", "plans").json()["plans"][0]
    begun = viewer.ask("POST", "subscriptions", {"plan_id": plan["id"]}).json()["subscription_id"]
    approval = f"{product.endpoints['paypal']}/_simulator/subscriptions/{begun}/approve"
    assert requests.post(approval, json={}, timeout=TIMEOUT_S).ok
    soon(lambda: viewer.ask("GET", "payments").json()["payments"])


def subjects(product: Product, viewer: SomeViewer) -> list[str]:
    return [mail.subject for mail in emails_to(product, viewer.email)]


@SIZES
def test_a_choice_is_stored_at_once_and_a_failure_undoes_it(
    product: Product, browser: Browser, size: tuple[int, int]
) -> None:
    viewer = make_confirmed_viewer(product)
    with opened(browser, f"{product.endpoints['site']}/account.html", size, viewer=viewer) as (page, wrong):
        box = page.get_by_label(CHOICE)
        page.locator("[data-hook=emails-payments]:checked:enabled").wait_for()
        box.uncheck()
        page.get_by_text("We won’t email you about payments.").wait_for()
        assert overflow(page) <= 0
        page.reload()
        page.locator("[data-hook=emails-payments]:enabled:not(:checked)").wait_for()
        page.route("**/api/me/emails", refused(422, "malformed", "This does not work now."))
        box.click()
        page.get_by_text("This does not work now.").wait_for()
        assert not box.is_checked()
        page.unroute("**/api/me/emails")
        box.check()
        page.get_by_text("We’ll email you about each payment.").wait_for()
        assert wrong == []
    assert viewer.ask("GET", "me/emails").json() == {"payments": True}


def test_emails_are_in_the_language_that_was_chosen_on_the_site(product: Product, browser: Browser) -> None:
    viewer = make_confirmed_viewer(product)
    with opened(browser, f"{product.endpoints['site']}/account.html", viewer=viewer) as (page, _):
        choice = page.locator("footer").get_by_role("link", name="Deutsch")
        with page.expect_request(lambda sent: sent.method == "PUT" and sent.url.endswith("/api/me/language")) as sent:
            choice.click()
        assert sent.value.post_data_json == {"language": "de"}
        page.get_by_role("heading", name="Konto", level=1, exact=True).wait_for()
    assert viewer.ask("PUT", "me/language", {"language": "de"}).ok  # by now for certain
    pay(product, viewer)
    soon(lambda: "Deine Zahlung an Notflix ist da" in subjects(product, viewer))
    payment = viewer.ask("GET", "payments").json()["payments"][0]
    receipt = viewer.ask("GET", f"payments/{payment['id']}/receipt", language="de")
    [sheet] = PdfReader(io.BytesIO(receipt.content)).pages
    assert "Bezahlt von" in sheet.extract_text()


def test_payments_are_confirmed_only_to_those_who_want_it(product: Product) -> None:
    quiet, other = make_confirmed_viewer(product), make_confirmed_viewer(product)
    assert quiet.ask("PUT", "me/emails", {"payments": False}).ok
    pay(product, quiet)
    pay(product, other)
    soon(lambda: RECEIVED in subjects(product, other))
    assert RECEIVED not in subjects(product, quiet)
