"""Subscribing, watching and cancelling in a real browser; only viewers with access can read the stored film."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.storage.blob import BlobServiceClient, ContainerSasPermissions, generate_container_sas

from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.media import Film, Sound, make_film
from tests.support.pages import SIZES, opened, overflow, until
from tests.support.people import link_to, make_person
from tests.support.uploads import Storefront
from tests.support.viewers import as_owner, make_confirmed_viewer, make_subscriber, make_viewer, soon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Route

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

TIME = "window.notflix?.stats().time ?? 0"


@pytest.fixture(scope="module")
def film(product: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload a film of twenty seconds; return its title id."""
    folder = tmp_path_factory.mktemp("billing")
    storefront = Storefront(product.endpoints)
    made = make_film(
        Film(name="gates.mp4", rate=Fraction(24), frames=480, width=320, height=180, sounds=(Sound(),)), folder
    )
    sent = storefront.send("gates.mp4", made)
    assert storefront.ended([sent], within_s=400)[sent.blob]["status"] == "ready"
    storefront.close()
    return sent.title_id


@pytest.fixture(scope="module")
def axe(product: Product) -> Path:
    """Return the path of the axe script."""
    return web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"


class Simulator:
    """The control API of the product's PayPal simulator."""

    def __init__(self, product: Product) -> None:
        self._base = f"{product.endpoints['paypal']}/_simulator"

    def control(self, method: str, path: str, **body: Any) -> Any:
        """Send a request and return the response."""
        answer = requests.request(method, f"{self._base}/{path}", json=body, timeout=60)
        assert answer.ok, answer.text
        return answer.json()


@pytest.fixture
def paypal(product: Product) -> Iterator[Simulator]:
    """Return the simulator's control API; reset its switches and clock after the test."""
    simulator = Simulator(product)
    yield simulator
    simulator.control("DELETE", "switches")
    simulator.control("POST", "clock", reset=True)


def watch_page(product: Product, title_id: str) -> str:
    return f"{product.endpoints['site']}/watch.html?id={title_id}"


def subscribe_here(page: Page, site: str) -> None:
    """On the plans page, choose the first plan and go to its approval page at PayPal."""
    page.get_by_role("button", name="Subscribe with PayPal").first.click()
    page.get_by_role("heading", name="Notflix asks for your approval").wait_for()


def test_register_subscribe_play_cancel_and_be_shut_out_when_it_is_over(
    product: Product, film: str, browser: Browser, paypal: Simulator
) -> None:
    # the paid month lies almost completely in the past: it ends some seconds after the approval
    paypal.control("PATCH", "switches", billing_time="exact")
    site, person = product.endpoints["site"], make_person("grace")
    began = time.monotonic()
    with opened(browser, watch_page(product, film)) as (page, wrong):
        page.wait_for_url(f"{site}/login.html?*")
        page.get_by_role("link", name="Create").first.click()
        page.get_by_label("Email address").fill(person.email)
        page.get_by_label("Password", exact=True).fill(person.password)
        page.get_by_role("button", name="Create account").click()
        page.get_by_role("heading", name="Welcome to Notflix.").wait_for()
        page.goto(watch_page(product, film))
        page.get_by_text("Subscribe to watch this film.").wait_for()
        assert page.locator("[data-act=help]").is_hidden(), "the message covers the controls"
        page.get_by_role("link", name="See the plans").click()
        page.get_by_role("button", name="Subscribe with PayPal").first.click()
        page.get_by_text("Confirm your email address first").wait_for()
        first = link_to(product, person.email, "confirm.html")
        page.get_by_role("button", name="Send the link again").click()
        page.get_by_text(f"We sent a link to {person.email}").wait_for()
        plans = page.url
        page.goto(link_to(product, person.email, "confirm.html", beside=(first,)))
        page.get_by_role("heading", name="Your address is confirmed.").wait_for()
        page.goto(plans)
        # what must happen before the end of the month takes about as long as what came before
        paypal.control("POST", "clock", to=_a_month_before(in_s=max(60, 4 * (time.monotonic() - began))))
        subscribe_here(page, site)
        page.locator("button[value=approve]").click()
        page.get_by_role("link", name="Play the film").click()
        until(page, TIME, lambda at: at > 0)

        token = page.evaluate("JSON.parse(sessionStorage.getItem('notflix.session')).token")
        soon(lambda: _payments(product, token))
        page.goto(f"{site}/account.html")
        page.get_by_text("Your subscription is active.").wait_for()
        assert page.locator(".receipt").count() == 1
        page.get_by_role("button", name="Cancel subscription…").click()
        page.get_by_role("button", name="Cancel subscription", exact=True).click()
        page.get_by_text("Your subscription is cancelled.").wait_for()
        page.goto(watch_page(product, film))
        until(page, TIME, lambda at: at > 0)

        soon(lambda: _opens(product, film, token) == 402)
        page.goto(watch_page(product, film))
        page.get_by_text("Subscribe to watch this film.").wait_for()
        page.goto(f"{site}/title.html?id={film}")
        page.get_by_role("link", name="Subscribe to watch").wait_for()
        assert [one for one in wrong if "402" not in one] == []


def _a_month_before(*, in_s: float) -> str:
    """Return the time one month before the moment `in_s` seconds from now, in the simulator's format."""
    ends = datetime.now(UTC) + timedelta(seconds=in_s)
    month, year = (ends.month - 1, ends.year) if ends.month > 1 else (12, ends.year - 1)
    day = ends.day
    while True:
        try:
            return ends.replace(year=year, month=month, day=day).strftime("%Y-%m-%dT%H:%M:%SZ")
        except ValueError:
            day -= 1


def _payments(product: Product, token: str) -> list[Any]:
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{product.endpoints['api']}/api/payments", headers=headers, timeout=30)
    found: list[Any] = answer.json()["payments"]
    return found


def _opens(product: Product, title_id: str, token: str) -> int:
    answer = requests.post(
        f"{product.endpoints['api']}/api/titles/{title_id}/playback",
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    return answer.status_code


@SIZES
def test_plans_waiting_and_account_are_accessible_and_fit(
    product: Product, browser: Browser, axe: Path, size: tuple[int, int], paypal: Simulator
) -> None:
    site, viewer = product.endpoints["site"], make_confirmed_viewer(product)
    paypal.control("PATCH", "switches", delivery="hold")
    plan = requests.get(f"{product.endpoints['api']}/api/plans", timeout=30).json()["plans"][0]
    opened_ = viewer.ask("POST", "subscriptions", {"plan_id": plan["id"]}).json()
    steps = [
        ("/plans.html", "[data-hook=plans] .plan"),
        ("/subscribed.html", "[data-state=waiting]:not([hidden])"),
        ("/account.html", ".subscription-says"),
    ]
    with opened(browser, f"{site}/404.html", size, viewer=viewer) as (page, wrong):
        for path, shows in steps:
            page.goto(site + path)
            page.locator(shows).first.wait_for()
            assert violations(page, axe) == [], path
            assert overflow(page) <= 0, path
        page.goto(f"{site}/subscribed.html")
        page.locator("[data-state=waiting]:not([hidden])").wait_for()
        paypal.control("POST", f"subscriptions/{opened_['subscription_id']}/approve")
        # the page learned this by polling, because PayPal has sent no event
        page.get_by_role("heading", name="You’re all set.").wait_for()
        assert violations(page, axe) == []
        page.goto(f"{site}/account.html")
        page.locator(".receipt").wait_for()
        with page.expect_download() as receipt:
            page.get_by_role("button", name=re.compile("^Receipt of .* as PDF$")).click()
        assert receipt.value.path().read_bytes().startswith(b"%PDF-")
        with page.expect_download() as data:
            page.get_by_role("button", name="Download my data").click()
        mine = json.loads(data.value.path().read_text())
        assert mine["profile"]["email"] == viewer.email
        assert [payment["state"] for payment in mine["payments"]] == ["completed"]
        page.get_by_text("Your file is ready.").wait_for()
        page.get_by_role("button", name="Cancel subscription…").click()
        assert violations(page, axe) == []
        assert wrong == []


def test_an_approval_given_up_leads_back_to_the_plans_and_costs_nothing(product: Product, browser: Browser) -> None:
    site, viewer = product.endpoints["site"], make_confirmed_viewer(product)
    with opened(browser, f"{site}/plans.html", viewer=viewer) as (page, _):
        subscribe_here(page, site)
        page.get_by_role("button", name="Cancel and go back").click()
        page.wait_for_url(f"{site}/plans.html*")
        assert viewer.ask("GET", "subscription").json()["state"] == "pending"
        assert viewer.ask("GET", "payments").json()["payments"] == []


def test_back_from_paypal_leads_to_plans_that_work(product: Product, browser: Browser) -> None:
    """Playwright's Chromium keeps no pages for "Back", so the event of a page that was kept is sent to the page."""
    site, viewer = product.endpoints["site"], make_confirmed_viewer(product)
    with opened(browser, f"{site}/plans.html", viewer=viewer) as (page, wrong):
        held: list[Route] = []
        page.route("**/api/subscriptions", lambda route: route.continue_() if held else held.append(route))
        page.get_by_role("button", name="Subscribe with PayPal").first.click()
        page.locator(".is-busy").wait_for()
        until(page, "null", lambda _: bool(held))
        with page.expect_navigation():  # the script has ended before the page is loaded again
            page.evaluate("setTimeout(() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })))")
        page.locator(".is-busy").wait_for(state="detached")
        subscribe_here(page, site)
        assert wrong == []


def test_a_suspended_subscriber_is_led_to_the_payment_that_failed(
    product: Product, film: str, browser: Browser, paypal: Simulator
) -> None:
    site, viewer = product.endpoints["site"], make_confirmed_viewer(product)
    plan = viewer.ask("GET", "plans").json()["plans"][0]
    begun = viewer.ask("POST", "subscriptions", {"plan_id": plan["id"]}).json()["subscription_id"]
    paypal.control("POST", f"subscriptions/{begun}/approve")
    soon(lambda: viewer.entitlement()["entitled"])
    paypal.control("POST", f"subscriptions/{begun}/suspend")
    soon(lambda: viewer.ask("GET", "subscription").json()["state"] == "suspended")
    assert viewer.entitlement()["entitled"], "the paid period has not ended"
    with opened(browser, f"{site}/account.html", viewer=viewer) as (page, _):
        page.get_by_text("You can watch until the end of the period you have paid for.").wait_for()
        page.get_by_role("link", name="Settle it with PayPal").wait_for()
    paypal.control("POST", f"subscriptions/{begun}/reverse")
    soon(lambda: not viewer.entitlement()["entitled"])
    with opened(browser, watch_page(product, film), viewer=viewer) as (page, _):
        page.get_by_text("Your last payment failed.").wait_for()
        assert page.get_by_role("link", name="See the plans").is_hidden()
        page.goto(f"{site}/plans.html")
        page.get_by_role("link", name="Settle it with PayPal").wait_for()
        page.goto(f"{site}/title.html?id={film}")
        page.get_by_role("link", name="Settle your payment to watch").click()
        settle = page.get_by_role("link", name="Settle it with PayPal")
        settle.wait_for()
        assert str(settle.get_attribute("href")).startswith("https://www.paypal.com/")


def test_the_owner_grants_access_and_looks_on(product: Product, film: str) -> None:
    viewer = make_viewer(product.endpoints)
    assert viewer.plays(film) == 402
    granted = product.run("admin", "grant", viewer.email, "--days", "3")
    assert granted.returncode == 0, granted.stderr
    assert viewer.plays(film) == 200
    for command in (("admin", "plans"), ("admin", "subscriptions"), ("admin", "events"), ("admin", "plan", "list")):
        told = product.run(*command, "--json")
        assert told.returncode == 0, told.stderr
    listed = json.loads(product.run("admin", "grants", "--json").stdout)
    grant = next(one for one in listed if one["user_id"] == viewer.user_id)
    dated = product.run("admin", "revoke-grant", grant["grant_id"], "--at", "tomorrow")
    assert dated.returncode == 1 and "is not a date" in dated.stderr
    revoked = product.run("admin", "revoke-grant", grant["grant_id"])
    assert revoked.returncode == 0 and viewer.email in revoked.stdout, revoked.stderr
    assert viewer.entitlement()["reason"] == "none"
    assert "revoked" in product.run("admin", "grants").stdout
    until = product.run("admin", "grant", viewer.email, "--until", "2099-01-31")
    assert until.returncode == 0 and "until 2099-01-31 00:00 UTC" in until.stdout, until.stderr
    assert product.run("admin", "grant", viewer.email).returncode == 1
    nobody = product.run("admin", "grant", "nobody@example.org", "--days", "3")
    assert nobody.returncode != 0
    assert "no account" in nobody.stderr + nobody.stdout


def test_the_owner_makes_and_retires_a_plan(product: Product) -> None:
    made = product.run("admin", "plan", "create", "Weekend", "--price", "2.50", "--every", "week", "--json")
    assert made.returncode == 0, made.stderr
    plans = f"{product.endpoints['api']}/api/plans"
    (plan,) = [p for p in requests.get(plans, timeout=30).json()["plans"] if p["name"] == "Weekend"]
    assert (plan["price_minor"], plan["interval"]) == (250, "week")
    assert product.run("admin", "plan", "retire", plan["id"]).returncode == 0
    assert plan["id"] not in [p["id"] for p in requests.get(plans, timeout=30).json()["plans"]]


def test_a_new_copy_has_two_plans_to_begin_with(product: Product) -> None:
    everything = as_owner(product.endpoints, "GET", "plans/all").json()["plans"]
    first = {(p["name"], p["price_minor"], p["currency"], p["interval"]) for p in everything}
    assert {("Monthly", 799, "EUR", "month"), ("Yearly", 7990, "EUR", "year")} <= first


def test_storage_opens_with_the_key_of_the_title_alone(
    product: Product, film: str, viewer: SomeViewer, tmp_path: Path
) -> None:
    storefront = Storefront(product.endpoints)
    other = storefront.send("doors.mp4", make_film(Film(name="doors.mp4", frames=120), tmp_path))
    storefront.ended([other], within_s=400)
    storefront.close()
    session = viewer.ask("POST", f"titles/{film}/playback").json()
    stranger = viewer.ask("POST", f"titles/{other.title_id}/playback").json()
    manifest = requests.get(f"{session['manifest_url']}?{session['sas']}", timeout=30).text
    track = next(part.split('"')[0] for part in manifest.split('initialization="')[1:])
    segment = f"{session['manifest_url'].rsplit('/', 1)[0]}/{track.replace('$RepresentationID$', _first_id(manifest))}"

    def status(sas: str) -> int:
        return requests.get(f"{segment}?{sas}" if sas else segment, timeout=30).status_code

    assert status(session["sas"]) == 200
    assert status(stranger["sas"]) == 403
    assert status(session["sas"].replace("sig=", "sig=A")) == 403
    assert status(_expired(product, film)) == 403
    assert status("") in (401, 403, 404)
    assert (
        requests.put(
            f"{segment}?{session['sas']}", data=b"", headers={"x-ms-blob-type": "BlockBlob"}, timeout=30
        ).status_code
        == 403
    )


def _first_id(manifest: str) -> str:
    return manifest.split("<Representation", 1)[1].split('id="', 1)[1].split('"', 1)[0]


def _expired(product: Product, title_id: str) -> str:
    """Return a SAS for the title; the SAS expired a minute ago."""
    with BlobServiceClient.from_connection_string(product.endpoints["storage_connection"]) as service:
        return generate_container_sas(
            str(service.account_name),
            f"title-{title_id}",
            account_key=service.credential.account_key,
            permission=ContainerSasPermissions(read=True),
            expiry=datetime.now(UTC) - timedelta(minutes=1),
        )


def test_no_key_stands_in_a_log_or_in_the_catalogue(product: Product, film: str, viewer: SomeViewer) -> None:
    signature = viewer.ask("POST", f"titles/{film}/playback").json()["sas"].split("sig=")[1]
    logs = [path for path in product.home.path.rglob("*.log") if "azurite" not in path.name]
    assert logs
    for path in logs:
        assert signature not in path.read_text(errors="replace"), path
    site = product.endpoints["site"]
    for page in (f"catalogue/titles/{film}.json", "catalogue/search.json"):
        answer = requests.get(f"{site}/{page}", timeout=30)
        assert answer.ok
        assert "sig=" not in answer.text


def test_whoever_is_not_logged_in_or_not_entitled_gets_no_key(product: Product, film: str) -> None:
    stranger = requests.post(f"{product.endpoints['api']}/api/titles/{film}/playback", timeout=30)
    assert (stranger.status_code, "sas" in stranger.json()) == (401, False)
    refused = make_viewer(product.endpoints).ask("POST", f"titles/{film}/playback")
    assert (refused.status_code, "sas" in refused.json()) == (402, False)
    assert make_subscriber(product.endpoints).plays(film) == 200
