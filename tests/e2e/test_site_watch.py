"""The watch page: a film plays from the first frame to the last, with DASH and with HLS, and its controls work."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.evening import FRAMES, playing, upload_evening
from tests.support.pages import PHONE, SIZES, opened, overflow, played_to_the_end, until
from tests.support.viewers import soon
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer


@pytest.fixture(scope="module")
def film(product: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload the film; return its watch page's address."""
    return upload_evening(product, tmp_path_factory.mktemp("watch"))


def test_every_frame_is_decoded_once_and_the_film_plays_to_its_end_with_dash_and_with_hls(
    film: str, viewer: SomeViewer, browser: Browser
) -> None:
    for said in played_to_the_end(browser, film, f"{film}&hls", within_s=PATIENCE_S, viewer=viewer):
        # a busy machine decodes all frames, but drops some before they are displayed
        assert (said["total"], said["errors"]) == (FRAMES, [])
        assert said["time"] == pytest.approx(FRAMES / 24, abs=0.1)
        assert said["duration"] == pytest.approx(FRAMES / 24, abs=0.1)


@SIZES
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
        page.get_by_role("group", name="Subtitles").get_by_role("button", name="English").click()
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


def tap_twice(page: Page, x: float, y: float) -> None:
    """Tap twice, with 100 ms between the taps by the events' own clock, however long they take to arrive."""
    devtools = page.context.new_cdp_session(page)
    began = time.time()
    for after_s in (0, 0.1):
        for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])):
            event = {"type": kind, "touchPoints": points, "timestamp": began + after_s}
            devtools.send("Input.dispatchTouchEvent", event)
    devtools.detach()


def test_a_double_tap_at_a_side_skips_ten_seconds(film: str, viewer: SomeViewer, browser: Browser) -> None:
    with opened(browser, f"{film}&from=0", PHONE, viewer=viewer) as (page, _):
        playing(page)
        page.evaluate("notflix.video.pause()")
        before = page.evaluate("notflix.video.currentTime")
        width, height = PHONE
        tap_twice(page, width * 0.9, height / 2)
        until(page, "notflix.video.currentTime", lambda time: abs(time - before - 10) < 0.5)
        page.wait_for_timeout(400)  # longer than the maximum time between the taps of one gesture
        tap_twice(page, width * 0.1, height / 2)
        until(page, "notflix.video.currentTime", lambda time: abs(time - before) < 0.5)
        assert page.evaluate("document.fullscreenElement") is None


def test_a_quality_can_be_held_and_let_go(film: str, viewer: SomeViewer, browser: Browser) -> None:
    with opened(browser, film, viewer=viewer) as (page, _):
        playing(page)
        page.get_by_role("button", name="Quality and speed").click()
        page.get_by_role("button", name="234p", exact=True).click()
        until(page, "notflix.video.videoHeight", lambda height: height == 234)
        page.get_by_role("button", name="Quality and speed").click()
        page.get_by_role("button", name="Auto").click()
        assert page.evaluate("notflix.player.getConfiguration().abr.enabled")


def test_seek_during_a_change_of_quality_is_played(film: str, viewer: SomeViewer, browser: Browser) -> None:
    """Shaka may repeat an aborted request for an initialization segment for ever (shaka-player#10569)."""
    held: list[Any] = []
    with opened(browser, f"{film.partition('/watch')[0]}/404.html", viewer=viewer) as (page, wrong):
        page.route(re.compile(r"/v234/init\.mp4"), lambda route: route.continue_() if held else held.append(route))
        page.goto(film)
        playing(page)
        page.keyboard.press("k")
        page.get_by_role("button", name="Quality and speed").click()
        page.get_by_role("button", name="234p", exact=True).click()
        until(page, "null", lambda _: bool(held))
        page.keyboard.press("7")
        page.keyboard.press("k")
        until(page, "notflix.video.currentTime", lambda time: time > 15)
        assert wrong == []


def test_sound_quality_and_speed_are_remembered(film: str, viewer: SomeViewer, browser: Browser) -> None:
    german = "notflix.player.getAudioTracks().find((track) => track.active)?.language"
    with opened(browser, film, viewer=viewer) as (page, wrong):
        playing(page)
        for menu, choice in (
            ("Subtitles and audio", "German"),
            ("Quality and speed", "234p"),
            ("Quality and speed", "1.25×"),
        ):
            page.get_by_role("button", name=menu).click()
            group = "Audio" if choice == "German" else ""
            panel = page.get_by_role("group", name=group) if group else page  # "German" is also a subtitle language
            panel.get_by_role("button", name=choice, exact=True).click()
        until(page, german, lambda language: language == "de")
        page.reload()
        playing(page)
        until(page, german, lambda language: language == "de")
        until(page, "notflix.video.videoHeight", lambda height: height == 234)
        assert not page.evaluate("notflix.player.getConfiguration().abr.enabled")
        until(page, "notflix.video.playbackRate", lambda rate: rate == 1.25)
        assert wrong == []


CUE = "document.querySelector('.shaka-text-container span:not(:has(span))')"


@SIZES
def test_subtitles_look_as_the_viewer_chose(
    film: str, viewer: SomeViewer, browser: Browser, product: Product, size: tuple[int, int]
) -> None:
    axe: Path = web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"
    with opened(browser, f"{film}&from=1", size, viewer=viewer) as (page, wrong):
        playing(page)
        page.keyboard.press("k")
        page.keyboard.press("c")
        page.get_by_text("Good evening.").first.wait_for()
        height = page.evaluate(f"{CUE}.getBoundingClientRect().height")
        page.get_by_role("button", name="Subtitles and audio").click()
        page.get_by_role("button", name="Appearance…").click()
        dialog = page.get_by_role("dialog", name="Subtitles")
        for choice in ("Very large", "Yellow", "None", "Top"):
            dialog.get_by_role("radio", name=choice, exact=True).check(force=True)
        assert violations(page, axe) == []
        assert overflow(page) <= 0
        page.reload()
        playing(page)
        page.get_by_text("Good evening.").first.wait_for()
        assert page.evaluate(f"{CUE}.getBoundingClientRect().height") > 1.5 * height
        assert page.evaluate(f"{CUE}.getBoundingClientRect().bottom") < size[1] / 2
        style = page.evaluate(f"(({{ color, backgroundColor }}) => [color, backgroundColor])(getComputedStyle({CUE}))")
        assert style == ["rgb(255, 228, 92)", "rgba(0, 0, 0, 0)"]
        page.keyboard.press("k")
        page.get_by_role("button", name="Subtitles and audio").click()
        page.get_by_role("button", name="Appearance…").click()
        page.get_by_role("button", name="Reset").click()
        until(page, f"{CUE}.getBoundingClientRect().top", lambda top: top > size[1] / 2)
        assert wrong == []


def test_subtitles_are_hidden_while_one_scrubs(film: str, viewer: SomeViewer, browser: Browser) -> None:
    shown = f"getComputedStyle({CUE}).visibility"
    with opened(browser, f"{film}&from=1", viewer=viewer) as (page, _):
        playing(page)
        page.keyboard.press("k")
        page.keyboard.press("c")
        page.get_by_text("Good evening.").first.wait_for()
        assert page.evaluate(shown) == "visible"
        bar = page.locator("[data-hook=track]").bounding_box()
        assert bar is not None
        middle = bar["y"] + bar["height"] / 2
        page.mouse.move(bar["x"] + bar["width"] * 0.2, middle)
        page.mouse.down()
        page.mouse.move(bar["x"] + bar["width"] * 0.4, middle)
        until(page, shown, lambda visibility: visibility == "hidden")
        page.mouse.up()
        page.mouse.move(700, 300)
        until(page, f"{CUE} && {shown}", lambda visibility: visibility == "visible")


def test_a_drag_over_the_film_seeks(film: str, viewer: SomeViewer, browser: Browser) -> None:
    width, height = PHONE
    scrubs = "document.querySelector('[data-player]').classList.contains('is-scrubbing')"
    with opened(browser, f"{film}&from=4", PHONE, viewer=viewer) as (page, wrong):
        playing(page)
        page.evaluate("notflix.video.pause()")
        before = page.evaluate("notflix.video.currentTime")
        touch = page.context.new_cdp_session(page)

        def send(kind: str, *points: tuple[float, float]) -> None:
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

        send("touchStart", (width * 0.3, height / 2))
        for step in range(1, 11):
            send("touchMove", (width * (0.3 + 0.04 * step), height / 2))
        until(page, scrubs)
        page.locator(".preview-time").wait_for()
        assert page.evaluate("notflix.video.currentTime") == before
        send("touchEnd")
        until(page, "notflix.video.currentTime", lambda time: abs(time - before - 0.4 * FRAMES / 24) < 0.6)
        until(page, f"!{scrubs}")
        assert page.evaluate("notflix.video.paused")
        assert wrong == []


RECORD_HANDLERS = """
window.handlers = {};
const set = navigator.mediaSession.setActionHandler.bind(navigator.mediaSession);
navigator.mediaSession.setActionHandler = (action, handler) => {
  set(action, handler);
  window.handlers[action] = handler;
};
"""
METADATA = """(({ metadata }) => metadata && [metadata.title, metadata.artwork.map(({ src }) => src)])(
  navigator.mediaSession
)"""


def test_the_system_controls_the_film_and_shows_its_picture(film: str, viewer: SomeViewer, browser: Browser) -> None:
    published = film.replace("/watch.html?id=", "/catalogue/titles/") + ".json"
    soon(lambda: requests.get(published, timeout=30).json()["artwork"]["card"])
    missing = f"{film.partition('/watch')[0]}/404.html"
    with opened(browser, missing, viewer=viewer, first=RECORD_HANDLERS) as (page, wrong):
        page.goto(film)
        playing(page)
        shown = until(page, METADATA)
        assert shown[0]
        assert all(page.request.get(address).ok for address in shown[1])
        assert any("/art/" in address for address in shown[1])
        page.evaluate("handlers.pause()")
        until(page, "notflix.video.paused && navigator.mediaSession.playbackState === 'paused'")
        page.evaluate("handlers.seekto({ action: 'seekto', seekTime: 12 })")
        until(page, "notflix.video.currentTime", lambda time: time == 12)
        page.evaluate("handlers.seekbackward({ action: 'seekbackward' })")
        until(page, "notflix.video.currentTime", lambda time: time == 2)
        page.evaluate("handlers.previoustrack()")
        until(page, "notflix.video.currentTime", lambda time: time == 0)
        assert page.evaluate("'nexttrack' in handlers") is False
        assert wrong == []


def test_airplay_is_offered_while_there_is_a_device(film: str, viewer: SomeViewer, browser: Browser) -> None:
    tell = "notflix.video.dispatchEvent(Object.assign(new Event('{}'), {{ availability: '{}' }}))"
    event = "webkitplaybacktargetavailabilitychanged"
    with opened(browser, film, viewer=viewer) as (page, _):
        playing(page)
        page.keyboard.press("k")
        button = page.get_by_role("button", name="AirPlay")
        assert button.is_hidden()
        page.evaluate(tell.format(event, "available"))
        page.evaluate("notflix.video.webkitShowPlaybackTargetPicker = () => { document.title = 'picker'; }")
        button.click()
        until(page, "document.title", lambda title: title == "picker")
        page.evaluate(tell.format(event, "not-available"))
        button.wait_for(state="hidden")


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
        until(page, resting)
        page.mouse.move(610, 310)
        until(page, resting, lambda rests: not rests)
