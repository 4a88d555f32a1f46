"""A new version of an upload with the same content: the fake and Azurite satisfy the same contract."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import requests
from azure.storage.blob import BlobBlock, BlobServiceClient

from functions.encoding.copying.reception import UploadChanged
from functions.encoding.model import SourceRef
from functions.encoding.storage import BlobMedia
from functions.platform.blob_signing import Signer
from functions.platform.errors import Conflict
from functions.uploads.ports import StoredUpload
from functions.uploads.repository import BlobUploads
from tests.support.arrivals import MemoryUploads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from functions.uploads.ports import UploadStore
    from tests.integration.conftest import Stack

NOTES = {"from": "a camera"}
TIMEOUT_S = 30


@pytest.fixture
def service(stack: Stack) -> Iterator[BlobServiceClient]:
    """Return a client of storage."""
    with BlobServiceClient.from_connection_string(stack.endpoints["storage_connection"]) as made:
        yield made


@pytest.fixture(params=["memory", "azurite"])
def stored(
    request: pytest.FixtureRequest, service: BlobServiceClient
) -> Iterator[tuple[UploadStore, str, Callable[[], None]]]:
    """Return a store with a film, the film's name, and a function that deletes the film."""
    blob = f"{uuid.uuid4().hex}.mkv"
    if request.param == "memory":
        memory = MemoryUploads({blob: StoredUpload("0x1", 4, datetime.now(UTC))})
        yield memory, blob, lambda: memory.blobs.clear()
        return
    client = service.get_blob_client("uploads", blob)
    client.upload_blob(b"film", metadata=NOTES)
    yield BlobUploads(service, Signer(service)), blob, client.delete_blob


def test_upload_gets_a_new_version_once_for_each_version(
    stored: tuple[UploadStore, str, Callable[[], None]],
) -> None:
    store, blob, delete = stored
    before = store.find_upload(blob)
    assert before
    store.renew_version(blob, over=before.etag)
    after = store.find_upload(blob)
    assert after
    assert after.etag != before.etag
    assert after.size == before.size
    assert after.uploaded_at >= before.uploaded_at
    with pytest.raises(Conflict, match="just replaced"):
        store.renew_version(blob, over=before.etag)
    assert store.find_upload(blob) == after
    delete()
    with pytest.raises(Conflict, match="just replaced or deleted"):
        store.renew_version(blob, over=after.etag)


def test_an_upload_in_steps_says_how_much_has_arrived_and_is_read_only_as_it_was(service: BlobServiceClient) -> None:
    client = service.get_blob_client("uploads", f"{uuid.uuid4().hex}.mp4")
    store, source = BlobUploads(service, Signer(service)), SourceRef("uploads", client.blob_name)
    media = BlobMedia(service, Signer(service))
    upload_id = "0123456789ab-abcdef01"
    client.stage_block("a", b"front")
    client.stage_block("c", b"end")
    notes = {"upload": upload_id, "front": "5", "whole": "12"}
    client.commit_block_list([BlobBlock("a"), BlobBlock("c")], metadata=notes)
    first = store.find_upload(client.blob_name)
    assert first and (first.upload_id, first.front, first.size, first.whole_size) == (upload_id, 5, 8, 12)
    assert dict(store.list_uploads())[client.blob_name].front == 5
    assert media.read_range(source, offset=5, length=9, etag=first.etag) == b"end"
    client.stage_block("b", b"back")
    client.commit_block_list([BlobBlock("a"), BlobBlock("b"), BlobBlock("c")], metadata={"upload": upload_id})
    with pytest.raises(UploadChanged):
        media.read_range(source, offset=5, length=9, etag=first.etag)
    whole = store.find_upload(client.blob_name)
    assert whole and whole.is_whole and (whole.upload_id, whole.size) == (upload_id, 12)
    store.renew_version(client.blob_name, over=whole.etag)
    renewed = store.find_upload(client.blob_name)
    assert renewed and renewed.upload_id == "" and renewed.etag != whole.etag, "it is encoded again by a job of its own"
    client.delete_blob()


def test_content_and_metadata_stay(service: BlobServiceClient) -> None:
    client = service.get_blob_client("uploads", f"{uuid.uuid4().hex}.mkv")
    client.upload_blob(b"film", metadata=NOTES)
    before = client.get_blob_properties()
    BlobUploads(service, Signer(service)).renew_version(client.blob_name, over=before.etag)
    after = client.get_blob_properties()
    assert (client.download_blob().readall(), after.metadata) == (b"film", NOTES)
    assert after.content_settings.content_type == before.content_settings.content_type
    client.delete_blob()


def test_a_list_of_blocks_replaces_only_the_version_that_it_names(service: BlobServiceClient) -> None:
    """As the Studio sends it, with the address of a ticket: storage answers what `upload.js` expects."""
    blob = f"{uuid.uuid4().hex}.mp4"
    store = BlobUploads(service, Signer(service))
    address = store.write_address(blob, until=datetime.now(UTC) + timedelta(hours=1))

    def commit(content: bytes, condition: dict[str, str]) -> requests.Response:
        block = base64.b64encode(uuid.uuid4().bytes).decode()
        stored = requests.put(f"{address}&comp=block&blockid={quote(block)}", data=content, timeout=TIMEOUT_S)
        assert stored.status_code == 201
        listed = f"<BlockList><Latest>{block}</Latest></BlockList>"
        return requests.put(f"{address}&comp=blocklist", data=listed, headers=condition, timeout=TIMEOUT_S)

    first = commit(b"one", {"If-None-Match": "*"})
    again = commit(b"two", {"If-None-Match": "*"})
    assert (first.status_code, again.status_code) == (201, 409)
    assert "<Code>BlobAlreadyExists</Code>" in again.text
    found = store.find_upload(blob)
    assert found and found.etag == first.headers["ETag"]
    second = commit(b"three", {"If-Match": found.etag})
    stale = commit(b"four", {"If-Match": found.etag})
    assert (second.status_code, stale.status_code) == (201, 412)
    assert "<Code>ConditionNotMet</Code>" in stale.text
    listed = requests.get(f"{address}&comp=blocklist&blocklisttype=committed", timeout=TIMEOUT_S)
    assert listed.headers["ETag"] == second.headers["ETag"]
    assert service.get_blob_client("uploads", blob).download_blob().readall() == b"three"
