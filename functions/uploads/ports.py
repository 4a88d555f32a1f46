"""The interface that uploads need: the blob store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """One version of an uploaded blob: its size in bytes, and when the upload was completed."""

    etag: str
    size: int
    uploaded_at: datetime


class UploadStore(Protocol):
    """The container of uploads."""

    def find_upload(self, blob: str) -> StoredUpload | None:
        """Return the current version of a blob, or None."""

    def write_address(self, blob: str, *, until: datetime) -> str:
        """Return an address at which a blob can be written until the time `until`."""
