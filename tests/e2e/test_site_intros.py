"""An intro that two episodes share is found by the product, and skipped in Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from infra.local.stores.credentials import load_or_make
from infra.local.stores.packages import web_folder
from tests.support.accessibility import violations
from tests.support.episodes import TUNE_S, Episode, make_episode
from tests.support.pages import SIZES, opened, overflow, until
from tests.support.uploads import Storefront
from tests.support.waiting import PATIENCE_S, eventually

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.support.product import Product
    from tests.support.viewers import SomeViewer

EPISODES = (
    Episode("Harbour Lights S01E01.mkv", 11, intro_at=2.5),
    Episode("Harbour Lights S01E02.mkv", 23, intro_at=4.3, sound=("-c:a", "libmp3lame", "-b:a", "96k")),
)
TIME = "window.notflix?.stats().time ?? 0"


@pytest.fixture(scope="module")
def episodes(product: Product, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, dict[str, Any]]]:
    """Upload two episodes and wait until their intros are found; return their titles' ids and their jobs."""
    folder = tmp_path_factory.mktemp("intros")
    storefront = Storefront(product.endpoints)
    sent = [storefront.send(episode.name, make_episode(episode, folder)) for episode in EPISODES]
    jobs = storefront.ended(sent, within_s=400)
    assert {job["status"] for job in jobs.values()} == {"ready"}, jobs

    def found() -> list[dict[str, Any]]:
        run_timer(product, "start_later_work")  # it waits while other films are encoded
        shown = [storefront.job(each) or {} for each in sent]
        return shown if all(job.get("skippable") for job in shown) else []

    compared = eventually(found, within_s=400)
    storefront.close()
    return [(each.title_id, job) for each, job in zip(sent, compared, strict=True)]


def run_timer(product: Product, name: str) -> None:
    """Run the function of a timer now, as the admin API of the Functions host does."""
    key = load_or_make(product.home.secrets_file).master_key
    address = f"{product.endpoints['api']}/admin/functions/{name}"
    answer = requests.post(address, json={}, headers={"x-functions-key": key}, timeout=PATIENCE_S)
    assert answer.status_code == 202, answer.text


def test_the_owner_sees_where_the_intros_are(episodes: list[tuple[str, dict[str, Any]]]) -> None:
    for (_, job), episode in zip(episodes, EPISODES, strict=True):
        (part,) = job["skippable"]
        assert part["kind"] == "intro"
        assert episode.intro_at
        assert part["start_s"] == pytest.approx(episode.intro_at, abs=1)
        assert part["end_s"] == pytest.approx(episode.intro_at + TUNE_S, abs=1)


@SIZES
def test_a_found_intro_is_skipped(
    product: Product,
    episodes: list[tuple[str, dict[str, Any]]],
    viewer: SomeViewer,
    browser: Browser,
    size: tuple[int, int],
) -> None:
    axe = web_folder(product.home) / "node_modules" / "axe-core" / "axe.min.js"
    title_id, job = episodes[0]
    address = f"{product.endpoints['site']}/watch.html?id={title_id}"
    with opened(browser, address, size, viewer=viewer) as (page, wrong):
        until(page, TIME, lambda time_s: time_s > 0)
        page.evaluate("notflix.video.pause()")
        page.evaluate("notflix.video.currentTime = 5")
        skip = page.get_by_role("button", name="Skip intro")
        skip.wait_for()
        assert violations(page, axe) == []
        assert overflow(page) <= 0
        skip.click()
        until(page, TIME, lambda time_s: time_s >= job["skippable"][0]["end_s"] - 0.1)
        skip.wait_for(state="hidden")
        assert page.get_by_role("button", name="Chapters").count() == 0, "the film has no chapters"
        page.evaluate("notflix.video.currentTime = 60")
        until(page, TIME, lambda time_s: time_s >= 59.9)
        assert skip.is_hidden()
        assert wrong == []
