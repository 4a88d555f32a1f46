"""Files of the static site: written over the version that was looked at, so that the older never covers the newer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import ContentSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.storage.blob import ContainerClient

NO_CACHE = "no-cache"
LONG_CACHE = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Version:
    """A file as it lies there: `etag` names this version, `notes` are what was written down with it."""

    etag: str
    notes: Mapping[str, str]


class Site(Protocol):
    """Where the static files are kept; paths are relative to the site's root."""

    def look(self, path: str) -> Version | None:
        """Return the version of a file, or None where there is none."""

    def write(
        self, path: str, data: bytes, *, kind: str, cache: str, over: Version | None, notes: Mapping[str, str] = ...
    ) -> bool:
        """Write a file of media type `kind` if it is still at version `over`; return whether it was."""

    def remove(self, path: str) -> None:
        """Remove a file; one that is not there is removed already."""


class BlobSite:
    """The site in a blob container (`$web`)."""

    def __init__(self, container: ContainerClient) -> None:
        self._container = container

    def look(self, path: str) -> Version | None:
        """Return the version of a blob, or None where there is none."""
        try:
            found = self._container.get_blob_client(path).get_blob_properties()
        except ResourceNotFoundError:
            return None
        return Version(found.etag, dict(found.metadata or {}))

    def write(
        self,
        path: str,
        data: bytes,
        *,
        kind: str,
        cache: str,
        over: Version | None,
        notes: Mapping[str, str] | None = None,
    ) -> bool:
        """Upload under If-Match, or If-None-Match where `over` is None; return False where another was faster."""
        condition = (
            {"etag": over.etag, "match_condition": MatchConditions.IfNotModified, "overwrite": True}
            if over
            else {"overwrite": False}
        )
        try:
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

    def remove(self, path: str) -> None:
        """Delete a blob if it is there."""
        try:
            self._container.get_blob_client(path).delete_blob()
        except ResourceNotFoundError:
            return
