"""The folders of `sql/`: one folder per database, with numbered files; files are only added, never changed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.migrations.statements import Statement, Unreadable, split

if TYPE_CHECKING:
    from pathlib import Path

_FOLDER = re.compile(r"[a-z][a-z0-9_]{0,24}")
_FILE = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_ALLOWED = re.compile(r"(?:CREATE|ALTER|DROP|RENAME|INSERT|UPDATE|DELETE|REPLACE)\b", re.IGNORECASE)
"""Only these statements are permitted, because a session setting (SET, USE) is lost when a migration is resumed."""


class CannotMigrate(Exception):
    """A problem that a person can solve; the message consists of whole sentences."""


@dataclass(frozen=True, slots=True)
class Migration:
    """A numbered file, split into statements."""

    number: int
    name: str
    path: str
    statements: tuple[Statement, ...]

    def checksum(self, reached: int | None = None) -> str:
        """Return the SHA-256 of the first `reached` statements, by default of all; comments do not count."""
        digest = hashlib.sha256()
        for statement in self.statements[:reached]:
            digest.update(statement.text.encode() + b"\0")
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of one database: its name and its migrations."""

    name: str
    migrations: tuple[Migration, ...]

    @property
    def database(self) -> str:
        """Return the database's name."""
        return f"{self.name}_db"

    @property
    def owner(self) -> str:
        """Return the locked account that owns tables and procedures."""
        return f"{self.name}_owner"

    @property
    def user(self) -> str:
        """Return the account that may only execute the procedures."""
        return self.name

    @property
    def setting(self) -> str:
        """Return the name of the setting that contains the URL with which the functions connect as that user."""
        return f"{self.name.upper()}_DB_URL"


def read_folders(root: Path) -> tuple[Folder, ...]:
    """Return every folder that contains migrations; raise CannotMigrate for an invalid name or file."""
    if not root.is_dir():
        return ()
    folders = (_folder(path) for path in sorted(root.iterdir()) if path.is_dir() and any(path.glob("*.sql")))
    return tuple(folders)


def _folder(path: Path) -> Folder:
    if not _FOLDER.fullmatch(path.name):
        raise CannotMigrate(f"The folder {path} cannot name a database: use up to 25 of a-z, 0-9 and _.")
    migrations: list[Migration] = []
    for file in sorted(path.glob("*.sql")):
        if not (named := _FILE.fullmatch(file.name)):
            raise CannotMigrate(f"{path.name}/{file.name} is not named like 0001_tables.sql; rename it.")
        if migrations and migrations[-1].number == int(named[1]):
            raise CannotMigrate(f"{path.name} has two migrations of number {named[1]}; give the later one its own.")
        migrations.append(_migration(file, int(named[1]), named[2]))
    return Folder(path.name, tuple(migrations))


def _migration(file: Path, number: int, name: str) -> Migration:
    path = f"{file.parent.name}/{file.name}"
    try:
        statements = split(file.read_text(encoding="utf-8"))
    except (Unreadable, UnicodeDecodeError) as error:
        raise CannotMigrate(f"{path} cannot be read as SQL: {error}.") from None
    for statement in statements:
        if not _ALLOWED.match(statement.text):
            raise CannotMigrate(
                f"{path}, line {statement.line}: a migration may CREATE, ALTER, DROP, RENAME, INSERT, UPDATE, DELETE "
                f"or REPLACE, and not {statement.first_line!r}."
            )
    return Migration(number, name, path, statements)
