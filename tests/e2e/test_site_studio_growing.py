"""A film is watched while the Studio uploads it: from its first second to its end; an upload that stops continues."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from pymongo import MongoClient

from tests.support.media import Film, make_film
from tests.support.pages import SMALL, opened, until
from tests.support.studio import Studio, entry
from tests.support.uploads import Sent, Storefront
from tests.support.viewers import TIMEOUT_S, make_administrator
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Route

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

WITHIN_S = 600
pytestmark = pytest.mark.timeout(1500)

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", "-pix_fmt", "yuv420p", "-g", "48")
FRAGMENTED = ("-movflags", "+frag_keyframe+empty_moov+default_base_moof")
SECONDS = 40
TIME = "window.notflix?.stats().time ?? 0"
UPLOAD_ID = "0123456789ab-abcdef01"
MIB = 1 << 20


@pytest.fixture
def storefront(product: Product) -> Iterator[Storefront]:
    """Return the external interfaces of the product."""
    made = Storefront(product.endpoints)
    yield made
    made.close()


def film_of(folder: Path, name: str, mux: tuple[str, ...], *, seconds: int = SECONDS) -> Path:
    """Return a film whose pictures and sound are copied, with a key frame every two seconds."""
    return make_film(Film(name, frames=24 * seconds, width=640, height=360, video=X264, mux=mux), folder)


def padded(film: Path) -> Path:
    """Put unused bytes into the middle of a fragmented film, so that its halves are far apart in the file."""
    content = film.read_bytes()
    middle = content.index(b"moof", len(content) // 2) - 4
    size = 30 * MIB
    film.write_bytes(content[:middle] + size.to_bytes(4) + b"free" + bytes(size - 8) + content[middle:])
    return film


def published(product: Product, sent: Sent) -> dict[str, Any]:
    """Return what the API says about a title."""
    answer = requests.get(f"{product.endpoints['api']}/api/titles/{sent.title_id}", timeout=TIMEOUT_S)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


class HeldBlocks:
    """Lets three blocks of the uploads of a page pass, and holds the others until they are let go."""

    def __init__(self, page: Page) -> None:
        self._held: list[Route] = []
        self._passed = 0
        self._is_open = False
        page.route(re.compile(r"[?&]comp=block&"), self._take)

    def let_go(self) -> None:
        """Let all blocks pass, also those that follow."""
        self._is_open = True
        for route in self._held:
            route.continue_()

    def _take(self, route: Route) -> None:
        if self._is_open or self._passed < 3:
            self._passed += 1
            route.continue_()
        else:
            self._held.append(route)


def test_a_film_plays_while_the_studio_uploads_it(
    product: Product, viewer: SomeViewer, browser: Browser, storefront: Storefront, tmp_path: Path
) -> None:
    film = padded(film_of(tmp_path, "arriving.mp4", FRAGMENTED))
    studio = Studio(product, make_administrator(product), browser)
    with studio.at() as (page, complaints):
        blocks = HeldBlocks(page)
        with page.expect_file_chooser() as choosing:
            page.get_by_text("choose files").click()
        choosing.value.set_files(film)
        entry(page, "Encodes", film.name).get_by_text("Uploading,").wait_for()
        sent = storefront.sent(film.name)
        until(page, "0", lambda _: bool((storefront.job(sent) or {}).get("front_s")), within_s=WITHIN_S)
        first_s = (storefront.job(sent) or {})["front_s"]
        address = f"{product.endpoints['site']}/watch.html?id={sent.title_id}"
        with opened(browser, address, SMALL, viewer=viewer) as (watching, wrong):
            until(watching, TIME, lambda at: at > 0.2, within_s=WITHIN_S)
            watching.evaluate("notflix.video.playbackRate = 4")
            until(watching, TIME, lambda at: at > first_s - 4, within_s=WITHIN_S)
            watching.get_by_text(re.compile(r"^Being uploaded, \d\d %$")).wait_for()
            job = storefront.job(sent) or {}
            assert job["status"] == "receiving" and 30 < job["uploaded_percent"] < 90, job
            assert not published(product, sent)["playback"]["complete"]
            blocks.let_go()
            entry(page, "Uploads", film.name).get_by_text("uploaded").wait_for()
            until(watching, "notflix.video.ended", within_s=WITHIN_S)
            assert watching.evaluate(TIME) > SECONDS - 1
            assert watching.evaluate("notflix.stats().errors") == []
            assert wrong == []
        assert complaints == []
    assert storefront.sent(film.name) == sent
    assert storefront.ended([sent], within_s=WITHIN_S)[film.name]["status"] == "ready"


def test_an_open_tab_does_not_replace_a_film_that_became_whole_meanwhile(
    product: Product, browser: Browser, storefront: Storefront, tmp_path: Path
) -> None:
    film = padded(film_of(tmp_path, "meanwhile.mp4", FRAGMENTED, seconds=8))
    (tmp_path / "other").mkdir()
    other = film_of(tmp_path / "other", "meanwhile.mp4", FRAGMENTED, seconds=4)
    studio = Studio(product, make_administrator(product), browser)
    lists: list[dict[str, str]] = []
    with studio.at() as (page, complaints):
        blocks = HeldBlocks(page)
        page.on(
            "request",
            lambda sent: lists.append(sent.headers) if sent.method == "PUT" and "comp=blocklist" in sent.url else None,
        )
        with page.expect_file_chooser() as choosing:
            page.get_by_text("choose files").click()
        choosing.value.set_files(film)
        entry(page, "Encodes", film.name).get_by_text("Uploading,").wait_for()
        storefront.send(film.name, other)
        blocks.let_go()
        entry(page, "Uploads", film.name).get_by_text("Another file with this name was uploaded").wait_for()
        assert complaints == []
    assert storefront.content_of(film.name) == other.read_bytes()
    conditions = [headers.get("if-none-match") or headers.get("if-match") for headers in lists]
    assert conditions[0] == "*"
    assert len(set(conditions)) == len(conditions) > 1


def test_a_cancelled_upload_ends_at_once_with_a_reason(
    product: Product, browser: Browser, storefront: Storefront, tmp_path: Path
) -> None:
    film = padded(film_of(tmp_path, "cancelled.mp4", FRAGMENTED, seconds=8))
    studio = Studio(product, make_administrator(product), browser)
    with studio.at() as (page, complaints):
        passing = iter(range(3))
        page.route(
            re.compile(r"[?&]comp=block&"), lambda route: route.continue_() if next(passing, None) is not None else None
        )
        with page.expect_file_chooser() as choosing:
            page.get_by_text("choose files").click()
        choosing.value.set_files(film)
        encode = entry(page, "Encodes", film.name)
        encode.get_by_text("Uploading,").wait_for()
        entry(page, "Uploads", film.name).get_by_role("button", name="Cancel").click()
        encode.get_by_text(f"The upload of {film.name} was cancelled.").wait_for()
        sent = storefront.sent(film.name)
        assert (storefront.job(sent) or {})["status"] == "failed"
        assert complaints == []


@pytest.mark.extended
def test_an_old_entry_that_is_cleared_or_dismissed_does_not_end_an_upload_that_runs(
    product: Product, browser: Browser, storefront: Storefront, tmp_path: Path
) -> None:
    """The browser remembers an earlier upload of this name; another one sends the film now."""
    name = "running.mp4"
    content = film_of(tmp_path, name, FRAGMENTED, seconds=8).read_bytes()
    parts = [content[: len(content) // 2], content[len(content) // 2 :]]
    sent = storefront.commit(name, parts[:1], whole=len(content), upload_id=UPLOAD_ID)
    eventually(lambda: storefront.job(sent), within_s=WITHIN_S)
    old = {"name": name, "size": 9, "sent": 3, "blob": name, "upload": "ffffffffffff-00000000"}
    remember = "old => localStorage.setItem('notflix.uploads', JSON.stringify([{ ...old, atMs: Date.now() }]))"
    studio = Studio(product, make_administrator(product), browser)
    with studio.at() as (page, complaints):
        asked: list[int] = []
        page.on("response", lambda got: asked.append(got.status) if got.url.endswith("/uploads/cancel") else None)
        upload = entry(page, "Uploads", name)
        for button, within in (("Clear finished", page), ("Dismiss", upload)):
            page.evaluate(remember, old)
            page.reload()
            upload.get_by_text("Interrupted at").wait_for()
            assert asked == []
            within.get_by_role("button", name=button).click()
            upload.wait_for(state="detached")
        until(page, "0", lambda _: asked == [200], within_s=WITHIN_S)
        assert (storefront.job(sent) or {})["status"] == "receiving"
        assert complaints == []
    storefront.commit(name, parts, whole=len(content), upload_id=UPLOAD_ID)
    assert storefront.ended([sent], within_s=WITHIN_S)[name]["status"] == "ready"


@pytest.mark.extended
def test_an_upload_that_stops_fails_with_a_reason_and_continues_to_a_film(
    product: Product, storefront: Storefront, tmp_path: Path
) -> None:
    name = "stopped half way.mp4"
    content = film_of(tmp_path, name, ("-movflags", "+faststart"), seconds=16).read_bytes()
    most = len(content) * 3 // 4
    parts = [content[:most], content[most:-1000], content[-1000:]]

    def commit(count: int) -> Sent:
        return storefront.commit(name, parts[:count], whole=len(content), upload_id=UPLOAD_ID)

    def in_state(status: str) -> dict[str, Any]:
        return eventually(
            lambda: job if (job := storefront.job(sent)) and job["status"] == status else None, within_s=WITHIN_S
        )

    sent = commit(1)
    storefront.playable(sent, within_s=WITHIN_S)
    with MongoClient[dict[str, Any]](product.endpoints["mongo"]) as mongo:
        jobs = mongo["notflix"]["encode_jobs"]
        before = jobs.find_one({"_id": sent.job_id})
        assert before
        long_ago = before["reception"]["at"] - timedelta(hours=25)
        jobs.update_one({"_id": sent.job_id}, {"$set": {"reception.at": long_ago}})
    stopped = in_state("failed")
    assert stopped["reason"].startswith(f"The upload of {name} stopped.")
    assert commit(2) == sent
    assert in_state("receiving")["reason"] is None
    eventually(lambda: (storefront.job(sent) or {})["front_s"] > 8, within_s=WITHIN_S)
    assert not published(product, sent)["playback"]["complete"]
    assert commit(3) == sent
    assert storefront.ended([sent], within_s=WITHIN_S)[name]["status"] == "ready"
