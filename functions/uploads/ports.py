"""The interface that uploads need: the blob store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """One version of an uploaded blob: its size in bytes, and when the upload was completed."""

    etag: str
    size: int
    uploaded_at: datetime


@dataclass(frozen=True, slots=True, order=True)
class Watermark:
    """A place among all uploads in the order of their times and, within one second, of their names."""

    uploaded_at: datetime
    blob: str


class UploadStore(Protocol):
    """The container of uploads."""

    def list_uploads(self) -> Iterable[tuple[str, StoredUpload]]:
        """Yield the current version of each blob by its name, page by page."""

    def find_upload(self, blob: str) -> StoredUpload | None:
        """Return the current version of a blob, or None."""

    def write_address(self, blob: str, *, until: datetime) -> str:
        """Return the address at which a blob can be written until then."""


class ArrivalStore(Protocol):
    """Which uploads have been started; `version` is the job id of a blob and its ETag, for sidecars too."""

    def mark_started(self, version: str, *, uploaded_at: datetime) -> None:
        """Record that a version of a blob has been started; a second time changes nothing."""

    def started(self, versions: Collection[str]) -> set[str]:
        """Return those of the versions that have a mark."""

    def watermark(self) -> Watermark | None:
        """Return the place up to which every upload has been started, or None."""

    def move_watermark(self, to: Watermark) -> None:
        """Record the place up to which every upload has been started, and delete the marks of earlier seconds."""
