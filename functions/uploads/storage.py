"""The container `uploads` as this slice needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from azure.core.exceptions import ResourceNotFoundError

from functions.platform.blob_signing import seen_from_outside

if TYPE_CHECKING:
    from datetime import datetime

    from azure.storage.blob import BlobServiceClient

    from functions.platform.blob_signing import Signer

CONTAINER = "uploads"


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of an uploaded blob: its size in bytes, and when it was completed."""

    etag: str
    size: int
    uploaded_at: datetime


class UploadStore(Protocol):
    """Where uploads lie."""

    def look(self, blob: str) -> Stored | None:
        """Return the version of a blob that is there now, or None."""

    def write_address(self, blob: str, *, until: datetime) -> str:
        """Return the address at which a blob may be written until then."""


class BlobUploads:
    """Uploads in Azure Blob storage."""

    def __init__(self, service: BlobServiceClient, signer: Signer, *, front: str = "") -> None:
        self._service = service
        self._signer = signer
        self._front = front

    def look(self, blob: str) -> Stored | None:
        """Return the version of a blob that is there now, or None."""
        try:
            found = self._service.get_blob_client(CONTAINER, blob).get_blob_properties()
        except ResourceNotFoundError:
            return None
        return Stored(found.etag, found.size, found.last_modified)

    def write_address(self, blob: str, *, until: datetime) -> str:
        """Return the address at which a blob may be written until then."""
        address = self._signer.blob_address(CONTAINER, blob, until=until, write=True)
        return seen_from_outside(address, self._service, self._front)
