"""The interfaces that uploads need: the blob store, and the record of started uploads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """One version of an uploaded blob: its size in bytes, and when it was written.

    An upload that is committed in steps has an `upload_id`, the same in all versions. Until it is whole, `front` is the
    number of bytes from the beginning of the file that the blob has, and `whole_size` the size that it will have.
    """

    etag: str
    size: int
    uploaded_at: datetime
    upload_id: str = ""
    front: int | None = None
    whole_size: int = 0

    @property
    def is_whole(self) -> bool:
        """Return whether the upload is complete."""
        return self.front is None


@dataclass(frozen=True, slots=True, order=True)
class Watermark:
    """A position among all uploads, which are sorted by completion time and, within the same second, by name."""

    uploaded_at: datetime
    blob: str


class UploadStore(Protocol):
    """The container of uploads; every method that calls storage raises StoreUnavailable while it does not answer."""

    def list_uploads(self) -> Iterable[tuple[str, StoredUpload]]:
        """Yield the name and the current version of each blob; the container is listed page by page."""

    def find_upload(self, blob: str) -> StoredUpload | None:
        """Return the current version of a blob, or None."""

    def renew_version(self, blob: str, *, over: str) -> None:
        """Give a blob a new ETag and a new time, and no upload id, and leave its content as it is.

        Raises Conflict if `over` is not its ETag any more, or if the blob was deleted.
        """

    def write_address(self, blob: str, *, until: datetime) -> str:
        """Return an address to which a blob can be written until the time `until`."""


class ArrivalStore(Protocol):
    """Records which uploads have been started; a `version` is the job id for a blob and its ETag, also for sidecars."""

    def mark_started(self, version: str, *, uploaded_at: datetime) -> None:
        """Mark a version of a blob as started; repeating the call changes nothing."""

    def started(self, versions: Collection[str]) -> set[str]:
        """Return the elements of `versions` that are marked as started."""

    def watermark(self) -> Watermark | None:
        """Return the position up to which every upload has been started, or None before the first pass."""

    def move_watermark(self, to: Watermark) -> None:
        """Record the position up to which every upload has been started, and delete the marks of earlier seconds."""
