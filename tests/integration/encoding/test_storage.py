"""Blob storage for encodes and uploads: older manifests never replace newer ones; a signed URL reads only one blob."""

from __future__ import annotations

import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import requests
from azure.storage.blob import BlobServiceClient

from functions.encoding.model import SourceRef
from functions.encoding.storage import IMMUTABLE, BlobMedia
from functions.platform.blob_signing import Signer
from functions.platform.errors import EncodeFault, SourceRefused, StoreUnavailable
from functions.uploads.repository import BlobUploads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import Stack

MINUTE = timedelta(minutes=1)
PUBLISHERS = 16


@pytest.fixture(scope="module")
def service(stack: Stack) -> Iterator[BlobServiceClient]:
    with BlobServiceClient.from_connection_string(stack.settings.storage) as client:
        yield client


@pytest.fixture
def media(service: BlobServiceClient) -> BlobMedia:
    return BlobMedia(service, Signer(service))


@pytest.fixture
def container(service: BlobServiceClient, media: BlobMedia) -> Iterator[str]:
    """Create the container of a title twice; the second call changes nothing."""
    name = f"title-{uuid.uuid4().hex}"
    media.create_container(name)
    media.create_container(name)
    yield name
    service.delete_container(name)


def stored(service: BlobServiceClient, container: str, name: str) -> bytes:
    return service.get_blob_client(container, name).download_blob().readall()


def test_newest_of_many_manifests_written_at_once_stays(
    service: BlobServiceClient, media: BlobMedia, container: str
) -> None:
    revisions = list(range(4 * PUBLISHERS))
    random.Random(1).shuffle(revisions)

    def publish(revision: int) -> int:
        media.store_text(container, "job/manifest.mpd", f"revision {revision}", revision=revision)
        there = stored(service, container, "job/manifest.mpd").decode()
        return int(there.split()[1]) - revision

    with ThreadPoolExecutor(PUBLISHERS) as pool:
        ahead = list(pool.map(publish, revisions))
    assert min(ahead) >= 0, "what was written was covered by something older"
    assert stored(service, container, "job/manifest.mpd") == f"revision {max(revisions)}".encode()


def test_same_revision_is_written_once(service: BlobServiceClient, media: BlobMedia, container: str) -> None:
    blob = service.get_blob_client(container, "job/master.m3u8")
    media.store_text(container, "job/master.m3u8", "first", revision=3)
    etag = blob.get_blob_properties().etag
    media.store_text(container, "job/master.m3u8", "second", revision=3)
    media.store_text(container, "job/master.m3u8", "third", revision=2)
    assert (blob.get_blob_properties().etag, blob.download_blob().readall()) == (etag, b"first")


def test_manifests_are_looked_at_again_and_segments_are_kept_for_ever(
    service: BlobServiceClient, media: BlobMedia, container: str, tmp_path: Path
) -> None:
    segment = tmp_path / "s00000.m4s"
    segment.write_bytes(b"segment")
    for _ in range(2):
        media.store_file(container, "job/v360/s00000.m4s", segment)
    media.store_text(container, "job/manifest.mpd", "<MPD/>", revision=1)
    kept = service.get_blob_client(container, "job/v360/s00000.m4s").get_blob_properties().content_settings
    looked = service.get_blob_client(container, "job/manifest.mpd").get_blob_properties().content_settings
    assert (kept.content_type, kept.cache_control) == ("video/iso.segment", IMMUTABLE)
    assert (looked.content_type, looked.cache_control) == ("application/dash+xml", "no-cache")


@pytest.fixture
def film(service: BlobServiceClient, container: str) -> SourceRef:
    """Store an upload whose name contains all characters that must be escaped in addresses, and another upload."""
    for name in ("a film's (100%) & more?.mkv", "other.mkv"):
        service.get_blob_client(container, name).upload_blob(f"bytes of {name}".encode())
    return SourceRef(container, "a film's (100%) & more?.mkv")


def test_address_reads_its_blob_by_range(media: BlobMedia, film: SourceRef) -> None:
    address = media.signed_address(film, lasts=MINUTE)
    assert not set(address) & set(" '\"")
    answer = requests.get(address, headers={"Range": "bytes=9-14"}, timeout=10)
    assert (answer.status_code, answer.content) == (206, b"a film")


def test_address_is_good_for_nothing_but_reading_its_blob(media: BlobMedia, film: SourceRef) -> None:
    address = media.signed_address(film, lasts=MINUTE)
    folder, sas = address.partition("?")[0].rpartition("/")[0], address.partition("?")[2]
    for other in (
        f"{folder}/other.mkv?{sas}",
        f"{folder}?restype=container&comp=list&{sas}",
        address.partition("?")[0],
    ):
        assert requests.get(other, timeout=10).status_code in (403, 404)
    put = requests.put(address, data=b"x", headers={"x-ms-blob-type": "BlockBlob"}, timeout=10)
    assert put.status_code == 403
    assert requests.delete(address, timeout=10).status_code == 403
    assert requests.get(address, timeout=10).status_code == 200


def test_address_is_refused_when_its_time_is_over(media: BlobMedia, film: SourceRef) -> None:
    assert requests.get(media.signed_address(film, lasts=-MINUTE), timeout=10).status_code == 403


def test_ticket_writes_its_blob_and_reads_nothing(service: BlobServiceClient, stack: Stack) -> None:
    uploads = BlobUploads(service, Signer(service))
    name = f"{uuid.uuid4().hex} film.mkv"
    address = uploads.write_address(name, until=datetime.now(UTC) + MINUTE)
    headers = {"x-ms-blob-type": "BlockBlob"}
    assert uploads.find_upload(name) is None
    assert requests.put(address, data=b"film", headers=headers, timeout=10).status_code == 201
    found = uploads.find_upload(name)
    assert found
    assert found.size == 4
    assert requests.get(address, timeout=10).status_code == 403
    over = uploads.write_address(name, until=datetime.now(UTC) - MINUTE)
    assert requests.put(over, data=b"other", headers=headers, timeout=10).status_code == 403
    service.get_blob_client("uploads", name).delete_blob()
    assert uploads.find_upload(name) is None


def test_head_is_the_beginning_and_an_upload_that_is_gone_is_refused(
    service: BlobServiceClient, media: BlobMedia, container: str, film: SourceRef
) -> None:
    assert media.read_head(film, length=8) == b"bytes of"
    assert media.read_head(SourceRef(container, "other.mkv"), length=1000) == b"bytes of other.mkv"
    service.get_blob_client(container, "empty.mkv").upload_blob(b"")
    assert media.read_head(SourceRef(container, "empty.mkv"), length=8) == b""
    with pytest.raises(SourceRefused, match=r"gone.mkv is no longer in storage"):
        media.read_head(SourceRef(container, "gone.mkv"), length=8)


def test_names_are_those_that_begin_so_and_what_is_removed_twice_is_removed(
    media: BlobMedia, container: str, film: SourceRef, tmp_path: Path
) -> None:
    assert set(media.list_names(container, "a film")) == {film.blob}
    media.download_file(film, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == f"bytes of {film.blob}".encode()
    for _ in range(2):
        media.delete_blob(container, film.blob)
    assert set(media.list_names(container, "")) == {"other.mkv"}


def test_segment_that_storage_refuses_is_a_fault(media: BlobMedia, tmp_path: Path) -> None:
    segment = tmp_path / "s00000.m4s"
    segment.write_bytes(b"segment")
    with pytest.raises(EncodeFault, match="Storage refused a request"):
        media.store_file(f"title-{uuid.uuid4().hex}", "job/v360/s00000.m4s", segment)


def test_storage_that_does_not_answer_is_a_passing_fault(tmp_path: Path) -> None:
    away = BlobServiceClient(
        "http://127.0.0.1:1/account", credential={"account_name": "account", "account_key": "a2V5"}, retry_total=0
    )
    segment = tmp_path / "s00000.m4s"
    segment.write_bytes(b"segment")
    with away:
        media = BlobMedia(away, Signer(away))
        for act in (
            lambda: media.read_head(SourceRef("uploads", "film.mkv"), length=8),
            lambda: media.store_file("title-film", "job/v360/s00000.m4s", segment),
            lambda: media.store_text("title-film", "job/manifest.mpd", "<MPD/>", revision=1),
            lambda: media.download_file(SourceRef("uploads", "film.mkv"), tmp_path / "copy"),
            lambda: media.list_names("uploads", ""),
            lambda: media.create_container("title-film"),
            lambda: media.delete_blob("title-film", "job/source.mkv"),
        ):
            with pytest.raises(StoreUnavailable):
                act()
