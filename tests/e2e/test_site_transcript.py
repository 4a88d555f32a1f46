"""The transcript of a film in Chromium: read, searched and used to seek, also before the film plays and offline."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.local.stores.packages import web_folder
from tests.support.accessibility import REFLOW, faults_beyond_axe, violations
from tests.support.media import Film, Sound, make_film
from tests.support.pages import DESKTOP, PHONE, opened, overflow, until
from tests.support.uploads import Storefront

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Locator, Page, Route

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

SECONDS = 60
TURNED = (844, 390)
TIME = "window.notflix?.stats().time ?? 0"
CURRENT = "document.querySelector('.transcript-entry[aria-current]')?.textContent ?? ''"
FOCUSED = "document.activeElement.textContent.trim()"
SCROLLED = "document.querySelector('.transcript-entries').scrollTop"
NEVER_STARTS = "HTMLMediaElement.prototype.play = () => Promise.reject(new DOMException('', 'NotAllowedError'));"
WITHOUT_MEDIA_SOURCE = "delete window.MediaSource; delete window.ManagedMediaSource; delete window.WebKitMediaSource;"
SAID = {
    "en": ("Where is the <i>café</i>?", "- By the harbour.\n- Thank you!", "I &lt;3 this harbour."),
    "de": ("Wo ist das <i>Café</i>?", "- Am Hafen.\n- Danke!", "Ich &lt;3 diesen Hafen."),
}
"""What is said in turn, in each language."""


def subtitles(language: str) -> str:
    """Return subtitles with a line for every second second; that of second 4 is shown in two cues."""
    said = SAID[language]
    cues = [f"00:00:{at:02d},000 --> 00:00:{at + 1:02d},000\n{at} {said[at // 2 % 3]}" for at in range(2, SECONDS, 2)]
    cues.insert(2, cues[1].replace("04,000 --> 00:00:05,000", "05,000 --> 00:00:05,800"))
    return "\n\n".join(f"{number}\n{cue}" for number, cue in enumerate(cues, 1))


@pytest.fixture(scope="module")
def title_id(product: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload a film of a minute with subtitles in two languages; return its title id."""
    folder = tmp_path_factory.mktemp("transcript")
    storefront = Storefront(product.endpoints)
    for language in SAID:
        file = folder / f"Harbour café.{language}.srt"
        file.write_text(subtitles(language), encoding="utf-8")
        storefront.send(file.name, file)
    made = make_film(Film("Harbour café.mp4", frames=24 * SECONDS, width=320, height=180, sounds=(Sound(),)), folder)
    sent = storefront.send(made.name, made)
    job = storefront.ended([sent], within_s=400)[sent.blob]
    storefront.close()
    assert job["status"] == "ready", job
    return sent.title_id


@pytest.fixture(scope="module")
def film(product: Product, title_id: str) -> str:
    """Return the address of the film's watch page."""
    return f"{product.endpoints['site']}/watch.html?id={title_id}&from=0"


@pytest.fixture
def axe(product: Product) -> Path:
    """Return the script of axe."""
    return web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"


def paused(page: Page, at: float = 0) -> None:
    """Wait until the film plays, and pause it at a time."""
    until(page, TIME, lambda time_s: time_s > 0)
    page.evaluate("notflix.video.pause()")
    page.evaluate(f"notflix.video.currentTime = {at}")


def panel(page: Page, name: str = "Transcript") -> Locator:
    """Return the panel of the transcript by its heading."""
    return page.get_by_role("region", name=name)


def open_transcript(page: Page, name: str = "Transcript") -> Locator:
    """Open the transcript with its button, and return it once its lines are there."""
    page.mouse.move(100, 100)
    page.locator(".controls").get_by_role("button", name=name).click()
    panel(page, name).get_by_role("listitem").first.wait_for()
    return panel(page, name)


def lines(transcript: Locator) -> list[str]:
    """Return the lines that are shown, with their times."""
    return [" ".join(line.split()) for line in transcript.get_by_role("listitem").all_inner_texts()]


def inside(page: Page, control: Locator, size: tuple[int, int]) -> bool:
    """Return whether a control is in the window, and nothing lies over it."""
    box = control.bounding_box()
    assert box is not None
    fits = (
        box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["width"] <= size[0] and box["y"] + box["height"] <= size[1]
    )
    on_top = control.evaluate(
        "(node) => { const { x, y, width, height } = node.getBoundingClientRect();"
        " return node.contains(document.elementFromPoint(x + width / 2, y + height / 2)); }"
    )
    return fits and bool(on_top)


@pytest.mark.parametrize("size", [DESKTOP, PHONE, TURNED], ids=["desktop", "phone", "turned"])
def test_the_transcript_is_accessible_and_leaves_the_controls_alone(
    film: str, viewer: SomeViewer, browser: Browser, axe: Path, size: tuple[int, int]
) -> None:
    with opened(browser, film, size, viewer=viewer) as (page, wrong):
        paused(page, 4.5)
        transcript = open_transcript(page)
        assert violations(page, axe, targets=True) == [] and overflow(page) <= 0
        controls = page.locator(".controls .icon-btn:visible, .player-top a:visible").all()
        assert len(controls) >= 8
        assert all(inside(page, control, size) for control in controls)
        shown = [transcript.get_by_role(role) for role in ("searchbox", "combobox")]
        assert all(inside(page, control, size) for control in shown)
        page.get_by_role("button", name="Subtitles and audio").click()
        assert inside(page, page.get_by_role("group", name="Subtitles").get_by_role("button", name="German"), size)
        page.keyboard.press("Escape")
        transcript.get_by_role("searchbox").fill("harbour")
        transcript.get_by_text("lines found").wait_for()
        assert violations(page, axe, targets=True) == []
        assert faults_beyond_axe(page) == []
        assert wrong == []


def test_in_a_tiny_window_the_transcript_covers_the_film_and_nothing_covered_gets_the_focus(
    film: str, viewer: SomeViewer, browser: Browser, axe: Path
) -> None:
    with opened(browser, film, REFLOW, viewer=viewer) as (page, wrong):
        paused(page)
        page.keyboard.press("t")
        panel(page).get_by_role("listitem").first.wait_for()
        assert violations(page, axe, targets=True) == [] and faults_beyond_axe(page) == []
        page.keyboard.press("Escape")
        assert inside(page, page.locator("[data-act=transcript]"), REFLOW)
        assert page.evaluate("document.activeElement.dataset.act") == "transcript" and wrong == []


def test_all_that_is_said_is_listed_as_text_in_the_language_of_the_page_or_of_the_subtitles(
    film: str, viewer: SomeViewer, browser: Browser
) -> None:
    with opened(browser, film, viewer=viewer) as (page, wrong):
        paused(page, 4.5)
        transcript = open_transcript(page)
        listed = lines(transcript)
        assert len(listed) == len(range(2, SECONDS, 2))  # the cue of second 5 is that of second 4
        assert listed[:3] == [
            "0:02 2 - By the harbour. - Thank you!",
            "0:04 4 I <3 this harbour.",
            "0:06 6 Where is the café?",
        ]
        assert transcript.get_by_role("list").get_attribute("lang") == "en"
        until(page, CURRENT, lambda text: text.startswith("0:04"))
        page.get_by_role("button", name="Subtitles and audio").click()
        page.get_by_role("group", name="Subtitles").get_by_role("button", name="German").click()
        transcript.get_by_text("6 Wo ist das Café?", exact=True).wait_for()
        assert transcript.get_by_role("list").get_attribute("lang") == "de"
        page.keyboard.press("c")  # without subtitles, the transcript keeps its language
        until(page, "!notflix.player.getTextTracks().some(({ active }) => active)")
        assert transcript.get_by_role("list").get_attribute("lang") == "de"
        transcript.get_by_role("combobox").select_option(label="English")
        transcript.get_by_text("6 Where is the café?", exact=True).wait_for()
        until(page, CURRENT, lambda text: text.startswith("0:04"))
        with page.expect_download() as saving:
            transcript.get_by_role("button", name="Save as text").click()
        assert saving.value.suggested_filename == "Harbour café (English).txt"
        saved = Path(saving.value.path()).read_text(encoding="utf-8")
        assert saved.startswith(
            "Harbour café\nTranscript: English\n\n0:02  2 - By the harbour. - Thank you!\n0:04  4 I <3"
        )
        assert wrong == []


def test_the_german_page_begins_with_german(film: str, viewer: SomeViewer, browser: Browser) -> None:
    with opened(browser, film.replace("/watch", "/de/watch"), viewer=viewer, locale="de-DE") as (page, wrong):
        paused(page)
        transcript = open_transcript(page, "Transkript")
        transcript.get_by_role("searchbox", name="Im Transkript suchen").fill("danke")
        transcript.get_by_text("10 Stellen gefunden").wait_for()
        assert lines(transcript)[0] == "0:02 2 - Am Hafen. - Danke!"
        assert wrong == []


def test_the_transcript_is_searched_and_used_to_seek_with_the_keyboard_alone(
    film: str, viewer: SomeViewer, browser: Browser, keyboard_walk: Callable[[str], None]
) -> None:
    with opened(browser, film, viewer=viewer) as (page, wrong):
        paused(page)
        page.keyboard.press("t")
        transcript = panel(page)
        transcript.get_by_role("listitem").first.wait_for()
        assert page.evaluate(FOCUSED) == "Transcript"
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.type("CAFE where")
        transcript.get_by_text("9 lines found").wait_for()
        assert transcript.locator("mark").all_inner_texts()[:2] == ["Where", "café"]
        for key in ("ArrowDown", "ArrowDown", "ArrowUp", "End", "Home", "ArrowDown"):
            page.keyboard.press(key)
        assert page.evaluate(FOCUSED) == "0:12 12 Where is the café?"
        assert page.evaluate("notflix.video.volume") == 1
        page.keyboard.press("Enter")
        until(page, TIME, lambda time_s: time_s == 12)
        until(page, CURRENT, lambda text: text.startswith("0:12"))
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Escape")  # the first clears the search, the second closes the panel
        assert len(lines(transcript)) == len(range(2, SECONDS, 2)) and transcript.locator("mark").count() == 0
        page.keyboard.press("Escape")
        transcript.wait_for(state="hidden")
        assert page.evaluate("document.activeElement.dataset.act") == "transcript"
        assert wrong == []
    keyboard_walk("transcript")


def in_view(line: Locator) -> bool:
    """Return whether all of a line is in view."""
    return bool(
        line.evaluate(
            "(node) => { const [line, list] = [node, node.closest('ol')].map((one) => one.getBoundingClientRect());"
            " return line.top >= list.top && line.bottom <= list.bottom; }"
        )
    )


def test_the_current_line_stays_in_view_until_the_viewer_scrolls(
    film: str, viewer: SomeViewer, browser: Browser
) -> None:
    with opened(browser, film, viewer=viewer) as (page, wrong):
        paused(page, 2)
        transcript = open_transcript(page)
        back = transcript.get_by_role("button", name="Go to current line")
        current = transcript.locator("[aria-current]")
        page.evaluate("notflix.video.currentTime = 50.5")
        until(page, CURRENT, lambda text: text.startswith("0:50"))
        assert in_view(current) and back.is_hidden()
        transcript.get_by_role("list").hover()
        page.mouse.wheel(0, -5000)
        back.wait_for()
        assert not in_view(current)
        page.evaluate("notflix.video.currentTime = 52.5")
        until(page, CURRENT, lambda text: text.startswith("0:52"))
        assert page.evaluate(SCROLLED) == 0
        back.click()
        back.wait_for(state="hidden")
        assert in_view(current)
        page.emulate_media(reduced_motion="reduce")
        before = page.evaluate(SCROLLED)
        page.evaluate("notflix.video.currentTime = 2.5")
        until(page, CURRENT, lambda text: text.startswith("0:02"))
        assert page.evaluate(SCROLLED) == before and not in_view(current)
        back.click()
        assert in_view(current)
        assert wrong == []


def test_a_transcript_that_does_not_load_says_why_and_can_be_loaded_again(
    film: str, viewer: SomeViewer, browser: Browser
) -> None:
    with opened(browser, film, viewer=viewer) as (page, _):
        paused(page)
        texts = re.compile(r"/t\d+\.vtt")
        page.route(texts, lambda route: route.abort("internetdisconnected"))
        page.keyboard.press("t")
        transcript = panel(page)
        transcript.get_by_text("The transcript did not load. There is no connection to Notflix.").wait_for()
        page.unroute(texts)
        transcript.get_by_role("button", name="Try again").click()
        transcript.get_by_role("listitem").first.wait_for()
        assert transcript.get_by_role("button", name="Try again").is_hidden()
        assert page.evaluate(FOCUSED) == "Transcript"


def test_a_film_that_does_not_play_can_be_read(film: str, viewer: SomeViewer, browser: Browser) -> None:
    with opened(browser, film, viewer=viewer, first=NEVER_STARTS) as (page, wrong):
        page.get_by_role("button", name="Play").first.wait_for()
        transcript = open_transcript(page)
        transcript.get_by_role("button", name="0:58").click()
        until(page, TIME, lambda time_s: time_s == 58)
        assert page.evaluate("notflix.video.paused") and wrong == []


def test_a_browser_that_plays_by_itself_has_the_transcript(film: str, viewer: SomeViewer, browser: Browser) -> None:
    """Chromium is used in place of Safari; it need not play the film for its transcript."""
    with opened(browser, film, viewer=viewer, first=WITHOUT_MEDIA_SOURCE) as (page, _):
        page.locator("[data-act=transcript]:not([hidden])").wait_for(state="attached")
        page.keyboard.press("t")
        panel(page).get_by_role("listitem").first.wait_for()
        assert len(lines(panel(page))) == len(range(2, SECONDS, 2))


def test_subtitles_that_arrive_while_the_film_plays_are_offered(
    film: str, viewer: SomeViewer, browser: Browser, product: Product
) -> None:
    """A film has no subtitles until its encode ends; here, the first session is as it was before."""
    early: list[dict[str, Any]] = []

    def opened_early(route: Route) -> None:
        if route.request.method != "POST" or early:
            route.continue_()
            return
        answer = route.fetch()
        early.append({**answer.json(), "status": "encoding", "subtitles": [], "percent": 90, "front_s": SECONDS})
        route.fulfill(response=answer, json=early[0])

    with opened(browser, f"{product.endpoints['site']}/404.html", viewer=viewer) as (page, wrong):
        page.route(re.compile(r"/playback$"), opened_early)
        page.goto(film)
        offered = page.locator("[data-act=transcript]")
        until(page, TIME, lambda time_s: time_s > 0)
        page.evaluate("notflix.video.pause()")
        offered.wait_for()
        assert early
        page.keyboard.press("t")
        panel(page).get_by_role("listitem").first.wait_for()
        assert wrong == []


def test_a_film_without_subtitles_has_no_transcript(
    product: Product, viewer: SomeViewer, browser: Browser, tmp_path: Path
) -> None:
    storefront = Storefront(product.endpoints)
    sent = storefront.send("Silence.mp4", make_film(Film("Silence.mp4", frames=240), tmp_path))
    assert storefront.ended([sent], within_s=300)[sent.blob]["status"] == "ready"
    storefront.close()
    with opened(browser, f"{product.endpoints['site']}/watch.html?id={sent.title_id}", viewer=viewer) as (page, wrong):
        until(page, TIME, lambda time_s: time_s > 0)
        page.keyboard.press("t")
        assert page.locator("[data-act=transcript]").is_hidden() and panel(page).is_hidden()
        assert wrong == []


def test_a_downloaded_film_has_its_transcript_without_a_connection(
    product: Product, title_id: str, viewer: SomeViewer, browser: Browser
) -> None:
    with opened(browser, f"{product.endpoints['site']}/title/{title_id}", viewer=viewer, service_worker=True) as (
        page,
        _,
    ):
        page.get_by_role("button", name="Download", exact=True).click()
        page.get_by_role("link", name="Downloaded").wait_for()
        page.context.set_offline(True)
        page.goto(f"{product.endpoints['site']}/watch.html?id={title_id}&offline")
        paused(page)
        transcript = open_transcript(page)
        assert lines(transcript)[2] == "0:06 6 Where is the café?"
