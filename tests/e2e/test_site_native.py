"""A browser without Media Source Extensions plays HLS natively, from addresses that contain a ticket."""

from __future__ import annotations

import re
import subprocess
from fractions import Fraction
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.support.cases import extended
from tests.support.media import Film, Sound, make_film
from tests.support.pages import SMALL, opened, until
from tests.support.uploads import Storefront

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Route

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

TIME = "window.notflix?.video.currentTime ?? 0"
WITHOUT_MEDIA_SOURCE = "delete window.MediaSource; delete window.ManagedMediaSource; delete window.WebKitMediaSource;"
SECONDS = 16


@pytest.fixture(scope="module")
def title_id(product: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload a film of sixteen seconds; return its title id."""
    storefront = Storefront(product.endpoints)
    film = Film(name="night.mp4", rate=Fraction(24), frames=24 * SECONDS, width=640, height=360, sounds=(Sound(),))
    sent = storefront.send("night.mp4", make_film(film, tmp_path_factory.mktemp("native")))
    job = storefront.ended([sent], within_s=400)[sent.blob]
    storefront.close()
    assert job["status"] == "ready", job
    return sent.title_id


def test_a_browser_that_plays_by_itself_is_given_playlists_and_pieces(
    product: Product, browser: Browser, viewer: SomeViewer, title_id: str
) -> None:
    """Chromium, used in place of Safari, can fetch the files to which a ticket gives access.

    The site's content security policy allows these requests. Chromium's native HLS player then fails to play the film;
    other native players decode the film completely (tests/integration/playback).
    """
    address = f"{product.endpoints['site']}/watch.html?id={title_id}"
    with opened(browser, "about:blank", viewer=viewer, first=WITHOUT_MEDIA_SOURCE) as (page, wrong):
        got: dict[str, int] = {}
        page.on("response", lambda answer: got.update({urlsplit(answer.url).path.rpartition("/")[2]: answer.status}))
        page.goto(address)
        if not page.evaluate("document.createElement('video').canPlayType('application/vnd.apple.mpegurl')"):
            pytest.skip("this Chromium does not play HLS by itself")
        wanted = ("master.m3u8", "init.mp4", "s00000.m4s")
        until(page, "0", lambda _: all(name in got for name in wanted))
        assert {got[name] for name in wanted} <= {200, 206}
        assert not [line for line in wrong if "Content Security Policy" in line]


@pytest.fixture(scope="module")
def playlist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a playlist of two minutes with segments in MPEG-2 TS, the form of HLS that Chromium plays natively."""
    folder = tmp_path_factory.mktemp("playlist")
    film = make_film(Film(frames=24 * 120), folder)
    made = folder / "master.m3u8"
    cut = ("-c", "copy", "-f", "hls", "-hls_time", "4", "-hls_playlist_type", "vod", str(made))
    subprocess.run(["ffmpeg", "-loglevel", "error", "-i", str(film), *cut], check=True)
    return made


def serve(page: Page, playlist: Path) -> list[bool]:
    """Serve this playlist at the ticket's address. While the returned list is not empty, all requests fail."""
    away: list[bool] = []

    def answer(route: Route) -> None:
        file = playlist.parent / urlsplit(route.request.url).path.rpartition("/")[2]
        if away:
            route.abort("internetdisconnected")
        else:
            route.fulfill(path=file, headers={"access-control-allow-origin": "*"})

    page.route(re.compile(r"\.m3u8"), answer)
    page.route("**/*.ts", answer)
    return away


@pytest.mark.parametrize("drop_s", [5, extended(45)])
def test_a_browser_that_plays_by_itself_resumes_after_a_drop(
    product: Product, browser: Browser, viewer: SomeViewer, title_id: str, playlist: Path, drop_s: int
) -> None:
    address = f"{product.endpoints['site']}/watch.html?id={title_id}&from=0"
    with opened(browser, "about:blank", SMALL, viewer=viewer, first=WITHOUT_MEDIA_SOURCE) as (page, _):
        away = serve(page, playlist)
        page.goto(address)
        until(page, TIME, lambda time: time > 2)
        away.append(True)
        page.context.set_offline(True)
        page.wait_for_timeout(drop_s * 1000)
        stopped = page.evaluate(TIME)
        away.clear()
        page.context.set_offline(False)
        until(page, TIME, lambda time: time > max(stopped, 2) + 3)
        assert page.locator("[data-hook=problem]").is_hidden()
        assert page.locator("[data-hook=notice]").is_hidden()
