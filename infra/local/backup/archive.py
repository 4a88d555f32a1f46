"""The content of a backup: files with checksums, and a manifest, which is written last.

A place without a manifest has a backup that was interrupted. Nothing is read from a backup before every file in it has
been compared with its checksum.
"""

from __future__ import annotations

import errno
import hashlib
import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from infra.local.home import CannotRun

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO

    from infra.local.backup.places import Place, Writable

FORMAT = 1
MANIFEST = "manifest.json"
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a backup: its length and its SHA-256."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup contains; `migrations` has the number of the last migration of each MySQL database."""

    format: int
    version: str
    made_at: str
    migrations: Mapping[str, int]
    files: Mapping[str, Entry]

    @property
    def bytes(self) -> int:
        """Return the total length of all files."""
        return sum(entry.bytes for entry in self.files.values())


class HashingFile:
    """A file being written whose checksum is computed on the way."""

    def __init__(self, file: Writable) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.bytes = 0

    def write(self, data: bytes) -> int:
        """Append bytes."""
        self._file.write(data)
        self._digest.update(data)
        self.bytes += len(data)
        return len(data)

    @property
    def entry(self) -> Entry:
        """Return the length and the checksum of what was written."""
        return Entry(self.bytes, self._digest.hexdigest())


class NewBackup:
    """A backup that is being made in an empty place."""

    def __init__(self, place: Place) -> None:
        place.prepare()
        self._place = place
        self._files: dict[str, Entry] = {}

    def require_space(self, needed: int) -> None:
        """Raise CannotRun unless the place has room for `needed` bytes."""
        self._place.require_space(needed)

    @contextmanager
    def file(self, name: str) -> Iterator[HashingFile]:
        """Yield the file `name`, a path with slashes, to be written; record it when it is complete."""
        with self._place.create(name) as raw:
            hashing = HashingFile(raw)
            yield hashing
        self._files[name] = hashing.entry

    def finish(self, *, version: str, made_at: str, migrations: Mapping[str, int]) -> Manifest:
        """Write the manifest, which makes the backup complete."""
        manifest = Manifest(FORMAT, version, made_at, dict(migrations), dict(self._files))
        self._place.write_text(MANIFEST, json.dumps(asdict(manifest), indent=1) + "\n")
        return manifest


class Backup:
    """A complete backup whose files are undamaged."""

    def __init__(self, place: Place, manifest: Manifest) -> None:
        self._place = place
        self.manifest = manifest

    @classmethod
    def of(cls, place: Place) -> Backup:
        """Read the manifest and compare every file with its checksum; raise CannotRun if the backup is not usable."""
        try:
            with place.open(MANIFEST) as file:
                content = json.loads(file.read().decode("utf-8"))
        except FileNotFoundError:
            raise CannotRun(f"{place.name} is not a complete backup: it has no {MANIFEST}. Use another one.") from None
        except (OSError, ValueError) as error:
            raise CannotRun(f"{place.name}/{MANIFEST} is damaged ({error}). Use another backup.") from None
        backup = cls(place, _manifest(place, content))
        for name, entry in backup.manifest.files.items():
            backup._verify(name, entry)
        return backup

    def open(self, name: str) -> BinaryIO:
        """Open a file of the backup for reading at any position."""
        return self._place.open(name)

    def names(self, under: str) -> list[str]:
        """Return the names of the files in a folder of the backup and its subfolders, sorted."""
        return sorted(name for name in self.manifest.files if PurePosixPath(name).is_relative_to(under))

    def _verify(self, name: str, entry: Entry) -> None:
        digest, length = hashlib.sha256(), 0
        path = f"{self._place.name}/{name}"
        try:
            with self.open(name) as file:
                while chunk := file.read(CHUNK_BYTES):
                    digest.update(chunk)
                    length += len(chunk)
        except OSError as error:
            raise CannotRun(f"{path} cannot be read ({error.strerror}). Use another backup.") from None
        if (length, digest.hexdigest()) != (entry.bytes, entry.sha256):
            raise CannotRun(f"{path} is damaged: its content has changed. Use another backup.")


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Translate the error of a full disk to CannotRun."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise CannotRun(f"The disk became full during {what}; free some space, and run the command again.") from None


def _manifest(place: Place, content: Any) -> Manifest:
    try:
        if content["format"] > FORMAT:
            raise CannotRun(
                f"{place.name} was made by Notflix {content['version']}, which writes backups in a later format. "
                "Run that version or a later one."
            )
        files = {str(name): Entry(int(each["bytes"]), str(each["sha256"])) for name, each in content["files"].items()}
        numbers = {str(name): int(number) for name, number in content["migrations"].items()}
        if not all(PurePosixPath(name).parts and ".." not in PurePosixPath(name).parts for name in files):
            raise ValueError("a file is outside the folder")
        return Manifest(int(content["format"]), str(content["version"]), str(content["made_at"]), numbers, files)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CannotRun(f"{place.name}/{MANIFEST} is damaged ({error!r}). Use another backup.") from None
