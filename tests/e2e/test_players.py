"""Films whose pictures are copied play in Shaka, dash.js and hls.js: while they are uploaded and copied, after seeks.

Each picture shows its number, which the page reads and compares with the time at which the picture is shown.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from functions.encoding import listing
from functions.encoding.copying import copy_worker
from functions.encoding.model import JobStatus
from functions.platform.messages import PlanEncode, PrepareEncode
from infra.local.home import Home
from tests.support.cases import always
from tests.support.copied_films import LARGE, PROVISIONAL
from tests.support.encoder import Encoder
from tests.support.media import Film, Sound, make_film
from tests.support.players import SCRIPTS, Release, Show, folders_read, shows

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

RATE, FRAMES = 24, 24 * 40
SECONDS = FRAMES / RATE
WITHIN_S = 600
pytestmark = pytest.mark.timeout(1500)

X264 = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "24", "-pix_fmt", "yuv420p")
FILM = Film(frames=FRAMES, width=640, height=360, sounds=(Sound(lasts_s=36),), video=X264)
"""A film with x264's own key frames, up to 10.4 s apart, of which pictures and sound are copied.

Its sound ends before its picture does. Players must then learn from the manifest that no more sound follows.
"""

COMPLETE_AT_S = 30
"""The position of the player, in seconds, at which the film is complete."""

TURNS = 20
"""How often the rendition is changed, and how often the player seeks."""

LATE_FRAMES = 3
"""The number of frames that a busy browser may advance before the page reads the picture."""


ARRIVING = replace(FILM, sounds=(Sound(),), video=(*X264, "-g", "48"), mux=("-movflags", "+faststart"))
"""The film with a key frame every two seconds and its index at its front, so that each commit publishes more of it."""

ARRIVING_PERCENT = (35, 50, 65, 80, 92)
"""How much of the upload has arrived at each of its commits but the last, in percent."""

LEAVES_AT_S = 14
"""The position of the player, in seconds, at which the provisional rendition leaves the manifest."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Return the film, whose segments were listed one by one while they were copied."""
    return listed_one_by_one(FILM, tmp_path_factory, "The film's own pictures are used for 360p.")


def listed_one_by_one(film: Film, folders: pytest.TempPathFactory, passthrough: str) -> Release:
    """Return an encoded film with all versions of its manifests, whose copied segments were listed one by one."""
    folder = folders.mktemp("players")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copy_worker, "NOTED_S", 0)
        patch.setattr(listing, "LISTING_S", 0)
        encoder = Encoder(folder / "storage")
        progress = encoder.encode(make_film(film, folder))
    assert progress.status is JobStatus.READY, progress.reason
    assert progress.passthrough
    assert re.fullmatch(passthrough, progress.passthrough)
    versions = encoder.media.versions
    return Release(encoder.published(progress), versions, len(versions))


@dataclass(frozen=True)
class Commit:
    """What viewers see after a commit of an upload: `count` versions of manifests, up to `front_s` seconds."""

    count: int
    front_s: float


@dataclass(frozen=True)
class Upload:
    """A film that was uploaded in steps, and then encoded: its files, and what its viewers saw after each commit."""

    release: Release
    commits: tuple[Commit, ...]


@pytest.fixture(scope="module")
def uploaded(tmp_path_factory: pytest.TempPathFactory) -> Upload:
    """Return a film of which a part more was published at each commit of its upload."""
    folder = tmp_path_factory.mktemp("uploaded")
    film = make_film(ARRIVING, folder)
    size = film.stat().st_size
    encoder = Encoder(folder / "storage")
    commits = []
    for percent in ARRIVING_PERCENT:
        job_id = encoder.commit(film, front=size * percent // 100)
        progress = encoder.continue_job(job_id, [PrepareEncode(job_id)])
        assert progress.status is JobStatus.RECEIVING and progress.manifest, progress.notes
        commits.append(Commit(len(encoder.media.versions), progress.front_s))
    assert encoder.commit(film, front=size) == job_id
    progress = encoder.continue_job(job_id, [PlanEncode(job_id)])
    assert progress.status is JobStatus.READY, progress.reason
    versions = encoder.media.versions
    commits.append(Commit(len(versions), SECONDS))
    fronts = [commit.front_s for commit in commits]
    assert fronts == sorted(set(fronts)), "each commit publishes more of the film"
    return Upload(Release(encoder.published(progress), versions, len(versions)), tuple(commits))


def play_to_the_end(show: list[Show], act: Callable[[Show, float], None]) -> None:
    """Wait until all players are at the end of the film; until then, call `act` with each player and its position."""
    deadline = time.monotonic() + WITHIN_S
    left = list(show)
    while left:
        for each in list(left):
            state = each.state()
            assert state["errors"] == [], each.player
            assert time.monotonic() < deadline, f"{each.player} is at {state['time']} s"
            if state["ended"]:
                left.remove(each)
            act(each, state["time"])
        show[0].wait()


def check_pictures(show: Show) -> None:
    """Check that each picture was shown at its time."""
    wrong = [
        each
        for each in show.pictures()
        if each["number"] is None or not -1 <= each["number"] - round(each["at"] * RATE) <= LATE_FRAMES
    ]
    assert wrong == [], show.player


def test_growing_film_is_shown_to_its_end(whole: Release, browser: Browser, announce: Callable[[str], None]) -> None:
    """The renditions stay the same for a player that began early: the copied pictures, and no others."""
    films = {player: Release.growing(whole.folder, whole.versions) for player in SCRIPTS}
    positions = dict.fromkeys(SCRIPTS, -1.0)

    def grow(show: Show, at: float) -> None:
        is_waiting = at == positions[show.player]
        positions[show.player] = at
        show.release.grow(share=at / COMPLETE_AT_S)
        if is_waiting:
            show.release.count += 1

    with shows(browser, films, Home.of()) as playing:
        assert all(each.state()["rungs"] == [360] for each in playing)
        play_to_the_end(playing, grow)
        for each in playing:
            state = each.state()
            announce(f"{each.player}: {state['frames']} frames, longest stall {state['longestStallS']:.2f} s")
            assert (state["rungs"], state["frames"]) == ([360], FRAMES)
            assert state["time"] == pytest.approx(SECONDS, abs=0.1)
            check_pictures(each)


def test_renditions_and_places_are_changed_without_an_error(
    whole: Release, browser: Browser, announce: Callable[[str], None]
) -> None:
    """A viewer who begins when the film is complete has all renditions."""
    with shows(browser, dict.fromkeys(SCRIPTS, whole), Home.of()) as playing:
        assert all(sorted(each.state()["rungs"]) == [234, 360] for each in playing)
        for turn in range(TURNS):
            for each in playing:
                each.page.evaluate("turn => film.change(turn)", turn)
                each.page.evaluate("time => film.seek(time)", turn * 17.3 % (SECONDS - 4))
            playing[0].wait()
        for each in playing:
            each.page.evaluate("time => film.seek(time)", SECONDS - 6)
        play_to_the_end(playing, lambda show, at: None)
        for each in playing:
            announce(f"{each.player}: longest stall {each.state()['longestStallS']:.2f} s")
            assert {picture["height"] for picture in each.pictures()} == {234, 360}
            check_pictures(each)


@pytest.mark.parametrize("player", always(("shaka",), SCRIPTS))
def test_running_upload_is_played_from_its_first_second_to_its_end(
    player: str, uploaded: Upload, browser: Browser, announce: Callable[[str], None]
) -> None:
    """While it is uploaded, the copied pictures are the only rendition, so a change of rendition chooses them again."""
    first, *others = uploaded.commits
    film = replace(uploaded.release, count=first.count)
    with shows(browser, {player: film}, Home.of()) as playing:
        (show,) = playing
        front_s = first.front_s
        for turn in range(TURNS):
            show.page.evaluate("turn => film.change(turn)", turn)
            show.page.evaluate("time => film.seek(time)", turn * 17.3 % (front_s - 2))
            if turn % (TURNS // len(uploaded.commits)) == 1 and len(others) > 1:
                commit = others.pop(0)
                film.count, front_s = commit.count, commit.front_s
            show.wait()
        assert len(others) == 1, "the upload ends only now"
        show.page.evaluate("time => film.seek(time)", front_s - 3)
        film.count = others[0].count
        play_to_the_end(playing, lambda show, at: None)
        state = show.state()
        announce(f"{player}: longest stall {state['longestStallS']:.2f} s")
        assert state["rungs"] == [360]
        assert state["time"] == pytest.approx(SECONDS, abs=0.1)
        check_pictures(show)


@pytest.mark.extended
@pytest.mark.parametrize(
    "player", ["shaka", *(pytest.param(name, marks=pytest.mark.extended) for name in ("dash", "hls"))]
)
def test_provisional_rendition_leaves_the_manifest_and_whoever_plays_it_does_not_notice(
    player: str, tmp_path_factory: pytest.TempPathFactory, browser: Browser, announce: Callable[[str], None]
) -> None:
    """Whoever begins afterwards has the encoded renditions only."""
    large = listed_one_by_one(LARGE, tmp_path_factory, PROVISIONAL)
    film = Release.growing(large.folder, large.versions)
    with shows(browser, {player: film}, Home.of()) as playing:
        play_to_the_end(playing, lambda show, at: show.release.grow(share=at / LEAVES_AT_S))
        (early,) = playing
        state = early.state()
        announce(f"{player}: {state['frames']} frames, longest stall {state['longestStallS']:.2f} s")
        assert (state["rungs"], state["frames"]) == ([360], LARGE.frames)
        assert {name for name in folders_read(early) if name[0] in "cv"} == {"c360", "c0"}
        check_pictures(early)
    with shows(browser, {player: large}, Home.of()) as playing:
        (late,) = playing
        assert sorted(late.state()["rungs"]) == [234, 360]
        late.page.evaluate("time => film.seek(time)", float(LARGE.seconds) - 4)
        play_to_the_end(playing, lambda show, at: None)
        assert "c360" not in folders_read(late)
        check_pictures(late)
