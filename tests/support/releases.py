"""The data that release 0.2.0 stored, as a backup: a film of two seconds, and a subscriber who watched it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from infra.local.backup.archive import NewBackup
from infra.local.backup.places import Folder
from infra.local.home import REPOSITORY
from infra.local.stores.credentials import Credentials
from infra.local.stores.mariadb import DATABASES

if TYPE_CHECKING:
    from pathlib import Path

RELEASE = REPOSITORY / "tests" / "releases" / "0.2.0"
"""The rows, documents and blobs, as the code of that release wrote them."""

LAST_MIGRATION = 2


def backup_of_release(folder: Path, *, last_migration: int = LAST_MIGRATION) -> Path:
    """Write the backup of a product of release 0.2.0, with new keys, to a folder that does not exist yet; return it."""
    backup = NewBackup(Folder(folder))
    for path in sorted(path for path in RELEASE.rglob("*") if path.is_file()):
        with backup.file(path.relative_to(RELEASE).as_posix()) as file:
            file.write(path.read_bytes())
    with backup.file("secrets.json") as file:
        file.write(json.dumps(asdict(Credentials())).encode())
    numbers = dict.fromkeys(DATABASES, last_migration)
    backup.finish(version="0.2.0", made_at="2026-11-27T14:12:44Z", migrations=numbers)
    return folder
