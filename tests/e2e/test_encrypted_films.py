"""Encrypted films play in Chromium to their end: each picture is shown once.

The film's own pictures, encoded ones and the sound are encrypted; Shaka changes from one rendition to the other.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from functions.encoding.model import JobStatus
from infra.local.home import Home
from tests.e2e.test_players import RATE, play_to_the_end
from tests.support.encoder import Encoder
from tests.support.media import COUNTER_BITS, Film, Sound, make_film
from tests.support.pages import opened
from tests.support.players import Release, Show, served, shows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser

SECONDS = 16
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "24", "-g", "48", "-pix_fmt", "yuv420p")
FILM = Film(frames=RATE * SECONDS, width=640, height=360, sounds=(Sound(),), video=X264)
RUNGS = [234, 360]
CHANGES_AT_S = 1
WITHIN_S = 300
CONTRAST = 60

pytestmark = pytest.mark.timeout(1500)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Return an encrypted film, of which pictures and sound are copied and a second rendition is encoded."""
    folder: Path = tmp_path_factory.mktemp("encrypted")
    encoder = Encoder(folder / "storage", encrypt_films="always", film_keys="f" * 32)
    progress = encoder.encode(make_film(FILM, folder))
    assert progress.status is JobStatus.READY, progress.reason
    key = encoder.key(progress)
    versions = encoder.media.versions
    return Release(encoder.published(progress), versions, len(versions), {key.key_id.hex(): key.key.hex()})


@pytest.mark.parametrize("player", ["shaka", pytest.param("dash", marks=pytest.mark.extended)])
def test_encrypted_film_is_shown_to_its_end(
    player: str, film: Release, browser: Browser, announce: Callable[[str], None]
) -> None:
    heights: list[int] = []

    def act(show: Show, at: float) -> None:
        if player == "shaka" and at > CHANGES_AT_S and not heights:
            heights.append(show.pictures()[-1]["height"])
            show.page.evaluate("rung => film.change(rung)", RUNGS.index(heights[0]) ^ 1)

    with shows(browser, {player: film}, Home.of()) as (show,):
        play_to_the_end([show], act)
        state = show.state()
        announce(f"{player}: {state['frames']} frames, longest stall {state['longestStallS']:.2f} s")
        assert (sorted(state["rungs"]), state["frames"]) == (RUNGS, RATE * SECONDS)
        assert {picture["height"] for picture in show.pictures()} >= (set(RUNGS) if heights else set())
        assert state["time"] == pytest.approx(SECONDS, abs=0.1)
        assert last_number(show) == RATE * SECONDS - 1


def last_number(show: Show) -> int:
    """Return the number in the picture on the screen; pages cannot read the pictures of encrypted films."""
    with Image.open(io.BytesIO(show.page.locator("video").screenshot())) as shot:
        light = shot.convert("L")
    number = 0
    for bit in range(COUNTER_BITS):
        column = int((bit + 0.5) * light.width / COUNTER_BITS)
        above, below = (light.getpixel((column, light.height * line // 36)) for line in (4, 31))
        assert isinstance(above, int)
        assert isinstance(below, int)
        assert abs(above - below) > CONTRAST
        number = number * 2 + (above > below)
    return number


def test_encrypted_film_does_not_play_with_another_key(film: Release, browser: Browser) -> None:
    wrong = dict.fromkeys(film.keys, "0" * 32)
    with served({"shaka": film}, Home.of()) as address, opened(browser, f"{address}/shaka.html") as (page, _):
        page.evaluate("keys => { film.start('shaka', '/shaka', keys).catch(() => {}); }", wrong)
        page.wait_for_function("() => film.state().errors.length > 0", timeout=WITHIN_S * 1000)
