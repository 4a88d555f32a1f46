"""The catalogue with real storage: metadata from a simulated OMDb or sidecars, artwork, publication, withdrawal."""

from __future__ import annotations

import io
import json
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobClient
from PIL import Image

from functions import bootstrap, bootstrap_studio
from functions.catalogue.artwork import SLOTS
from functions.catalogue.model import DescriptionSource, Status
from functions.platform.identifiers import container_for, title_id_for
from tests.support.catalogue import make_picture, make_playback
from tests.support.owners import ADMINISTRATOR
from tests.support.playback import LAPTOP
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("wired")


def a_film(name: str) -> tuple[str, str]:
    """Return the file stem and title id of a film that no other test uses."""
    stem = f"{uuid.uuid4().hex[:8]}/{name}"
    return stem, title_id_for(f"{stem}.mkv")


def upload(blob: str, data: bytes | str) -> None:
    bootstrap.resources.blob_service().get_container_client("uploads").upload_blob(blob, data)


def on_site(path: str) -> bytes:
    return bootstrap.resources.blob_service().get_blob_client("$web", path.partition("?")[0]).download_blob().readall()


def page_of(title_id: str) -> Any:
    return json.loads(on_site(f"catalogue/titles/{title_id}.json"))


def simulate(fault: str) -> None:
    request = urllib.request.Request(f"{bootstrap.resources.settings().omdb_url}simulate?fault={fault}", method="POST")
    urllib.request.urlopen(request, timeout=5).close()


def test_a_film_is_described_and_pictured_by_omdb_and_published() -> None:
    stem, title_id = a_film("Big.Buck.Bunny.2008.1080p")
    catalogue = bootstrap.catalogue()
    catalogue.open_title(title_id, stem=stem, status=Status.ENCODING)
    title = catalogue.refresh_metadata(title_id, stem)
    assert (title.details.imdb_id, title.details.directors) == ("tt1254207", ("Sacha Goedegebure",))
    assert title.metadata.source is DescriptionSource.OMDB and title.metadata.matched
    catalogue.mark_playable(title_id, make_playback(), complete=True)
    bootstrap.publisher().publish()
    page = page_of(title_id)
    assert (page["status"], page["name"], page["year"]) == ("ready", "Big Buck Bunny", 2008)
    poster = Image.open(io.BytesIO(on_site(page["artwork"]["poster"])))
    assert (poster.format, poster.size) == ("JPEG", SLOTS["poster"])
    assert title_id in {card["id"] for card in json.loads(on_site("catalogue/search.json"))["titles"]}


def test_sidecars_beside_the_film_describe_and_picture_it() -> None:
    stem, title_id = a_film("film")
    upload(f"{stem}.json", '{"title": "Amélie ❤", "year": 2001, "genres": ["Comedy"], "actors": ["Audrey Tautou"]}')
    upload(f"{stem}.poster.jpg", make_picture(400, 600))
    upload(f"{stem}.backdrop.jpg", make_picture(1920, 1080))
    upload(f"{stem}.mkv.part", b"not ours")
    title = bootstrap.catalogue().refresh_metadata(title_id, stem)
    assert (title.status, title.details.name, title.metadata.source) == (
        Status.ANNOUNCED,
        "Amélie ❤",
        DescriptionSource.SIDECAR,
    )
    assert title.artwork.poster and title.artwork.card and title.artwork.backdrop
    assert [found.id for found in bootstrap.catalogue().list_titles("amelie").entries] == [title_id]


def test_a_broken_sidecar_is_a_reason() -> None:
    stem, title_id = a_film("Sintel.2010")
    upload(f"{stem}.json", '{"title": ["Sintel"]}')
    title = bootstrap.catalogue().refresh_metadata(title_id, stem)
    assert title.metadata.matched and title.details.imdb_id == "tt1727587"
    assert title.metadata.reason and "`title`:" in title.metadata.reason


@pytest.mark.parametrize("fault", ["key", "quota", "500", "garbage"])
def test_a_film_keeps_its_name_when_omdb_fails_and_is_described_once_it_is_well(fault: str) -> None:
    stem, title_id = a_film("Tears.of.Steel.2012")
    simulate(fault)
    try:
        title = bootstrap.catalogue().refresh_metadata(title_id, stem)
    finally:
        simulate("none")
    assert (title.details.name, title.metadata.matched) == ("Tears of Steel", False)
    assert title.metadata.reason and title.metadata.retry_at
    assert bootstrap.catalogue().refresh_metadata(title_id, stem).metadata.matched


def test_a_withdrawn_title_leaves_nothing_to_see() -> None:
    stem, title_id = a_film("Elephants.Dream.2006")
    blobs = bootstrap.resources.blob_service()
    bootstrap.catalogue().refresh_metadata(title_id, stem)
    bootstrap.catalogue().attach_frame(title_id, make_picture())
    bootstrap.publisher().publish()
    bootstrap.catalogue().withdraw_title(title_id)
    bootstrap.publisher().publish()
    left = [blob.name for blob in blobs.get_container_client("$web").list_blobs() if title_id in blob.name]
    assert left == []
    assert title_id not in on_site("catalogue/search.json").decode()


def test_publishers_at_once_end_in_the_truth() -> None:
    films = [a_film(f"Film {n}") for n in range(4)]

    def bring(film: tuple[str, str]) -> None:
        stem, title_id = film
        bootstrap.catalogue().open_title(title_id, stem=stem, status=Status.ENCODING)
        bootstrap.publisher().publish()
        bootstrap.catalogue().mark_playable(title_id, make_playback(), complete=True)
        bootstrap.publisher().publish()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(bring, films))
    shown = {card["id"]: card["status"] for card in json.loads(on_site("catalogue/search.json"))["titles"]}
    for _, title_id in films:
        assert shown[title_id] == page_of(title_id)["status"] == "ready"


def test_announcements_reach_the_queue_in_the_form_that_the_host_reads() -> None:
    stem, title_id = a_film("Queued")
    bootstrap.catalogue().open_title(title_id, stem=stem, status=Status.ENCODING)
    waiting = bootstrap.resources.queue_service().get_queue_client("publish-catalogue").receive_messages()
    assert "e30=" in {message.content for message in waiting}  # the message {} in base64


def test_a_playback_key_reads_its_title_and_can_do_nothing_else() -> None:
    blobs = bootstrap.resources.blob_service()
    for title_id in ("one-000001", "two-000002"):
        container = blobs.get_container_client(container_for(title_id))
        if not container.exists():
            container.create_container()
        container.upload_blob("job/manifest.mpd", b"<MPD/>", overwrite=True)
    catalogue = bootstrap.catalogue()
    catalogue.open_title("one-000001", stem="one", status=Status.ENCODING)
    catalogue.mark_playable("one-000001", make_playback("job"), complete=True)
    session = bootstrap.playback().service.open_title("one-000001", ADMINISTRATOR, LAPTOP)
    with BlobClient.from_blob_url(f"{session.manifest_url}?{session.sas}") as film:
        assert film.download_blob().readall() == b"<MPD/>"
        with pytest.raises(HttpResponseError):
            film.upload_blob(b"x", overwrite=True)
        with pytest.raises(HttpResponseError):
            film.delete_blob()
    other = session.manifest_url.replace("one-000001", "two-000002")
    for address in (f"{other}?{session.sas}", session.manifest_url):
        with BlobClient.from_blob_url(address) as film, pytest.raises(HttpResponseError) as refused:
            film.download_blob()
        assert refused.value.status_code in (401, 403, 404)


def test_a_title_that_is_in_no_store_is_not_found() -> None:
    with pytest.raises(ResourceNotFoundError):
        on_site("catalogue/titles/nothing.json")


def test_every_store_of_the_stack_is_up() -> None:
    """The first report of a busy machine may be late: each store has two seconds to answer, its connection included."""
    expected = dict.fromkeys(("blob", "queue", "mongo", "mysql", "redis", "neo4j"))
    report = bootstrap_studio.health().report
    eventually(lambda: {name: state.reason for name, state in report().items()} == expected)
