"""The container of uploads and the marks of started uploads, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from functions.uploads.ports import StoredUpload, Watermark


@dataclass
class MemoryUploads:
    """Uploads in memory; they are listed in the order of their names, as in Azure."""

    blobs: dict[str, StoredUpload] = field(default_factory=dict)

    def list_uploads(self) -> Iterator[tuple[str, StoredUpload]]:
        yield from sorted(self.blobs.items(), key=lambda entry: entry[0])

    def find_upload(self, blob: str) -> StoredUpload | None:
        return self.blobs.get(blob)

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
