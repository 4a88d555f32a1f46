"""MySQL: stored procedures, called over a pool of connections that is kept between invocations.

A call is sent again only if the server certainly did not execute it, or if the caller declares it idempotent. The
server did not execute a request that was not sent completely, or that was rolled back after a deadlock. Errors never
contain arguments, which may be addresses or hashes. Times are aware and sent as UTC.
"""

from __future__ import annotations

import math
import re
import threading
import time
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pymysql
from pymysql.constants import CR, ER, SERVER_STATUS

from functions.platform.errors import (
    DatabaseUrlInvalid,
    Malformed,
    NotflixError,
    ProcedureFailed,
    ProcedureRefused,
    StoreUnavailable,
)
from functions.platform.mysql_connections import ANSWER_S, Address, answers, close, connect, has_news, rolled_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from functions.platform.bulkhead import Bulkhead
    from functions.platform.mysql_connections import Connection

type Argument = str | int | float | bytes | datetime | None
type Row = dict[str, Any]

MOST_CONNECTIONS = 8
WAIT_FOR_ONE_S = 3.0
PING_AFTER_S = 30.0
CLOSE_AFTER_S = 200.0
"""Shorter than the 240 s after which Azure's load balancer drops an idle connection without notice to either end."""
ATTEMPTS = 3
LARGEST_CALL_BYTES = 8_000_000
"""Half of MariaDB's default max_allowed_packet, 16 MiB."""

FIRST_REFUSAL, LAST_REFUSAL = 30_001, 32_767
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_GONE = {CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST, 0}
_SURELY_NOT_DONE = {CR.CR_SERVER_GONE_ERROR, ER.LOCK_DEADLOCK, ER.CHECKREAD}
"""The call had no effect: it was not sent completely, or its only transaction was rolled back.

CHECKREAD (1020) is MariaDB's error for a row that another transaction changed after this one's snapshot.
"""
_BUSY = {1020, 1040, 1041, 1053, 1077, 1079, 1129, 1203, 1205, 1213, 1226, 1317, 1927, 1969, 3024, 3168, 3169, 4031}
"""Too many connections, shutdown, lock wait timeout, deadlock, or a statement or connection that was killed."""
_READ_ONLY = {1290, 1792, 1836, 3032, 3100}
"""The server is read-only, because another server has taken over its name in a failover."""
_NOT_LET_IN = {1044, 1045, 1049, 1130, 1142, 1227, 1305, 1318, 1370, 1698, 1820, 1862, 3118, 4151}
"""A wrong user, password or database, a locked account, or a procedure that is missing, different or not granted."""
_UNFIT = {1048, 1153, 1264, 1265, 1292, 1366, 1406, 1411, 1690, 3140, 3819, 4025}
"""A value that is too long, too large, of the wrong character set or type, or that violates a CHECK."""


class Database:
    """One MySQL database, used by an account that can only execute its procedures; safe to share among threads."""

    def __init__(
        self,
        url: str,
        ca: str = "",
        *,
        most: int = MOST_CONNECTIONS,
        answer_s: float = ANSWER_S,
        clock: Callable[[], float] = time.monotonic,
        bulkhead: Bulkhead | None = None,
    ) -> None:
        self._address = Address.of(url)
        if not _NAME.fullmatch(self._address.database):
            raise DatabaseUrlInvalid("The URL of a database must end in its name, as in mysql://…:3306/logins_db.")
        self.name = self._address.database
        self._ca = ca
        self._answer_s = answer_s
        self._clock = clock
        self._places = threading.BoundedSemaphore(most)
        self._place = bulkhead.place if bulkhead else nullcontext
        self._lock = threading.Lock()
        self._idle: list[tuple[Connection, float]] = []

    def call(self, procedure: str, *arguments: Argument, idempotent: bool = False) -> list[Row]:
        """Call a procedure and return the rows of its result set, or [] if there is none.

        An `idempotent` call is also sent again if the connection breaks before the result is known. Raises
        ProcedureRefused for a SIGNAL, StoreUnavailable if the server is unreachable, busy or refuses the login, and
        Malformed for an argument that the procedure does not accept.
        """
        if not _NAME.fullmatch(procedure):
            raise ValueError(f"{procedure!r} is not the name of a procedure")
        statement = f"CALL `{self.name}`.`{procedure}`({', '.join(['%s'] * len(arguments))})"
        values = self._values(procedure, arguments)
        attempt = 1
        while True:
            try:
                with self._place(), self._connection() as connection:
                    return _rows(connection, statement, values)
            except pymysql.MySQLError as error:
                number = _number(error)
                may_be_repeated = number in _SURELY_NOT_DONE or (idempotent and number in _GONE)
                if attempt == ATTEMPTS or _is_late(error) or not may_be_repeated:
                    raise self._translated(procedure, number, error) from None
                attempt += 1

    def close(self) -> None:
        """Close the idle connections; a later call opens a new one."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection, _ in idle:
            close(connection)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """Check out a working connection; afterwards, it is either closed or has no open transaction."""
        if not self._places.acquire(timeout=WAIT_FOR_ONE_S):
            raise StoreUnavailable(f"The database {self.name} is busy; try again in a few seconds.")
        try:
            connection = self._take() or self._connect()
            try:
                yield connection
            except pymysql.MySQLError as error:
                if _number(error) in _READ_ONLY or not rolled_back(connection):
                    close(connection)
                else:
                    self._put_back(connection)
                raise
            except BaseException:
                close(connection)
                raise
            self._put_back(connection)
        finally:
            self._places.release()

    def _connect(self) -> Connection:
        try:
            return connect(self._address, self._ca, answer_s=self._answer_s)
        except pymysql.MySQLError as error:
            number = _number(error)
            if number in _NOT_LET_IN:
                raise self._translated("", number, error) from None
            reason = type(error.__context__ or error).__name__
            raise StoreUnavailable(
                f"The database {self.name} does not answer ({reason}); try again in a few seconds."
            ) from None
        except OSError as error:  # for instance, the CA file cannot be read
            raise StoreUnavailable(
                f"The database {self.name} cannot be reached: MYSQL_CA cannot be used ({error.strerror})."
            ) from None

    def _take(self) -> Connection | None:
        """Return the most recently used idle connection that still works, or None."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection, since = self._idle.pop()
            idle_s = self._clock() - since
            if idle_s < CLOSE_AFTER_S and not has_news(connection) and (idle_s < PING_AFTER_S or answers(connection)):
                return connection
            close(connection)

    def _put_back(self, connection: Connection) -> None:
        """Return a connection to the pool, and close connections that have been idle for too long."""
        now = self._clock()
        with self._lock:
            self._idle.append((connection, now))
            old = [entry for entry in self._idle if now - entry[1] > CLOSE_AFTER_S]
            del self._idle[: len(old)]  # ordered by last use
        for unused, _ in old:
            close(unused)

    def _values(self, procedure: str, arguments: tuple[Argument, ...]) -> tuple[Argument, ...]:
        values = tuple(map(_value, arguments))
        size = sum(2 * len(value) for value in values if isinstance(value, bytes))
        try:
            size += sum(2 * len(value.encode()) for value in values if isinstance(value, str))
        except UnicodeEncodeError:
            raise Malformed("A text contains half of a surrogate pair, which is not a character.") from None
        if size > LARGEST_CALL_BYTES:
            raise Malformed(f"The arguments of {procedure} in {self.name} are too large.")
        return values

    def _translated(self, procedure: str, number: int, error: pymysql.MySQLError) -> NotflixError:
        """Return the error to raise; it contains the server's text only if one of our procedures wrote the text."""
        if FIRST_REFUSAL <= number <= LAST_REFUSAL:
            return ProcedureRefused(number, str(error.args[1]))
        if number in _GONE:
            reason = f"no answer in {self._answer_s:g} s" if _is_late(error) else "the connection broke"
            return StoreUnavailable(f"The database {self.name} does not answer ({reason}); try again in a few seconds.")
        if number in _BUSY | _READ_ONLY:
            return StoreUnavailable(f"The database {self.name} is busy (error {number}); try again in a few seconds.")
        if number in _NOT_LET_IN:
            what = f"does not offer {procedure}" if procedure else "refuses the login"
            return StoreUnavailable(
                f"The database {self.name} {what} (error {number}). Check that its migrations are applied "
                "and that its URL in the settings is right."
            )
        if number in _UNFIT:
            return Malformed(f"An argument of {procedure} in {self.name} is too long or malformed (error {number}).")
        return ProcedureFailed(f"The procedure {procedure} in {self.name} failed with error {number}.")


def _rows(connection: Connection, statement: str, values: tuple[Argument, ...]) -> list[Row]:
    """Send a CALL and read the complete response: at most one result set, then the status."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows = list(cursor.fetchall()) if cursor.description else []
        while cursor.nextset():
            if cursor.description:
                raise ProcedureFailed(f"{statement.partition('(')[0]} returned more than one result set.")
    if connection.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS:  # type: ignore[attr-defined]
        raise ProcedureFailed(f"{statement.partition('(')[0]} left its transaction open; it was rolled back.")
    return rows


def _value(argument: Argument) -> Argument:
    """Return an argument in a type that pymysql writes as exactly one literal; reject every other type."""
    if isinstance(argument, datetime):
        if argument.tzinfo is None:
            raise ValueError("a time without a zone is not an argument")
        return argument.astimezone(UTC).replace(tzinfo=None)
    if isinstance(argument, float) and not math.isfinite(argument):
        raise Malformed("A number must be finite.")
    if argument is None or isinstance(argument, str | int | float | bytes):
        return argument
    raise TypeError(f"{type(argument).__name__} is not a type of argument")


def _number(error: pymysql.MySQLError) -> int:
    """Return the error's number, or 0 if the error has none."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def _is_late(error: pymysql.MySQLError) -> bool:
    """Return whether the error is a timeout, after which another attempt would only cost more time."""
    return isinstance(error.__context__, TimeoutError)
