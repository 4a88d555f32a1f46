"""A film with speech and without subtitles gets captions once it is ready, which viewers can read and search."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import requests

from infra.local.stores.credentials import load_or_make
from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.pages import DESKTOP, PHONE, opened, overflow, until
from tests.support.product import running_product
from tests.support.speech import SPOKEN, WORD_ERROR_RATE, make_spoken_film, needs_transcriber, word_error_rate
from tests.support.uploads import Storefront
from tests.support.viewers import as_owner, make_subscriber, soon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.support.product import Product

WITHIN_S = 600

pytestmark = [needs_transcriber, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def captioned() -> Iterator[Product]:
    """Start the product with automatic captions."""
    with running_product(settings={"AUTOMATIC_CAPTIONS": "marked"}) as running:
        yield running


@pytest.fixture(scope="module")
def title_id(captioned: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload a film in which somebody speaks, let the timer find it, and return its id once it has captions."""
    endpoints = captioned.endpoints
    storefront = Storefront(endpoints)
    film = make_spoken_film(tmp_path_factory.mktemp("captions"), begins_s=(1.0,), lasts_s=24)
    sent = storefront.send("spoken.mp4", film)
    job = storefront.ended([sent], within_s=WITHIN_S)[sent.blob]
    storefront.close()
    assert job["status"] == "ready", job
    address = f"{endpoints['api']}/admin/functions/start_av1"

    def captions() -> dict[str, Any]:
        found = as_owner(endpoints, "GET", f"jobs/{job['job_id']}").json()["captions"]
        return found if found and found["status"] != "encoding" else {}

    headers = {"x-functions-key": load_or_make(captioned.home.secrets_file).master_key}
    assert requests.post(address, json={}, headers=headers, timeout=60).status_code == 202
    made = soon(captions, within_s=WITHIN_S)
    assert (made["status"], made["language"], made["reason"]) == ("complete", "en", None)
    assert made["cues"] >= 4
    return str(sent.title_id)


@pytest.mark.parametrize(
    ("size", "path", "button", "label"),
    [
        (DESKTOP, "", "Subtitles and audio", "English (automatic)"),
        (PHONE, "/de", "Untertitel und Ton", "Englisch (automatisch)"),
    ],
    ids=["desktop", "phone in German"],
)
def test_viewers_choose_automatic_captions_and_read_what_is_said(
    captioned: Product, title_id: str, browser: Browser, size: tuple[int, int], path: str, button: str, label: str
) -> None:
    axe: Path = web_folder(captioned.home) / "node_modules" / "axe-core" / "axe.min.js"
    viewer = make_subscriber(captioned.endpoints)
    address = f"{captioned.endpoints['site']}{path}/watch.html?id={title_id}&from=2"
    with opened(browser, address, size, viewer=viewer, locale="de-DE" if path else "en-US") as (page, wrong):
        page.get_by_role("button", name=button).click()
        choice = page.get_by_text(label, exact=True)
        choice.wait_for()
        assert overflow(page) <= 0
        assert violations(page, axe) == []
        choice.click()
        text = "document.querySelector('.shaka-text-container')?.innerText ?? ''"
        shown: str = until(page, text, lambda found: len(found.split()) >= 4)
    said = set(re.findall(r"\w+", SPOKEN.lower()))
    assert len(said.intersection(re.findall(r"\w+", shown.lower()))) >= 2, shown
    assert wrong == []


def test_the_captions_are_found_by_the_search_and_can_be_downloaded(captioned: Product, title_id: str) -> None:
    site = captioned.endpoints["site"]
    soon(lambda: requests.get(f"{site}/catalogue/dialogue/{title_id}.json", timeout=30).ok, within_s=WITHIN_S)
    words = requests.get(f"{site}/catalogue/dialogue/{title_id}.json", timeout=30).json()["words"]
    assert {"lighthouse", "grandmother", "wooden"} <= set(words)
    viewer = make_subscriber(captioned.endpoints)
    session = viewer.ask("POST", f"titles/{title_id}/playback").json()
    (track,) = session["subtitles"]
    assert (track["label"], track["automatic"]) == ("English (automatic)", True)
    text = requests.get(f"{track['url']}?{session['sas']}", timeout=30).text
    heard = " ".join(line for line in text.splitlines()[4:] if not re.search(r"-->|^$", line))
    assert word_error_rate(SPOKEN, heard) <= WORD_ERROR_RATE, heard
