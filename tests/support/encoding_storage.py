"""Blob storage in memory: uploads, the files of titles, and the folders of their jobs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from functions.encoding.copying.reception import UploadChanged
from functions.platform.errors import ContainerMissing, EncodeFault, SourceRefused

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta
    from pathlib import Path

    from functions.encoding.model import SourceRef


def folders_in(names: Iterable[str], within: str) -> list[str]:
    """Return the folders in a folder, or the outermost ones, of files with these names."""
    prefix = f"{within}/" if within else ""
    inside = (name.removeprefix(prefix) for name in names if name.startswith(prefix))
    return sorted({name.partition("/")[0] for name in inside if "/" in name})


@dataclass
class MemoryFolders:
    """The containers of titles: the names of the files in each container, with their folder."""

    files: dict[str, set[str]] = field(default_factory=dict)

    def list_folders(self, container: str, *, within: str = "") -> list[str]:
        return folders_in(self.files.get(container, ()), within)

    def delete_files(self, container: str, folder: str, *, endings: tuple[str, ...] = ("",)) -> int:
        inside = {name for name in self.files.get(container, ()) if name.startswith(f"{folder}/")}
        gone = {name for name in inside if name.endswith(endings)}
        self.files.get(container, set()).difference_update(gone)
        return len(gone)


@dataclass
class MemoryMedia:
    """Storage in memory: blobs by container and name, the revisions of texts, and the containers that were lost."""

    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    revisions: dict[tuple[str, str], int] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    etags: dict[str, str] = field(default_factory=dict)

    def signed_address(self, source: SourceRef, *, lasts: timedelta) -> str:
        del lasts
        return f"http://storage.invalid/{source.container}/{source.blob}?sig=secret"

    def read_head(self, source: SourceRef, *, length: int) -> bytes:
        if (source.container, source.blob) not in self.blobs:
            raise SourceRefused(f"The upload {source.blob} is no longer in storage. Upload it again.")
        return self.blobs[source.container, source.blob][:length]

    def read_range(self, source: SourceRef, *, offset: int, length: int, etag: str = "") -> bytes:
        if (source.container, source.blob) not in self.blobs:
            raise SourceRefused(f"The upload {source.blob} is no longer in storage. Upload it again.")
        if etag and self.etag_of(source.container, source.blob) != etag:
            raise UploadChanged(f"The upload {source.blob} was committed again.")
        return self.blobs[source.container, source.blob][offset : offset + length]

    def download_file(self, source: SourceRef, target: Path) -> None:
        self._raise_if_missing(source.container)
        if (source.container, source.blob) not in self.blobs:
            raise EncodeFault("Storage refused a request of the encoder (404 The specified blob does not exist.).")
        target.write_bytes(self.blobs[source.container, source.blob])

    def list_names(self, container: str, prefix: str) -> list[str]:
        self._raise_if_missing(container)
        return sorted(name for at, name in self.blobs if at == container and name.startswith(prefix))

    def list_versions(self, container: str, prefix: str) -> dict[str, str]:
        return {name: self.etag_of(container, name) for name in self.list_names(container, prefix)}

    def etag_of(self, container: str, name: str) -> str:
        """Return the ETag of a blob: the one that was set, or else one that follows from its content."""
        return self.etags.get(name) or f'"{hashlib.sha256(self.blobs[container, name]).hexdigest()[:8]}"'

    def list_sizes(self, container: str, prefix: str) -> dict[str, int]:
        return {
            name.removeprefix(prefix): len(content)
            for (at, name), content in self.blobs.items()
            if at == container and name.startswith(prefix)
        }

    def read_text(self, container: str, name: str) -> str | None:
        content = self.blobs.get((container, name))
        return None if content is None else content.decode("utf-8", "replace")

    def create_container(self, container: str) -> None:
        self.missing.discard(container)

    def store_file(self, container: str, name: str, path: Path) -> None:
        self._raise_if_missing(container)
        self.blobs[container, name] = path.read_bytes()
        self.revisions.pop((container, name), None)

    def store_text(self, container: str, name: str, text: str, *, revision: int) -> None:
        self._raise_if_missing(container)
        if self.revisions.get((container, name), -1) < revision:
            self.revisions[container, name] = revision
            self.blobs[container, name] = text.encode()

    def delete_blob(self, container: str, name: str) -> None:
        self.blobs.pop((container, name), None)
        self.revisions.pop((container, name), None)

    def lose_container(self, container: str) -> None:
        """Delete a container with everything in it, as a store that is killed may do."""
        self.missing.add(container)
        for at, name in list(self.blobs):
            if at == container:
                self.delete_blob(at, name)

    def _raise_if_missing(self, container: str) -> None:
        if container in self.missing:
            raise ContainerMissing(f"Storage has lost the container {container}.")
