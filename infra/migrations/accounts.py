"""The two accounts of a database: the locked owner, and the user, which may only execute procedures.

The runner unlocks the owner briefly, with a password that is not stored, to connect as the owner. The owner is then the
DEFINER of everything that the runner creates. This needs no right to create objects for another account: Azure's
administrator has neither SUPER nor SET_USER_ID. Locking an account does not close its existing connections.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import pymysql

from functions.platform.mysql_connections import Address, connect
from infra.migrations.files import CannotMigrate

if TYPE_CHECKING:
    from functions.platform.mysql_connections import Connection
    from infra.migrations.files import Folder

RIGHTS_OF_OWNER = (
    "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, CREATE ROUTINE, ALTER ROUTINE, EXECUTE"
)
INTERNAL = "internal"
"""A procedure whose COMMENT begins with this word is called only by other procedures, and is granted to nobody."""
LONGEST_STATEMENT_S = 3600.0
WAIT_FOR_TABLE_S = 30
"""While a statement waits for a table, readers of the table wait too, so it is better to stop and run again later."""
_NO_SUCH_GRANT, _NO_SUCH_USER = 1403, 1141
_NOT_LET_IN = (1045, 1698, 4151, 3118)


def make_owner(admin: Connection, folder: Folder) -> None:
    """Create the locked owner with all rights in its database."""
    inside = folder.database.replace("_", r"\_")  # in a grant, an unescaped _ matches any character
    with admin.cursor() as cursor:
        cursor.execute(
            "CREATE USER IF NOT EXISTS %s@'%%' IDENTIFIED BY %s ACCOUNT LOCK", (folder.owner, _strange_password())
        )
        cursor.execute(f"GRANT {RIGHTS_OF_OWNER} ON `{inside}`.* TO %s@'%%'", (folder.owner,))


def is_locked(admin: Connection, folder: Folder) -> bool:
    """Return whether the owner exists and cannot log in."""
    try:
        with admin.cursor() as cursor:
            cursor.execute("SHOW CREATE USER %s@'%%'", (folder.owner,))
            row = cursor.fetchone() or {}
    except pymysql.MySQLError:
        return False
    return any("ACCOUNT LOCK" in str(text) for text in row.values())


def enter_as_owner(admin: Connection, address: Address, ca: str, folder: Folder) -> Connection:
    """Return a connection as the owner; the account is locked again afterwards."""
    password = _strange_password()
    with admin.cursor() as cursor:
        cursor.execute("ALTER USER %s@'%%' IDENTIFIED BY %s ACCOUNT UNLOCK", (folder.owner, password))
        try:
            own = replace(address, user=folder.owner, password=password, database=folder.database)
            connection = connect(own, ca, answer_s=LONGEST_STATEMENT_S, use=True)
        finally:
            cursor.execute("ALTER USER %s@'%%' ACCOUNT LOCK", (folder.owner,))
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION lock_wait_timeout = %s", (WAIT_FOR_TABLE_S,))
    return connection


def user_may_enter(address: Address, ca: str, folder: Folder, password: str) -> bool:
    """Return whether the user exists and has this password."""
    try:
        connect(replace(address, user=folder.user, password=password), ca).close()
    except pymysql.MySQLError as error:
        if error.args and error.args[0] in _NOT_LET_IN:
            return False
        raise
    return True


def make_user(admin: Connection, folder: Folder, password: str) -> None:
    """Create the user or set its password; raise CannotMigrate if an account of that name has other rights."""
    own = ("GRANT USAGE ON *.* ", f"GRANT EXECUTE ON PROCEDURE `{folder.database}`.")
    if others := [grant for grant in _grants(admin, folder) if not grant.startswith(own)]:
        raise CannotMigrate(
            f"The server has a user {folder.user} with rights other than executing procedures of {folder.database} "
            f"({len(others)} of them); rename it, or use another server."
        )
    with admin.cursor() as cursor:
        cursor.execute("CREATE USER IF NOT EXISTS %s@'%%' IDENTIFIED BY %s", (folder.user, password))
        cursor.execute("ALTER USER %s@'%%' IDENTIFIED BY %s", (folder.user, password))


def _grants(admin: Connection, folder: Folder) -> list[str]:
    """Return the user's grants; empty if the user does not exist."""
    try:
        with admin.cursor() as cursor:
            cursor.execute("SHOW GRANTS FOR %s@'%%'", (folder.user,))
            return [str(grant) for row in cursor.fetchall() for grant in row.values()]
    except pymysql.MySQLError as error:
        if error.args[0] == _NO_SUCH_USER:
            return []
        raise


def grant_procedures(admin: Connection, folder: Folder) -> None:
    """Grant the user EXECUTE on each procedure of the database, except those marked INTERNAL."""
    with admin.cursor() as cursor:
        cursor.execute(
            "SELECT routine_name AS name, routine_comment AS comment FROM information_schema.routines "
            "WHERE routine_schema = %s AND routine_type = 'PROCEDURE'",
            (folder.database,),
        )
        for procedure in cursor.fetchall():
            which = f"EXECUTE ON PROCEDURE `{folder.database}`.`{procedure['name']}`"
            if not str(procedure["comment"]).lower().startswith(INTERNAL):
                cursor.execute(f"GRANT {which} TO %s@'%%'", (folder.user,))
                continue
            try:
                cursor.execute(f"REVOKE {which} FROM %s@'%%'", (folder.user,))
            except pymysql.MySQLError as error:
                if error.args[0] != _NO_SUCH_GRANT:
                    raise


def _strange_password() -> str:
    """Return a random password that is not stored, with every kind of character that a server's policy may require."""
    return f"{secrets.token_urlsafe(32)}.Aa1"
