"""Blob storage for encodes and uploads: older manifests never replace newer ones; a signed URL reads only one blob."""

from __future__ import annotations

import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient, ContainerClient

from functions.encoding.model import SourceRef
from functions.encoding.storage import BATCH, IMMUTABLE, BlobFolders, BlobMedia
from functions.platform.blob_signing import Signer
from functions.platform.errors import EncodeFault, StoreUnavailable
from functions.uploads.repository import BlobUploads
from tests.support.media_contract import FolderContract, MediaContract
from tests.support.upload_contract import UploadContract
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import Stack
    from tests.support.media_contract import Putting
    from tests.support.upload_contract import Uploading

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


@pytest.fixture
def put(service: BlobServiceClient) -> Putting:
    def write(container: str, blob: str, content: bytes) -> None:
        service.get_blob_client(container, blob).upload_blob(content, overwrite=True)

    return write


@pytest.fixture
def lost(service: BlobServiceClient) -> Iterator[str]:
    """Return the name of a container that does not exist, but may exist after the test."""
    name = f"title-{uuid.uuid4().hex}"
    yield name
    with suppress(ResourceNotFoundError):
        service.delete_container(name)


class TestBlobMedia(MediaContract):
    """Blob storage follows the contract of media."""


class TestBlobFolders(FolderContract):
    """Blob storage follows the contract of folders."""

    @pytest.fixture
    def folders(self, service: BlobServiceClient) -> BlobFolders:
        return BlobFolders(service)


class TestBlobUploads(UploadContract):
    """Blob storage follows the contract of uploads."""

    @pytest.fixture
    def uploads(self, service: BlobServiceClient) -> BlobUploads:
        return BlobUploads(service, Signer(service))

    @pytest.fixture
    def upload(self, service: BlobServiceClient) -> Iterator[Uploading]:
        written: set[str] = set()

        def write(blob: str, content: bytes) -> None:
            service.get_blob_client("uploads", blob).upload_blob(content, overwrite=True)
            written.add(blob)

        yield write
        for blob in written:
            service.get_blob_client("uploads", blob).delete_blob()


def test_newest_of_many_manifests_written_at_once_stays(
    service: BlobServiceClient, media: BlobMedia, container: str
) -> None:
    revisions = list(range(4 * PUBLISHERS))
    random.Random(1).shuffle(revisions)

    def is_published(revision: int) -> bool:
        try:
            media.store_text(container, "job/manifest.mpd", f"revision {revision}", revision=revision)
        except StoreUnavailable:  # too many at once for a busy machine; the queue would deliver the message again
            return False
        return True

    def publish(revision: int) -> int:
        eventually(lambda: is_published(revision))
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


def test_ticket_writes_its_blob_and_reads_no_other(service: BlobServiceClient, stack: Stack) -> None:
    uploads = BlobUploads(service, Signer(service))
    name = f"{uuid.uuid4().hex} film.mkv"
    address = uploads.write_address(name, until=datetime.now(UTC) + MINUTE)
    headers = {"x-ms-blob-type": "BlockBlob"}
    assert uploads.find_upload(name) is None
    assert requests.put(address, data=b"film", headers=headers, timeout=10).status_code == 201
    found = uploads.find_upload(name)
    assert found
    assert found.size == 4
    assert requests.get(address, timeout=10).content == b"film"  # to continue, a browser asks for the blocks
    another = f"{uuid.uuid4().hex} other.mkv"
    service.get_blob_client("uploads", another).upload_blob(b"other")
    of_another = address.replace(quote(name), quote(another))
    assert of_another != address and requests.get(of_another, timeout=10).status_code == 403
    service.get_blob_client("uploads", another).delete_blob()
    over = uploads.write_address(name, until=datetime.now(UTC) - MINUTE)
    assert requests.put(over, data=b"other", headers=headers, timeout=10).status_code == 403
    service.get_blob_client("uploads", name).delete_blob()
    assert uploads.find_upload(name) is None


def test_segment_that_storage_refuses_is_a_fault(media: BlobMedia, tmp_path: Path) -> None:
    segment = tmp_path / "s00000.m4s"
    segment.write_bytes(b"segment")
    with pytest.raises(EncodeFault, match="Storage refused a request"):
        media.store_file("no container has this NAME", "job/v360/s00000.m4s", segment)


def test_files_of_a_folder_are_deleted_in_several_batches(
    put: Putting, container: str, service: BlobServiceClient
) -> None:
    for number in range(BATCH + 44):
        put(container, f"one/v360/s{number:05d}.m4s", b"x")
    assert BlobFolders(service).delete_files(container, "one") == BATCH + 44
    assert BlobFolders(service).list_folders(container) == []


def test_file_that_is_written_again_during_a_deletion_is_kept(
    service: BlobServiceClient, container: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("job/s00000.m4s", "job/s00001.m4s"):
        service.get_blob_client(container, name).upload_blob(b"lost")
    delete = ContainerClient.delete_blobs

    def after_a_retry(client: ContainerClient, *blobs: Any, **options: Any) -> Any:
        client.upload_blob("job/s00001.m4s", b"made again", overwrite=True)
        return delete(client, *blobs, **options)

    monkeypatch.setattr(ContainerClient, "delete_blobs", after_a_retry)
    assert BlobFolders(service).delete_files(container, "job") == 1
    assert stored(service, container, "job/s00001.m4s") == b"made again"


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
            lambda: media.list_sizes("title-film", "job/"),
            lambda: media.read_text("title-film", "job/manifest.mpd"),
            lambda: BlobFolders(away).list_folders("title-film"),
            lambda: BlobFolders(away).delete_files("title-film", "job"),
            lambda: media.create_container("title-film"),
            lambda: media.delete_blob("title-film", "job/source.mkv"),
        ):
            with pytest.raises(StoreUnavailable):
                act()
