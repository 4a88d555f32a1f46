"""The container `uploads` in Azure Blob storage, and the marks of started uploads in Mongo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError

from functions.platform.blob_errors import blobs_answering
from functions.platform.blob_signing import seen_from_outside
from functions.platform.errors import Conflict
from functions.platform.mongo import store_errors
from functions.uploads.commits import NAMES, stored_upload
from functions.uploads.ports import Watermark

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from azure.storage.blob import BlobServiceClient
    from pymongo.collection import Collection as MongoCollection

    from functions.uploads.ports import StoredUpload

from functions.platform.blob_signing import Signer

CONTAINER = "uploads"
WATERMARK = "watermark"


class BlobUploads:
    """Uploads in blob storage; `front` is the origin that browsers use for storage, if not the account's own."""

    def __init__(self, service: BlobServiceClient, signer: Signer, *, front: str = "") -> None:
        self._service = service
        self._signer = signer
        self._front = front

    def find_upload(self, blob: str) -> StoredUpload | None:
        try:
            with blobs_answering():
                found = self._service.get_blob_client(CONTAINER, blob).get_blob_properties()
        except ResourceNotFoundError:
            return None
        return stored_upload(found.etag, found.size, found.last_modified, found.metadata)

    def list_uploads(self) -> Iterator[tuple[str, StoredUpload]]:
        listed = iter(self._service.get_container_client(CONTAINER).list_blobs(include=["metadata"]))
        while True:
            with blobs_answering():  # not while the caller handles an upload
                found = next(listed, None)
            if found is None:
                return
            yield found.name, stored_upload(found.etag, found.size, found.last_modified, found.metadata)

    def renew_version(self, blob: str, *, over: str) -> None:
        client = self._service.get_blob_client(CONTAINER, blob)
        try:
            with blobs_answering():
                notes = client.get_blob_properties().metadata or {}
                notes = {name: text for name, text in notes.items() if name not in NAMES}
                # writing metadata is the one write that makes a version of a blob without its content
                client.set_blob_metadata(notes, etag=over, match_condition=MatchConditions.IfNotModified)
        except (ResourceModifiedError, ResourceNotFoundError):
            raise Conflict(f"{blob} was just replaced or deleted. Look at its title again.") from None

    def write_address(self, blob: str, *, until: datetime) -> str:
        address = self._signer.blob_address(CONTAINER, blob, until=until, write=True)
        return seen_from_outside(address, self._service, self._front)


class MongoArrivals:
    """The collection `arrivals`: one document for each started upload, and one for the watermark.

    It is in the same database as the encode jobs. After a restore from a backup, the watermark is therefore as old as
    the jobs, and uploads that arrived after the backup are started again.
    """

    def __init__(self, collection: MongoCollection[dict[str, Any]]) -> None:
        self._arrivals = collection

    @store_errors
    def mark_started(self, version: str, *, uploaded_at: datetime) -> None:
        self._arrivals.update_one({"_id": version}, {"$set": {"uploaded_at": uploaded_at}}, upsert=True)

    @store_errors
    def started(self, versions: Collection[str]) -> set[str]:
        return {str(found["_id"]) for found in self._arrivals.find({"_id": {"$in": list(versions)}}, {"_id": 1})}

    @store_errors
    def watermark(self) -> Watermark | None:
        found = self._arrivals.find_one({"_id": WATERMARK})
        return Watermark(found["at"], found["blob"]) if found else None

    @store_errors
    def move_watermark(self, to: Watermark) -> None:
        self._arrivals.update_one({"_id": WATERMARK}, {"$set": {"at": to.uploaded_at, "blob": to.blob}}, upsert=True)
        self._arrivals.delete_many({"uploaded_at": {"$lt": to.uploaded_at}})
