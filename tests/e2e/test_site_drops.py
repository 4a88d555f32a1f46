"""Lost connections and refused requests: the buffered part plays on, a notice is shown, and later the film resumes."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from tests.support.media import Film, Sound, make_film
from tests.support.pages import opened, refused, until
from tests.support.uploads import Storefront

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page, Route

    from tests.e2e.conftest import Product
    from tests.support.viewers import SomeViewer

SECONDS = 150
TIME = "window.notflix?.stats().time ?? 0"
AHEAD = """(() => {
  const { buffered, currentTime } = notflix.video;
  return (buffered.length ? buffered.end(buffered.length - 1) : 0) - currentTime;
})()"""
NOTICE = "[data-hook=notice]"
PROBLEM = "[data-hook=problem]"
SEGMENT = re.compile(r"/s\d+\.m4s")
LOST = "You are offline"


@pytest.fixture(scope="module")
def film(product: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload a film that is much longer than the player's buffer; return the address of its watch page."""
    storefront = Storefront(product.endpoints)
    made = Film(name="voyage.mp4", rate=Fraction(24), frames=24 * SECONDS, width=320, height=180, sounds=(Sound(),))
    sent = storefront.send("voyage.mp4", make_film(made, tmp_path_factory.mktemp("drops")))
    job = storefront.ended([sent], within_s=240)[sent.blob]
    storefront.close()
    assert job["status"] == "ready", job
    return f"{product.endpoints['site']}/watch.html?id={sent.title_id}&from=0"  # always play from the start


def plays_with_a_full_buffer(page: Page) -> None:
    """Wait until the film plays and half a minute of it is buffered."""
    until(page, TIME, lambda time: time > 0.5)
    until(page, AHEAD, lambda ahead: ahead > 25)


def time_of(page: Page) -> float:
    """Return the position of the film in seconds."""
    time: float = page.evaluate(TIME)
    return time


def plays_on(page: Page, *, within_s: float = 30) -> None:
    """Wait until the film has played for three seconds without any user action, and no problem is shown."""
    before = time_of(page)
    until(page, TIME, lambda time: time > before + 3, within_s=within_s)
    assert page.locator(PROBLEM).is_hidden()
    until(page, f"document.querySelector('{NOTICE}').hidden", within_s=10)
    assert page.evaluate("notflix.stats().errors") == []


@pytest.mark.parametrize(
    ("form", "drop_s"),
    [("", 5), ("", 13), ("", 45), ("", 120), ("&hls", 45)],
    ids=["dash-5", "dash-13", "dash-45", "dash-120", "hls-45"],
)
def test_a_film_plays_what_is_loaded_and_resumes_by_itself_after_a_drop(
    film: str, viewer: SomeViewer, browser: Browser, form: str, drop_s: int
) -> None:
    with opened(browser, film + form, viewer=viewer) as (page, _):
        plays_with_a_full_buffer(page)
        before, ahead = time_of(page), page.evaluate(AHEAD)
        page.context.set_offline(True)
        page.locator(NOTICE, has_text=LOST).wait_for()
        page.wait_for_timeout(drop_s * 1000)
        assert page.locator(PROBLEM).is_hidden()
        assert time_of(page) - before > min(drop_s, ahead) - 2
        page.context.set_offline(False)
        plays_on(page)


def for_a_while(page: Page, answer: Callable[[Route], None], seconds: float) -> None:
    """Seek to a part that is not buffered, and for `seconds` answer every request for a segment with `answer`."""
    page.route(SEGMENT, answer)
    page.evaluate("notflix.video.currentTime = 90")
    page.wait_for_timeout(seconds * 1000)
    assert page.locator(PROBLEM).is_hidden()
    page.unroute(SEGMENT)


@pytest.mark.parametrize("form", ["", "&hls"], ids=["dash", "hls"])
@pytest.mark.parametrize("status", [503, 403])
def test_a_film_resumes_by_itself_after_storage_refused_for_a_while(
    film: str, viewer: SomeViewer, browser: Browser, form: str, status: int
) -> None:
    with opened(browser, film + form, viewer=viewer) as (page, _):
        plays_with_a_full_buffer(page)
        for_a_while(page, lambda route: route.fulfill(status=status, headers={"access-control-allow-origin": "*"}), 20)
        plays_on(page)
        assert time_of(page) > 90


def test_a_lapsed_subscription_is_told_at_once_and_what_is_loaded_plays_out(
    film: str, viewer: SomeViewer, browser: Browser
) -> None:
    with opened(browser, film, viewer=viewer) as (page, _):
        plays_with_a_full_buffer(page)
        page.route("**/playback", refused(402, "no_subscription", "A subscription is needed."))
        page.route(SEGMENT, refused(403, "AuthenticationFailed", "The signature has expired."))
        page.locator(NOTICE, has_text="Subscribe").wait_for(timeout=20_000)
        loaded = time_of(page) + page.evaluate(AHEAD)
        page.get_by_role("link", name="See the plans").wait_for(timeout=45_000)
        assert time_of(page) > loaded - 1


def test_a_page_opened_without_a_connection_starts_when_it_is_back(
    film: str, viewer: SomeViewer, browser: Browser
) -> None:
    with opened(browser, f"{film.partition('/watch')[0]}/404.html", viewer=viewer) as (page, _):
        page.route("**/playback", lambda route: route.abort())
        page.goto(film)
        page.get_by_text("There is no connection.").wait_for()
        page.unroute("**/playback")
        until(page, TIME, lambda time: time > 0.5)
