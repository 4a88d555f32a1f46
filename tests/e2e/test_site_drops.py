"""Lost connections and refused requests: the buffered part keeps playing, a notice is shown, later the film resumes."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.support.media import Film, Sound, make_film
from tests.support.pages import SMALL, opened, refused, until
from tests.support.uploads import Storefront
from tests.support.viewers import make_subscriber

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Browser, Page, Route

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

SECONDS = 150
DROPS = (("", 13), ("", 45), ("&hls", 45), ("", 120))
"""How the film is opened, and how many seconds the drop lasts; the shortest comes first."""

DROPS_IN_FULL = (("", 5), *DROPS)
TIME = "window.notflix?.stats().time ?? 0"
AHEAD = """(() => {
  const { buffered, currentTime } = notflix.video;
  return (buffered.length ? buffered.end(buffered.length - 1) : 0) - currentTime;
})()"""
DECODES_TOO_SLOWLY = """(() => {
  Object.defineProperty(notflix.video, "readyState", { get: () => 2, configurable: true });
  notflix.video.dispatchEvent(new Event("waiting"));
  delete notflix.video.readyState;
  notflix.video.dispatchEvent(new Event("playing"));
})()"""
"""What a busy device says when it has no picture to show, although the film is loaded."""

# Lets the monotonic clock of the page jump forward, so that a key is renewed long before it expires.
CLOCK = """window.skipped = 0;
const now = performance.now.bind(performance);
performance.now = () => now() + window.skipped;"""
RENEWAL_MS = 125_000
NOTICE = "[data-hook=notice]"
PROBLEM = "[data-hook=problem]"
SEGMENT = re.compile(r"/s\d+\.m4s")
LOST = "You are offline"


@pytest.fixture(scope="module")
def film(product: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload a film that is much longer than the player's buffer; return the address of its watch page."""
    storefront = Storefront(product.endpoints)
    made = Film(name="voyage.mp4", rate=Fraction(12), frames=12 * SECONDS, width=320, height=180, sounds=(Sound(),))
    sent = storefront.send("voyage.mp4", make_film(made, tmp_path_factory.mktemp("drops")))
    job = storefront.ended([sent], within_s=400)[sent.blob]
    storefront.close()
    assert job["status"] == "ready", job
    return f"{product.endpoints['site']}/watch.html?id={sent.title_id}&from=0"  # always play from the start


def plays_with_a_full_buffer(page: Page) -> None:
    """Wait until the film plays and half a minute of it is buffered."""
    until(page, TIME, lambda time_s: time_s > 0.5, within_s=300)
    until(page, AHEAD, lambda ahead: ahead > 25, within_s=300)


def time_of(page: Page) -> float:
    """Return the position of the film in seconds."""
    position_s: float = page.evaluate(TIME)
    return position_s


def plays_on(page: Page, *, within_s: float = 300) -> None:
    """Wait until the film has played for three seconds without any user action, and no problem is shown."""
    before = time_of(page)
    until(page, TIME, lambda time_s: time_s > before + 3, within_s=within_s)
    assert page.locator(PROBLEM).is_hidden()
    until(page, f"document.querySelector('{NOTICE}').hidden")
    assert page.evaluate("notflix.stats().errors") == []


def each_opened(stack: ExitStack, product: Product, browser: Browser, film: str, forms: Sequence[str]) -> list[Page]:
    """Open the film in each form, each with a new viewer and profile; wait until all pages play with full buffers.

    A page pauses until all others are ready, so that the film is long enough on a busy machine.
    """
    pages = [
        stack.enter_context(opened(browser, film + form, SMALL, viewer=make_subscriber(product.endpoints)))[0]
        for form in forms
    ]
    for page in pages:
        plays_with_a_full_buffer(page)
        page.evaluate("notflix.video.pause()")
    for page in pages:
        page.evaluate("notflix.video.play()")
    return pages


def test_a_film_plays_what_is_loaded_and_resumes_by_itself_after_a_drop(
    product: Product, film: str, browser: Browser, in_full: bool
) -> None:
    drops = DROPS_IN_FULL if in_full else DROPS
    with ExitStack() as stack:
        pages = each_opened(stack, product, browser, film, [form for form, _ in drops])
        dropped = []
        for page, (_, drop_s) in zip(pages, drops, strict=True):
            dropped.append((page, drop_s, time_of(page), page.evaluate(AHEAD), time.monotonic()))
            page.context.set_offline(True)
        for page in pages:
            page.locator(NOTICE, has_text=LOST).wait_for()
        for page, drop_s, before, ahead, since in dropped:
            page.wait_for_timeout(max(0, since + drop_s - time.monotonic()) * 1000)
            until(page, TIME, partial(has_played, before + min(drop_s, ahead) - 2))  # later on a busy machine
            assert page.locator(PROBLEM).is_hidden(), drop_s
            page.context.set_offline(False)
            plays_on(page)
            page.close()


def has_played(until_s: float, time_s: float) -> bool:
    """Return whether a film has been played until a position, in seconds."""
    return time_s > until_s


def test_a_film_resumes_by_itself_after_storage_refused_for_a_while(
    product: Product, film: str, browser: Browser
) -> None:
    """Seek to a part that is not buffered, while every request for a segment is refused for twenty seconds."""
    refusals = [("", 503), ("", 403), ("&hls", 503), ("&hls", 403)]
    with ExitStack() as stack:
        pages = each_opened(stack, product, browser, film, [form for form, _ in refusals])
        for page, (_, status) in zip(pages, refusals, strict=True):
            page.route(SEGMENT, partial(answer_with, status))
            page.evaluate("notflix.video.currentTime = 90")
        pages[0].wait_for_timeout(20_000)
        for page, refusal in zip(pages, refusals, strict=True):
            assert page.locator(PROBLEM).is_hidden(), refusal
            page.unroute(SEGMENT)
        for page in pages:
            plays_on(page)
            assert time_of(page) > 90


def answer_with(status: int, route: Route) -> None:
    """Answer a request with a status and nothing else."""
    route.fulfill(status=status, headers={"access-control-allow-origin": "*"})


@pytest.mark.extended
def test_the_end_of_access_is_told_at_once_and_what_is_loaded_plays_out(
    product: Product, film: str, browser: Browser
) -> None:
    ends = (
        (refused(402, "no_subscription", "Subscribe first."), "Your access has ended.", "Your access has ended."),
        (refused(404, "not_found", "There is no such title."), "has just been removed", "This film is not available."),
    )
    with ExitStack() as stack:
        pages = each_opened(stack, product, browser, film, ["", ""])
        loaded = []
        for page, (answer, notice, _) in zip(pages, ends, strict=True):
            page.route("**/playback", answer)
            page.route(SEGMENT, refused(403, "AuthenticationFailed", "The signature has expired."))
            page.locator(NOTICE, has_text=notice).wait_for()
            loaded.append(time_of(page) + page.evaluate(AHEAD))
            page.evaluate(DECODES_TOO_SLOWLY)
        for page, (_, _, problem), end in zip(pages, ends, loaded, strict=True):
            page.locator(PROBLEM).get_by_text(problem).wait_for()
            assert time_of(page) > end - 1
        assert pages[0].get_by_role("link", name="See the plans").is_visible()


@pytest.mark.extended
def test_a_film_plays_on_while_the_api_does_not_answer(product: Product, film: str, browser: Browser) -> None:
    """Let the key become due, while no renewal is ever answered; the film plays far beyond what is loaded."""
    viewer = make_subscriber(product.endpoints)
    with opened(browser, film, SMALL, viewer=viewer, first=CLOCK) as (page, _):
        plays_with_a_full_buffer(page)
        held: list[Route] = []
        page.route("**/playback", lambda route: held.append(route))
        loaded_s = time_of(page) + page.evaluate(AHEAD)
        page.evaluate(f"window.skipped = {RENEWAL_MS}")
        until(page, TIME, partial(has_played, loaded_s + 15))
        assert held and page.locator(PROBLEM).is_hidden() and page.locator(NOTICE).is_hidden()


def test_a_page_opened_without_a_connection_starts_when_it_is_back(
    film: str, viewer: SomeViewer, browser: Browser
) -> None:
    with opened(browser, f"{film.partition('/watch')[0]}/404.html", SMALL, viewer=viewer) as (page, _):
        page.route("**/playback", lambda route: route.abort())
        page.goto(film)
        page.get_by_text("There is no connection.").wait_for()
        page.unroute("**/playback")
        until(page, TIME, lambda time_s: time_s > 0.5)
