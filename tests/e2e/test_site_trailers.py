"""Trailers in Chromium: everybody plays them from a title's page, they end with an offer, and the Studio marks them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import requests

from functions.platform.identifiers import title_id_for, trailer_id_of
from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.media import Film, make_film
from tests.support.pages import DESKTOP, PHONE, SIZES, opened, overflow, until
from tests.support.studio import Studio, entry
from tests.support.uploads import Storefront
from tests.support.viewers import TIMEOUT_S, as_owner, make_administrator, soon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

TIME = "window.notflix?.stats().time ?? 0"
DESCRIBED = {"title": "Low Tide", "year": 2031, "rated": "PG", "genres": ["Drama"], "plot": "The sea leaves."}


@dataclass(frozen=True, slots=True)
class Cinema:
    """What is published: a film with a trailer, and an announced title with one."""

    site: str
    api: str
    film: str
    announced: str

    def page(self, title_id: str, prefix: str = "") -> str:
        """Return the address of a title's page."""
        return f"{self.site}{prefix}/title/{title_id}"

    def published(self, title_id: str) -> dict[str, Any]:
        """Return what the site publishes about a title; nothing if it does not."""
        answer = requests.get(f"{self.site}/catalogue/titles/{title_id}.json", timeout=TIMEOUT_S)
        return answer.json() if answer.ok else {}

    def has_trailer(self, title_id: str) -> bool:
        """Return whether the published title has a trailer."""
        return bool(self.published(title_id).get("trailer"))

    def trailer(self, title_id: str) -> requests.Response:
        """Ask for the trailer of a title as a guest."""
        return requests.post(f"{self.api}/api/titles/{title_id}/trailer", timeout=TIMEOUT_S)


@pytest.fixture(scope="module")
def storefront(product: Product) -> Iterator[Storefront]:
    """Return the storage of the product."""
    made = Storefront(product.endpoints)
    yield made
    made.close()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a film of ten seconds."""
    return make_film(Film(frames=240), tmp_path_factory.mktemp("trailers"))


@pytest.fixture(scope="module")
def cinema(product: Product, storefront: Storefront, clip: Path) -> Cinema:
    """Upload trailers before the film and the description that they belong to, and wait until all are published."""
    endpoints = product.endpoints
    described = clip.with_name("Low Tide.json")
    described.write_text(json.dumps(DESCRIBED), encoding="utf-8")
    names = "Low Tide.trailer.mp4", "Quayside-trailer.mp4", "Quayside.mp4"
    jobs = storefront.ended([storefront.send(name, clip) for name in names], within_s=400)
    assert {job["status"] for job in jobs.values()} == {"ready"}
    storefront.send(described.name, described)
    found = Cinema(endpoints["site"], endpoints["api"], title_id_for("Quayside.mp4"), title_id_for(described.name))
    for title_id in (found.film, found.announced):
        soon(partial(found.has_trailer, title_id))
    return found


@pytest.fixture
def axe(product: Product) -> Path:
    """Return the path of the axe script."""
    return web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"


def plays_to_the_end(page: Page) -> None:
    """Wait until the trailer plays, and go to its end."""
    until(page, TIME, lambda time_s: time_s > 0)
    page.evaluate("notflix.video.currentTime = notflix.video.duration - 0.5")
    until(page, "notflix.video.ended")


@SIZES
def test_a_guest_plays_the_trailer_and_is_offered_a_subscription(
    cinema: Cinema, browser: Browser, axe: Path, size: tuple[int, int]
) -> None:
    with opened(browser, cinema.page(cinema.film), size) as (page, wrong):
        button = page.get_by_role("link", name="Trailer", exact=True)
        button.wait_for()
        assert violations(page, axe) == [] and overflow(page) <= 0
        button.tap() if size == PHONE else button.click()
        page.wait_for_url(re.compile(r"/watch\.html\?id=.*&trailer$"))
        plays_to_the_end(page)
        assert page.title().startswith("Trailer: Quayside")
        assert page.evaluate("notflix.stats().errors") == []
        card = page.get_by_role("region", name="Quayside")
        subscribe = card.get_by_role("link", name="Subscribe to watch")
        subscribe.wait_for()
        assert "/plans.html?next=" in str(subscribe.get_attribute("href"))
        assert subscribe.evaluate("(node) => node.scrollWidth <= node.clientWidth")
        assert violations(page, axe) == [] and overflow(page) <= 0
        card.get_by_role("button", name="Cancel").click()
        page.mouse.move(5, 5)
        page.get_by_role("link", name="Back to the film’s page").click()
        page.wait_for_url(cinema.page(cinema.film))
        assert wrong == []


@pytest.mark.parametrize("prefix", ["", "/de"], ids=["english", "german"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE, (320, 568)], ids=["desktop", "phone", "small"])
def test_the_button_fits_beside_the_others(
    cinema: Cinema, browser: Browser, size: tuple[int, int], prefix: str
) -> None:
    for title_id in (cinema.film, cinema.announced):
        with opened(browser, cinema.page(title_id, prefix), size) as (page, _):
            page.get_by_role("link", name="Trailer", exact=True).wait_for()
            assert overflow(page) <= 0
            for control in page.locator(".hero .actions :is(.btn, .mark, .soon):visible").all():
                box = control.bounding_box()
                assert box and box["x"] >= 0 and box["x"] + box["width"] <= size[0]
                assert control.evaluate("(node) => node.scrollWidth <= node.clientWidth + 1")


def test_a_film_that_is_no_trailer_stays_refused(cinema: Cinema, browser: Browser) -> None:
    assert (
        requests.post(f"{cinema.api}/api/titles/{cinema.film}/playback", json={}, timeout=TIMEOUT_S).status_code == 401
    )
    trailer_id = trailer_id_of("Quayside")
    for title_id in (trailer_id, "nothing-000000"):
        assert cinema.trailer(title_id).status_code == 404
        assert requests.get(f"{cinema.api}/api/titles/{title_id}", timeout=TIMEOUT_S).status_code == 404
    with opened(browser, f"{cinema.site}/watch.html?id={cinema.film}") as (page, _):
        page.wait_for_url(re.compile(r"/login\.html\?next="))


def test_the_key_of_a_trailer_opens_nothing_else(cinema: Cinema) -> None:
    session = cinema.trailer(cinema.film).json()
    address = session["manifest_url"]
    assert requests.get(f"{address}?{session['sas']}", timeout=TIMEOUT_S).ok
    assert not requests.get(address, timeout=TIMEOUT_S).ok
    film = cinema.published(cinema.film)["playback"]["job_id"]
    others = address.replace(trailer_id_of("Quayside"), cinema.film).replace(session["job_id"], film)
    assert not requests.get(f"{others}?{session['sas']}", timeout=TIMEOUT_S).ok


def test_an_announced_title_has_its_trailer(cinema: Cinema, browser: Browser) -> None:
    assert cinema.published(cinema.announced)["status"] == "announced"
    with opened(browser, cinema.page(cinema.announced)) as (page, wrong):
        page.get_by_role("link", name="Trailer", exact=True).click()
        page.wait_for_url(re.compile(r"/watch\.html\?id=.*&trailer$"))
        plays_to_the_end(page)
        page.get_by_role("region", name="Low Tide").get_by_role("link", name="More about it").click()
        page.wait_for_url(cinema.page(cinema.announced))
        assert wrong == []


def test_a_subscriber_is_offered_the_film_and_the_trailer_leaves_no_trace(
    cinema: Cinema, viewer: SomeViewer, browser: Browser
) -> None:
    with opened(browser, f"{cinema.site}/watch.html?id={cinema.film}&trailer", viewer=viewer) as (page, wrong):
        plays_to_the_end(page)
        page.get_by_role("region", name="Quayside").get_by_role("link", name="Watch the film").wait_for()
        assert viewer.ask("GET", "usage").json()["entries"] == []
        assert viewer.ask("GET", "streams").json()["streams"] == []
        assert wrong == []


def test_a_trailer_plays_as_for_a_guest_once_the_session_has_ended(
    cinema: Cinema, viewer: SomeViewer, browser: Browser
) -> None:
    ended = type(viewer)(viewer.api, viewer.user_id, viewer.email, "ended", {**viewer.session, "token": "ended"})
    with opened(browser, f"{cinema.site}/watch.html?id={cinema.film}&trailer", viewer=ended) as (page, _):
        until(page, TIME, lambda time_s: time_s > 0)


def test_the_studio_marks_trailers_and_withdraws_them_with_their_title(
    product: Product, storefront: Storefront, cinema: Cinema, browser: Browser, clip: Path, axe: Path
) -> None:
    studio = Studio(product, make_administrator(product), browser)
    sent = [storefront.send(name, clip) for name in ("Reef.mp4", "Reef-trailer.mp4", "Nowhere-trailer.mp4")]
    storefront.ended(sent, within_s=400)
    film, trailer, _ = (each.title_id for each in sent)
    soon(lambda: cinema.has_trailer(film))
    assert cinema.trailer(film).status_code == 200
    with studio.at("titles") as (page, wrong):
        shown = entry(page, "Titles", "Trailer: Reef")
        shown.wait_for()
        visible = [button.inner_text().strip() for button in shown.get_by_role("button").all()]
        assert visible == ["Encode again", "Withdraw"]
        assert str(shown.get_by_role("link").get_attribute("href")).endswith(f"watch.html?id={film}&trailer")
        waiting = entry(page, "Titles", "Trailer: Nowhere")
        assert "There is no title with this name yet." in waiting.inner_text()
        assert violations(page, axe) == [] and overflow(page) <= 0
        page.get_by_role("list", name="Titles").get_by_role("listitem").filter(
            has=page.get_by_role("link", name="Reef", exact=True)
        ).get_by_role("button", name="Withdraw").click()
        page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()
        page.get_by_text("Withdrew Reef.").wait_for()
        assert page.get_by_role("link", name="Trailer: Reef").count() == 0
        assert wrong == []
    assert cinema.trailer(film).status_code == 404
    left = as_owner(product.endpoints, "GET", "catalogue/titles?q=reef").json()["titles"]
    assert [title["id"] for title in left] == []
    soon(lambda: not cinema.published(film))
    assert storefront.sent("Reef-trailer.mp4").title_id == trailer
