"""MariaDB in place of MySQL: data in the home folder, TCP on loopback only, no account without a password.

An init file sets the root password before the server listens, so the server never accepts a connection without a
password. The databases in `sql/` and their accounts are created and migrated as in Azure, either in MariaDB or in the
MySQL server at MYSQL_ADMIN_URL. The functions get only the addresses of users that can execute procedures.
"""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from functions.platform.errors import DatabaseUrlInvalid
from infra.local.home import REPOSITORY, CannotRun, write_private
from infra.local.ports import LOOPBACK
from infra.local.processes.liveness import Patience
from infra.local.processes.service import Service
from infra.local.stores.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.local.home import Home
    from infra.local.processes.service import Run
    from infra.local.stores.credentials import Credentials

NAME = "mariadb"
ADMINISTRATOR, CA = "MYSQL_ADMIN_URL", "MYSQL_CA"
SQL = REPOSITORY / "sql"
DATABASES = ("logins", "login_history", "audit", "subscriptions", "payments")

READS_INNODB = "SELECT 1 FROM mysql.innodb_table_stats LIMIT 1"
"""A query that needs the storage engine, and a table that exists before the first migration."""

ACCOUNTS = f"""\
DELETE FROM mysql.global_priv WHERE User = 'root' AND Host <> '{LOOPBACK}';
FLUSH PRIVILEGES;
ALTER USER 'root'@'{LOOPBACK}' IDENTIFIED BY '{{root}}';
"""


def mariadb(home: Home, credentials: Credentials, environment: Mapping[str, str]) -> Store:
    """Return the local MariaDB, or the MySQL server at MYSQL_ADMIN_URL."""
    if url := environment.get(ADMINISTRATOR):
        return _real_server(url, environment.get(CA, ""), credentials)

    port, folder = home.ports.mysql, home.data(NAME)
    url = f"mysql://root:{credentials.mysql_root}@{LOOPBACK}:{port}"
    as_root = ("--user=root",) if os.geteuid() == 0 else ()  # the server runs as root only with this option

    def prepare(run: Run) -> None:
        (folder / "tmp").mkdir(parents=True, exist_ok=True)
        if not (folder / "data").exists():
            run("rm", "-rf", str(folder / "data.new"))
            run(
                "mariadb-install-db",
                "--no-defaults",
                "--datadir=./data.new",  # relative, because the shell script splits paths at spaces
                *as_root,
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
                # a MariaDB that starts deletes the temporary tables of every other one with the same TMPDIR
                environment={"TMPDIR": str(folder / "tmp")},
            )
            (folder / "data.new").rename(folder / "data")
        write_private(folder / "accounts.sql", ACCOUNTS.format(root=credentials.mysql_root))

    service = Service(
        name=NAME,
        label="MariaDB",
        address=f"{LOOPBACK}:{port}",
        ports=(port,),
        folder=folder,
        argv=(
            "mariadbd",
            "--no-defaults",
            *as_root,
            f"--datadir={folder / 'data'}",
            f"--init-file={folder / 'accounts.sql'}",
            f"--tmpdir={folder / 'tmp'}",
            f"--pid-file={folder / 'mariadb.pid'}",
            "--socket=mariadb.sock",  # relative to the data folder, because socket paths are limited to 107 bytes
            f"--port={port}",
            f"--bind-address={LOOPBACK}",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_0900_ai_ci",
            "--innodb-buffer-pool-size=32M",
            "--innodb-log-file-size=16M",
            "--performance-schema=OFF",
        ),
        prepare=prepare,
        check=partial(_refusal, url, "", READS_INNODB),
        provision=partial(_migrate, url, "", credentials),
        restart=True,
        patience=Patience(),
    )
    return Store(service, _settings(url, credentials), {"mysql": url})


def _real_server(url: str, ca: str, credentials: Credentials) -> Store:
    from functions.platform.mysql_connections import Address

    try:
        host = Address.of(url).host
    except DatabaseUrlInvalid:
        raise CannotRun(
            f"{ADMINISTRATOR} must have the form mysql://administrator:password@host:3306, with special characters "
            "in the password percent-encoded."
        ) from None
    service = Service(
        name=NAME,
        label="MySQL",
        address=host,
        check=partial(_refusal, url, ca),
        provision=partial(_migrate, url, ca, credentials),
        start_s=10,
    )
    return Store(service, {**_settings(url, credentials), ADMINISTRATOR: "", CA: ca}, {"mysql": url})


def _settings(url: str, credentials: Credentials) -> dict[str, str]:
    """Return the URL of each database in `sql/` for that database's own user."""
    host = url.rpartition("@")[2].partition("/")[0]
    others = {path.name for path in SQL.glob("*") if path.is_dir()}
    return {
        f"{name.upper()}_DB_URL": f"mysql://{name}:{credentials.mysql_password(name)}@{host}/{name}_db"
        for name in (*DATABASES, *sorted(others - set(DATABASES)))
    }


def _migrate(url: str, ca: str, credentials: Credentials) -> None:
    """Bring the databases up to date; raise CannotRun with the message of a failed migration."""
    from functions.platform.mysql_connections import Address
    from infra.migrations.files import CannotMigrate, read_folders
    from infra.migrations.runner import Server, migrate

    try:
        folders = read_folders(SQL)
        passwords = {folder.name: credentials.mysql_password(folder.name) for folder in folders}
        migrate(Server(replace(Address.of(url), database=""), ca), folders, passwords)
    except CannotMigrate as error:
        raise CannotRun(str(error)) from None


def _refusal(url: str, ca: str, query: str = "SELECT 1") -> str | None:
    """Return why the server does not answer a query, or None if it does."""
    import pymysql

    from functions.platform.mysql_connections import Address, connect

    try:
        with closing(connect(Address.of(url), ca, answer_s=2)) as connection, connection.cursor() as cursor:
            cursor.execute(query)
    except (pymysql.MySQLError, OSError) as error:
        return str(error.args[-1])
    return None
