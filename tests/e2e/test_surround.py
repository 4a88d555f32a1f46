"""Shaka, dash.js and hls.js play a title with 5.1 sound in stereo, without loading the 5.1; a viewer can choose it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from functions.encoding.model import JobStatus
from infra.local.home import Home
from tests.support.cases import extended
from tests.support.encoder import Encoder
from tests.support.media import Film, Sound, make_film
from tests.support.players import SCRIPTS, Release, folders_read, shows

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.support.players import Show

FILM = Film(
    "film.mkv",
    frames=24 * 18,
    width=640,
    height=360,
    sounds=(Sound(channels=6, codec="ac3", language="eng"), Sound(440, language="ger")),
    video=("-c:v", "libx264", "-preset", "veryfast", "-g", "96"),
)
"""A film with English in 5.1 and German in stereo; its pictures are copied."""

STEREO, SURROUND = "a0", "a2"
WITHIN_S = 600
pytestmark = pytest.mark.timeout(1500)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Return the published film."""
    folder = tmp_path_factory.mktemp("surround")
    encoder = Encoder(folder / "storage")
    progress = encoder.encode(make_film(FILM, folder))
    assert progress.status is JobStatus.READY, progress.reason
    return Release(encoder.published(progress), encoder.media.versions, len(encoder.media.versions))


def play_to_the_end(shown: list[Show], *, loads: str = STEREO) -> None:
    """Wait until all players are at the end of the film and have loaded a track."""
    deadline = time.monotonic() + WITHIN_S
    while not all(each.state()["ended"] and loads in folders_read(each) for each in shown):
        assert time.monotonic() < deadline, [each.state() for each in shown]
        assert all(each.state()["errors"] == [] for each in shown), [each.state() for each in shown]
        shown[0].wait()


@pytest.mark.extended
def test_players_choose_stereo_and_load_nothing_else(film: Release, browser: Browser) -> None:
    with shows(browser, dict.fromkeys(SCRIPTS, film), Home.of()) as playing:
        play_to_the_end(playing)
        for each in playing:
            assert {name for name in folders_read(each) if name[0] == "a"} == {STEREO}, each.player
            assert each.state()["frames"] == FILM.frames, each.player


@pytest.mark.parametrize("player", ["shaka", extended("hls")])
def test_viewer_who_chooses_surround_hears_it_to_the_end(player: str, film: Release, browser: Browser) -> None:
    with shows(browser, {player: film}, Home.of()) as (show,):
        show.page.evaluate("film.hear(6)")
        play_to_the_end([show], loads=SURROUND)
        assert {name for name in folders_read(show) if name[0] == "a"} <= {STEREO, SURROUND}
        assert show.state()["frames"] >= FILM.frames
