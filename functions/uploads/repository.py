"""The container `uploads` in Azure Blob Storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure.core.exceptions import ResourceNotFoundError

from functions.platform.blob_signing import seen_from_outside
from functions.uploads.ports import StoredUpload

if TYPE_CHECKING:
    from datetime import datetime

    from azure.storage.blob import BlobServiceClient

    from functions.platform.blob_signing import Signer

CONTAINER = "uploads"


class BlobUploads:
    """Uploads in blob storage; `front` is the origin that browsers use for storage, if not the account's own."""

    def __init__(self, service: BlobServiceClient, signer: Signer, *, front: str = "") -> None:
        self._service = service
        self._signer = signer
        self._front = front

    def find_upload(self, blob: str) -> StoredUpload | None:
        try:
            found = self._service.get_blob_client(CONTAINER, blob).get_blob_properties()
        except ResourceNotFoundError:
            return None
        return StoredUpload(found.etag, found.size, found.last_modified)

    def write_address(self, blob: str, *, until: datetime) -> str:
        address = self._signer.blob_address(CONTAINER, blob, until=until, write=True)
        return seen_from_outside(address, self._service, self._front)
