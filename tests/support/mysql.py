"""A private MariaDB for tests, supervised as in the product, with SQL folders for tests."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pymysql
import pytest
from pymysql.constants import CR

from functions.platform.mysql import Database
from functions.platform.mysql_connections import Address, connect
from infra.local.processes.service import ServiceState
from infra.local.processes.supervisor import Supervisor
from infra.local.stores.credentials import load_or_make
from infra.local.stores.mariadb import mariadb
from infra.migrations.files import read_folders
from infra.migrations.runner import Outcome, Server, migrate
from tests.support.homes import free_home
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from functions.platform.mysql import Argument, Row
    from functions.platform.mysql_connections import Connection
    from infra.local.processes.service import ServiceStatus
    from infra.local.stores.credentials import Credentials
    from infra.local.stores.store import Store

PASSWORD = "a-toy's password: %s"
"""The password of every user of a test folder; it contains characters that must be escaped."""

TABLES = """\
-- Films; one row a film.
CREATE TABLE films (film_id INT NOT NULL PRIMARY KEY, name VARCHAR(20) NOT NULL) ENGINE = InnoDB;
INSERT INTO films VALUES (1, 'Sintel; a film'), (2, 'Big "Buck" Bunny');
"""
PROCEDURES = """\
DELIMITER //
CREATE PROCEDURE list_films()
SQL SECURITY DEFINER
BEGIN
  -- it's a list; nothing more
  SELECT film_id, name FROM films ORDER BY film_id;
END //
CREATE PROCEDURE films_behind_the_scenes()
COMMENT 'internal: list_films_twice calls it'
SQL SECURITY DEFINER
BEGIN
  SELECT name FROM films;
END //
CREATE PROCEDURE list_films_twice()
SQL SECURITY DEFINER
BEGIN
  CALL films_behind_the_scenes();
END //
DELIMITER ;
"""
"""Two migrations of a test folder: a table with two films, and procedures that list them."""


@dataclass
class Running:
    """A MariaDB that runs under a supervisor, with the databases of `sql/`."""

    store: Store
    credentials: Credentials
    supervisor: Supervisor
    changes: SimpleQueue[ServiceStatus] = field(default_factory=SimpleQueue)

    @property
    def admin_url(self) -> str:
        """Return the URL for connections as root."""
        return self.store.endpoints["mysql"]

    @property
    def address(self) -> Address:
        """Return the address for connections as root."""
        return Address.of(self.admin_url)

    @property
    def pid(self) -> int:
        """Return the process id of the server."""
        (status,) = self.supervisor.statuses()
        if status.pid is None:
            pytest.skip("the server was not started by this test")
        return status.pid

    def root(self) -> Connection:
        """Connect as root."""
        return connect(self.address)

    def ask(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Run a statement as root; return the rows with column names in lower case."""
        with self.root() as connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return [{name.lower(): value for name, value in row.items()} for row in cursor.fetchall()]

    def enter(self, user: str, password: str) -> Connection:
        """Connect as a user."""
        return connect(Address(self.address.host, self.address.port, user, password))

    def database(self, folder: str, **options: Any) -> Database:
        """Return one of the databases of `sql/`, connected as its user."""
        return Database(self.store.settings[f"{folder.upper()}_DB_URL"], **options)

    def toys(self, name: str, **options: Any) -> Database:
        """Return the database of a test folder, connected as its user."""
        password = PASSWORD.replace("%", "%25").replace(" ", "%20").replace(":", "%3A")
        return Database(f"mysql://{name}:{password}@{self.address.host}:{self.address.port}/{name}_db", **options)

    def apply(self, root: Path) -> tuple[Outcome, ...]:
        """Apply the folders of SQL in `root`."""
        folders = read_folders(root)
        return migrate(Server(self.address), folders, {folder.name: PASSWORD for folder in folders})

    def wait_until_restarted(self, *, times: int) -> None:
        """Wait until the server is ready again after `times` restarts."""
        while True:
            change = self.changes.get(timeout=PATIENCE_S)
            if change.restarts == times and change.state is ServiceState.READY:
                return


class UnansweredDatabase(Database):
    """A database whose first answer to each call is lost: the server executes the call, and the connection breaks.

    So each idempotent call is executed twice, and every other one fails. Calls of `answered` procedures are answered.
    """

    def __init__(self, url: str, *, answered: Collection[str] = ()) -> None:
        super().__init__(url)
        self._answered = answered
        self._next = threading.local()

    def call(self, procedure: str, *arguments: Argument, idempotent: bool = False) -> list[Row]:
        self._next.is_lost = procedure not in self._answered
        return super().call(procedure, *arguments, idempotent=idempotent)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with super()._connection() as connection:
            yield connection
        if self._next.is_lost:
            self._next.is_lost = False
            raise pymysql.OperationalError(CR.CR_SERVER_LOST, "Lost connection to MySQL server during query")


@contextmanager
def running_mysql(folder: Path, *, options: tuple[str, ...] = (), elsewhere: str = "") -> Iterator[Running]:
    """Start a server with additional `options`; stop it at the end.

    If `elsewhere` is given, the running server at this administrator's URL is used instead.
    """
    home = free_home(folder)
    home.make()
    credentials = load_or_make(home.secrets_file)
    store = mariadb(home, credentials, {"MYSQL_ADMIN_URL": elsewhere} if elsewhere else {})
    service = replace(store.service, argv=(*store.service.argv, *options))
    changes: SimpleQueue[ServiceStatus] = SimpleQueue()
    supervisor = Supervisor([service], home=home, report=changes.put)
    supervisor.start()
    watcher = threading.Thread(target=supervisor.watch)
    watcher.start()
    try:
        yield Running(store, credentials, supervisor, changes)
    finally:
        supervisor.request_stop()
        watcher.join()
        supervisor.stop()


def write_sql(root: Path, folder: str, **files: str) -> Path:
    """Write a folder of SQL; return `root`. The argument `_0001_tables="…"` becomes the file 0001_tables.sql."""
    (root / folder).mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (root / folder / f"{name.lstrip('_')}.sql").write_text(text, encoding="utf-8")
    return root
