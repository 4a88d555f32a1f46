"""Every adapter of blob storage reports storage that does not answer as a temporary fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient

from functions.catalogue.sidecar import BlobSidecars
from functions.catalogue.site import BlobSite
from functions.platform.blob_errors import blobs_answering
from functions.platform.errors import StoreUnavailable
from functions.uploads.repository import BlobUploads

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS: dict[str, Callable[[BlobServiceClient], object]] = {
    "find an upload": lambda client: BlobUploads(client, _no_signer).find_upload("film.mkv"),
    "list the uploads": lambda client: list(BlobUploads(client, _no_signer).list_uploads()),
    "find a file": lambda client: BlobSite(client.get_container_client("$web")).find_version("home.json"),
    "write a file": lambda client: BlobSite(client.get_container_client("$web")).write(
        "home.json", b"{}", kind="application/json", cache="no-cache", over=None
    ),
    "remove a file": lambda client: BlobSite(client.get_container_client("$web")).remove("home.json"),
    "read sidecars": lambda client: BlobSidecars(client.get_container_client("uploads")).beside("film"),
}
_no_signer: Any = None


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_storage_that_refuses_connections_is_unavailable(
    call: Callable[[BlobServiceClient], object], refused_port: int
) -> None:
    address = f"http://127.0.0.1:{refused_port}/account"
    with BlobServiceClient(address, credential="a2V5", retry_total=0) as client, pytest.raises(StoreUnavailable):
        call(client)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_busy_storage_is_unavailable(status: int) -> None:
    error = HttpResponseError("https://account.blob.core.windows.net/uploads/film.mkv?sig=SECRET")
    error.status_code = status
    with pytest.raises(StoreUnavailable) as caught, blobs_answering():
        raise error
    assert str(status) in caught.value.detail
    assert "SECRET" not in caught.value.detail


def test_other_refusals_propagate_unchanged() -> None:
    error = ResourceNotFoundError("The specified blob does not exist.")
    error.status_code = 404
    with pytest.raises(ResourceNotFoundError), blobs_answering():
        raise error
