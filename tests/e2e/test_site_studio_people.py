"""The other tabs of the studio: titles are edited, people get access, plans are created."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests

from tests.support.people import make_person
from tests.support.studio import StudioPage, entry, film_of
from tests.support.uploads import Storefront
from tests.support.viewers import TIMEOUT_S, make_viewer, soon

if TYPE_CHECKING:
    from pathlib import Path


LIGHTHOUSE = '{"title": "The Stubborn Lighthouse", "year": 1987, "plot": "It will not go out."}'


def test_a_title_is_found_edited_and_withdrawn(studio: StudioPage, tmp_path: Path) -> None:
    storefront = Storefront(studio.product.endpoints)
    storefront.send("lighthouse.json", film_of(tmp_path, "lighthouse.json", LIGHTHOUSE))
    storefront.close()
    soon(lambda: studio.titles("lighthouse"), within_s=60)
    with studio.at("titles") as (page, wrong):
        page.get_by_label("Find a title by its name, people or genre").fill("stubborn lighth")
        title = entry(page, "Titles", "The Stubborn Lighthouse")
        title.get_by_role("button", name="Edit").click()
        dialog = page.get_by_role("dialog", name="Edit the title")
        assert dialog.get_by_label("Plot").input_value() == "It will not go out."
        dialog.get_by_label("Year").fill("87")
        dialog.get_by_role("button", name="Save").click()
        dialog.get_by_text("A year has four digits").wait_for()
        dialog.get_by_label("Year").fill("1988")
        dialog.get_by_label("Plot").fill("It goes out at last.")
        dialog.get_by_role("button", name="Save").click()
        page.get_by_text("The Stubborn Lighthouse is saved.").wait_for()
        assert "1988" in title.inner_text()
        title.get_by_role("link", name="The Stubborn Lighthouse").click()
        page.get_by_text("It goes out at last.").first.wait_for()

        page.goto(f"{studio.address}#titles")
        page.get_by_label("Find a title by its name, people or genre").fill("no such words")
        page.get_by_text("No title matches these words.").wait_for()
        page.get_by_label("Find a title by its name, people or genre").fill("lighthouse")
        title.get_by_role("button", name="Withdraw").click()
        dialog = page.get_by_role("dialog", name="Withdraw this title?")
        dialog.get_by_role("button", name="Keep it").click()
        title.get_by_role("button", name="Withdraw").click()
        dialog.get_by_role("button", name="Withdraw it").click()
        page.get_by_text("The Stubborn Lighthouse is withdrawn.").wait_for()
        assert title.count() == 0
        assert wrong == []
    assert studio.titles("lighthouse") == []


# People and plans


def test_somebody_is_let_in_for_some_days_and_can_watch(studio: StudioPage) -> None:
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


def test_subscriptions_and_the_messages_of_paypal_are_listed(studio: StudioPage) -> None:
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
        message.get_by_text("Settled").wait_for()
        assert "Billing subscription" in page.get_by_role("list", name="Messages from PayPal").inner_text()
        assert wrong == []


def test_a_plan_is_made_and_retired(studio: StudioPage) -> None:
    with studio.at("plans") as (page, wrong):
        page.get_by_role("textbox", name="Name", exact=True).fill("Weekly")
        page.get_by_label("Price").fill("cheap")
        page.get_by_role("button", name="Make the plan").click()
        page.get_by_text("Give a price such as 7.99.").wait_for()
        page.get_by_label("Price").fill("2,50")
        page.get_by_label("Charged").select_option("every week")
        page.get_by_role("button", name="Make the plan").click()
        page.get_by_text("Weekly can be subscribed to.").wait_for()
        plan = entry(page, "Plans", "Weekly")
        assert "€2.50 a week" in plan.inner_text()
        plan.get_by_role("button", name="Retire").click()
        page.get_by_role("dialog").get_by_role("button", name="Retire it").click()
        page.get_by_text("Weekly is retired.").wait_for()
        entry(page, "Plans", "Weekly").get_by_text("Retired").wait_for()
        assert wrong == []
    offered = requests.get(f"{studio.product.endpoints['api']}/api/plans", timeout=TIMEOUT_S).json()["plans"]
    assert "Weekly" not in [one["name"] for one in offered]
