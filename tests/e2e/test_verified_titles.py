"""`./notflix verify` and the Studio find and repair files of a published film that storage has lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from azure.storage.blob import BlobServiceClient

from functions.platform.identifiers import container_for
from tests.support.media import Film, make_film
from tests.support.published import Published
from tests.support.studio import Studio, entry
from tests.support.uploads import Storefront
from tests.support.viewers import make_administrator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.support.product import Product
    from tests.support.uploads import Sent

ENDED_WITHIN_S = 300
REPAIR_MS = 300_000


@pytest.fixture(scope="module")
def storefront(product: Product) -> Iterator[Storefront]:
    opened = Storefront(product.endpoints)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def film(storefront: Storefront, tmp_path_factory: pytest.TempPathFactory) -> Sent:
    """Upload a film, and wait until it is ready."""
    path = make_film(Film(name="proof.mp4", frames=24 * 14, width=160, height=90), tmp_path_factory.mktemp("proof"))
    sent = storefront.send("the proof.mp4", path)
    assert storefront.ended([sent], within_s=ENDED_WITHIN_S)[sent.blob]["status"] == "ready"
    return sent


def lose(product: Product, sent: Sent, *names: str) -> None:
    """Delete files of a published film from storage."""
    with BlobServiceClient.from_connection_string(product.endpoints["storage_connection"]) as blobs:
        for name in names:
            blobs.get_blob_client(container_for(sent.title_id), f"{sent.job_id}/{name}").delete_blob()


@pytest.mark.extended
def test_verify_proves_a_film_finds_what_is_lost_and_repairs_it(
    product: Product, storefront: Storefront, film: Sent, tmp_path: Path
) -> None:
    sound = product.run("verify", film.title_id, "--json")
    assert sound.returncode == 0, sound.stderr
    [proof] = json.loads(sound.stdout)["titles"]
    assert (proof["title_id"], proof["job_id"], proof["damaged"]) == (film.title_id, film.job_id, 0)
    assert proof["files"] > 10

    lose(product, film, "a0/s00001.m4s", "manifest.mpd")
    damaged = product.run("verify", film.title_id)
    assert damaged.returncode == 1
    assert f"2 of {proof['files']} files are missing or damaged, such as a0/s00001.m4s" in damaged.stdout
    assert "--repair" in damaged.stdout
    assert "damaged" in product.run("jobs").stdout

    # also repairs films that other tests have left
    repaired = product.run("verify", "--all", "--repair", "--json", timeout_s=1100)
    found = {each["title_id"]: each for each in json.loads(repaired.stdout)["titles"]}[film.title_id]
    assert (found["damaged"], found["repaired"]) == (2, True)
    assert Published(storefront.fetch(film, tmp_path)).faults() == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Name a title"),
        (("some-title", "--all"), "Name a title"),
        (("no-such-title",), "There is no title no-such-title"),
    ],
)
def test_verify_says_which_title_it_needs(product: Product, arguments: tuple[str, ...], said: str) -> None:
    refused = product.run("verify", *arguments)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert said in refused.stderr


def test_owner_checks_and_repairs_a_film_in_the_studio(product: Product, browser: Browser, film: Sent) -> None:
    studio = Studio(product, make_administrator(product), browser)
    with studio.at() as (page, wrong):
        encode = entry(page, "Encodes", "the proof.mp4")
        encode.get_by_role("button", name="Check files").click(timeout=REPAIR_MS)
        encode.get_by_text("files are fine").wait_for(timeout=REPAIR_MS)
        lose(product, film, "v90/s00000.m4s")
        encode.get_by_role("button", name="Check files").click()
        encode.get_by_text("Damaged", exact=True).wait_for(timeout=REPAIR_MS)
        assert "1 of" in encode.inner_text()
        encode.get_by_role("button", name="Repair").click()
        encode.get_by_text("Ready", exact=True).wait_for(timeout=REPAIR_MS)
        assert wrong == []
