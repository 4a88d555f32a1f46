"""Watching offline in Chromium: the site is installed, films are downloaded, and play without a connection."""

from __future__ import annotations

from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.media import Film, Sound, make_film
from tests.support.pages import DESKTOP, PATIENCE_MS, PHONE, SIZES, opened, overflow, until
from tests.support.uploads import Storefront
from tests.support.viewers import log_in_browser, make_subscriber, revoke_grants

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page, Route

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

TABLET = (700, 900)
SECONDS = 60
HELD_AFTER = 6
FRAMES = "window.notflix?.stats().total ?? 0"
TIME = "window.notflix?.stats().time ?? 0"
CONTROLLED = "Boolean(navigator.serviceWorker.controller)"
USED = "navigator.storage.estimate().then(({ usage }) => usage)"
CACHES = "caches.keys().then((names) => names.filter((name) => name.startsWith('notflix film ')))"
# Lists the segments that the page requests; the requests after the first ones never end, as on a dead connection.
HOLDING = """window.segments = [];
const original = window.fetch;
window.fetch = (address, options) => {
  const { pathname } = new URL(address, location.href);
  if (!pathname.endsWith(".m4s")) return original(address, options);
  window.segments.push(pathname);
  return window.segments.length > %d ? new Promise(() => {}) : original(address, options);
};"""


@pytest.fixture(scope="module")
def film(product: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload a film; return its id."""
    storefront = Storefront(product.endpoints)
    made = Film(name="Lagoon.mp4", rate=Fraction(24), frames=24 * SECONDS, width=320, height=180, sounds=(Sound(),))
    sent = storefront.send("Lagoon.mp4", make_film(made, tmp_path_factory.mktemp("offline")))
    job = storefront.ended([sent], within_s=400)[sent.blob]
    storefront.close()
    assert job["status"] == "ready", job
    return sent.title_id


@pytest.fixture
def subscriber(product: Product) -> SomeViewer:
    """Return a viewer who may play every title, and who has no downloads yet."""
    return make_subscriber(product.endpoints)


@contextmanager
def device(browser: Browser, viewer: SomeViewer) -> Iterator[BrowserContext]:
    """Open a profile in which a viewer is logged in, and in which pages can be closed and opened again."""
    context = browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
    context.set_default_timeout(PATIENCE_MS)
    try:
        log_in_browser(context, viewer)
        yield context
    finally:
        context.close()


def download(page: Page, product: Product, film: str) -> None:
    """Download the film on its page."""
    page.goto(f"{product.endpoints['site']}/title/{film}")
    page.get_by_role("button", name="Download", exact=True).click()
    page.get_by_role("link", name="Downloaded").wait_for()


def downloads(page: Page, product: Product) -> None:
    """Open the downloads page."""
    page.goto(f"{product.endpoints['site']}/downloads.html")
    page.locator("[data-downloads]:not([aria-busy])").wait_for()


def plays_from_the_device(page: Page) -> None:
    """Play the only download, without a connection, until pictures have been shown for a while."""
    page.get_by_role("link", name="Play").click()
    until(page, TIME, lambda time: time > 1)
    before = page.evaluate(FRAMES)
    until(page, FRAMES, lambda frames: frames > before + 12)
    assert page.evaluate("notflix.stats().errors") == []


@pytest.mark.parametrize("size", [DESKTOP, TABLET, PHONE], ids=["desktop", "tablet", "phone"])
def test_the_button_that_comes_late_moves_no_other(
    product: Product, browser: Browser, film: str, subscriber: SomeViewer, size: tuple[int, int]
) -> None:
    with opened(browser, f"{product.endpoints['site']}/404.html", size, viewer=subscriber) as (page, wrong):
        held: list[Route] = []
        page.route("**/js/offline/button.*.js", lambda route: held.append(route))
        page.goto(f"{product.endpoints['site']}/title/{film}")
        others = [page.locator(f"[data-hook={hook}]") for hook in ("play", "listed", "up", "down")]
        others[0].wait_for()
        until(page, "document.fonts.status", lambda fonts: fonts == "loaded" and bool(held))
        before = [other.bounding_box() for other in others]
        held[0].continue_()
        page.get_by_role("button", name="Download", exact=True).wait_for()
        assert [other.bounding_box() for other in others] == before and overflow(page) <= 0
        assert wrong == []


def test_the_site_can_be_installed(product: Product, browser: Browser) -> None:
    with opened(browser, product.endpoints["site"], service_worker=True) as (page, wrong):
        until(page, CONTROLLED)
        devtools = page.context.new_cdp_session(page)
        manifest = devtools.send("Page.getAppManifest")
        assert manifest["errors"] == [] and manifest["url"].startswith(f"{product.endpoints['site']}/manifest")
        found = devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]
        # profiles of tests are incognito
        assert [error["errorId"] for error in found if error["errorId"] != "in-incognito"] == []
        assert wrong == []


@SIZES
def test_without_a_connection_every_page_is_the_downloads_page_and_comes_back_by_itself(
    product: Product, browser: Browser, size: tuple[int, int]
) -> None:
    axe = web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"
    with opened(browser, product.endpoints["site"], size, service_worker=True) as (page, wrong):
        until(page, CONTROLLED)
        page.context.set_offline(True)
        page.goto(f"{product.endpoints['site']}/plans.html")
        page.get_by_role("heading", name="Downloads", level=1).wait_for()
        page.get_by_text("There is no connection, so the page did not load.").wait_for()
        page.get_by_text("Nothing is downloaded on this device.").wait_for()
        assert overflow(page) <= 0 and violations(page, axe) == []
        page.context.set_offline(False)
        page.locator("[data-plans]").wait_for(state="attached")
        assert wrong == []


def test_a_downloaded_film_plays_without_a_connection_and_its_deletion_frees_the_space(
    product: Product, film: str, browser: Browser, subscriber: SomeViewer
) -> None:
    with device(browser, subscriber) as context:
        page = context.new_page()
        download(page, product, film)
        assert subscriber.ask("GET", "usage").json()["entries"] == []
        context.set_offline(True)
        downloads(page, product)
        assert "Lagoon" in page.get_by_role("listitem").filter(has_text="Delete").inner_text()
        plays_from_the_device(page)
        stopped_at = page.evaluate("(notflix.video.pause(), notflix.stats().time)")
        page.reload()
        until(page, TIME, lambda time: time >= stopped_at - 6 and time > 0.5)
        downloads(page, product)
        before = page.evaluate(USED)
        page.get_by_role("button", name="Delete Lagoon").click()
        page.get_by_text("Nothing is downloaded on this device.").wait_for()
        assert page.evaluate(CACHES) == []
        until(page, USED, lambda used: used < before)


def test_a_download_continues_after_its_page_was_killed(
    product: Product, film: str, browser: Browser, subscriber: SomeViewer
) -> None:
    with device(browser, subscriber) as context:
        killed = context.new_page()
        killed.add_init_script(HOLDING % HELD_AFTER)
        killed.goto(f"{product.endpoints['site']}/title/{film}")
        killed.get_by_role("button", name="Download", exact=True).click()
        until(killed, "window.segments.length", lambda count: count > HELD_AFTER)
        text = killed.locator("[data-hook=download-text]")
        until(killed, "Number(document.querySelector('[data-hook=download-meter]').ariaValueNow)", lambda now: now > 0)
        assert "Keep this page open" in text.inner_text()
        first = set(killed.evaluate("window.segments")[:HELD_AFTER])
        killed.close()
        page = context.new_page()
        page.add_init_script(HOLDING % 1_000_000)
        downloads(page, product)
        page.get_by_role("link", name="Play Lagoon").wait_for()
        again = page.evaluate("window.segments")
        assert len(again) == len(set(again)) and len(set(again) & first) <= 4  # those that were not stored yet
        context.set_offline(True)
        plays_from_the_device(page)


def test_another_page_of_the_film_shows_that_its_download_has_ended_and_does_not_delete_it(
    product: Product, film: str, browser: Browser, subscriber: SomeViewer
) -> None:
    with device(browser, subscriber) as context:
        follower, page = context.new_page(), context.new_page()
        follower.goto(f"{product.endpoints['site']}/title/{film}")
        follower.get_by_role("button", name="Download", exact=True).wait_for()
        download(page, product, film)
        follower.get_by_role("link", name="Downloaded").wait_for()
        assert follower.get_by_role("button", name="Cancel download").is_hidden()
        page.close()
        downloads(follower, product)
        follower.get_by_role("link", name="Play Lagoon").wait_for()


def test_a_download_expires_unless_its_licence_is_renewed(
    product: Product, film: str, browser: Browser, subscriber: SomeViewer
) -> None:
    with device(browser, subscriber) as context:
        page = context.new_page()
        download(page, product, film)
        context.set_offline(True)
        month_later = page.evaluate("Date.now() + 31 * 24 * 3600_000")
        page.clock.set_fixed_time(month_later / 1000)
        downloads(page, product)
        page.get_by_text("This download has expired. Connect to the internet to renew it.").wait_for()
        assert page.get_by_role("link", name="Play").count() == 0
        page.goto(f"{product.endpoints['site']}/watch.html?id={film}&offline")
        page.get_by_text("This download has expired.").wait_for()
        assert page.evaluate("document.querySelector('video').readyState") == 0


def test_a_download_ends_with_the_access_of_its_account(
    product: Product, film: str, browser: Browser, subscriber: SomeViewer
) -> None:
    with device(browser, subscriber) as context:
        page = context.new_page()
        download(page, product, film)
        assert revoke_grants(product.endpoints, subscriber).ok
        downloads(page, product)
        page.get_by_text("Your access has ended. Subscribe to watch this film again.").wait_for()
        context.set_offline(True)
        page.goto(f"{product.endpoints['site']}/watch.html?id={film}&offline")
        page.get_by_text("This download has expired.").wait_for()


def test_who_logs_out_takes_the_downloads_along(
    product: Product, film: str, browser: Browser, subscriber: SomeViewer
) -> None:
    with device(browser, subscriber) as context:
        page = context.new_page()
        download(page, product, film)
        assert len(page.evaluate(CACHES)) == 1
        page.get_by_role("button", name="Your account").click()
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url("**/login.html*")
        assert page.evaluate(CACHES) == []


PREVIEW = "getComputedStyle(document.querySelector('.preview-picture')).backgroundImage"


@SIZES
def test_a_film_is_downloaded_in_the_player_and_listed_accessibly(
    product: Product, film: str, browser: Browser, subscriber: SomeViewer, size: tuple[int, int]
) -> None:
    axe = web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"
    watch = f"{product.endpoints['site']}/watch.html?id={film}"
    with opened(browser, watch, size, viewer=subscriber, service_worker=True) as (page, wrong):
        until(page, TIME, lambda time: time > 0)
        page.evaluate("notflix.video.pause()")
        bar = page.locator("[data-hook=track]").bounding_box()
        assert bar is not None
        page.mouse.move(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)  # shows a picture of the download
        until(page, PREVIEW, lambda image: "/thumbnails" in image)
        page.get_by_role("button", name="Download", exact=True).click()
        page.get_by_role("link", name="Downloaded").wait_for()
        assert overflow(page) <= 0 and violations(page, axe) == []
        downloads(page, product)
        page.get_by_role("link", name="Play Lagoon").wait_for()
        assert page.get_by_text("Notflix uses").is_visible()
        assert overflow(page) <= 0 and violations(page, axe) == []
        assert wrong == []
