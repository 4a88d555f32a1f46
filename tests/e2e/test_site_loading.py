"""The watch page while something cannot be loaded: the film plays without it if it can, and says why if it cannot."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.evening import STATS, playing, stats, upload_evening
from tests.support.pages import opened, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

THUMBNAILS = re.compile(r"/thumbnails\.vtt")  # a signed address can contain slashes, so no glob matches all


@pytest.fixture(scope="module")
def film(product: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload the film; return its watch page's address."""
    return upload_evening(product, tmp_path_factory.mktemp("loading"))


def test_a_film_plays_without_its_thumbnails_and_gets_them_later(
    film: str, viewer: SomeViewer, browser: Browser
) -> None:
    with opened(browser, "about:blank", viewer=viewer) as (page, _):
        page.route(THUMBNAILS, lambda route: route.abort("internetdisconnected"))
        page.goto(film)
        until(page, "(window.notflix?.stats().errors ?? []).length > 0")
        playing(page)
        assert page.locator("[data-hook=problem]").is_hidden()
        page.unroute(THUMBNAILS)
        until(page, "notflix.player.getImageTracks().length > 0")
        assert page.locator("[data-hook=problem]").is_hidden()


def test_a_film_does_not_wait_for_what_is_loaded_beside_it(film: str, viewer: SomeViewer, browser: Browser) -> None:
    with opened(browser, f"{film.partition('/watch')[0]}/404.html", viewer=viewer) as (page, wrong):
        held: list[Any] = []
        page.route(re.compile(r"\.vtt"), lambda route: held.append(route))
        page.goto(film)
        playing(page)
        until(page, "null", lambda _: bool(held))
        assert wrong == []


def test_an_unknown_film_and_a_lost_connection_say_what_to_do(film: str, viewer: SomeViewer, browser: Browser) -> None:
    with opened(browser, film.replace("id=", "id=no-such-"), viewer=viewer) as (page, _):
        page.get_by_text("This film is not available.").wait_for()
    with opened(browser, f"{film.partition('/watch')[0]}/404.html", viewer=viewer) as (page, _):
        page.route("**/playback", lambda route: route.abort())
        page.goto(film)
        page.get_by_text("There is no connection.").wait_for()
        assert page.get_by_role("button", name="Try again").is_visible()
        page.unroute("**/playback")
        playing(page)


def test_a_refused_key_is_renewed_in_mid_play(film: str, viewer: SomeViewer, browser: Browser) -> None:
    with opened(browser, f"{film.partition('/watch')[0]}/404.html", viewer=viewer) as (page, _):
        refused: list[str] = []

        def refuse_once(route: Any) -> None:
            if not refused:
                refused.append(route.request.url)
                route.fulfill(status=403, headers={"access-control-allow-origin": "*"}, body="")
            else:
                route.continue_()

        page.route(re.compile(r"/s00001\.m4s\?"), refuse_once)
        with page.expect_request("**/playback") as first:
            page.goto(f"{film}&from=0")  # other tests have changed the viewer's position
        assert first.value
        playing(page)
        until(page, f"({STATS}).ended")
        assert refused
        assert stats(page)["errors"] == []
