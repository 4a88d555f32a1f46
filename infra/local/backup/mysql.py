"""The MySQL databases in a backup: a consistent snapshot of all their rows, as SQL.

Tables and procedures are not in the backup; the migrations create them. A restore migrates to the version
of the backup, inserts the rows, and then applies the later migrations.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from functions.platform.mysql_connections import Address, connect
from infra.local.home import CannotRun
from infra.migrations import record
from infra.migrations.files import CannotMigrate, Folder, read_folders
from infra.migrations.runner import Server, migrate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from infra.local.backup.archive import Backup, NewBackup

FILE = "mysql.sql"


class MySql:
    """The databases of the folders in `sql`, as seen by the administrator at `url`."""

    def __init__(self, url: str, ca: str, sql: Path) -> None:
        self._address = Address.of(url)
        self._ca = ca
        self._folders = read_folders(sql)

    def migrations(self) -> dict[str, int]:
        """Return the number of the last migration in each database; raise CannotRun if one is not applied."""
        numbers = {}
        with closing(connect(self._address, self._ca)) as connection:
            for folder in self._folders:
                known = record.standings(connection, folder) or {}
                if not known or any(standing.state != record.APPLIED for standing in known.values()):
                    raise CannotRun(f"A migration of {folder.database} is not complete; run `./notflix up` first.")
                numbers[folder.name] = max(known)
        return numbers

    def dump(self, backup: NewBackup) -> None:
        """Write a consistent snapshot of all rows: one transaction reads all databases."""
        ignored = (f"--ignore-table={folder.database}.schema_migrations" for folder in self._folders)
        command = [
            "mariadb-dump",
            *self._arguments(),
            *("--single-transaction", "--skip-lock-tables", "--quick"),
            *("--no-create-db", "--no-create-info", "--complete-insert", "--hex-blob", "--skip-triggers"),
            *("--skip-comments", "--order-by-primary", *ignored),
            *("--databases", *(folder.database for folder in self._folders)),
        ]
        with backup.file(FILE) as file, self._run(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            while chunk := process.stdout.read(1 << 16):
                file.write(chunk)
            _finish(process, "mariadb-dump")

    def restore(self, backup: Backup, password_of: Callable[[str], str]) -> None:
        """Recreate the databases with the migrations of the backup, insert its rows, and apply the later migrations.

        `password_of` returns the password of a database's user.
        """
        passwords = {folder.name: password_of(folder.name) for folder in self._folders}
        numbers = backup.manifest.migrations
        then = tuple(_until(folder, numbers[folder.name]) for folder in self._folders if folder.name in numbers)
        server = Server(replace(self._address, database=""), self._ca)
        try:
            with closing(connect(self._address, self._ca)) as connection, connection.cursor() as cursor:
                for folder in self._folders:
                    cursor.execute(f"DROP DATABASE IF EXISTS `{folder.database}`")
            migrate(server, then, passwords)
            command = ["mariadb", *self._arguments(), "--init-command=SET SESSION foreign_key_checks = 0"]
            with backup.open(FILE) as rows, self._run(command, stdin=subprocess.PIPE) as process:
                assert process.stdin is not None
                with suppress(BrokenPipeError):  # it has failed, and says why
                    shutil.copyfileobj(rows, process.stdin)
                    process.stdin.close()
                _finish(process, "mariadb")
            migrate(server, self._folders, passwords)
        except CannotMigrate as error:
            raise CannotRun(str(error)) from None

    def refuse_later(self, backup: Backup) -> None:
        """Raise CannotRun if the backup has migrations that this version does not know."""
        known = {folder.name: max(each.number for each in folder.migrations) for folder in self._folders}
        for name, number in backup.manifest.migrations.items():
            if number > known.get(name, 0):
                raise CannotRun(
                    f"The backup was made by Notflix {backup.manifest.version} with migration {number:04} of {name}, "
                    "which this version does not know. Run that version or a later one."
                )

    def has_rows(self) -> bool:
        """Return whether any table of the databases contains a row."""
        with closing(connect(self._address, self._ca)) as connection, connection.cursor() as cursor:
            for folder in self._folders:
                cursor.execute(
                    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = %s "
                    "AND table_type = 'BASE TABLE' AND table_name <> 'schema_migrations'",
                    (folder.database,),
                )
                for row in cursor.fetchall():
                    cursor.execute(f"SELECT 1 FROM `{folder.database}`.`{row['name']}` LIMIT 1")
                    if cursor.fetchall():
                        return True
        return False

    def _arguments(self) -> list[str]:
        address = self._address
        tls = ["--skip-ssl"] if not self._ca else ["--ssl-verify-server-cert"]
        if self._ca not in ("", "system"):
            tls.append(f"--ssl-ca={self._ca}")
        return [
            "--no-defaults",
            *("--protocol=tcp", f"--host={address.host}", f"--port={address.port}", f"--user={address.user}"),
            "--default-character-set=utf8mb4",
            *tls,
        ]

    def _run(self, command: list[str], **streams: object) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "MYSQL_PWD": self._address.password}  # not visible in the process list
        try:
            return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, **streams)  # type: ignore[call-overload, no-any-return]
        except FileNotFoundError:
            raise CannotRun(f"The program {command[0]} is not installed; install the MariaDB client.") from None


def _until(folder: Folder, number: int) -> Folder:
    return replace(folder, migrations=tuple(each for each in folder.migrations if each.number <= number))


def _finish(process: subprocess.Popen[bytes], program: str) -> None:
    """Wait for the process; raise CannotRun with its error output if it failed."""
    assert process.stderr is not None
    told = process.stderr.read().decode(errors="replace").strip()
    if process.wait():
        raise CannotRun(f"{program} failed: {told}")
