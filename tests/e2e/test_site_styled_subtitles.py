"""Subtitles in ASS are shown in Chromium at their place, in their colour and in italics, unless the viewer chose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.media import Film, make_film
from tests.support.pages import SIZES, opened, overflow, until
from tests.support.uploads import Storefront

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

SUBTITLES = """[Script Info]
ScriptType: v4.00+
PlayResX: 640
PlayResY: 360

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Bold, Italic, Underline, Alignment, Encoding
Style: Default,Arial,20,&H00FFFFFF,0,0,0,2,1
Style: Sign,Arial,20,&H0000FFFF,0,-1,0,8,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:00.00,0:00:20.00,Sign,,0,0,0,,To the <harbour> & {\\b1}back
Dialogue: 0,0:00:00.00,0:00:20.00,Default,,0,0,0,,{\\pos(160,144)}Left
Dialogue: 0,0:00:00.00,0:00:20.00,Default,,0,0,0,,Good evening.
Dialogue: 0,0:00:00.00,0:00:20.00,Default,,0,0,0,,{\\p1}m 0 0 l 100 0 100 100{\\p0}
"""
SHOWN = """text => {
  const texts = [...document.querySelectorAll(".shaka-text-container span:not(:has(span))")];
  const found = texts.find((each) => each.textContent.includes(text));
  if (!found) return null;
  const { color, fontStyle, fontWeight } = getComputedStyle(found);
  const { x, y, width, height } = found.getBoundingClientRect();
  const [middle, center] = [(y + height / 2) / innerHeight, (x + width / 2) / innerWidth];
  return { color, fontStyle, fontWeight, middle, center };
}"""
WHITE, YELLOW = "rgb(255, 255, 255)", "rgb(255, 255, 0)"


@pytest.fixture(scope="module")
def film(product: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload a film with subtitles in ASS beside it; return the address of its watch page."""
    folder = tmp_path_factory.mktemp("styled")
    storefront = Storefront(product.endpoints)
    subtitles = folder / "quay.en.ass"
    subtitles.write_text(SUBTITLES)
    storefront.send(subtitles.name, subtitles)
    sent = storefront.send("quay.mp4", make_film(Film(name="quay.mp4", frames=24 * 20, sounds=()), folder))
    job = storefront.ended([sent], within_s=400)[sent.blob]
    storefront.close()
    assert job["status"] == "ready", job
    return f"{product.endpoints['site']}/watch.html?id={sent.title_id}&from=1"


def paused_with_subtitles(page: Page) -> None:
    until(page, "window.notflix?.stats().time ?? 0", lambda time_s: time_s > 1)
    page.keyboard.press("k")
    page.keyboard.press("c")
    page.get_by_text("Good evening.").first.wait_for()


@SIZES
def test_styled_subtitles_are_shown_as_their_author_placed_them(
    product: Product, film: str, viewer: SomeViewer, browser: Browser, size: tuple[int, int]
) -> None:
    axe = web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"
    with opened(browser, film, size, viewer=viewer) as (page, wrong):
        paused_with_subtitles(page)
        sign, back, left, spoken = (
            page.evaluate(SHOWN, text) for text in ("To the <harbour> &", "back", "Left", "Good evening.")
        )
        assert (sign["color"], sign["fontStyle"], sign["fontWeight"]) == (YELLOW, "italic", "400")
        assert (back["color"], back["fontStyle"], back["fontWeight"]) == (YELLOW, "italic", "700")
        assert (spoken["color"], spoken["fontStyle"]) == (WHITE, "normal")
        assert sign["middle"] < 0.3 and spoken["middle"] > 0.6
        assert sign["middle"] < left["middle"] < spoken["middle"] and abs(left["center"] - 0.25) < 0.02
        assert abs(spoken["center"] - 0.5) < 0.02
        assert page.evaluate(SHOWN, "m 0 0") is None
        assert violations(page, axe) == [] and overflow(page) <= 0
        assert wrong == []


def test_the_look_that_a_viewer_chose_wins(film: str, viewer: SomeViewer, browser: Browser) -> None:
    with opened(browser, film, viewer=viewer) as (page, wrong):
        paused_with_subtitles(page)
        page.get_by_role("button", name="Subtitles and audio").click()
        page.get_by_role("button", name="Appearance…").click()
        dialog = page.get_by_role("dialog", name="Subtitles")
        for choice in ("Light blue", "Top"):
            dialog.get_by_role("radio", name=choice, exact=True).check(force=True)
        dialog.get_by_role("button", name="Close").click()
        lines = [page.evaluate(SHOWN, text) for text in ("To the <harbour> &", "Left", "Good evening.")]
        assert {line["color"] for line in lines} == {"rgb(143, 232, 255)"}
        assert all(line["middle"] < 0.5 for line in lines)
        assert len({round(line["middle"], 2) for line in lines}) == len(lines), "no line covers another one"
        assert wrong == []
