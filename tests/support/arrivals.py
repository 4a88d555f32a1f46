"""The container of uploads and the marks of started uploads, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from functions.platform.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from datetime import datetime

    from functions.uploads.ports import StoredUpload, Watermark


@dataclass
class MemoryUploads:
    """Uploads in memory, by name with their unquoted ETags.

    As in Azure, they are listed in the order of their names, and the ETag of an upload that is looked up is quoted.
    """

    blobs: dict[str, StoredUpload] = field(default_factory=dict)
    renewals: int = 0
    now: Callable[[], datetime] | None = None

    def list_uploads(self) -> Iterator[tuple[str, StoredUpload]]:
        yield from sorted(self.blobs.items(), key=lambda entry: entry[0])

    def find_upload(self, blob: str) -> StoredUpload | None:
        found = self.blobs.get(blob)
        return found and replace(found, etag=f'"{found.etag}"')

    def renew_version(self, blob: str, *, over: str) -> None:
        stored = self.blobs.get(blob)
        if stored is None or f'"{stored.etag}"' != over:
            raise Conflict(f"{blob} was just replaced or deleted.")
        self.renewals += 1
        later = self.now() if self.now else stored.uploaded_at + timedelta(seconds=self.renewals)
        self.blobs[blob] = replace(stored, etag=f"{stored.etag}+{self.renewals}", uploaded_at=later, upload_id="")

    def write_address(self, blob: str, *, until: datetime) -> str:
        return f"http://storage.invalid/uploads/{blob}?se={until.isoformat()}"


@dataclass
class MemoryArrivals:
    """Marks of started uploads in memory; `asked` contains the versions of each query."""

    marks: dict[str, datetime] = field(default_factory=dict)
    place: Watermark | None = None
    asked: list[Collection[str]] = field(default_factory=list)

    def mark_started(self, version: str, *, uploaded_at: datetime) -> None:
        self.marks[version] = uploaded_at

    def started(self, versions: Collection[str]) -> set[str]:
        self.asked.append(versions)
        return self.marks.keys() & set(versions)

    def watermark(self) -> Watermark | None:
        return self.place

    def move_watermark(self, to: Watermark) -> None:
        self.place = to
        self.marks = {version: at for version, at in self.marks.items() if at >= to.uploaded_at}
