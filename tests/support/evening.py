"""A film of twenty seconds with sound and subtitles in two languages, in a running product, and its watch page."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tests.support.media import Film, Sound, make_film
from tests.support.pages import until
from tests.support.uploads import Storefront

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.support.product import Product

FRAMES = 480
STATS = "window.notflix?.stats()"
SUBTITLES = "1\n00:00:00,500 --> 00:00:18,000\nGood evening.\n"


def upload_evening(product: Product, folder: Path) -> str:
    """Upload the film, which is made in a folder; return its watch page's address."""
    storefront = Storefront(product.endpoints)
    for language, text in (("en", SUBTITLES), ("de", SUBTITLES.replace("Good evening.", "Guten Abend."))):
        subtitles = folder / f"evening.{language}.srt"
        subtitles.write_text(text)
        storefront.send(subtitles.name, subtitles)
    sounds = (Sound(language="eng"), Sound(pitch_hz=700, language="ger"))
    made = make_film(
        Film(name="evening.mp4", rate=Fraction(24), frames=FRAMES, width=640, height=360, sounds=sounds), folder
    )
    sent = storefront.send("evening.mp4", made)
    job = storefront.ended([sent], within_s=400)[sent.blob]
    storefront.close()
    assert job["status"] == "ready", job
    return f"{product.endpoints['site']}/watch.html?id={sent.title_id}"


def playing(page: Page) -> None:
    """Wait until the film plays; a player that is to begin later has that time even before it has loaded anything."""
    until(page, f"({STATS})?.time ?? 0", lambda time: time > 0.5)
    until(page, "notflix.video.played.length > 0 && !notflix.video.seeking")


def stats(page: Page) -> dict[str, Any]:
    """Return the player's own statistics."""
    said: dict[str, Any] = page.evaluate(STATS)
    return said
