"""Words that are said in a film are found on every page; the result opens the film at that moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.media import Film, make_film
from tests.support.pages import SIZES, opened, overflow, until
from tests.support.uploads import Storefront
from tests.support.viewers import make_viewer, soon

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

SPOKEN = "The zephyrine lantern is burning."
SECOND = 12
SUBTITLES = f"1\n00:00:02,000 --> 00:00:03,000\nGood evening.\n\n2\n00:00:{SECOND},500 --> 00:00:14,000\n{SPOKEN}\n"


@pytest.fixture(scope="module")
def title_id(product: Product, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload a film with a phrase that no other film contains; return its id once its dialogue is published."""
    folder = tmp_path_factory.mktemp("dialogue")
    storefront = Storefront(product.endpoints)
    subtitles = folder / "lighthouse.en.srt"
    subtitles.write_text(SUBTITLES)
    storefront.send(subtitles.name, subtitles)
    sent = storefront.send("lighthouse.mp4", make_film(Film(name="lighthouse.mp4", frames=24 * 20), folder))
    job = storefront.ended([sent], within_s=400)[sent.blob]
    storefront.close()
    assert job["status"] == "ready", job
    address = f"{product.endpoints['site']}/catalogue/dialogue/{sent.title_id}.json"
    soon(lambda: requests.get(address, timeout=30).ok)
    return sent.title_id


@SIZES
def test_the_search_page_leads_to_the_second_at_which_something_is_said(
    product: Product, title_id: str, viewer: SomeViewer, browser: Browser, size: tuple[int, int]
) -> None:
    axe: Path = web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"
    with opened(browser, f"{product.endpoints['site']}/search.html", size, viewer=viewer) as (page, wrong):
        page.get_by_role("searchbox").fill("zephyrine lant")
        said = page.get_by_role("region", name="“zephyrine lant” is said in")
        moment = said.get_by_role("link", name="at 0:12")
        moment.wait_for()
        page.get_by_text("but it is said in a film").wait_for()
        assert overflow(page) <= 0
        assert violations(page, axe) == []
        moment.click()
        until(page, "window.notflix?.stats().time ?? 0", lambda time: time >= SECOND - 1)
        assert title_id in page.url
        assert wrong == []


def test_the_field_of_every_page_suggests_what_is_said(product: Product, title_id: str, browser: Browser) -> None:
    with opened(browser, f"{product.endpoints['site']}/plans.html") as (page, wrong):
        page.get_by_role("combobox").fill("zephyrine")
        option = page.get_by_role("option", name="“zephyrine” at 0:12")
        option.wait_for()
        assert str(option.get_attribute("href")).endswith(f"?id={title_id}&from={SECOND - 1}")
        assert wrong == []


def test_who_may_not_watch_sees_where_something_is_said_but_not_the_sentence(
    product: Product, title_id: str, browser: Browser
) -> None:
    site = product.endpoints["site"]
    published = requests.get(f"{site}/catalogue/dialogue/{title_id}.json", timeout=30).json()["words"]
    assert published["zephyrine"] == [SECOND]
    assert list(published) == sorted(published), "the order of the words is not that of the sentence"
    with opened(browser, f"{site}/search.html?q=zephyrine", viewer=make_viewer(product.endpoints)) as (page, wrong):
        page.get_by_role("link", name="at 0:12").click()
        page.get_by_text("Subscribe to watch this film.").wait_for()
        plans = page.get_by_role("link", name="See the plans")
        assert f"from%3D{SECOND - 1}" in str(plans.get_attribute("href")), "the plans lead back to this second"
        assert wrong == []
