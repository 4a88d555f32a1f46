"""The watch page: a film plays from the first frame to the last, with DASH and with HLS, and its controls work."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from infra.local.stores.packages import web_folder
from tests.support.media import Film, Sound, make_film
from tests.support.pages import DESKTOP, PHONE, opened, played_to_the_end, until, violations
from tests.support.uploads import Storefront

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.e2e.conftest import Product
    from tests.support.viewers import SomeViewer

FRAMES = 480
STATS = "window.notflix?.stats()"
SUBTITLES = "1\n00:00:00,500 --> 00:00:18,000\nGood evening.\n"


@pytest.fixture(scope="module")
def film(product: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload a film of twenty seconds with subtitles in two languages; return the address of its watch page."""
    folder = tmp_path_factory.mktemp("watch")
    storefront = Storefront(product.endpoints)
    for language, text in (("en", SUBTITLES), ("de", SUBTITLES.replace("Good evening.", "Guten Abend."))):
        subtitles = folder / f"evening.{language}.srt"
        subtitles.write_text(text)
        storefront.send(subtitles.name, subtitles)
    made = make_film(
        Film(name="evening.mp4", rate=Fraction(24), frames=FRAMES, width=640, height=360, sounds=(Sound(),)), folder
    )
    sent = storefront.send("evening.mp4", made)
    job = storefront.ended([sent], within_s=180)[sent.blob]
    storefront.close()
    assert job["status"] == "ready", job
    return f"{product.endpoints['site']}/watch.html?id={sent.title_id}"


def stats(page: Page) -> dict[str, Any]:
    """Return the player's own statistics."""
    said: dict[str, Any] = page.evaluate(STATS)
    return said


def playing(page: Page) -> None:
    """Wait until the film plays."""
    until(page, f"({STATS})?.time ?? 0", lambda time: time > 0.5)


@pytest.mark.parametrize("form", ["", "&hls"], ids=["dash", "hls"])
def test_every_frame_is_decoded_once_and_the_film_plays_to_its_end(
    film: str, viewer: SomeViewer, browser: Browser, form: str
) -> None:
    said = played_to_the_end(browser, film + form, within_s=60, viewer=viewer)
    # a busy machine decodes all frames, but drops some before they are displayed
    assert (said["total"], said["errors"]) == (FRAMES, [])
    assert said["time"] == pytest.approx(FRAMES / 24, abs=0.1)
    assert said["duration"] == pytest.approx(FRAMES / 24, abs=0.1)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_player_is_accessible_and_fits(
    film: str, viewer: SomeViewer, browser: Browser, product: Product, size: tuple[int, int]
) -> None:
    axe: Path = web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"
    with opened(browser, film, size, viewer=viewer) as (page, wrong):
        playing(page)
        page.keyboard.press("k")
        assert violations(page, axe) == []
        for control in page.locator(".controls .icon-btn:visible").all():
            box = control.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= size[0]
        assert wrong == []


def test_keys_play_seek_and_mute(film: str, viewer: SomeViewer, browser: Browser) -> None:
    with opened(browser, film, viewer=viewer) as (page, _):
        playing(page)
        page.keyboard.press("k")
        until(page, "notflix.video.paused")
        page.keyboard.press("5")
        until(page, "notflix.video.currentTime", lambda time: abs(time - 10) < 0.3)
        page.keyboard.press("ArrowLeft")
        until(page, "notflix.video.currentTime", lambda time: time < 0.3)
        page.keyboard.press("m")
        until(page, "notflix.video.muted")
        page.keyboard.press("?")
        page.get_by_role("heading", name="Keyboard shortcuts").wait_for()
        page.keyboard.press("Escape")
        page.keyboard.press("k")
        until(page, "!notflix.video.paused && !notflix.video.seeking")


def test_subtitles_come_on_and_are_remembered(film: str, viewer: SomeViewer, browser: Browser) -> None:
    with opened(browser, film, viewer=viewer) as (page, wrong):
        playing(page)
        page.mouse.move(700, 400)
        page.get_by_role("button", name="Subtitles and audio").click()
        page.get_by_role("button", name="English").click()
        page.get_by_text("Good evening.").first.wait_for()
        page.reload()
        page.get_by_text("Good evening.").first.wait_for()
        assert wrong == []


def test_subtitles_come_on_in_the_language_of_the_browser(film: str, viewer: SomeViewer, browser: Browser) -> None:
    with opened(browser, film, viewer=viewer) as (page, _):
        playing(page)
        page.keyboard.press("c")
        page.get_by_text("Good evening.").first.wait_for()
        assert page.get_by_text("Guten Abend.").count() == 0


def test_a_double_tap_at_a_side_skips_ten_seconds(film: str, viewer: SomeViewer, browser: Browser) -> None:
    with opened(browser, f"{film}&from=0", PHONE, viewer=viewer) as (page, _):
        playing(page)
        page.evaluate("notflix.video.pause()")
        before = page.evaluate("notflix.video.currentTime")
        width, height = PHONE
        for _ in range(2):
            page.touchscreen.tap(width * 0.9, height / 2)
        until(page, "notflix.video.currentTime", lambda time: abs(time - before - 10) < 0.5)
        page.wait_for_timeout(400)  # longer than the maximum time between the taps of one gesture
        for _ in range(2):
            page.touchscreen.tap(width * 0.1, height / 2)
        until(page, "notflix.video.currentTime", lambda time: abs(time - before) < 0.5)
        assert page.evaluate("document.fullscreenElement") is None


def test_a_quality_can_be_held_and_let_go(film: str, viewer: SomeViewer, browser: Browser) -> None:
    with opened(browser, film, viewer=viewer) as (page, _):
        playing(page)
        page.get_by_role("button", name="Quality and speed").click()
        page.get_by_role("button", name="234p").click()
        until(page, "notflix.video.videoHeight", lambda height: height == 234)
        page.get_by_role("button", name="Quality and speed").click()
        page.get_by_role("button", name="Auto").click()
        assert page.evaluate("notflix.player.getConfiguration().abr.enabled")


def test_a_preview_shows_what_lies_under_the_pointer(film: str, viewer: SomeViewer, browser: Browser) -> None:
    with opened(browser, film, viewer=viewer) as (page, _):
        playing(page)
        bar = page.locator("[data-hook=track]").bounding_box()
        assert bar is not None
        page.mouse.move(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)
        page.locator(".preview-time", has_text="0:10").wait_for()
        style = "getComputedStyle(document.querySelector('.preview-picture')).backgroundImage"
        assert "/thumbnails" in until(page, style, lambda image: image != "none")


def test_controls_leave_after_rest_and_come_back(film: str, viewer: SomeViewer, browser: Browser) -> None:
    with opened(browser, film, viewer=viewer) as (page, _):
        playing(page)
        page.mouse.move(600, 300)
        resting = "document.querySelector('[data-player]').classList.contains('is-resting')"
        until(page, resting, within_s=6)
        page.mouse.move(610, 310)
        until(page, resting, lambda rests: not rests)


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
            page.goto(film)
        assert first.value
        playing(page)
        until(page, f"({STATS}).ended", within_s=60)
        assert refused
        assert stats(page)["errors"] == []
