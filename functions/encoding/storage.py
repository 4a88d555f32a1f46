"""Where encodes read and write: the upload by a signed address, segments once, manifests only ever newer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import ContentSettings

from functions.platform.errors import EncodeFault

if TYPE_CHECKING:
    from collections.abc import Iterator
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


class MediaStore(Protocol):
    """The blobs of uploads and titles."""

    def address(self, source: SourceRef, *, lasts: timedelta) -> str:
        """Return an address from which a blob can be read by range for that long."""

    def head(self, source: SourceRef, *, length: int) -> bytes:
        """Return the first bytes of a blob."""

    def fetch(self, source: SourceRef, target: Path) -> None:
        """Write a blob to a file, a piece at a time."""

    def names(self, container: str, prefix: str) -> Iterator[str]:
        """Return the names of the blobs that begin with `prefix`."""

    def ensure(self, container: str) -> None:
        """Make a private container unless it is there."""

    def put(self, container: str, name: str, path: Path) -> None:
        """Store a file that never changes again."""

    def put_text(self, container: str, name: str, text: str, *, revision: int) -> None:
        """Store a text unless a later revision of it is there already."""

    def remove(self, container: str, name: str) -> None:
        """Delete a blob; one that is not there is deleted already."""


class BlobMedia:
    """The same in Azure Blob storage."""

    def __init__(self, service: BlobServiceClient, signer: Signer) -> None:
        self._service = service
        self._signer = signer

    def address(self, source: SourceRef, *, lasts: timedelta) -> str:
        """Return an address from which a blob can be read by range for that long."""
        return self._signer.blob_address(source.container, source.blob, until=datetime.now(UTC) + lasts)

    def head(self, source: SourceRef, *, length: int) -> bytes:
        """Return the first bytes of a blob; raise EncodeFault where it is gone."""
        blob = self._service.get_blob_client(source.container, source.blob)
        try:
            if not blob.get_blob_properties().size:
                return b""
            return blob.download_blob(offset=0, length=length).readall()
        except ResourceNotFoundError:
            raise EncodeFault(f"The upload {source.blob} is no longer in storage. Upload it again.") from None

    def fetch(self, source: SourceRef, target: Path) -> None:
        """Write a blob to a file, a piece at a time."""
        with target.open("wb") as file:
            self._service.get_blob_client(source.container, source.blob).download_blob().readinto(file)

    def names(self, container: str, prefix: str) -> Iterator[str]:
        """Return the names of the blobs that begin with `prefix`, page by page."""
        return iter(self._service.get_container_client(container).list_blob_names(name_starts_with=prefix))

    def ensure(self, container: str) -> None:
        """Make a private container unless it is there."""
        try:
            self._service.create_container(container)
        except ResourceExistsError:
            return

    def put(self, container: str, name: str, path: Path) -> None:
        """Store a file that never changes again; a second time writes the same bytes."""
        try:
            with path.open("rb") as file:
                self._service.get_blob_client(container, name).upload_blob(
                    file, overwrite=True, content_settings=_settings(name, IMMUTABLE)
                )
        except AzureError as error:
            raise EncodeFault(f"Storage did not take {name}: {error}") from error

    def put_text(self, container: str, name: str, text: str, *, revision: int) -> None:
        """Store a text over the version that was looked at, and only over an earlier revision."""
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
                continue  # another publisher was faster: look again

    def remove(self, container: str, name: str) -> None:
        """Delete a blob; one that is not there is deleted already."""
        try:
            self._service.get_blob_client(container, name).delete_blob()
        except ResourceNotFoundError:
            return


def _settings(name: str, cache: str) -> ContentSettings:
    return ContentSettings(content_type=KINDS[name[name.rindex(".") :]], cache_control=cache)
