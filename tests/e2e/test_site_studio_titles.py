"""The Studio's titles in Chromium: their film at OMDb, their pictures, every field, and several at once."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

import pytest
import requests

from functions.platform.identifiers import title_id_for
from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.catalogue import make_picture
from tests.support.library import playable, stock
from tests.support.pages import SIZES, overflow, until
from tests.support.studio import Studio, entry
from tests.support.viewers import TIMEOUT_S, make_administrator, soon

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page, Route

    from tests.support.product import Product


PICTURES = re.compile(r"/api/catalogue/titles\?.*limit=100")
"""The request that a page repeats until the catalogue has made the new pictures of a title."""


@pytest.fixture(scope="module")
def studio(product: Product, browser: Browser) -> Studio:
    """Return the Studio of the product, opened by an administrator."""
    return Studio(product, make_administrator(product), browser)


@pytest.fixture
def axe(product: Product) -> Path:
    """Return the path of the axe script."""
    return web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"


def stocked(studio: Studio, *names: str) -> list[str]:
    """Add titles with these names, as if films with them had been uploaded; return their ids."""
    ids = [title_id_for(f"{name}.mp4") for name in names]
    titles = (playable(one, stem=name, name=name) for one, name in zip(ids, names, strict=True))
    stock(studio.product.endpoints, *titles)
    return ids


def stored(studio: Studio, title_id: str) -> dict[str, Any]:
    """Return a title as everybody sees it."""
    answer = requests.get(f"{studio.product.endpoints['api']}/api/titles/{title_id}", timeout=TIMEOUT_S)
    found: dict[str, Any] = answer.json()
    return found


def search(page: Page, words: str) -> None:
    """Search for titles."""
    page.get_by_label("Search titles by name, people or genre").fill(words)


def choose(dialog: Locator, slot: str, name: str, media_type: str, data: bytes) -> None:
    """Choose a file for a picture."""
    dialog.get_by_role("button", name=f"Choose a file {slot}").set_input_files(
        {"name": name, "mimeType": media_type, "buffer": data}
    )


@SIZES
def test_a_title_is_matched_with_its_film_at_omdb(studio: Studio, axe: Path, size: tuple[int, int]) -> None:
    name = f"Unmatched {secrets.token_hex(3)}"
    [title_id] = stocked(studio, name)
    with studio.at("titles", size) as (page, wrong):
        search(page, name)
        entry(page, "Titles", name).get_by_role("button", name="Film").click()
        dialog = page.get_by_role("dialog", name="Which film is this?")
        dialog.get_by_label("Name of the film").fill("no such film")
        dialog.get_by_role("button", name="Search").click()
        dialog.get_by_text("No film has this name.").wait_for()
        dialog.get_by_label("Name of the film").fill("tears of")
        dialog.get_by_role("button", name="Search").click()
        choice = dialog.get_by_role("listitem").filter(has_text="Tears of Steel")
        choice.get_by_text("2012 · Film").wait_for()
        assert violations(page, axe) == []
        assert overflow(page) <= 0
        choice.get_by_role("button", name="Use this Tears of Steel (2012)").click()
        page.get_by_text("The description of Tears of Steel is updated.").wait_for()
        assert wrong == []
    matched = stored(studio, title_id)
    assert (matched["name"], matched["year"], matched["directors"]) == ("Tears of Steel", 2012, ["Ian Hubert"])
    assert matched["artwork"]["poster"]


def test_pictures_are_chosen_from_files_and_from_omdb(studio: Studio, axe: Path) -> None:
    name = f"Unpictured {secrets.token_hex(3)}"
    [title_id] = stocked(studio, name)
    assert studio.administrator.ask("PUT", f"titles/{title_id}/match", {"imdb_id": "tt1727587"}).ok
    studio.administrator.ask("PATCH", f"titles/{title_id}", {"name": name})
    with studio.at("titles") as (page, wrong):
        search(page, name)
        entry(page, "Titles", name).get_by_role("button", name="Pictures").click()
        dialog = page.get_by_role("dialog", name="Pictures")
        said = dialog.get_by_role("alert")
        choose(dialog, "Backdrop", "any name.png", "image/png", make_picture(1280, 720, kind="PNG"))
        said.filter(has_text="Saved.").wait_for()
        assert stored(studio, title_id)["artwork"]["backdrop"]
        from_omdb = stored(studio, title_id)["artwork"]["poster"]
        choose(dialog, "Poster", "poster.jpg", "image/jpeg", make_picture(400, 600, colour="navy"))
        own = soon(lambda: (found := stored(studio, title_id)["artwork"]["poster"]) != from_omdb and found)
        said.filter(has_text="Saved.").wait_for()
        dialog.get_by_role("button", name="Use OMDb’s poster").click()
        soon(lambda: stored(studio, title_id)["artwork"]["poster"] not in (own, None))
        said.filter(has_text="Saved.").wait_for()
        choose(dialog, "Poster", "x.txt", "text/plain", b"x")
        said.filter(has_text="Choose a JPEG, PNG or WebP picture.").wait_for()
        assert violations(page, axe) == []
        assert wrong == []


def test_a_picture_that_is_still_being_saved_does_not_change_the_title_that_is_opened_next(studio: Studio) -> None:
    word = f"Paired {secrets.token_hex(3)}"
    names = [f"{word} one", f"{word} two"]
    first, second = stocked(studio, *names)
    for title_id, name in zip((first, second), names, strict=True):
        assert studio.administrator.ask("PUT", f"titles/{title_id}/match", {"imdb_id": "tt1727587"}).ok
        studio.administrator.ask("PATCH", f"titles/{title_id}", {"name": name})
    with studio.at("titles") as (page, wrong):
        search(page, word)
        held: list[Route] = []
        page.route(PICTURES, lambda route: held.append(route))
        entry(page, "Titles", f"{word} one").get_by_role("button", name="Pictures").click()
        choose(page.get_by_role("dialog"), "Poster", "one.jpg", "image/jpeg", make_picture(400, 600, colour="navy"))
        until(page, "0", lambda _: bool(held))  # routes are reported only during calls to the page
        page.get_by_role("dialog").get_by_role("button", name="Close").click()
        entry(page, "Titles", f"{word} two").get_by_role("button", name="Pictures").click()
        dialog = page.get_by_role("dialog", name=f"Pictures of {word} two")
        for route in held:
            route.continue_()
        page.unroute(PICTURES)
        said = page.locator("[data-part=titles] :is([data-hook=said], [data-hook=trouble])")
        until(page, "0", lambda _: any(said.all_text_contents()))
        assert f"Saved {word} one." in " ".join(said.all_text_contents())
        choose(dialog, "Poster", "two.jpg", "image/jpeg", make_picture(400, 600, colour="red"))
        dialog.get_by_role("alert").filter(has_text="Saved.").wait_for()
        assert wrong == []
    posters = [stored(studio, title_id)["artwork"]["poster"] for title_id in (first, second)]
    assert all(posters) and posters[0] != posters[1]


def test_titles_without_an_age_rating_are_found_and_lists_are_edited_as_words_between_commas(
    studio: Studio, axe: Path
) -> None:
    name = f"Unlisted {secrets.token_hex(3)}"
    [title_id] = stocked(studio, name)
    with studio.at("titles") as (page, wrong):
        page.get_by_role("button", name="Show these titles").click()
        page.get_by_role("button", name="Show all titles").wait_for()
        search(page, name)
        entry(page, "Titles", name).wait_for()
        assert violations(page, axe) == []
        entry(page, "Titles", name).get_by_role("button", name="Edit").click()
        dialog = page.get_by_role("dialog", name="Edit title")
        dialog.get_by_label("Genres").fill("Drama, Science fiction")
        dialog.get_by_label("Age rating").fill("12")
        dialog.get_by_role("button", name="Save").click()
        page.get_by_text(f"Saved {name}.").wait_for()
        page.get_by_role("button", name="Show all titles").click()
        page.get_by_role("button", name="Show these titles").click()
        page.get_by_text("No title matches these words.").wait_for()
        assert wrong == []
    edited = stored(studio, title_id)
    assert (edited["genres"], edited["rated"]) == (["Drama", "Science fiction"], "12")


def test_several_titles_are_withdrawn_at_once(studio: Studio) -> None:
    word = f"bulk{secrets.token_hex(3)}"
    stocked(studio, f"{word} one", f"{word} two", f"{word} three")
    with studio.at("titles") as (page, wrong):
        search(page, word)
        for which in ("one", "two"):
            page.get_by_label(f"Select {word} {which}").check()
        bar = page.get_by_role("group", name="Selected titles")
        bar.get_by_text("2 selected").wait_for()
        bar.get_by_role("button", name="Withdraw").click()
        dialog = page.get_by_role("dialog", name="Withdraw 2 titles?")
        assert f"{word} one" in dialog.inner_text() and f"{word} three" not in dialog.inner_text()
        dialog.get_by_role("button", name="Withdraw title").click()
        page.get_by_text("Withdrew 2 titles.").wait_for()
        assert bar.count() == 0
        assert wrong == []
    soon(lambda: [one["name"] for one in studio.titles(word)] == [f"{word} three"])
