"""The media store in Azure Blob Storage: uploads read by SAS address, immutable segments, revisioned manifests."""

from __future__ import annotations

import functools
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import ContentSettings

from functions.platform.errors import EncodeFault, SourceRefused, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
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
}
IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"

PASSING = (408, 429)
BEING_DELETED = "ContainerBeingDeleted"
"""The error code for a container that is being deleted with its title; its name is available again within a minute."""


def _store_errors[**P, R](method: Callable[P, R]) -> Callable[P, R]:
    """Make a method raise StoreUnavailable if storage is busy or does not answer, EncodeFault if it refuses."""

    @functools.wraps(method)
    def translated(*arguments: P.args, **named: P.kwargs) -> R:
        try:
            return method(*arguments, **named)
        except HttpResponseError as error:
            code = error.status_code or 0
            if code in PASSING or code >= 500 or error.error_code == BEING_DELETED:  # type: ignore[attr-defined]
                raise StoreUnavailable(f"Storage is busy ({code}); try again in a few seconds.") from error
            raise EncodeFault(f"Storage refused a request of the encoder ({code} {error.reason}).") from error
        except AzureError as error:
            raise StoreUnavailable(f"Storage does not answer ({type(error).__name__}).") from error

    return translated


class BlobMedia:
    """The media store in Azure Blob storage."""

    def __init__(self, service: BlobServiceClient, signer: Signer) -> None:
        self._service = service
        self._signer = signer

    @_store_errors
    def signed_address(self, source: SourceRef, *, lasts: timedelta) -> str:
        return self._signer.blob_address(source.container, source.blob, until=datetime.now(UTC) + lasts)

    @_store_errors
    def read_head(self, source: SourceRef, *, length: int) -> bytes:
        blob = self._service.get_blob_client(source.container, source.blob)
        try:
            if not blob.get_blob_properties().size:
                return b""
            return blob.download_blob(offset=0, length=length).readall()
        except ResourceNotFoundError:
            raise SourceRefused(f"The upload {source.blob} is no longer in storage. Upload it again.") from None

    @_store_errors
    def download_file(self, source: SourceRef, target: Path) -> None:
        with target.open("wb") as file:
            self._service.get_blob_client(source.container, source.blob).download_blob().readinto(file)

    @_store_errors
    def list_names(self, container: str, prefix: str) -> list[str]:
        return list(self._service.get_container_client(container).list_blob_names(name_starts_with=prefix))

    @_store_errors
    def create_container(self, container: str) -> None:
        try:
            self._service.create_container(container)
        except ResourceExistsError as error:
            if error.error_code == BEING_DELETED:  # type: ignore[attr-defined]
                raise

    @_store_errors
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


def _settings(name: str, cache: str) -> ContentSettings:
    return ContentSettings(content_type=KINDS[name[name.rindex(".") :]], cache_control=cache)
