"""`python -m infra.migrations`: apply the missing migrations to the databases of a MySQL server, as a deployment does.

Passwords are read from the environment or from a file, because other users of a machine can see arguments. Prints the
applied files as JSON on standard output, and messages on standard error. If the exit code is 1, a message explains what
to do.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from functions.platform.errors import DatabaseUrlInvalid
from functions.platform.mysql_connections import Address
from infra.migrations.files import CannotMigrate, Folder, read_folders
from infra.migrations.runner import Outcome, Server, migrate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SQL = Path(__file__).resolve().parents[2] / "sql"


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """Run the migrations; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.migrations", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--admin-url", help="mysql://user@host:3306 of an administrator; MYSQL_ADMIN_URL if left out.")
    parser.add_argument("--ca", help="Like the setting MYSQL_CA, which is used if this option is missing.")
    parser.add_argument(
        "--secrets",
        help='A file, - for standard input, of {"MYSQL_ADMIN_PASSWORD": …, "LOGINS_DB_PASSWORD": …}; the environment '
        "if left out. The administrator's may be in the address instead.",
    )
    given = parser.parse_args(arguments)
    try:
        secrets = _secrets(given.secrets) if given.secrets else environment
        address = Address.of(given.admin_url or environment.get("MYSQL_ADMIN_URL", ""))
        if password := secrets.get("MYSQL_ADMIN_PASSWORD"):
            address = replace(address, password=password)
        folders = read_folders(SQL)
        passwords = {folder.name: secrets.get(f"{folder.name.upper()}_DB_PASSWORD", "") for folder in folders}
        server = Server(address, environment.get("MYSQL_CA", "") if given.ca is None else given.ca)
        done = migrate(server, folders, passwords, tell=lambda sentence: print(sentence, file=sys.stderr))  # noqa: T201
    except (CannotMigrate, DatabaseUrlInvalid) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    print(json.dumps({"databases": [_told(each) for each in done]}))  # noqa: T201
    return 0


def _secrets(name: str) -> dict[str, str]:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        return {str(key): str(value) for key, value in json.loads(text).items()}
    except (OSError, ValueError, AttributeError) as error:
        raise CannotMigrate(
            f"The secrets of {name} cannot be read ({type(error).__name__}); give one JSON object."
        ) from None


def _told(outcome: Outcome) -> dict[str, object]:
    folder: Folder = outcome.folder
    return {
        "database": folder.database,
        "user": folder.user,
        "setting": folder.setting,
        "migrations": outcome.migrations,
        "applied": list(outcome.applied),
    }


if __name__ == "__main__":
    sys.exit(main())
