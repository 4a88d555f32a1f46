"""Openings and credits that a film's chapters name are skipped in Chromium, by button and by key."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.media import Film, Sound, make_film
from tests.support.pages import SIZES, opened, overflow, until
from tests.support.uploads import Storefront

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

SECONDS = 40
CHAPTERS = (("Intro", 0, 20), ("The harbour", 20, 30), ("End credits", 30, SECONDS))
TIME = "window.notflix?.stats().time ?? 0"


@pytest.fixture(scope="module")
def film(product: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload a film with three chapters; return the address of its watch page."""
    folder = tmp_path_factory.mktemp("chapters")
    plain = make_film(Film(frames=24 * SECONDS, width=320, height=180, sounds=(Sound(),)), folder)
    named = "".join(
        f"[CHAPTER]\nTIMEBASE=1/1\nSTART={start}\nEND={end}\ntitle={title}\n" for title, start, end in CHAPTERS
    )
    metadata, whole = folder / "chapters.txt", folder / "Named Chapters.mkv"
    metadata.write_text(f";FFMETADATA1\n{named}", encoding="utf-8")
    command = ["ffmpeg", "-v", "error", "-i", str(plain), "-i", str(metadata), "-map", "0"]
    subprocess.run([*command, "-map_chapters", "1", "-c", "copy", str(whole)], check=True)
    storefront = Storefront(product.endpoints)
    sent = storefront.send(whole.name, whole)
    job = storefront.ended([sent], within_s=400)[sent.blob]
    storefront.close()
    assert job["status"] == "ready", job
    return f"{product.endpoints['site']}/watch.html?id={sent.title_id}"


def paused_in_the_opening(page: Page) -> None:
    """Wait until the film plays, and pause it in its first chapter, however long the chapters take to load."""
    until(page, TIME, lambda time_s: time_s > 0)
    page.evaluate("notflix.video.pause()")
    page.evaluate("notflix.video.currentTime = 1")


@SIZES
def test_an_opening_and_the_credits_are_skipped(
    product: Product, film: str, viewer: SomeViewer, browser: Browser, size: tuple[int, int]
) -> None:
    axe = web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"
    with opened(browser, film, size, viewer=viewer) as (page, wrong):
        paused_in_the_opening(page)
        skip = page.get_by_role("button", name="Skip intro")
        skip.wait_for()
        assert violations(page, axe) == [] and overflow(page) <= 0
        skip.click()
        until(page, TIME, lambda time_s: time_s > 19.9)
        skip.wait_for(state="hidden")
        assert page.evaluate("document.activeElement.dataset.act") == "play"
        page.evaluate("notflix.video.currentTime = 31")
        page.get_by_role("button", name="Skip credits").wait_for()
        page.keyboard.press("s")
        until(page, TIME, lambda time_s: time_s > SECONDS - 0.5)
        page.get_by_role("button", name="Skip credits").wait_for(state="hidden")
        assert wrong == []


def test_the_button_is_german_and_absent_from_the_film_itself(film: str, viewer: SomeViewer, browser: Browser) -> None:
    with opened(browser, film.replace("/watch", "/de/watch"), viewer=viewer, locale="de-DE") as (page, _):
        paused_in_the_opening(page)
        skip = page.get_by_role("button", name=re.compile("überspringen$"))
        skip.wait_for()
        assert skip.inner_text() == "Vorspann überspringen"
        page.evaluate("notflix.video.currentTime = 21")
        skip.wait_for(state="hidden")
