"""The files of one machine in a backup: credentials and keys, and the state of the PayPal simulator and mail server."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.local.backup.archive import Backup, HashingFile, NewBackup
    from infra.local.home import Home

SECRETS, FOLDER = "secrets.json", "data"
SERVICES = ("paypal", "mail")
SQLITE = ".sqlite"
CHUNK_BYTES = 1 << 20


def dump(home: Home, backup: NewBackup) -> None:
    """Write the credentials and the files of the simulators; each database is copied as a consistent snapshot."""
    with backup.file(SECRETS) as file:
        file.write(home.secrets_file.read_bytes())
    for service in SERVICES:
        folder = home.data(service)
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = f"{FOLDER}/{service}/{path.relative_to(folder).as_posix()}"
            if path.suffix == SQLITE:
                with backup.file(name) as file:
                    _copy_database(path, file)
            elif SQLITE not in path.suffix:  # .sqlite-wal and .sqlite-shm belong to the database
                with backup.file(name) as file, path.open("rb") as source:
                    while chunk := source.read(CHUNK_BYTES):
                        file.write(chunk)


def restore(home: Home, backup: Backup) -> None:
    """Write the files to an empty home."""
    for name in (SECRETS, *backup.names(FOLDER)):
        target = home.path / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with backup.open(name) as content, target.open("xb") as file:
            target.chmod(0o600)
            shutil.copyfileobj(content, file)


def _copy_database(path: Path, file: HashingFile) -> None:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.sqlite"
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        with copy.open("rb") as content:
            while chunk := content.read(CHUNK_BYTES):
                file.write(chunk)
