"""Encrypted films that are encoded in AV1 too play in AV1 in Chromium to their end: each picture is shown once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from functions.encoding.av1_encode import Av1Status
from functions.encoding.model import JobStatus
from infra.local.home import Home
from tests.e2e.test_encrypted_films import CHANGES_AT_S, FILM, RUNGS, SECONDS, WITHIN_S, last_number
from tests.e2e.test_players import RATE, play_to_the_end
from tests.support.encoder import Encoder
from tests.support.media import make_film
from tests.support.pages import opened, until
from tests.support.players import Release, Show, served, shows
from tests.support.uploads import Storefront
from tests.support.viewers import make_subscriber

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser, Request, Route

    from tests.support.product import Product

WITHOUT_AV1 = """
const real = navigator.mediaCapabilities.decodingInfo.bind(navigator.mediaCapabilities);
navigator.mediaCapabilities.decodingInfo = async (asked) => {
  const refused = asked.keySystemConfiguration && asked.video?.contentType.includes("av01");
  return refused ? { supported: false, smooth: false, powerEfficient: false, keySystemAccess: null } : real(asked);
};
"""
"""Makes a page believe that the browser plays AV1, but does not decrypt it."""

pytestmark = pytest.mark.timeout(1500)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Return an encrypted film in H.264 and in AV1."""
    folder: Path = tmp_path_factory.mktemp("encrypted-av1")
    encoder = Encoder(folder / "storage", encrypt_films="always", film_keys="f" * 32)
    progress = encoder.encode(make_film(FILM, folder))
    assert progress.status is JobStatus.READY, progress.reason
    job = encoder.encode_av1(progress)
    assert job.av1
    assert job.av1.status is Av1Status.COMPLETE, job.av1.reason
    key = encoder.key(progress)
    versions = encoder.media.versions
    return Release(encoder.published(progress), versions, len(versions), {key.key_id.hex(): key.key.hex()})


@pytest.mark.parametrize("player", ["shaka", pytest.param("dash", marks=pytest.mark.extended)])
def test_encrypted_film_is_shown_in_av1_to_its_end(
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
        announce(
            f"{player}: {state['frames']} frames of {state['codec']}, longest stall {state['longestStallS']:.2f} s"
        )
        assert state["codec"].startswith("av01.")
        assert (sorted(set(state["rungs"])), state["frames"]) == (RUNGS, RATE * SECONDS)
        assert {picture["height"] for picture in show.pictures()} >= (set(RUNGS) if heights else set())
        assert state["time"] == pytest.approx(SECONDS, abs=0.1)
        assert last_number(show) == RATE * SECONDS - 1


def test_browser_that_cannot_decrypt_av1_plays_h264(film: Release, browser: Browser) -> None:
    with (
        served({"shaka": film}, Home.of()) as address,
        opened(browser, f"{address}/shaka.html", first=WITHOUT_AV1) as (page, _),
    ):
        page.evaluate("keys => film.start('shaka', '/shaka', keys)", dict(film.keys))
        page.wait_for_function("() => film.state().time > 1", timeout=WITHIN_S * 1000)
        state = page.evaluate("film.state()")
        assert (state["codec"][:5], state["errors"]) == ("avc1.", [])


@pytest.mark.extended
@pytest.mark.parametrize(("keys", "plays"), [(None, True), ({"0" * 32: "1" * 32}, False)], ids=["clear", "encrypted"])
def test_heartbeats_count_a_browser_that_cannot_decrypt_av1_only_for_films_that_are_not_encrypted(
    product: Product, browser: Browser, tmp_path: Path, *, keys: dict[str, str] | None, plays: bool
) -> None:
    storefront = Storefront(product.endpoints)
    sent = storefront.send("counted.mp4", make_film(FILM, tmp_path))
    storefront.playable(sent, within_s=WITHIN_S)
    storefront.close()
    beats: list[dict[str, Any]] = []

    def encrypt(route: Route) -> None:
        if route.request.method == "OPTIONS":
            route.continue_()
            return
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "clear_keys": keys})

    site, viewer = product.endpoints["site"], make_subscriber(product.endpoints)
    with opened(browser, f"{site}/404.html", viewer=viewer, first=WITHOUT_AV1) as (page, _):
        page.route("**/playback", encrypt)
        page.on("request", lambda told: beats.extend(beats_in(told)))
        page.goto(f"{site}/watch.html?id={sent.title_id}")
        until(page, "window.notflix?.stats().time ?? 0", lambda time: time > 1)
        page.keyboard.press("k")
        until(page, "0", lambda _: bool(beats))
    assert {beat["av1"] for beat in beats} == {plays}


def beats_in(request: Request) -> list[dict[str, Any]]:
    """Return the heartbeat in a request, if it is one."""
    return [json.loads(request.post_data)] if "/api/usage/" in request.url and request.post_data else []


def test_encrypted_film_in_av1_does_not_play_with_another_key(film: Release, browser: Browser) -> None:
    wrong = dict.fromkeys(film.keys, "0" * 32)
    with served({"shaka": film}, Home.of()) as address, opened(browser, f"{address}/shaka.html") as (page, _):
        page.evaluate("keys => { film.start('shaka', '/shaka', keys).catch(() => {}); }", wrong)
        page.wait_for_function("() => film.state().errors.length > 0", timeout=WITHIN_S * 1000)
