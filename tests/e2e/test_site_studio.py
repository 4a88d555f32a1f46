"""The Studio in Chromium: an administrator uploads films, follows encodes, and edits titles."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import TimeoutError as NotInTime

from infra.local.stores.packages import web_folder
from tests.support.media import Film, make_film
from tests.support.pages import opened, refused, until
from tests.support.people import opener
from tests.support.studio import Studio, entry
from tests.support.uploads import Storefront
from tests.support.viewers import make_administrator, make_viewer, soon

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Dialog, Page, Route

    from tests.support.product import Product

ENCODE_MS = 300_000
SUBTITLES = "1\n00:00:00,500 --> 00:00:02,000\nGood evening.\n"
LIGHTHOUSE = '{"title": "The Stubborn Lighthouse", "year": 1987, "plot": "It will not go out."}'
DESCRIPTION = '{"title": "The Quiet Harbour", "year": 1987, "plot": "A boat comes in."}'
PUT_BLOCK = re.compile(r"comp=block&")
DROP = """([selector, name, text]) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([text], name));
  const drop = new DragEvent("drop", {dataTransfer, bubbles: true, cancelable: true});
  document.querySelector(selector).dispatchEvent(drop);
}"""


@pytest.fixture(scope="module")
def studio(product: Product, browser: Browser) -> Studio:
    """Return the Studio of the product, opened by an administrator."""
    return Studio(product, make_administrator(product), browser)


@pytest.fixture(scope="module")
def axe(product: Product) -> Path:
    """Return the path of the axe script."""
    return web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def harbour(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return a film of five seconds with its metadata and subtitles beside it."""
    folder = tmp_path_factory.mktemp("harbour")
    film = make_film(Film(name="harbour.mp4", frames=120), folder)
    beside = {"harbour.json": DESCRIPTION, "harbour.en.srt": SUBTITLES}
    for name, text in beside.items():
        (folder / name).write_text(text)
    return [film, *(folder / name for name in beside)]


def choose(page: Page, *files: Path) -> None:
    """Choose files with the file chooser, as a user would."""
    with page.expect_file_chooser() as choosing:
        page.get_by_text("choose files").click()
    choosing.value.set_files(list(files))


def film_of(folder: Path, name: str, text: str) -> Path:
    """Write a file that is not a film; return its path."""
    path = folder / name
    path.write_text(text)
    return path


# Access


def test_an_administrator_finds_the_studio_in_the_menu_and_a_viewer_does_not(product: Product, studio: Studio) -> None:
    site = product.endpoints["site"]
    with opened(studio.browser, site, viewer=studio.administrator) as (page, wrong):
        opener(page).click()
        page.get_by_role("link", name="Studio").click()
        page.get_by_role("heading", name="Studio", exact=True).wait_for()
        page.get_by_role("heading", name="Overview").wait_for()
        assert wrong == []
    with opened(studio.browser, site, viewer=make_viewer(product.endpoints)) as (page, _):
        opener(page).click()
        page.get_by_role("link", name="Account", exact=True).wait_for()
        assert page.get_by_role("link", name="Studio").count() == 0


def test_who_is_no_administrator_is_told_so_and_a_stranger_logs_in_first(product: Product, studio: Studio) -> None:
    asked: list[str] = []
    with opened(studio.browser, product.endpoints["site"], viewer=make_viewer(product.endpoints)) as (page, wrong):
        page.on("request", lambda request: asked.append(request.url))
        page.goto(studio.address)
        page.get_by_role("heading", name="The Studio is for administrators.").wait_for()
        assert page.get_by_role("tab").count() == 0
        assert not [url for url in asked if "/api/jobs" in url]
        assert wrong == []
    with opened(studio.browser, studio.address) as (page, _):
        page.wait_for_url("**/login.html?next=%2Fstudio.html")


def test_somebody_made_an_administrator_meanwhile_is_let_in_without_logging_in_anew(studio: Studio) -> None:
    known_as_before = replace(studio.administrator, session={**studio.administrator.session, "admin": False})
    with opened(studio.browser, studio.address, viewer=known_as_before) as (page, _):
        page.get_by_role("heading", name="Overview").wait_for()


# Uploads and encodes


def test_a_film_with_what_belongs_to_it_is_uploaded_encoded_and_watched(studio: Studio, harbour: list[Path]) -> None:
    with studio.at() as (page, wrong):
        choose(page, *harbour)
        for file in harbour:
            entry(page, "Uploads", file.name).get_by_text("uploaded").wait_for()
        encode = entry(page, "Encodes", "harbour.mp4")
        encode.get_by_text("Ready").wait_for(timeout=ENCODE_MS)
        encode.get_by_text("The Quiet Harbour").wait_for()
        encode.get_by_role("link", name="Watch").click()
        page.wait_for_url("**/watch.html?id=harbour-*")
        until(page, "window.notflix?.stats().time ?? 0", lambda time: time > 0.5)
        assert page.get_by_text("The Quiet Harbour").count() > 0
        assert wrong == []
    [title] = [found for found in studio.titles("harbour") if found["name"] == "The Quiet Harbour"]
    assert [track["language"] for track in title["playback"]["subtitles"]] == ["en"]
    storefront = Storefront(studio.product.endpoints)
    assert storefront.files_of(title["id"])
    assert studio.administrator.ask("DELETE", f"titles/{title['id']}").status_code == 204
    assert storefront.files_of(title["id"]) == []
    storefront.close()
    with studio.at() as (page, _):
        entry(page, "Encodes", "harbour.mp4").get_by_text("Withdrawn").wait_for()
        assert entry(page, "Encodes", "harbour.mp4").get_by_role("link").count() == 0


def test_a_broken_file_tells_its_reason_and_can_be_tried_again(studio: Studio, tmp_path: Path) -> None:
    broken = film_of(tmp_path, "broken.mp4", "This is a letter, not a film. " * 40)
    with studio.at() as (page, wrong):
        choose(page, broken)
        encode = entry(page, "Encodes", "broken.mp4")
        encode.get_by_text("Failed").wait_for(timeout=ENCODE_MS)
        assert "broken.mp4 is text, not a film." in encode.inner_text()
        assert encode.get_by_role("link").count() == 0
        page.get_by_label("Which encodes to show").select_option("failed")
        with page.expect_response(re.compile(r"/api/jobs/\w+/retry")) as retried:
            encode.get_by_role("button", name="Try again").click()
        assert retried.value.status == 202
        assert retried.value.json()["status"] == "queued"
        page.get_by_label("Which encodes to show").select_option("all")
        soon(lambda: studio.is_over(retried.value.json()["job_id"]))
        page.reload()
        encode.get_by_text("Failed").wait_for()
        assert "broken.mp4 is text, not a film." in encode.inner_text()
        assert wrong == []


def test_the_monthly_limit_is_changed(studio: Studio) -> None:
    limit = "encoding/limit"
    try:
        with studio.at() as (page, wrong):
            page.get_by_role("button", name="Monthly limit").click()
            amount = page.get_by_role("textbox", name="US dollars a month")
            assert amount.input_value() == ""
            amount.fill("a lot")
            page.get_by_role("button", name="Save").click()
            page.get_by_text("Enter whole dollars, such as 20, or leave it empty for no limit.").wait_for()
            amount.fill("900,000")  # far more than other tests spend
            page.get_by_role("button", name="Save").click()
            page.get_by_text(re.compile(r"of \$900,000\.$")).wait_for()
            assert not amount.is_visible()
            assert studio.administrator.ask("GET", limit).json()["usd"] == 900_000
            page.get_by_role("button", name="Monthly limit").click()
            assert amount.input_value() == "900000"
            assert wrong == []
    finally:
        studio.administrator.ask("PUT", limit, {"usd": None})


def test_an_upload_survives_a_lost_connection_and_tells_it(studio: Studio, tmp_path: Path) -> None:
    lost: list[str] = []

    def lose(route: Route) -> None:
        if len(lost) < 3:
            lost.append(route.request.url)
            route.abort("connectionfailed")
        else:
            route.continue_()

    file = film_of(tmp_path, "storm.srt", "1\n" * 3_000_000)
    with studio.at() as (page, wrong):
        page.route(PUT_BLOCK, lose)
        choose(page, file)
        page.get_by_text("There is no connection to storage. The upload continues automatically").wait_for()
        entry(page, "Uploads", "storm.srt").get_by_text("uploaded").wait_for()
        assert len(lost) == 3
        assert wrong == []
    assert studio.stored("storm.srt") == file.read_bytes()


def test_a_large_file_arrives_whole_in_several_blocks(studio: Studio, tmp_path: Path) -> None:
    file = tmp_path / "large.srt"
    file.write_bytes(bytes(range(256)) * (100_000))
    puts: list[str] = []
    with studio.at() as (page, _):
        page.on("request", lambda request: puts.append(request.url) if PUT_BLOCK.search(request.url) else None)
        choose(page, file)
        entry(page, "Uploads", "large.srt").get_by_text("25.6 MB, uploaded").wait_for()
    assert len(puts) == 4
    assert studio.stored("large.srt") == file.read_bytes()


def test_an_upload_can_be_cancelled_and_leaving_in_the_middle_is_warned_of(studio: Studio, tmp_path: Path) -> None:
    file = film_of(tmp_path, "endless.srt", "1\n")
    with studio.at() as (page, _):
        page.route(PUT_BLOCK, lambda route: None)  # a response that never arrives
        choose(page, file)
        upload = entry(page, "Uploads", "endless.srt")
        upload.get_by_role("progressbar").wait_for()
        warned: list[str] = []

        def stay(dialog: Dialog) -> None:
            warned.append(dialog.type)
            dialog.dismiss()

        page.once("dialog", stay)
        page.evaluate("location.assign('/')")
        until(page, "location.pathname", lambda path: path == "/studio.html" and bool(warned))
        assert warned == ["beforeunload"]
        upload.get_by_role("button", name="Cancel").click()
        upload.get_by_text("Cancelled.").wait_for()
        page.get_by_role("button", name="Clear finished").click()
        assert upload.count() == 0
    assert studio.stored("endless.srt") is None


def test_a_film_of_a_name_that_is_there_is_replaced_only_when_asked(studio: Studio, tmp_path: Path) -> None:
    film = film_of(tmp_path, "twice.mp4", "the first " * 100)
    storefront = Storefront(studio.product.endpoints)
    storefront.send("twice.mp4", film)
    storefront.close()
    film.write_text("the second, which is longer " * 100)
    with studio.at() as (page, wrong):
        choose(page, film)
        upload = entry(page, "Uploads", "twice.mp4")
        upload.get_by_text("A film with this name already exists.").wait_for()
        upload.get_by_role("button", name="Keep the existing film").click()
        upload.get_by_text("Cancelled.").wait_for()
        assert studio.stored("twice.mp4") == b"the first " * 100
        choose(page, film)
        upload.get_by_role("button", name="Replace").click()
        upload.get_by_text("uploaded").wait_for()
        assert wrong == []
    assert studio.stored("twice.mp4") == film.read_bytes()


def test_a_film_that_differs_only_in_its_extension_is_replaced_only_when_asked(studio: Studio, tmp_path: Path) -> None:
    storefront = Storefront(studio.product.endpoints)
    first = storefront.send("twin.mp4", make_film(Film("twin.mp4", frames=48, width=64, height=36), tmp_path))
    assert storefront.ended([first], within_s=400)["twin.mp4"]["status"] == "ready"
    other = make_film(Film("twin.mkv", frames=72, width=64, height=36), tmp_path)
    unasked = storefront.send("twin.mkv", other)
    reason = storefront.ended([unasked], within_s=400)["twin.mkv"]["reason"]
    assert reason.startswith("twin.mp4 is already the film of this title, so twin.mkv was not used.")
    with studio.at() as (page, wrong):
        choose(page, other)
        upload = entry(page, "Uploads", "twin.mkv")
        upload.get_by_text("This title already has the film twin.mp4.").wait_for()
        upload.get_by_role("button", name="Replace").click()
        upload.get_by_text("uploaded").wait_for()
        assert wrong == []
    job = storefront.ended([storefront.sent("twin.mkv")], within_s=400)["twin.mkv"]
    assert (job["status"], job["duration_s"]) == ("ready", 3.0)
    storefront.close()


def test_files_are_dropped_and_what_cannot_be_uploaded_is_told(studio: Studio, tmp_path: Path) -> None:
    with studio.at() as (page, wrong):
        page.evaluate(DROP, ["[data-hook=drop]", "dropped.srt", SUBTITLES])
        entry(page, "Uploads", "dropped.srt").get_by_text("uploaded").wait_for()
        choose(page, film_of(tmp_path, "nothing.mp4", ""))
        page.get_by_text("nothing.mp4 is empty.").wait_for()
        page.route("**/api/uploads", refused(422, "malformed", "film.mkv is 900.0 GB; MAX_UPLOAD_GB allows 50 GB."))
        choose(page, film_of(tmp_path, "film.mkv", "x"))
        upload = entry(page, "Uploads", "film.mkv")
        upload.get_by_text("MAX_UPLOAD_GB allows 50 GB").wait_for()
        page.unroute("**/api/uploads")
        upload.get_by_role("button", name="Try again").click()
        upload.get_by_text("uploaded").wait_for()
        assert wrong == []


def test_encodes_that_cannot_be_read_say_so_and_come_back_by_themselves(studio: Studio, harbour: list[Path]) -> None:
    with studio.at() as (page, _):
        page.get_by_role("heading", name="Encodes").wait_for()
        page.route("**/api/jobs", refused(503, "store_unavailable", "The catalogue's store does not answer."))
        page.reload()
        page.get_by_text("The catalogue's store does not answer. Trying again…").wait_for()
        page.unroute("**/api/jobs")
        page.get_by_text("Trying again…").wait_for(state="hidden")


# Titles


def reloaded(page: Page, text: str) -> None:
    """Reload the page until it contains the text."""

    def look() -> bool:
        page.reload()
        try:
            page.get_by_text(text).first.wait_for(timeout=10_000)
        except NotInTime:
            return False
        return True

    soon(look)


def test_a_title_is_found_edited_and_withdrawn(studio: Studio, tmp_path: Path) -> None:
    storefront = Storefront(studio.product.endpoints)
    storefront.send("lighthouse.json", film_of(tmp_path, "lighthouse.json", LIGHTHOUSE))
    storefront.close()
    soon(lambda: studio.titles("lighthouse"))
    with studio.at("titles") as (page, wrong):
        page.get_by_label("Search titles by name, people or genre").fill("stubborn lighth")
        title = entry(page, "Titles", "The Stubborn Lighthouse")
        title.get_by_role("button", name="Edit").click()
        dialog = page.get_by_role("dialog", name="Edit title")
        assert dialog.get_by_label("Plot").input_value() == "It will not go out."
        dialog.get_by_label("Year").fill("87")
        dialog.get_by_role("button", name="Save").click()
        dialog.get_by_text("A year has four digits").wait_for()
        dialog.get_by_label("Year").fill("1988")
        dialog.get_by_label("Plot").fill("It goes out at last.")
        dialog.get_by_role("button", name="Save").click()
        page.get_by_text("Saved The Stubborn Lighthouse.").wait_for()
        assert "1988" in title.inner_text()
        title.get_by_role("link", name="The Stubborn Lighthouse").click()
        page.wait_for_url("**/title/**")
        reloaded(page, "It goes out at last.")  # the page is published after the answer

        page.goto(f"{studio.address}#titles")
        page.get_by_label("Search titles by name, people or genre").fill("no such words")
        page.get_by_text("No title matches these words.").wait_for()
        page.get_by_label("Search titles by name, people or genre").fill("lighthouse")
        title.get_by_role("button", name="Withdraw").click()
        dialog = page.get_by_role("dialog", name="Withdraw this title?")
        dialog.get_by_role("button", name="Cancel").click()
        title.get_by_role("button", name="Withdraw").click()
        dialog.get_by_role("button", name="Withdraw title").click()
        page.get_by_text("Withdrew The Stubborn Lighthouse.").wait_for()
        assert title.count() == 0
        assert wrong == []
    assert studio.titles("lighthouse") == []
