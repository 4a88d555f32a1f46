"""Viewers of films that are being encoded: they go beyond the encoded part, and stall after they began early."""

from __future__ import annotations

import json
import re
import time
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from infra.local.cli.traces import read_steps
from tests.support.media import H264, Film, Sound, make_film
from tests.support.pages import SMALL, opened, until
from tests.support.stopping import stopped
from tests.support.uploads import Storefront
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.support.product import Product
    from tests.support.uploads import Sent
    from tests.support.viewers import SomeViewer

WITHIN_S = 600
pytestmark = pytest.mark.timeout(1500)

FILM = Film(
    "positions.mkv",
    rate=Fraction(12),
    frames=12 * 600,
    width=320,
    height=180,
    sounds=(Sound(),),
    video=("-c:v", "mpeg4", "-q:v", "9"),
)
"""Ten minutes of pictures that have to be encoded."""

FRONT_S = 200
"""The encoder is stopped long before it has encoded so many seconds."""

OWN = Film("own pictures.mp4", frames=24 * 60, width=1280, height=720, video=(*H264, "-g", "96"))
"""A film whose pictures are copied at once, while the smaller renditions take much longer."""

OWN_HEIGHTS = {720, 540, 360, 234}
POSITION_S = 480
TIME = "window.notflix?.stats().time ?? 0"
POSITION_ROUTE = "/playback/position"


@pytest.fixture
def storefront(product: Product) -> Iterator[Storefront]:
    """Return the interfaces of the product."""
    made = Storefront(product.endpoints)
    yield made
    made.close()


def encoder_of(product: Product) -> int:
    """Return the id of the encoder's process."""
    told = json.loads(product.run("status", "--json").stdout)
    pid: int = next(each["pid"] for each in told["services"] if each["name"] == "encoder")
    return pid


def begun_after(product: Product, sent: Sent, at: float) -> list[str]:
    """Return the finished chunks of a job that an encoder began after a time, in order."""
    steps = read_steps(product.home.traces_file)[f"job:{sent.job_id}"]
    return [step.details for step in steps if step.name in ("front", "chunk") and step.began_s > at]


def until_plays(page: Page, least_s: float) -> None:
    """Wait until the film plays from a position on."""
    until(page, TIME, lambda at: at > least_s, within_s=WITHIN_S)
    until(page, "!notflix.video.paused && notflix.video.readyState >= 3", within_s=WITHIN_S)


@pytest.mark.extended
def test_the_encoder_follows_a_viewer_who_goes_beyond_what_is_encoded(
    product: Product, storefront: Storefront, viewer: SomeViewer, browser: Browser, tmp_path: Path
) -> None:
    site, encoder, film = product.endpoints["site"], encoder_of(product), make_film(FILM, tmp_path)
    with opened(browser, f"{site}/404.html", SMALL, viewer=viewer) as (page, wrong):
        sent = storefront.send(FILM.name, film)
        eventually(lambda: (job := storefront.job(sent)) and job["front_s"] > 0, within_s=WITHIN_S, every_s=0.05)
        with stopped(encoder):
            job: dict[str, Any] = storefront.job(sent) or {}
            assert 0 < job["front_s"] < FRONT_S, "the film was encoded before the viewer came, so this proves nothing"
            page.goto(f"{site}/watch.html?id={sent.title_id}")
            until_plays(page, 0.2)
            with page.expect_response(lambda answer: POSITION_ROUTE in answer.url) as asked:
                page.keyboard.press("8")
            parts = asked.value.json()["parts"]
            assert [part["from_s"] for part in parts] == [0]
            page.get_by_text("This part is being prepared.").wait_for()
            requested_at = time.time()
        until_plays(page, POSITION_S)
        part = page.evaluate("notflix.player.getAssetUri()").rpartition("/")[2]
        assert part.startswith("from000"), part
        assert page.evaluate("notflix.player.seekRange().start") > POSITION_S - 40
        playing_at = page.evaluate(TIME)
        until(page, TIME, lambda at: at > playing_at + 1, within_s=WITHIN_S)
        page.keyboard.press("1")  # seeks to a tenth of the film, which is in another part
        until(page, TIME, lambda at: 60 < at < 120, within_s=WITHIN_S)
        until_plays(page, 60.5)
        assert page.evaluate("notflix.stats().errors") == []
        assert wrong == []
    ended = storefront.ended([sent], within_s=WITHIN_S)[sent.blob]
    assert ended["status"] == "ready", ended
    order = begun_after(product, sent, requested_at)
    chunk = int(part.removeprefix("from").removesuffix(".mpd"))
    place = next(index for index, details in enumerate(order) if f"{chunk}" in details.split())
    assert place <= 1, f"other chunks were encoded first: {order[:place]}"


@pytest.mark.extended
def test_a_viewer_who_began_early_and_stalls_gets_all_renditions_of_the_complete_film(
    product: Product, storefront: Storefront, viewer: SomeViewer, browser: Browser, tmp_path: Path
) -> None:
    """Who begins while only the film's own pictures are listed keeps them, unless they turn out to be too much."""
    site, encoder, film = product.endpoints["site"], encoder_of(product), make_film(OWN, tmp_path)
    whole_s = float(OWN.seconds) - 1
    tracks = "new Set(notflix.player.getVariantTracks().map((track) => track.height)).size"
    with opened(browser, f"{site}/404.html", SMALL, viewer=viewer) as (page, wrong):
        sent = storefront.send(OWN.name, film)
        eventually(lambda: (job := storefront.job(sent)) and job["front_s"] > whole_s, within_s=WITHIN_S, every_s=0.05)
        with stopped(encoder):
            job: dict[str, Any] = storefront.job(sent) or {}
            assert job["status"] == "encoding", "the film was complete before the viewer came, so this proves nothing"
            page.goto(f"{site}/watch.html?id={sent.title_id}")
            until_plays(page, 0.2)
            assert page.evaluate(tracks) == 1
            page.evaluate("notflix.player.configure('streaming.bufferingGoal', 4)")
            page.evaluate("notflix.video.pause()")
            paused_at = page.evaluate(TIME)
        ended = storefront.ended([sent], within_s=WITHIN_S)[sent.blob]
        assert ended["status"] == "ready", ended
        until(page, "document.querySelector('[data-hook=badge]').hidden", within_s=WITHIN_S)
        assert page.evaluate(tracks) == 1, "a player keeps the renditions with which it began"
        own = re.compile(r"/c720/s\d+\.m4s")
        page.route(own, lambda route: route.abort())
        page.evaluate("notflix.video.play()")
        until(page, tracks, lambda count: count == len(OWN_HEIGHTS), within_s=WITHIN_S)
        page.unroute(own)
        continued_at = until(page, TIME, lambda at: at > 0, within_s=WITHIN_S)  # 0 until the film is loaded again
        assert paused_at <= continued_at < whole_s, "it continues where it stalled"
        until(page, TIME, lambda at: at > continued_at + 1, within_s=WITHIN_S)
        heights = page.evaluate("notflix.player.getVariantTracks().map((track) => track.height)")
        assert set(heights) == OWN_HEIGHTS
        stats = page.evaluate("notflix.stats()")
        assert (stats["stalls"], stats["errors"]) == (1, [])
        assert wrong == []
