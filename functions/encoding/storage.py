"""The media store in Azure Blob Storage: uploads read by SAS address, immutable segments, revisioned manifests."""

from __future__ import annotations

import functools
from contextlib import suppress
from datetime import UTC, datetime
from itertools import batched
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobPrefix, ContentSettings

from functions.encoding.copying.reception import UploadChanged
from functions.platform.blob_errors import BEING_DELETED, blobs_answering, blobs_transferring, error_code
from functions.platform.errors import ContainerMissing, EncodeFault, SourceRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import timedelta
    from pathlib import Path

    from azure.storage.blob import BlobServiceClient

    from functions.encoding.model import SourceRef
    from functions.platform.blob_signing import Signer

KINDS = {
    ".m4s": "video/iso.segment",
    ".mp4": "video/mp4",
    ".mpd": "application/dash+xml",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".vtt": "text/vtt; charset=utf-8",
    ".jpg": "image/jpeg",
    ".mkv": "video/x-matroska",
    ".fingerprint": "application/octet-stream",
}
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"

NO_CONTAINER = "ContainerNotFound"
BATCH = 256
"""The maximum number of requests in one batch (Microsoft: Blob Batch)."""

DELETED = 202
RANGE_REFUSED = 416
"""The status of a request for a range that begins after the end of the blob."""


def _store_errors[**P, R](method: Callable[P, R]) -> Callable[P, R]:
    """Make a method raise StoreUnavailable if storage is busy or does not answer, EncodeFault if it refuses.

    ContainerMissing, a kind of StoreUnavailable, is raised if the container does not exist.
    """
    return _translated(method, blobs_answering)


def _transfer_errors[**P, R](method: Callable[P, R]) -> Callable[P, R]:
    """Make a method that may take long, because it handles media, raise the errors of `_store_errors`."""
    return _translated(method, blobs_transferring)


def _translated[**P, R](
    method: Callable[P, R], answering: Callable[[], AbstractContextManager[None]]
) -> Callable[P, R]:
    @functools.wraps(method)
    def translated(*arguments: P.args, **named: P.kwargs) -> R:
        try:
            with answering():
                return method(*arguments, **named)
        except HttpResponseError as error:
            if error_code(error) == NO_CONTAINER:
                raise ContainerMissing(
                    "Storage has lost the files of this film; they are being encoded again."
                ) from error
            code = error.status_code or 0
            raise EncodeFault(f"Storage refused a request of the encoder ({code} {error.reason}).") from error

    return translated


class BlobMedia:
    """The media store in Azure Blob storage."""

    def __init__(self, service: BlobServiceClient, signer: Signer) -> None:
        self._service = service
        self._signer = signer

    @_store_errors
    def signed_address(self, source: SourceRef, *, lasts: timedelta) -> str:
        return self._signer.blob_address(source.container, source.blob, until=datetime.now(UTC) + lasts)

    @_transfer_errors
    def read_head(self, source: SourceRef, *, length: int) -> bytes:
        blob = self._service.get_blob_client(source.container, source.blob)
        try:
            if not blob.get_blob_properties().size:
                return b""
            return blob.download_blob(offset=0, length=length).readall()
        except ResourceNotFoundError:
            raise SourceRefused(f"The upload {source.blob} is no longer in storage. Upload it again.") from None

    @_transfer_errors
    def read_range(self, source: SourceRef, *, offset: int, length: int, etag: str = "") -> bytes:
        condition: dict[str, Any] = {"etag": etag, "match_condition": MatchConditions.IfNotModified} if etag else {}
        blob = self._service.get_blob_client(source.container, source.blob)
        try:
            content: bytes = blob.download_blob(offset, length, **condition).readall()
            return content
        except ResourceModifiedError:
            raise UploadChanged(f"The upload {source.blob} was committed again.") from None
        except ResourceNotFoundError:
            raise SourceRefused(f"The upload {source.blob} is no longer in storage. Upload it again.") from None
        except HttpResponseError as error:
            if error.status_code == RANGE_REFUSED:
                return b""
            raise

    @_transfer_errors
    def download_file(self, source: SourceRef, target: Path) -> None:
        with target.open("wb") as file:
            self._service.get_blob_client(source.container, source.blob).download_blob().readinto(file)

    @_store_errors
    def list_names(self, container: str, prefix: str) -> list[str]:
        return list(self._service.get_container_client(container).list_blob_names(name_starts_with=prefix))

    @_store_errors
    def list_versions(self, container: str, prefix: str) -> dict[str, str]:
        blobs = self._service.get_container_client(container).list_blobs(name_starts_with=prefix)
        # in a listing, ETags have no quotation marks, unlike in the header of a request that depends on one
        return {blob.name: f'"{blob.etag.strip('"')}"' for blob in blobs}

    @_store_errors
    def list_sizes(self, container: str, prefix: str) -> dict[str, int]:
        blobs = self._service.get_container_client(container).list_blobs(name_starts_with=prefix)
        try:
            return {blob.name.removeprefix(prefix): blob.size for blob in blobs}
        except ResourceNotFoundError:
            return {}

    @_store_errors
    def read_text(self, container: str, name: str) -> str | None:
        try:
            content = self._service.get_blob_client(container, name).download_blob().readall()
        except ResourceNotFoundError:
            return None
        return content.decode("utf-8", "replace")

    @_store_errors
    def create_container(self, container: str) -> None:
        try:
            self._service.create_container(container)
        except ResourceExistsError as error:
            if error_code(error) == BEING_DELETED:
                raise

    @_transfer_errors
    def store_file(self, container: str, name: str, path: Path) -> None:
        with path.open("rb") as file:
            self._service.get_blob_client(container, name).upload_blob(
                file, overwrite=True, content_settings=_settings(name, IMMUTABLE)
            )

    @_store_errors
    def store_text(self, container: str, name: str, text: str, *, revision: int) -> None:
        blob = self._service.get_blob_client(container, name)
        while True:
            try:
                there = blob.get_blob_properties()
                if int((there.metadata or {}).get("revision", -1)) >= revision:
                    return
                condition: dict[str, Any] = {
                    "etag": there.etag,
                    "match_condition": MatchConditions.IfNotModified,
                    "overwrite": True,
                }
            except ResourceNotFoundError:
                condition = {"overwrite": False}
            try:
                blob.upload_blob(
                    text.encode(),
                    metadata={"revision": str(revision)},
                    content_settings=_settings(name, REVALIDATED),
                    **condition,
                )
                return
            except (ResourceModifiedError, ResourceExistsError):
                continue  # another publisher wrote in the meantime: read the revision again

    @_store_errors
    def delete_blob(self, container: str, name: str) -> None:
        with suppress(ResourceNotFoundError):
            self._service.get_blob_client(container, name).delete_blob()


class BlobFolders:
    """The folders in the containers of titles."""

    def __init__(self, service: BlobServiceClient) -> None:
        self._service = service

    @_store_errors
    def list_folders(self, container: str, *, within: str = "") -> list[str]:
        prefix = f"{within}/" if within else ""
        client = self._service.get_container_client(container)
        try:
            found = client.walk_blobs(name_starts_with=prefix, delimiter="/")
            return [each.name.removeprefix(prefix).rstrip("/") for each in found if isinstance(each, BlobPrefix)]
        except ResourceNotFoundError:
            return []

    @_transfer_errors
    def delete_files(self, container: str, folder: str, *, endings: tuple[str, ...] = ("",)) -> int:
        client = self._service.get_container_client(container)
        deleted = 0
        try:
            listed = client.list_blobs(name_starts_with=f"{folder}/")
            for batch in batched((blob for blob in listed if blob.name.endswith(endings)), BATCH, strict=False):
                asked = [
                    {"name": blob.name, "etag": blob.etag, "match_condition": MatchConditions.IfNotModified}
                    for blob in batch
                ]
                answers = client.delete_blobs(*asked, raise_on_any_failure=False)
                deleted += sum(answer.status_code == DELETED for answer in answers)
        except ResourceNotFoundError:  # the container was deleted in the meantime
            return deleted
        return deleted


def _settings(name: str, cache: str) -> ContentSettings:
    return ContentSettings(content_type=KINDS[name[name.rindex(".") :]], cache_control=cache)
