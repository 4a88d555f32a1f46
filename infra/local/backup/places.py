"""Where a backup is kept: in a folder of this machine, or in a container of another storage account.

The names of its files are paths with slashes. The address of a container is that of Azure, with a SAS:
`https://ACCOUNT.blob.core.windows.net/CONTAINER?SAS`. A SAS that is not in the address is read from NOTFLIX_BACKUP_SAS,
so that it appears neither in the list of processes nor in the history of the shell.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from azure.core import MatchConditions
from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobClient, ContainerClient

from infra.local.home import CannotRun, write_private
from infra.local.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Buffer, Iterator, Mapping
    from contextlib import AbstractContextManager
    from typing import IO, Any, BinaryIO

SAS = "NOTFLIX_BACKUP_SAS"
SPARE_BYTES = 200_000_000
BLOCK_BYTES = 32 << 20
"""The size of a block; a blob has at most 50,000 of them."""
READ_BYTES = 4 << 20
STARTED = "started"
"""An empty blob that is written first, to find out whether strangers can read the container."""


class Writable(Protocol):
    """A file of a backup that is being written."""

    def write(self, data: bytes, /) -> object:
        """Append bytes."""


class Place(Protocol):
    """A folder or a container; its methods raise CannotRun if it is not usable."""

    @property
    def name(self) -> str:
        """Return its name for messages, without credentials."""

    def prepare(self) -> None:
        """Create the place for a new backup; it must be empty, and only its owner may be able to read it."""

    def require_space(self, needed: int) -> None:
        """Raise CannotRun unless there is room for `needed` bytes."""

    def create(self, name: str) -> AbstractContextManager[Writable]:
        """Yield a new file, which is stored durably at the end of the block."""

    def write_text(self, name: str, text: str) -> None:
        """Write a whole file, or nothing."""

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading at any position; raise OSError if it cannot be read."""


def place_of(text: str, environment: Mapping[str, str]) -> Place:
    """Return the place that a person has named: the address of a container, or the path of a folder."""
    if "://" not in text:
        return Folder(Path(text).resolve())
    address = urlsplit(text)
    name = address._replace(query="", fragment="").geturl()
    if address.scheme != "https" and address.hostname not in (LOOPBACK, "localhost"):
        raise CannotRun(f"{name} is no address of a container: it must begin with https://.")
    sas = address.query or environment.get(SAS, "").lstrip("?")
    if "sig=" not in sas:
        raise CannotRun(f"There is no SAS for {name}; add it to the address after a question mark, or set {SAS}.")
    return Container(name, sas)


class Folder:
    """A folder of this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        return str(self._path)

    def prepare(self) -> None:
        if self._path.exists() and (not self._path.is_dir() or any(self._path.iterdir())):
            raise CannotRun(f"{self._path} is not empty; name a folder that does not exist yet.")
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.chmod(0o700)  # it contains password hashes and keys
        except OSError as error:
            raise CannotRun(f"{self._path} cannot be written ({error.strerror}); name another folder.") from None

    def require_space(self, needed: int) -> None:
        require_space(self._path, needed, "the backup")

    @contextmanager
    def create(self, name: str) -> Iterator[IO[bytes]]:
        path = self._path / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with path.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())

    def write_text(self, name: str, text: str) -> None:
        write_private(self._path / name, text)

    def open(self, name: str) -> BinaryIO:
        return (self._path / name).open("rb")


class Container:
    """A container of a storage account, reached with a SAS."""

    def __init__(self, url: str, sas: str) -> None:
        self._url = url.rstrip("/")
        self._client = ContainerClient.from_container_url(f"{self._url}?{sas}")

    @property
    def name(self) -> str:
        return self._url

    def prepare(self) -> None:
        with _refusals(self._url):
            if any(True for _ in self._listed()):
                raise CannotRun(f"{self._url} is not empty; name an empty container, or one that does not exist yet.")
            self._client.upload_blob(STARTED, b"")
            if self._is_public():
                raise CannotRun(f"Everybody can read {self._url}; name a container without public access.")

    def require_space(self, needed: int) -> None:
        """Do nothing: a storage account grows."""

    @contextmanager
    def create(self, name: str) -> Iterator[BlobWriter]:
        with _refusals(self._url):
            file = BlobWriter(self._client.get_blob_client(name))
            yield file
            file.commit()

    def write_text(self, name: str, text: str) -> None:
        with _refusals(self._url):
            self._client.upload_blob(name, text.encode())

    def open(self, name: str) -> BinaryIO:
        with _refusals(self._url):
            blob = self._client.get_blob_client(name)
            try:
                found = blob.get_blob_properties()
            except ResourceNotFoundError:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name) from None
        return io.BufferedReader(BlobReader(blob, found.size, found.etag, container=self._url), READ_BYTES)

    def _listed(self) -> Iterator[object]:
        """Yield the names of the blobs, after creating the container if it does not exist."""
        try:
            yield from self._client.list_blob_names(results_per_page=1)
        except ResourceNotFoundError:
            try:
                self._client.create_container()
            except HttpResponseError as error:
                if error.status_code != 403:
                    raise
                raise CannotRun(
                    f"There is no container {self._url}, and the SAS does not permit to create it; create it first."
                ) from None

    def _is_public(self) -> bool:
        try:
            return BlobClient.from_blob_url(f"{self._url}/{STARTED}").exists()
        except HttpResponseError:  # the account permits no public access at all
            return False


class BlobWriter:
    """A new blob, written in blocks; it exists once it is committed."""

    def __init__(self, blob: BlobClient) -> None:
        self._blob = blob
        self._pending = bytearray()
        self._blocks: list[BlobBlock] = []

    def write(self, data: bytes) -> int:
        """Append bytes."""
        self._pending += data
        if len(self._pending) >= BLOCK_BYTES:
            self._send()
        return len(data)

    def commit(self) -> None:
        """Store the blob; raise ResourceExistsError if there already is one."""
        self._send()
        self._blob.commit_block_list(self._blocks, match_condition=MatchConditions.IfMissing)

    def _send(self) -> None:
        if self._pending:
            block = BlobBlock(f"{len(self._blocks):06}")
            self._blob.stage_block(block.id, bytes(self._pending))
            self._blocks.append(block)
            self._pending.clear()


class BlobReader(io.RawIOBase):
    """The content of a blob, fetched in the ranges that are read."""

    def __init__(self, blob: BlobClient, size: int, etag: str, *, container: str) -> None:
        super().__init__()
        self._container = container
        self._blob = blob
        self._size = size
        self._etag = etag
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Change the position; return the new one."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = start + offset
        return self._position

    def readinto(self, buffer: Buffer) -> int:
        """Fetch bytes at the position into the buffer; return their number, 0 at the end."""
        target = memoryview(buffer).cast("B")
        length = min(len(target), self._size - self._position)
        if length <= 0:
            return 0
        unchanged: dict[str, Any] = {"etag": self._etag, "match_condition": MatchConditions.IfNotModified}
        with _refusals(self._container):
            data = self._blob.download_blob(self._position, length, **unchanged).readall()
        target[: len(data)] = data
        self._position += len(data)
        return len(data)


def require_space(folder: Path, needed: int, what: str) -> None:
    """Raise CannotRun unless the disk of `folder` has room for `needed` bytes and some to spare."""
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE_BYTES:
        raise CannotRun(
            f"{what.capitalize()} needs {(needed + SPARE_BYTES) / 1e9:.1f} GB under {folder}, but only "
            f"{free / 1e9:.1f} GB is free. Delete something, or name a folder on another disk."
        )


@contextmanager
def _refusals(container: str) -> Iterator[None]:
    """Translate the errors of a storage account to CannotRun."""
    try:
        yield
    except ResourceExistsError:
        raise CannotRun(f"{container} is not empty; name an empty container, or one that does not exist yet.") from None
    except HttpResponseError as error:
        code = getattr(error, "error_code", None) or error.status_code  # an enumeration, or a string that it lacks
        remedy = "Use a SAS that is valid and permits it" if error.status_code in (401, 403) else "Try again"
        raise CannotRun(f"{container} refused a request ({getattr(code, 'value', code)}). {remedy}.") from None
    except AzureError as error:
        raise CannotRun(f"{container} cannot be reached ({type(error).__name__}); check the address.") from None
