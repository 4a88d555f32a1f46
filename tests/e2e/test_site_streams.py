"""Watching on several devices in Chromium: the limit, who watches where, stopping a device, and access that ends."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.media import Film, Sound, make_film
from tests.support.pages import PHONE, opened, overflow, until
from tests.support.uploads import Storefront
from tests.support.viewers import let_in, log_in_again, make_subscriber, revoke_grants, soon

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

SECONDS = 100
TIME = "window.notflix?.stats().time ?? 0"
NOTICE = "[data-hook=notice]"
PROBLEM = "[data-hook=problem]"
# Lets the monotonic clock of the page jump forward, so that a key is renewed long before it expires.
CLOCK = """window.skipped = 0;
const now = performance.now.bind(performance);
performance.now = () => now() + window.skipped;"""
RENEWAL_MS = 125_000


@pytest.fixture(scope="module")
def film(product: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload a film that is longer than the player's buffer; return its id."""
    storefront = Storefront(product.endpoints)
    made = Film(name="Harbour.mp4", rate=Fraction(24), frames=24 * SECONDS, width=320, height=180, sounds=(Sound(),))
    sent = storefront.send("Harbour.mp4", make_film(made, tmp_path_factory.mktemp("streams")))
    job = storefront.ended([sent], within_s=400)[sent.blob]
    storefront.close()
    assert job["status"] == "ready", job
    return sent.title_id


def watch(product: Product, film: str) -> str:
    return f"{product.endpoints['site']}/watch.html?id={film}&from=0"


def streams(viewer: SomeViewer) -> list[dict[str, Any]]:
    """Return the open streams of a viewer's account."""
    found: list[dict[str, Any]] = viewer.ask("GET", "streams").json()["streams"]
    return found


def plays_on(page: Page) -> None:
    """Wait until the film has played for another second."""
    before = float(page.evaluate(TIME))
    until(page, TIME, lambda time: time > before + 1)


def test_a_fourth_device_sees_who_watches_where_and_stops_one(product: Product, film: str, browser: Browser) -> None:
    first, today = make_subscriber(product.endpoints), datetime.now(UTC).date()
    devices = [first, log_in_again(first), log_in_again(first)]
    assert [device.plays(film) for device in devices] == [200, 200, 200]
    fourth = log_in_again(first)
    axe = web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"
    with opened(browser, watch(product, film), PHONE, viewer=fourth) as (page, wrong):
        page.get_by_text("Too many devices are watching.").wait_for()
        entries = page.locator(PROBLEM).get_by_role("listitem")
        until(page, "document.querySelectorAll('[data-hook=problem-streams] li').length", lambda n: n == 3)
        assert "Python script" in entries.first.inner_text()
        assert "since today" in entries.first.inner_text() or datetime.now(UTC).date() != today
        assert overflow(page) <= 0 and violations(page, axe) == []
        entries.first.get_by_role("button", name="Stop playback").click()
        until(page, TIME, lambda time: time > 0.5)
        assert page.locator(PROBLEM).is_hidden()
        assert len(streams(first)) == 3 and [one["device"] for one in streams(fourth) if one["here"]] != []
        assert wrong == []


def test_a_stopped_player_says_so_at_its_next_renewal_and_continues_on_request(
    product: Product, film: str, browser: Browser
) -> None:
    viewer = make_subscriber(product.endpoints)
    other = log_in_again(viewer)
    with opened(browser, watch(product, film), viewer=viewer, first=CLOCK) as (page, wrong):
        until(page, TIME, lambda time: time > 0.5)
        (mine,) = streams(other)
        assert mine["title"] == "Harbour" and not mine["here"]
        assert other.ask("DELETE", f"streams/{mine['stream_id']}").status_code == 204
        page.evaluate(f"window.skipped = {RENEWAL_MS}")
        page.get_by_text("Playback was stopped.").wait_for()
        assert "Python script" in page.locator(PROBLEM).inner_text()
        assert page.evaluate("notflix.video.paused")
        stopped_at = page.evaluate(TIME)
        page.keyboard.press("k")
        page.evaluate("notflix.video.play().catch(() => {})")  # as the browser's own controls do
        page.wait_for_timeout(500)
        assert page.evaluate("notflix.video.paused") and page.evaluate(TIME) < stopped_at + 0.4
        assert streams(other) == []
        page.get_by_role("button", name="Watch here").click()
        until(page, TIME, lambda time: time > stopped_at + 0.5)
        assert len(streams(other)) == 1
        assert wrong == []


def test_access_that_ends_is_told_with_the_time_that_is_left_and_told_off_again(
    product: Product, film: str, browser: Browser
) -> None:
    viewer = make_subscriber(product.endpoints)
    with opened(browser, watch(product, film), viewer=viewer, first=CLOCK) as (page, wrong):
        until(page, TIME, lambda time: time > 0.5)
        assert revoke_grants(product.endpoints, viewer).ok
        page.evaluate(f"window.skipped = {RENEWAL_MS}")
        notice = page.locator(NOTICE, has_text="Your access has ended. You can watch for another")
        notice.wait_for()
        minutes = int(notice.inner_text().rpartition("another ")[2].split()[0])
        assert 5 <= minutes <= 15
        plays_on(page)
        assert page.locator(PROBLEM).is_hidden()
        let_in(product.endpoints, viewer)
        page.evaluate(f"window.skipped += {RENEWAL_MS}")
        notice.wait_for(state="hidden")
        plays_on(page)
        assert wrong == []


def test_a_session_that_ends_does_not_take_the_film_away(product: Product, film: str, browser: Browser) -> None:
    viewer = make_subscriber(product.endpoints)
    with opened(browser, watch(product, film), viewer=viewer, first=CLOCK) as (page, wrong):
        until(page, TIME, lambda time: time > 0.5)
        assert viewer.ask("DELETE", "sessions?everywhere=true").ok
        page.evaluate(f"window.skipped = {RENEWAL_MS}")
        page.locator(NOTICE, has_text="Your session has ended. You can watch for another").wait_for()
        plays_on(page)
        assert page.locator(PROBLEM).is_hidden() and "/watch.html" in page.url
        assert wrong == []


def test_a_page_that_is_left_frees_its_place_and_a_reloaded_one_keeps_it(
    product: Product, film: str, browser: Browser
) -> None:
    viewer = make_subscriber(product.endpoints)
    with opened(browser, watch(product, film), viewer=viewer) as (page, _):
        until(page, TIME, lambda time: time > 0.2)
        (before,) = streams(viewer)
        page.reload()
        until(page, TIME, lambda time: time > 0.2)
        assert [one["stream_id"] for one in streams(viewer)] == [before["stream_id"]]
        page.goto(f"{product.endpoints['site']}/account.html")
        page.get_by_text("Nothing is playing.").wait_for()
        soon(lambda: streams(viewer) == [])


def test_the_account_page_shows_what_plays_and_stops_it(product: Product, film: str, browser: Browser) -> None:
    viewer = make_subscriber(product.endpoints)
    assert log_in_again(viewer).plays(film) == 200
    with opened(browser, f"{product.endpoints['site']}/account.html", viewer=viewer) as (page, wrong):
        playing = page.get_by_role("list", name="Watching now").get_by_role("listitem")
        playing.wait_for()
        assert "Harbour" in playing.inner_text() and "Python script" in playing.inner_text()
        playing.get_by_role("button", name="Stop playback").click()
        page.get_by_text("Nothing is playing.").wait_for()
        assert streams(viewer) == []
        assert wrong == []
