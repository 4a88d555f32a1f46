"""Apply all missing migrations to every database of `sql/`; an up-to-date database costs a few queries and no lock.

Two locks per database prevent two runners from working at the same time. The administrator's connection holds one, and
the connection that sends the statements holds the other. So if a runner loses only its administrator's connection, the
next runner still waits for it.
"""

from __future__ import annotations

import re
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pymysql

from functions.platform.mysql_connections import Address, connect
from infra.migrations import record
from infra.migrations.accounts import (
    LONGEST_STATEMENT_S,
    enter_as_owner,
    grant_procedures,
    is_locked,
    make_owner,
    make_user,
    user_may_enter,
)
from infra.migrations.files import CannotMigrate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from functions.platform.mysql_connections import Connection
    from infra.migrations.files import Folder, Migration

WAIT_FOR_OTHERS_S = 300
_CREATES_PROCEDURE = re.compile(r"CREATE\s+PROCEDURE\b", re.IGNORECASE)
_DONE_ALREADY = {1007, 1050, 1051, 1060, 1061, 1091, 1304, 1305, 1826, 3822}
"""Errors that mean that the object to create exists already, or that the object to drop does not exist."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result for a database that is now up to date: the files applied in this run, and the number of all files."""

    folder: Folder
    applied: tuple[str, ...]
    migrations: int


@dataclass(frozen=True, slots=True)
class Server:
    """A MySQL server with the account of an administrator; `ca` has the meaning of the setting MYSQL_CA."""

    address: Address
    ca: str = ""

    def connect(self) -> Connection:
        """Connect; raise CannotMigrate if that fails."""
        try:
            return connect(self.address, self.ca, answer_s=LONGEST_STATEMENT_S)
        except (pymysql.MySQLError, OSError) as error:
            raise CannotMigrate(
                f"MySQL at {self.address.host}:{self.address.port} does not accept the login of the "
                f"administrator {self.address.user!r}: {error.args[-1]}."
            ) from None


def migrate(
    server: Server,
    folders: Sequence[Folder],
    passwords: Mapping[str, str],
    *,
    tell: Callable[[str], None] = lambda sentence: None,
) -> tuple[Outcome, ...]:
    """Create databases and accounts, apply missing migrations, and return one outcome per database.

    `passwords` maps the name of each folder to the password of its user. Raises CannotMigrate at the first database
    that fails, without changing the databases after it.
    """
    for folder in folders:
        if not passwords.get(folder.name):
            raise CannotMigrate(
                f"There is no password for the user {folder.user}; give it as {folder.name.upper()}_DB_PASSWORD."
            )
    with closing(server.connect()) as admin:
        try:
            return tuple(_bring_up(server, admin, folder, passwords[folder.name], tell) for folder in folders)
        except pymysql.MySQLError as error:
            raise CannotMigrate(
                f"MySQL at {server.address.host} refused the migrations' own work: {error.args[-1]}."
            ) from None


def _bring_up(server: Server, admin: Connection, folder: Folder, password: str, tell: Callable[[str], None]) -> Outcome:
    known = record.standings(admin, folder)
    if (
        known is not None
        and not record.pending(folder, known)
        and is_locked(admin, folder)
        and user_may_enter(server.address, server.ca, folder, password)
    ):
        return Outcome(folder, (), len(folder.migrations))
    with _lock(admin, f"notflix {folder.database}"):
        _make_database(admin, folder)
        make_owner(admin, folder)
        make_user(admin, folder, password)
        with (
            closing(enter_as_owner(admin, server.address, server.ca, folder)) as owner,
            _lock(owner, f"notflix {folder.database} statements"),
        ):
            todo = record.pending(folder, record.standings(owner, folder) or {})
            for migration in todo:
                _apply(admin, owner, folder, migration)
                tell(f"{migration.path} is applied.")
        grant_procedures(admin, folder)
    return Outcome(folder, tuple(migration.path for migration in todo), len(folder.migrations))


def _make_database(admin: Connection, folder: Folder) -> None:
    """Create the database and its record; raise CannotMigrate if a database of that name contains foreign tables."""
    with admin.cursor() as cursor:
        cursor.execute(
            "SELECT COUNT(*) AS tables_there, COALESCE(SUM(table_name = 'schema_migrations'), 0) AS record_there "
            "FROM information_schema.tables WHERE table_schema = %s",
            (folder.database,),
        )
        found = cursor.fetchone() or {}
        if found["tables_there"] and not found["record_there"]:
            raise CannotMigrate(
                f"The database {folder.database} already exists and contains tables that no migration created. Rename "
                "that database, or use another server."
            )
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{folder.database}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        cursor.execute(record.TABLE.format(database=folder.database))


def _apply(admin: Connection, owner: Connection, folder: Folder, migration: Migration) -> None:
    """Apply the rest of a migration; raise CannotMigrate, which states the progress, if a statement fails."""
    standing = (record.standings(owner, folder) or {}).get(migration.number)
    reached = standing.reached if standing else 0
    in_doubt = standing is not None and standing.state == record.RUNNING
    record.begin(owner, migration)
    for index, statement in enumerate(migration.statements[reached:], reached + 1):
        try:
            _execute(owner, migration, index, forgiving=in_doubt and index == reached + 1)
            if _CREATES_PROCEDURE.match(statement.text):
                grant_procedures(admin, folder)  # at once, because a recreated procedure has no grants
        except pymysql.MySQLError as error:
            raise CannotMigrate(_where_it_stands(owner, migration, index, error)) from None
    grant_procedures(admin, folder)
    record.note_state(owner, migration, record.APPLIED)


def _execute(owner: Connection, migration: Migration, index: int, *, forgiving: bool) -> None:
    """Execute a statement and record it, in one transaction unless the statement commits implicitly.

    With `forgiving`, errors such as "already exists" are ignored: an earlier runner crashed during this statement.
    """
    owner.begin()
    with owner.cursor() as cursor:
        try:
            cursor.execute(migration.statements[index - 1].text)
        except pymysql.MySQLError as error:
            if not (forgiving and error.args[0] in _DONE_ALREADY):
                raise
    record.note_reached(owner, migration, index)
    owner.commit()


def _where_it_stands(owner: Connection, migration: Migration, index: int, error: pymysql.MySQLError) -> str:
    statement, count = migration.statements[index - 1], len(migration.statements)
    told = f"{error.args[-1]} (error {error.args[0]})" if len(error.args) > 1 else str(error)
    where = f"{migration.path} stopped at statement {index} of {count}, line {statement.line}: {statement.first_line}\n"
    try:
        owner.rollback()
        record.note_state(owner, migration, record.FAILED, told)
    except pymysql.MySQLError:
        return (
            f"{where}The connection to the server was lost: {told}.\n"
            f"The {index - 1} statements before it are applied. Run the migrations again: they find out whether this "
            "statement was applied, and continue from it."
        )
    return (
        f"{where}The server says: {told}.\n"
        f"The {index - 1} statements before it are applied; this one changed nothing. Correct the cause, either in the "
        "data or in the file from this statement on, and run the migrations again: they continue from here."
    )


@contextmanager
def _lock(connection: Connection, name: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK(%s, %s) AS got", (name, WAIT_FOR_OTHERS_S))
        if not (cursor.fetchone() or {}).get("got"):
            raise CannotMigrate(
                f"Another runner has been applying migrations for {WAIT_FOR_OTHERS_S} s. Wait until it has finished, "
                "and run the migrations again."
            )
        try:
            yield
        finally:
            with suppress(pymysql.MySQLError):  # a lost connection has released its locks
                cursor.execute("SELECT RELEASE_LOCK(%s) AS released", (name,))
