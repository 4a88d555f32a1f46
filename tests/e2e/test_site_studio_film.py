"""The film of a title in the Studio: encoded again, and its frames as pictures."""

from __future__ import annotations

import base64
import io
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import requests
from PIL import Image

from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.library import titles_of
from tests.support.media import COUNTER_BITS, Film, make_film
from tests.support.pages import DESKTOP, SIZES, overflow, until
from tests.support.studio import Studio, entry
from tests.support.uploads import Sent, Storefront
from tests.support.viewers import TIMEOUT_S, make_administrator, make_subscriber, soon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    from functions.catalogue.model import Playback
    from tests.support.product import Product

FRAMES, RATE, SHOWN = 288, 24, 6
ENCODED_WITHIN_S = 400


@dataclass(frozen=True, slots=True)
class OwnFilm:
    """A film of twelve seconds in a Studio, with its name."""

    studio: Studio
    storefront: Storefront
    sent: Sent
    name: str

    @property
    def playback(self) -> Playback:
        """Return what plays now."""
        with titles_of(self.studio.product.endpoints) as titles:
            title = titles.get(self.sent.title_id)
        assert title and title.playback
        return title.playback

    def dialog(self, page: Page, button: str, name: str) -> Locator:
        """Open a dialog of the title."""
        page.get_by_label("Search titles by name, people or genre").fill(self.name)
        entry(page, "Titles", self.name).get_by_role("button", name=button).click()
        return page.get_by_role("dialog", name=name)

    def picture(self, slot: str) -> Image.Image:
        """Return the title's picture as visitors get it."""
        endpoints = self.studio.product.endpoints
        title = requests.get(f"{endpoints['api']}/api/titles/{self.sent.title_id}", timeout=TIMEOUT_S).json()
        answer = requests.get(f"{endpoints['site']}/{title['artwork'][slot]}", timeout=TIMEOUT_S)
        return Image.open(io.BytesIO(answer.content))


@pytest.fixture(scope="module")
def film(product: Product, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnFilm]:
    """Encode a film whose frames show their numbers."""
    name = f"numbers-{secrets.token_hex(3)}"
    path = make_film(Film(name=f"{name}.mp4", frames=FRAMES, width=640, height=360), tmp_path_factory.mktemp("film"))
    storefront = Storefront(product.endpoints)
    sent = storefront.send(path.name, path)
    assert storefront.ended([sent], within_s=ENCODED_WITHIN_S)[sent.blob]["status"] == "ready"
    studio = Studio(product, make_administrator(product), browser)
    title = studio.administrator.ask("GET", f"titles/{sent.title_id}").json()
    yield OwnFilm(studio, storefront, sent, title["name"])
    storefront.close()


@pytest.fixture(scope="module")
def axe(product: Product) -> Path:
    """Return the path of the axe script."""
    return web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"


def number_in(picture: Image.Image) -> int:
    """Return the number that a frame of the film shows: its upper third has the bits, its lower third the inverse."""
    bits = picture.convert("L").resize((COUNTER_BITS, 6), Image.Resampling.BOX).tobytes()
    number = 0
    for above, below in zip(bits[:COUNTER_BITS], bits[-COUNTER_BITS:], strict=True):
        assert abs(above - below) > 60, "this is no frame"
        number = number << 1 | (above > below)
    return number


EARLY_SEEKED = """(() => {
  const { get, set } = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "currentTime");
  Object.defineProperty(HTMLMediaElement.prototype, "currentTime", {
    get,
    set(time) { set.call(this, time); this.dispatchEvent(new Event("seeked")); },
  });
})()"""
"""A browser that says that it has seeked before it shows the new picture, as a busy one does."""


def test_frames_are_those_of_their_times_on_a_busy_machine(film: OwnFilm) -> None:
    with film.studio.at("titles") as (page, _):
        page.evaluate(EARLY_SEEKED)
        film.dialog(page, "Pictures", "Pictures").get_by_role("button", name="Show frames").click()
        until(page, "document.querySelectorAll('.frame').length", lambda count: count == SHOWN)
        drawn = page.evaluate("[...document.querySelectorAll('.frame canvas')].map((canvas) => canvas.toDataURL())")
    pictures = [Image.open(io.BytesIO(base64.b64decode(each.partition(",")[2]))) for each in drawn]
    assert [number_in(each) * SHOWN // FRAMES for each in pictures] == list(range(SHOWN))


@SIZES
def test_a_frame_of_the_film_becomes_its_backdrop_and_its_poster(
    film: OwnFilm, axe: Path, size: tuple[int, int]
) -> None:
    with film.studio.at("titles", size) as (page, wrong):
        dialog = film.dialog(page, "Pictures", "Pictures")
        before = film.picture("backdrop").tobytes()
        dialog.get_by_role("button", name="Show frames").click()
        frames = dialog.get_by_role("list", name="From the film").get_by_role("listitem")
        until(page, "document.querySelectorAll('.frame').length", lambda count: count == SHOWN)
        assert violations(page, axe) == []
        assert overflow(page) <= 0
        chosen = 4 if size == DESKTOP else 1
        frames.nth(chosen).get_by_role("button", name="backdrop").click()
        said = dialog.get_by_role("alert")
        said.filter(has_text="Saved.").wait_for()
        backdrop = film.picture("backdrop")
        assert backdrop.size == (1920, 1080)
        assert backdrop.tobytes() != before
        place = number_in(backdrop) * SHOWN / FRAMES
        assert chosen <= place < chosen + 1, "the frame comes from its own sixth of the film"
        poster = film.picture("poster").tobytes()
        frames.nth(chosen + 1).get_by_role("button", name="poster").click()
        soon(lambda: film.picture("poster").tobytes() != poster)
        said.filter(has_text="Saved.").wait_for()
        assert film.picture("poster").size == (400, 600)
        dialog.get_by_role("button", name="Show other frames").click()
        frames.nth(SHOWN - 1).wait_for()
        assert wrong == []
    history = film.studio.administrator.ask("GET", "usage").json()["entries"]
    assert film.sent.title_id not in [one["title_id"] for one in history], "looking at frames is not watching"


def test_a_film_is_encoded_again_while_it_can_be_watched(film: OwnFilm, axe: Path) -> None:
    before = film.playback
    with film.studio.at("titles") as (page, wrong):
        dialog = film.dialog(page, "Encode again", "Encode this film again?")
        assert film.name in dialog.inner_text()
        assert violations(page, axe) == []
        dialog.get_by_role("button", name="Encode again").click()
        page.get_by_text(f"{film.name} is being encoded again.").wait_for()
        assert film.playback.complete
        assert make_subscriber(film.studio.product.endpoints).plays(film.sent.title_id) == 200
        page.get_by_role("tab", name="Films").click()
        entry(page, "Encodes", film.name).wait_for()
        assert wrong == []
    again = film.storefront.sent(film.sent.blob)
    assert again.job_id != film.sent.job_id
    assert film.storefront.ended([again], within_s=ENCODED_WITHIN_S)[again.blob]["status"] == "ready"
    soon(lambda: film.playback.job_id == again.job_id)
    assert film.playback.complete and film.playback.duration_s == before.duration_s
