"""Shaka chooses AV1 in Chromium if a title is encoded in it too; Shaka and hls.js show every picture in its place."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from functions.encoding.av1_encode import Av1Status
from functions.encoding.model import JobStatus
from infra.local.home import Home
from tests.support.encoder import Encoder
from tests.support.media import HDR10, Film, make_film
from tests.support.players import Release, shows

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

FILM = Film(frames=24 * 9, width=640, height=360, video=("-c:v", "libx264", "-preset", "veryfast", "-g", "96"))
WITHIN_S = 600
IN_HDR = Film(frames=24 * 5, width=320, height=180, video=HDR10, name="film.mkv")
LATE_FRAMES = 3
"""The number of frames that a busy browser may advance before the page reads the picture."""

pytestmark = pytest.mark.timeout(1500)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Return a film in H.264, whose best rendition is copied, and in AV1."""
    return released(FILM, tmp_path_factory.mktemp("av1"))


def released(film: Film, folder: Path) -> Release:
    """Encode a film in H.264 and in AV1."""
    encoder = Encoder(folder / "storage")
    progress = encoder.encode(make_film(film, folder))
    assert progress.status is JobStatus.READY, progress.reason
    job = encoder.encode_av1(progress)
    assert job.av1
    assert job.av1.status is Av1Status.COMPLETE, job.av1.reason
    return Release(encoder.published(progress), encoder.media.versions, len(encoder.media.versions))


def test_shaka_chooses_av1_and_both_players_show_each_picture_at_its_time(film: Release, browser: Browser) -> None:
    with shows(browser, {"shaka": film, "hls": film}, Home.of()) as playing:
        deadline = time.monotonic() + WITHIN_S
        while not all(each.state()["ended"] for each in playing):
            assert time.monotonic() < deadline, [each.state() for each in playing]
            assert [each.state()["errors"] for each in playing] == [[], []]
            playing[0].wait()
        for each in playing:
            state = each.state()
            assert (set(state["rungs"]), state["frames"]) == ({234, 360}, FILM.frames), each.player
            assert state["codec"].startswith("av01." if each.player == "shaka" else ("av01.", "avc1.")), each.player
            late = [shown["number"] - round(shown["at"] * 24) for shown in each.pictures()]
            assert all(-1 <= frames <= LATE_FRAMES for frames in late), each.player


def test_a_screen_without_hdr_gets_h264_in_sdr(tmp_path: Path, browser: Browser) -> None:
    film = released(IN_HDR, tmp_path)
    with shows(browser, {"shaka": film, "hls": film}, Home.of()) as playing:
        deadline = time.monotonic() + WITHIN_S
        while not all(each.state()["ended"] for each in playing):
            assert time.monotonic() < deadline, [each.state() for each in playing]
            playing[0].wait()
        states = [each.state() for each in playing]
        assert [state["errors"] for state in states] == [[], []]
        assert [state["codec"][:5] for state in states] == ["avc1.", "avc1."]
        assert [state["frames"] for state in states] == [IN_HDR.frames] * 2
