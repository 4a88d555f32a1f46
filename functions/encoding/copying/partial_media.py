"""Read an upload that is still running as if its blob had the layout of the whole file already."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from functions.encoding.copying.reception import Reception
    from functions.encoding.model import EncodeJob, SourceRef
    from functions.encoding.ports import MediaStore


class PartialMedia:
    """The media store, seen while the upload of a job is as its `reception` says; it stores files as usual.

    Reads raise UploadChanged if the upload was committed again, because its bytes may have moved.
    """

    def __init__(self, media: MediaStore, job: EncodeJob, reception: Reception) -> None:
        self._media = media
        self._size = job.size
        self._reception = reception

    def read_head(self, source: SourceRef, *, length: int) -> bytes:
        return self.read_range(source, offset=0, length=length)

    def read_range(self, source: SourceRef, *, offset: int, length: int) -> bytes:
        """Return `length` bytes of the file, or fewer if the others have not arrived."""
        place, there = self._reception.place(offset, length, size=self._size)
        return self._media.read_range(source, offset=place, length=there, etag=self._reception.etag) if there else b""

    def store_file(self, container: str, name: str, path: Path) -> None:
        self._media.store_file(container, name, path)
