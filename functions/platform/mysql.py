"""MySQL as the product uses it: stored procedures called over a pool of connections that outlive an invocation.

A call is sent once, with these exceptions: what the server surely did not carry out (the request never left whole, or
lost to a deadlock and was rolled back), and what the caller says may be repeated. No argument ever stands in an error's
text: it may be an address or a hash. Times are aware and travel in UTC.
"""

from __future__ import annotations

import math
import re
import threading
import time
from contextlib import contextmanager
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

    from functions.platform.mysql_connections import Connection

type Argument = str | int | float | bytes | datetime | None
type Row = dict[str, Any]

MOST_CONNECTIONS = 8
WAIT_FOR_ONE_S = 3.0
PING_AFTER_S = 30.0
CLOSE_AFTER_S = 200.0
"""Azure's network forgets a connection that was idle for 240 s, and tells neither end."""
ATTEMPTS = 3
LARGEST_CALL_BYTES = 8_000_000
"""Half of what MariaDB takes by default (max_allowed_packet, 16 MiB)."""

FIRST_REFUSAL, LAST_REFUSAL = 30_001, 32_767
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_GONE = {CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST, 0}
_SURELY_NOT_DONE = {CR.CR_SERVER_GONE_ERROR, ER.LOCK_DEADLOCK, ER.CHECKREAD}
"""The request could not be sent whole, or its transaction was rolled back: a procedure writes in one transaction.

CHECKREAD (1020) is MariaDB's word for a row that another transaction changed after this one's snapshot.
"""
_BUSY = {1020, 1040, 1041, 1053, 1077, 1079, 1129, 1203, 1205, 1213, 1226, 1317, 1927, 1969, 3024, 3168, 3169, 4031}
"""Too many connections, shutting down, a lock waited for too long, a deadlock, a statement or connection ended."""
_READ_ONLY = {1290, 1792, 1836, 3032, 3100}
"""A server that is no longer, or not yet, the one that writes: after a fail-over another one answers to the name."""
_NOT_LET_IN = {1044, 1045, 1049, 1130, 1142, 1227, 1305, 1318, 1370, 1698, 1820, 1862, 3118, 4151}
"""Wrong user, password or database, an account that is locked, a procedure that is absent, other, or not granted."""
_UNFIT = {1048, 1153, 1264, 1265, 1292, 1366, 1406, 1411, 1690, 3140, 3819, 4025}
"""Too long, too large, not of the column's character set or form, or against a CHECK."""


class Database:
    """One MySQL database, entered as a user that may execute its procedures; safe to share among threads."""

    def __init__(
        self,
        url: str,
        ca: str = "",
        *,
        most: int = MOST_CONNECTIONS,
        answer_s: float = ANSWER_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address = Address.of(url)
        if not _NAME.fullmatch(self._address.database):
            raise DatabaseUrlInvalid(
                "An address of a database ends in the database's name, as in mysql://…:3306/logins_db."
            )
        self.name = self._address.database
        self._ca = ca
        self._answer_s = answer_s
        self._clock = clock
        self._places = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._idle: list[tuple[Connection, float]] = []

    def call(self, procedure: str, *arguments: Argument, idempotent: bool = False) -> list[Row]:
        """Call a procedure and return the rows of its result set, [] if it has none.

        With `idempotent` the caller says that carrying it out twice is as good as once: then it is also sent again
        when the connection broke and nobody knows whether the server had done it. Raises ProcedureRefused for a SIGNAL,
        StoreUnavailable if the server is away, busy, or does not let us in, Malformed if an argument is none that the
        procedure can take.
        """
        if not _NAME.fullmatch(procedure):
            raise ValueError(f"{procedure!r} is no name of a procedure")
        statement = f"CALL `{self.name}`.`{procedure}`({', '.join(['%s'] * len(arguments))})"
        values = self._values(procedure, arguments)
        attempt = 1
        while True:
            try:
                with self._connection() as connection:
                    return _rows(connection, statement, values)
            except pymysql.MySQLError as error:
                number = _number(error)
                may_be_repeated = number in _SURELY_NOT_DONE or (idempotent and number in _GONE)
                if attempt == ATTEMPTS or _is_late(error) or not may_be_repeated:
                    raise self._told(procedure, number, error) from None
                attempt += 1

    def close(self) -> None:
        """Close the connections that are not in use; a later call opens its own."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection, _ in idle:
            close(connection)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """Lend a connection that answers; it comes back without an open transaction, or is closed."""
        if not self._places.acquire(timeout=WAIT_FOR_ONE_S):
            raise StoreUnavailable(f"The database {self.name} has too much to do; try again in a few seconds.")
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
                raise self._told("", number, error) from None
            reason = type(error.__context__ or error).__name__
            raise StoreUnavailable(
                f"The database {self.name} does not answer ({reason}); try again in a few seconds."
            ) from None
        except OSError as error:  # a CA file that cannot be read
            raise StoreUnavailable(
                f"The database {self.name} cannot be reached: MYSQL_CA cannot be used ({error.strerror})."
            ) from None

    def _take(self) -> Connection | None:
        """Return the connection that was used last, if one still answers."""
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
        """Keep the connection for the next call, and close those that have been idle for long."""
        now = self._clock()
        with self._lock:
            self._idle.append((connection, now))
            old = [entry for entry in self._idle if now - entry[1] > CLOSE_AFTER_S]
            del self._idle[: len(old)]  # the last used stand last
        for unused, _ in old:
            close(unused)

    def _values(self, procedure: str, arguments: tuple[Argument, ...]) -> tuple[Argument, ...]:
        values = tuple(map(_value, arguments))
        size = sum(2 * len(value) for value in values if isinstance(value, bytes))
        try:
            size += sum(2 * len(value.encode()) for value in values if isinstance(value, str))
        except UnicodeEncodeError:
            raise Malformed(
                "A text holds half of a pair of surrogates, which is no character; send whole ones."
            ) from None
        if size > LARGEST_CALL_BYTES:
            raise Malformed(f"What {procedure} of {self.name} was given is too large to be kept; send less.")
        return values

    def _told(self, procedure: str, number: int, error: pymysql.MySQLError) -> NotflixError:
        """Return the error to raise; the server's own text is passed on only where a procedure of ours wrote it."""
        if FIRST_REFUSAL <= number <= LAST_REFUSAL:
            return ProcedureRefused(number, str(error.args[1]))
        if number in _GONE:
            reason = f"no answer in {self._answer_s:g} s" if _is_late(error) else "the connection broke"
            return StoreUnavailable(f"The database {self.name} is away ({reason}); try again in a few seconds.")
        if number in _BUSY | _READ_ONLY:
            return StoreUnavailable(f"The database {self.name} is busy (error {number}); try again in a few seconds.")
        if number in _NOT_LET_IN:
            what = f"does not offer {procedure}" if procedure else "does not let its user in"
            return StoreUnavailable(
                f"The database {self.name} {what} (error {number}); are its migrations "
                "applied, and is its address among the settings right?"
            )
        if number in _UNFIT:
            return Malformed(
                f"What {procedure} of {self.name} was given is too long, or not of the right form (error {number})."
            )
        return ProcedureFailed(f"{procedure} of {self.name} failed with error {number}.")


def _rows(connection: Connection, statement: str, values: tuple[Argument, ...]) -> list[Row]:
    """Send a CALL and read all that comes back: at most one result set, then the status."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows = list(cursor.fetchall()) if cursor.description else []
        while cursor.nextset():
            if cursor.description:
                raise ProcedureFailed(f"{statement.partition('(')[0]} answers with more than one result set.")
    if connection.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS:  # type: ignore[attr-defined]
        raise ProcedureFailed(f"{statement.partition('(')[0]} left its transaction open; it is rolled back.")
    return rows


def _value(argument: Argument) -> Argument:
    """Return what pymysql writes as one literal; anything else it would write in ways of its own."""
    if isinstance(argument, datetime):
        if argument.tzinfo is None:
            raise ValueError("a time without zone is no argument")
        return argument.astimezone(UTC).replace(tzinfo=None)
    if isinstance(argument, float) and not math.isfinite(argument):
        raise Malformed("A number is not finite.")
    if argument is None or isinstance(argument, str | int | float | bytes):
        return argument
    raise TypeError(f"{type(argument).__name__} is no argument of a procedure")


def _number(error: pymysql.MySQLError) -> int:
    """Return the error's number; 0 for what the driver raises without one, as on a connection out of step."""
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def _is_late(error: pymysql.MySQLError) -> bool:
    """Return whether the server was waited for in vain; waiting once more would only take longer."""
    return isinstance(error.__context__, TimeoutError)
