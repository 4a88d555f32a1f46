"""MariaDB in the place of MySQL: data under the home, TCP on loopback only, no account without a password.

The accounts are set by an init file that the server runs before it listens, so there is no moment in which root has no
password. `MYSQL_URL` leads to the user `health`, which may log in and nothing more; each database that a slice adds
brings its own users.
"""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from infra.local.stores.home import write_private
from infra.local.stores.part import Part, Store
from infra.local.stores.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.local.stores.credentials import Credentials
    from infra.local.stores.home import Home
    from infra.local.stores.part import Run

NAME = "mariadb"
SETTING = "MYSQL_URL"

ACCOUNTS = f"""\
DELETE FROM mysql.global_priv WHERE User = 'root' AND Host <> '{LOOPBACK}';
FLUSH PRIVILEGES;
ALTER USER 'root'@'{LOOPBACK}' IDENTIFIED BY '{{root}}';
CREATE USER IF NOT EXISTS 'health'@'{LOOPBACK}';
ALTER USER 'health'@'{LOOPBACK}' IDENTIFIED BY '{{health}}';
"""


def mariadb(home: Home, credentials: Credentials, environment: Mapping[str, str]) -> Store:
    """Return the private MariaDB, or the MySQL that MYSQL_URL names."""
    if url := environment.get(SETTING):
        part = Part(
            name=NAME, label="MySQL", address=f"{urlsplit(url).hostname}", check=partial(_refusal, url), start_s=10
        )
        return Store(part, {SETTING: url})

    port, folder = home.ports.mysql, home.data(NAME)
    url = f"mysql://health:{credentials.mysql_health}@{LOOPBACK}:{port}"
    as_root = ("--user=root",) if os.geteuid() == 0 else ()  # which the server refuses to be by chance

    def prepare(run: Run) -> None:
        (folder / "tmp").mkdir(parents=True, exist_ok=True)
        if not (folder / "data").exists():
            run("rm", "-rf", str(folder / "data.new"))
            run(
                "mariadb-install-db",
                "--no-defaults",
                "--datadir=./data.new",  # its shell script splits a path at blanks
                *as_root,
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
            )
            (folder / "data.new").rename(folder / "data")
        write_private(
            folder / "accounts.sql", ACCOUNTS.format(root=credentials.mysql_root, health=credentials.mysql_health)
        )

    part = Part(
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
            "--socket=mariadb.sock",  # relative to the data folder: a socket's whole path may have 107 bytes only
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
        check=partial(_refusal, url),
    )
    return Store(part, {SETTING: url})


def _refusal(url: str) -> str | None:
    """Return why the server does not let us in, or None if it does."""
    import pymysql

    parts = urlsplit(url)
    try:
        pymysql.connect(
            host=parts.hostname,
            port=parts.port or 3306,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            connect_timeout=2,
        ).close()
    except (pymysql.MySQLError, OSError) as error:
        return str(error.args[-1])
    return None
