"""Uploads in the Studio that continue where they stopped, films of announced titles, and drafts that are published."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.storage.blob import BlobServiceClient
from pymongo import MongoClient

from tests.support.media import Film, make_film
from tests.support.pages import until
from tests.support.studio import Studio, entry
from tests.support.uploads import Storefront
from tests.support.viewers import make_administrator, soon

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page, Request, Response, Route

    from tests.support.product import Product

MIB = 1 << 20
BLOCK_BYTES = 8 * MIB
AT_ONCE = 4
"""How many blocks the Studio sends at a time."""
PATIENCE_MS = 300_000
PUT_BLOCK = re.compile(r"comp=block&")
LOST = "There is no connection to storage."


@pytest.fixture(scope="module")
def studio(product: Product, browser: Browser) -> Studio:
    """Return the Studio of the product, opened by an administrator."""
    return Studio(product, make_administrator(product), browser)


class Blocks:
    """The blocks that a page sends: how many times it began to send each, and which were stored.

    Only `passing` more blocks are let through; the others are held.
    """

    def __init__(self, page: Page, *, passing: int) -> None:
        self.passing = passing
        self.begun: Counter[str] = Counter()
        self.stored: set[str] = set()
        self.held: list[Route] = []
        self.watch(page)

    def watch(self, page: Page) -> None:
        """Observe the requests of another page, too."""
        page.route(PUT_BLOCK, self._begin)
        page.on("response", self._finish)

    def _begin(self, route: Route) -> None:
        self.begun[_id_of(route.request)] += 1
        if self.passing:
            self.passing -= 1
            route.continue_()
        else:
            self.held.append(route)

    def _finish(self, response: Response) -> None:
        if response.status == 201 and PUT_BLOCK.search(response.url):
            self.stored.add(_id_of(response))

    def let_pass(self, count: int) -> None:
        """Let this many blocks through, beginning with those that are held."""
        now, self.held = self.held[:count], self.held[count:]
        self.passing = count - len(now)
        for route in now:
            route.continue_()

    def lose(self) -> None:
        """Cut the connections of the blocks that are held."""
        lost, self.held = self.held, []
        for route in lost:
            route.abort("connectionfailed")

    @property
    def repeated(self) -> int:
        """Return how many blocks were sent in vain."""
        return self.begun.total() - len(self.begun)


def _id_of(message: Request | Response) -> str:
    return parse_qs(urlsplit(message.url).query)["blockid"][0]


def choose(page: Page, *files: Path) -> None:
    """Choose files with the file chooser, as a user would."""
    with page.expect_file_chooser() as choosing:
        page.get_by_text("choose files").click()
    choosing.value.set_files(list(files))


def wait_for(page: Page, is_so: Callable[[], bool], *, within_s: float = PATIENCE_MS / 1000) -> None:
    """Wait for something that events of the page report; they are delivered only during calls to the page."""
    until(page, "0", lambda _: is_so(), within_s=within_s)


def random_file(path: Path, blocks: int) -> str:
    """Write a file that ends in the middle of its last block; return the SHA-256 of its content."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for number in range(blocks):
            part = hashlib.shake_128(bytes([number % 256])).digest(MIB // 4) * 32
            part = part[: BLOCK_BYTES // 2] if number == blocks - 1 else part
            digest.update(part)
            file.write(part)
    return digest.hexdigest()


def stored_digest(studio: Studio, blob: str) -> str:
    """Return the SHA-256 of an upload, read piece by piece."""
    digest = hashlib.sha256()
    with BlobServiceClient.from_connection_string(studio.product.endpoints["storage_connection"]) as blobs:
        for part in blobs.get_blob_client("uploads", blob).download_blob().chunks():
            digest.update(part)
    return digest.hexdigest()


def renderer_mb(browser: Browser) -> int:
    """Return the resident memory of the largest process that renders pages."""
    found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pids = [process["id"] for process in found if process["type"] == "renderer"]
    texts = [path.read_text() for pid in pids if (path := Path(f"/proc/{pid}/status")).exists()]
    return max(int(size) // 1024 for text in texts for size in re.findall(r"VmRSS:\s+(\d+)", text))


def test_an_upload_is_whole_after_three_lost_connections_and_a_reload(
    studio: Studio, tmp_path: Path, in_full: bool
) -> None:
    count = 128 if in_full else 14
    name = "voyage.srt"
    digest = random_file(tmp_path / name, count)
    with studio.at() as (page, _):
        blocks = Blocks(page, passing=0)
        before_mb = most_mb = renderer_mb(studio.browser)
        choose(page, tmp_path / name)
        upload = entry(page, "Uploads", name)
        for part in (1, 2, 3, 4):
            passed = part * (count // 6)
            blocks.let_pass(passed - len(blocks.stored))
            wait_for(page, lambda passed=passed: len(blocks.stored) == passed and len(blocks.held) == AT_ONCE)  # type: ignore[misc]
            most_mb = max(most_mb, renderer_mb(studio.browser))
            if part < 4:
                blocks.lose()
                upload.get_by_text(LOST).wait_for(timeout=PATIENCE_MS)
        kept, begun = set(blocks.stored), Counter(blocks.begun)
        context = page.context
        page.close()  # does not ask whether to leave the page
        page = context.new_page()
        blocks.held.clear()
        blocks.passing = count
        blocks.watch(page)
        page.goto(f"{studio.address}#films")
        upload = entry(page, "Uploads", name)
        upload.get_by_text("Interrupted at").wait_for(timeout=PATIENCE_MS)
        choose(page, tmp_path / name)
        upload.get_by_text("MB, uploaded.").or_(upload.get_by_text("GB, uploaded.")).wait_for(timeout=PATIENCE_MS)
        most_mb = max(most_mb, renderer_mb(studio.browser))
    assert len(blocks.begun) == count
    assert not {block for block in kept if blocks.begun[block] > begun[block]}, "what was stored is not sent again"
    assert blocks.repeated <= 4 * AT_ONCE, "each of the four interruptions costs the blocks that were on their way"
    assert stored_digest(studio, name) == digest
    assert most_mb - before_mb < 200, "the file is never held in memory"


def test_an_upload_is_paused_and_continues_with_the_blocks_that_are_left(studio: Studio, tmp_path: Path) -> None:
    digest = random_file(tmp_path / "pause.srt", 6)
    with studio.at() as (page, wrong):
        blocks = Blocks(page, passing=2)
        choose(page, tmp_path / "pause.srt")
        upload = entry(page, "Uploads", "pause.srt")
        wait_for(page, lambda: len(blocks.stored) == 2 and len(blocks.held) == AT_ONCE)
        upload.get_by_role("button", name="Pause").click()
        upload.get_by_text(", paused").wait_for()
        kept = set(blocks.stored)
        blocks.held.clear()
        blocks.passing = 99
        choose(page, _subtitles(tmp_path))
        entry(page, "Uploads", "next.srt").get_by_text("uploaded").wait_for()  # a paused upload does not delay others
        upload.get_by_role("button", name="Continue").click()
        upload.get_by_text("uploaded").wait_for(timeout=PATIENCE_MS)
        assert [blocks.begun[block] for block in kept] == [1, 1]
        assert wrong == []
    assert stored_digest(studio, "pause.srt") == digest


def test_an_upload_of_another_tab_is_not_called_interrupted(studio: Studio, tmp_path: Path) -> None:
    film = tmp_path / "two tabs.srt"
    random_file(film, 6)
    with studio.at() as (page, wrong):
        blocks = Blocks(page, passing=2)
        choose(page, film)
        wait_for(page, lambda: len(blocks.stored) == 2)
        second = page.context.new_page()
        second.goto(f"{studio.address}#films")
        entry(second, "Uploads", film.name).get_by_text("This file is being uploaded in another tab").wait_for()
        assert second.get_by_role("button", name="Clear finished").is_hidden()
        assert entry(second, "Uploads", film.name).get_by_role("button").count() == 0
        page.close()
        entry(second, "Uploads", film.name).get_by_text("Interrupted at").wait_for()
        assert wrong == []


def _subtitles(folder: Path) -> Path:
    path = folder / "next.srt"
    path.write_text("1\n00:00:00,500 --> 00:00:02,000\nGood evening.\n")
    return path


def test_a_failed_encode_and_a_failed_upload_are_dismissed(studio: Studio, tmp_path: Path) -> None:
    text = tmp_path / "dismissed.mp4"
    text.write_text("This is a letter, not a film. " * 40)
    with studio.at() as (page, wrong):
        page.route(PUT_BLOCK, lambda route: route.fulfill(status=413, headers={"access-control-allow-origin": "*"}))
        choose(page, text)
        upload = entry(page, "Uploads", text.name)
        upload.get_by_text("The file is larger than storage accepts.").wait_for()
        upload.get_by_role("button", name="Dismiss").click()
        upload.wait_for(state="detached")
        page.unroute(PUT_BLOCK)
        choose(page, text)
        encode = entry(page, "Encodes", text.name)
        encode.get_by_text("Failed").wait_for(timeout=PATIENCE_MS)
        encode.get_by_role("button", name="Dismiss").click()
        encode.wait_for(state="detached")
        page.reload()
        page.locator("[data-hook=jobs]:not([aria-busy])").wait_for(state="attached")
        assert encode.count() == 0
        assert [line for line in wrong if "413" not in line] == []


def test_a_film_becomes_that_of_an_announced_title_when_the_owner_agrees(studio: Studio, tmp_path: Path) -> None:
    announced = tmp_path / "coming lagoon.json"
    announced.write_text('{"title": "The Blue Lagoon Returns", "year": 2011}')
    storefront = Storefront(studio.product.endpoints)
    title_id = storefront.send(announced.name, announced).title_id
    soon(lambda: studio.titles("lagoon returns"))
    film = make_film(Film("The Blue Lagoon Returns.mp4", frames=48, width=64, height=36), tmp_path)
    with studio.at() as (page, wrong):
        choose(page, film)
        upload = entry(page, "Uploads", film.name)
        upload.get_by_text("The Blue Lagoon Returns (2011) is announced and has no film yet.").wait_for()
        assert upload.get_by_role("button", name="No, a new title").is_visible()
        upload.get_by_role("button", name="Yes, it is").click()
        upload.get_by_text("uploaded as the film of an announced title").wait_for()
        assert upload.get_by_role("link", name="Open film page").get_attribute("href") == f"/title/{title_id}"
        assert wrong == []
    sent = storefront.sent("coming lagoon.mp4")
    assert sent.title_id == title_id
    assert storefront.ended([sent], within_s=240)[sent.blob]["status"] == "ready"
    storefront.close()
    [title] = studio.titles("lagoon returns")
    assert (title["id"], title["status"]) == (title_id, "ready")


def test_a_draft_is_watched_by_the_owner_and_published_by_a_click(studio: Studio, tmp_path: Path) -> None:
    storefront = Storefront(studio.product.endpoints)
    film = make_film(Film("hidden cove.mp4", frames=96, width=64, height=36), tmp_path)
    sent = storefront.send(film.name, film)
    assert storefront.ended([sent], within_s=240)[sent.blob]["status"] == "ready"
    storefront.close()
    make_draft(studio, sent.title_id)
    assert studio.titles("hidden cove") == []
    with studio.at("titles") as (page, wrong):
        page.get_by_label("Search titles by name, people or genre").fill("hidden cove")
        title = entry(page, "Titles", "hidden cove")
        title.get_by_text("Not published yet").wait_for()
        assert title.get_by_role("link").get_attribute("href") == f"/watch.html?id={sent.title_id}"
        title.get_by_role("button", name="Publish").click()
        page.get_by_text("Published hidden cove.").wait_for()
        title.get_by_text("Not published yet").wait_for(state="detached")
        assert wrong == []
    assert [found["id"] for found in studio.titles("hidden cove")] == [sent.title_id]


def make_draft(studio: Studio, title_id: str) -> None:
    """Make a title a draft, as if it had arrived while new titles are reviewed."""
    with MongoClient[dict[str, Any]](studio.product.endpoints["mongo"]) as client:
        titles = client["notflix"]["titles"]
        changed = {"$set": {"draft": True, "listed": False, "published": False}, "$inc": {"revision": 1}}
        assert titles.update_one({"_id": title_id}, changed).matched_count
