"""The files of the static site; each is written only if it still has the version that was read before.

An older file therefore never replaces a newer one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import ContentSettings

from functions.catalogue.ports import FileVersion
from functions.platform.blob_errors import blobs_answering

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.storage.blob import ContainerClient

NO_CACHE = "no-cache"
LONG_CACHE = "public, max-age=31536000, immutable"


class BlobSite:
    """The site in a blob container (`$web`)."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    def find_version(self, path: str) -> FileVersion | None:
        try:
            with blobs_answering():
                found = self._container.get_blob_client(path).get_blob_properties()
        except ResourceNotFoundError:
            return None
        return FileVersion(found.etag, dict(found.metadata or {}))

    def read_file(self, path: str) -> bytes | None:
        try:
            with blobs_answering():
                return self._container.get_blob_client(path).download_blob().readall()
        except ResourceNotFoundError:
            return None

    def write(
        self,
        path: str,
        data: bytes,
        *,
        kind: str,
        cache: str,
        over: FileVersion | None,
        notes: Mapping[str, str] | None = None,
    ) -> bool:
        # If-Match, or If-None-Match where there is no version yet
        condition = (
            {"etag": over.etag, "match_condition": MatchConditions.IfNotModified, "overwrite": True}
            if over
            else {"overwrite": False}
        )
        try:
            with blobs_answering():
                self._container.get_blob_client(path).upload_blob(
                    data,
                    metadata=dict(notes or {}),
                    content_settings=ContentSettings(content_type=kind, cache_control=cache),
                    **condition,
                )
        except (ResourceExistsError, ResourceModifiedError):
            return False
        except ResourceNotFoundError:
            if over is None:
                raise
            return False
        return True

    def remove(self, path: str, *, over: FileVersion | None = None) -> bool:
        condition: dict[str, Any] = (
            {"etag": over.etag, "match_condition": MatchConditions.IfNotModified} if over else {}
        )
        try:
            with blobs_answering():
                self._container.get_blob_client(path).delete_blob(**condition)
        except ResourceNotFoundError:
            return True
        except ResourceModifiedError:  # storage may also answer so about a file that is gone
            return self.find_version(path) is None
        return True
