"""Connections to MySQL: addresses, TLS, timeouts, and the check of an idle connection."""

from __future__ import annotations

import select
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pymysql
from pymysql.constants import FIELD_TYPE
from pymysql.converters import conversions, convert_datetime
from pymysql.cursors import DictCursor

from functions.platform.errors import DatabaseUrlInvalid

if TYPE_CHECKING:
    Connection = pymysql.Connection[DictCursor]

CONNECT_S = 3.0
ANSWER_S = 10.0
PING_S = 1.0

SESSION = (
    "SET SESSION time_zone = '+00:00', innodb_lock_wait_timeout = 5, "
    "sql_mode = 'ONLY_FULL_GROUP_BY,STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"
)


@dataclass(frozen=True, slots=True)
class Address:
    """Server, user and database of a `mysql://` URL, percent-decoded."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str = ""

    @classmethod
    def of(cls, url: str) -> Address:
        """Return the parts of a URL. Raises DatabaseUrlInvalid, whose detail does not repeat its password."""
        try:
            parts = urlsplit(url)
            port = parts.port or 3306
        except ValueError:
            parts, port = urlsplit(""), 0
        if parts.scheme not in ("mysql", "mariadb") or not parts.hostname:
            what = "A setting such as LOGINS_DB_URL " + ("cannot be read" if url else "is empty")
            raise DatabaseUrlInvalid(
                f"{what}; write it as mysql://user:password@host:3306/database, special characters percent-encoded."
            )
        return cls(
            parts.hostname,
            port,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            unquote(parts.path.lstrip("/")),
        )


def connect(address: Address, ca: str = "", *, answer_s: float = ANSWER_S, use: bool = False) -> Connection:
    """Open a connection that uses UTC. Raises pymysql's errors. `ca` is the value of the setting MYSQL_CA.

    Each step of the handshake is limited to CONNECT_S, each later answer to `answer_s`. `use` selects the database;
    this requires no privilege beyond EXECUTE on one of the database's procedures.
    """
    connection = pymysql.Connection(
        host=address.host,
        port=address.port,
        user=address.user,
        password=address.password.encode(),
        database=address.database if use else None,
        cursorclass=DictCursor,
        charset="utf8mb4",
        conv={**conversions, FIELD_TYPE.DATETIME: _utc, FIELD_TYPE.TIMESTAMP: _utc},
        connect_timeout=CONNECT_S,
        read_timeout=CONNECT_S,
        write_timeout=CONNECT_S,
        ssl=_tls(ca) if ca else None,
        ssl_disabled=not ca,
        autocommit=True,
        init_command=SESSION,
    )
    _be_patient(connection, answer_s)
    return connection


def _utc(text: str) -> datetime | str:
    """Return a time from the server as an aware time in UTC, the session's time zone."""
    read = convert_datetime(text)
    return read.replace(tzinfo=UTC) if isinstance(read, datetime) else text


@cache
def _tls(ca: str) -> ssl.SSLContext:
    """Return a context that verifies host name and certificate with the authorities of the system or of a file."""
    if ca == "system":
        return ssl.create_default_context()
    context = ssl.create_default_context(cafile=ca)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # MySQL's generated authorities fail the strict checks
    return context


def _be_patient(connection: Connection, seconds: float) -> None:
    """Set the timeout of reads and writes; the driver applies it to the next operation."""
    connection._read_timeout = connection._write_timeout = seconds  # type: ignore[attr-defined]


def has_news(connection: Connection) -> bool:
    """Return whether an idle connection has data to read, which means that the server has closed the connection."""
    news = select.poll()
    news.register(connection._sock, select.POLLIN)  # type: ignore[attr-defined]
    return bool(news.poll(0))


def answers(connection: Connection) -> bool:
    """Return whether the server answers a ping within PING_S."""
    usual_s: float = connection._read_timeout  # type: ignore[attr-defined]
    _be_patient(connection, PING_S)
    try:
        connection.ping(reconnect=False)
    except pymysql.MySQLError:
        return False
    _be_patient(connection, usual_s)
    return True


def rolled_back(connection: Connection) -> bool:
    """Roll back a transaction that a failed procedure may have left open; return whether the connection is usable."""
    if not connection.open:
        return False
    try:
        connection.rollback()
    except pymysql.MySQLError:
        return False
    return True


def close(connection: Connection) -> None:
    """Close the connection unless it is already closed."""
    with suppress(pymysql.MySQLError):
        connection.close()
