"""A database's own record of its migrations: the table `schema_migrations`, with one row per started migration file.

The first `reached` statements of a file have been executed, and `checksum` covers exactly these. MySQL commits each
CREATE and ALTER separately, so a file is never rolled back. A row has one of these states:
running  the file is being applied, or its runner crashed: the statement after `reached` may or may not be executed
failed   the server rejected the statement after `reached`, which changed nothing
applied  all statements are executed, and the procedures are granted
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pymysql

from infra.migrations.files import CannotMigrate

if TYPE_CHECKING:
    from functions.platform.mysql_connections import Connection
    from infra.migrations.files import Folder, Migration

TABLE = """\
CREATE TABLE IF NOT EXISTS `{database}`.schema_migrations (
  number INT NOT NULL,
  name VARCHAR(100) NOT NULL,
  checksum CHAR(64) NOT NULL,
  reached INT NOT NULL,
  state VARCHAR(10) NOT NULL,
  fault VARCHAR(1000) NULL,
  began_at DATETIME(6) NOT NULL,
  changed_at DATETIME(6) NOT NULL,
  CONSTRAINT pk_schema_migrations PRIMARY KEY (number),
  CONSTRAINT ck_schema_migrations_state CHECK (state IN ('running', 'failed', 'applied'))
) ENGINE = InnoDB"""

RUNNING, FAILED, APPLIED = "running", "failed", "applied"
_NO_SUCH_DATABASE, _NO_SUCH_TABLE = 1049, 1146


@dataclass(frozen=True, slots=True)
class Standing:
    """The progress of one migration."""

    number: int
    name: str
    checksum: str
    reached: int
    state: str


def standings(connection: Connection, folder: Folder) -> dict[int, Standing] | None:
    """Return the progress of every started migration, by number; None if the database has no record."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT number, name, checksum, reached, state FROM `{folder.database}`.schema_migrations")
            return {row["number"]: Standing(**row) for row in cursor.fetchall()}
    except pymysql.MySQLError as error:
        if error.args[0] in (_NO_SUCH_DATABASE, _NO_SUCH_TABLE):
            return None
        raise


def pending(folder: Folder, known: dict[int, Standing]) -> tuple[Migration, ...]:
    """Return the migrations to apply; raise CannotMigrate if the files contradict the record."""
    files = {migration.number: migration for migration in folder.migrations}
    for number, standing in sorted(known.items()):
        if number not in files:
            raise CannotMigrate(
                f"{folder.database} has migration {number:04} ({standing.name}), which this version does not know: the "
                "database belongs to a later version. Run that version, or restore a backup from before it."
            )
        _compare(files[number], standing)
    latest = max(known, default=0)
    todo = [m for m in folder.migrations if m.number not in known or known[m.number].state != APPLIED]
    for migration in todo:
        if migration.number not in known and migration.number < latest:
            raise CannotMigrate(
                f"{migration.path} was added after migration {latest:04} had been applied; give it a number above that."
            )
    return tuple(todo)


def _compare(migration: Migration, standing: Standing) -> None:
    unchanged = migration.checksum(standing.reached) == standing.checksum
    if standing.state == APPLIED and not (unchanged and len(migration.statements) == standing.reached):
        raise CannotMigrate(
            f"{migration.path} was changed after it was applied. Restore the file as it was, and write the change as a "
            "migration of the next number."
        )
    if not unchanged or len(migration.statements) < standing.reached:
        raise CannotMigrate(
            f"{migration.path} stopped after statement {standing.reached}, and a statement up to there was changed "
            "since. Restore those statements; only later ones may be changed."
        )


def begin(connection: Connection, migration: Migration) -> None:
    """Record that a migration is being applied; keep the progress of an earlier attempt."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO schema_migrations (number, name, checksum, reached, state, began_at, changed_at) "
            "VALUES (%s, %s, %s, 0, %s, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)) "
            "ON DUPLICATE KEY UPDATE state = %s, fault = NULL, name = %s, changed_at = UTC_TIMESTAMP(6)",
            (migration.number, migration.name, migration.checksum(0), RUNNING, RUNNING, migration.name),
        )


def note_reached(connection: Connection, migration: Migration, reached: int) -> None:
    """Record that the first `reached` statements are executed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE schema_migrations SET reached = %s, checksum = %s, changed_at = UTC_TIMESTAMP(6) WHERE number = %s",
            (reached, migration.checksum(reached), migration.number),
        )


def note_state(connection: Connection, migration: Migration, state: str, fault: str | None = None) -> None:
    """Record that the migration has failed or is applied."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE schema_migrations SET state = %s, fault = %s, changed_at = UTC_TIMESTAMP(6) WHERE number = %s",
            (state, fault and fault[:1000], migration.number),
        )
