"""Blob storage in a simulation: the uploads, the containers of titles and the sidecars, in one place."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from functions.catalogue.sidecar import Sidecars, read_description
from functions.encoding.copying.reception import UploadChanged
from functions.platform.errors import ContainerMissing, StoreUnavailable
from functions.platform.identifiers import UploadKind, container_for, read_name
from functions.uploads.ports import StoredUpload
from tests.support.arrivals import MemoryUploads
from tests.support.encoding_storage import MemoryMedia, folders_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta
    from pathlib import Path

    from functions.encoding.model import SourceRef

UPLOADS = "uploads"


class SimulatedStorage(MemoryMedia):
    """The media store, with containers that must exist, and with files from which ffmpeg can read the blobs."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        super().__init__()
        self.uploads = MemoryUploads(now=self._whole_second)
        self._folder = folder
        self._now = now
        self._containers = {UPLOADS}
        self._versions = 0
        self.unwritable_until: datetime | None = None
        """Until when no text can be stored, for instance because the store has just lost files."""

    def upload(self, blob: str, content: bytes) -> str:
        """Store an upload as a blob tool does; return its ETag."""
        self._versions += 1
        etag = f"0x{self._versions:X}"
        self.blobs[UPLOADS, blob] = content
        self.etags.pop(blob, None)
        self.uploads.blobs[blob] = StoredUpload(etag, len(content), self._whole_second())
        return etag

    def commit(self, blob: str, content: bytes, *, upload_id: str, front: int | None, tail: int) -> str:
        """Commit the first and last bytes of a file as the Studio does, or all with `front` None; return the ETag."""
        etag = self.upload(blob, content if front is None else content[:front] + content[len(content) - tail :])
        self.etags[blob] = f'"{etag}"'  # as in the answers to requests
        whole = 0 if front is None else len(content)
        self.uploads.blobs[blob] = replace(self.uploads.blobs[blob], upload_id=upload_id, front=front, whole_size=whole)
        return etag

    def read_range(self, source: SourceRef, *, offset: int, length: int, etag: str = "") -> bytes:
        found = self.uploads.find_upload(source.blob) if etag else None
        if found and found.etag != etag:
            raise UploadChanged(f"The upload {source.blob} was committed again.")
        return super().read_range(source, offset=offset, length=length, etag="" if found else etag)

    def list_versions(self, container: str, prefix: str) -> dict[str, str]:
        if container != UPLOADS:
            return super().list_versions(container, prefix)
        uploads = self.uploads.list_uploads()
        return {blob: f'"{stored.etag}"' for blob, stored in uploads if blob.startswith(prefix)}

    def _whole_second(self) -> datetime:
        """Return the time as in the header Last-Modified."""
        return self._now().replace(microsecond=0)

    def signed_address(self, source: SourceRef, *, lasts: timedelta) -> str:
        content = self.blobs.get((source.container, source.blob))
        if content is None:
            return str(self._folder / "gone")
        path = self._folder / f"{hashlib.sha256(content).hexdigest()[:16]}.source"
        if not path.exists():
            path.write_bytes(content)
        return str(path)

    def create_container(self, container: str) -> None:
        self._containers.add(container)

    def store_text(self, container: str, name: str, text: str, *, revision: int) -> None:
        if self.unwritable_until and self._now() < self.unwritable_until:
            raise StoreUnavailable("Storage cannot be written (simulated).")
        super().store_text(container, name, text, revision=revision)

    def list_folders(self, container: str, *, within: str = "") -> list[str]:
        """Return the folders in a container, as `BlobFolders` does."""
        return folders_in(self.names(container), within)

    def delete_files(self, container: str, folder: str, *, endings: tuple[str, ...] = ("",)) -> int:
        """Delete blobs in a folder, as `BlobFolders` does."""
        found = [name for name in self.names(container) if name.startswith(f"{folder}/") and name.endswith(endings)]
        for name in found:
            self.delete_blob(container, name)
        return len(found)

    def read_subtitles(self, title_id: str, job_id: str, track: str) -> str | None:
        """Return a subtitle track, as `BlobSubtitles` does."""
        content = self.blobs.get((container_for(title_id), f"{job_id}/{track}.vtt"))
        return content.decode() if content is not None else None

    def beside(self, stem: str) -> Sidecars:
        """Return the sidecars of a film, as `BlobSidecars` reads them."""
        found, described, reason = {}, None, None
        for name in sorted(self.uploads.blobs, key=lambda each: (self.uploads.blobs[each].uploaded_at, each)):
            upload = read_name(name)
            if upload.stem == stem and upload.kind is not UploadKind.FILM:
                found[upload.kind] = self.blobs[UPLOADS, name]
        if UploadKind.METADATA in found:
            try:
                described = read_description(found[UploadKind.METADATA])
            except ValueError as error:
                reason = f"{stem}.json cannot be used: {error}"
        return Sidecars(described, reason, found.get(UploadKind.POSTER), found.get(UploadKind.BACKDROP))

    def store_poster(self, stem: str, jpeg: bytes) -> None:
        """Put a poster beside a film, as `BlobSidecars` does."""
        self.upload(f"{stem}.jpg", jpeg)

    def names(self, container: str) -> list[str]:
        """Return the names of all blobs in a container, whether or not it exists."""
        return sorted(name for at, name in self.blobs if at == container)

    def _raise_if_missing(self, container: str) -> None:
        if container not in self._containers:
            raise ContainerMissing("Storage has lost the files of this film; they are being encoded again.")
