"""Bolt: parametrised transactions, and the behaviour while the graph is unavailable.

Reads serve pages, so they are abandoned after a few seconds. The graph is then not queried for a while: an unavailable
graph delays only one page every ten seconds. Writes run in queue functions, which retry. Their limit is longer, but
without one, a connection on which no answer arrives would keep a message from being retried, and the change would be
missing in the graph.

Each call runs in its own thread, because no timeout of the driver ends a query that is never answered: the driver's
timeouts limit only connecting, taking a connection from the pool, and the server's own work (docs/decisions/0018).
Closing the driver ends these threads, so reads and writes have a driver each.
"""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import Future, InvalidStateError, wait
from contextlib import contextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING, Any

from neo4j import READ_ACCESS, WRITE_ACCESS, GraphDatabase, NotificationMinimumSeverity
from neo4j.exceptions import AuthError, ClientError, ConstraintError, DriverError, Neo4jError, TransientError

from functions.platform.bulkhead import Bulkhead
from functions.platform.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from neo4j import Driver, Session, Transaction

type Row = dict[str, Any]
type IsOver = Callable[[], bool]
"""Whether nobody waits for a call any more, or its driver was closed."""

CONNECT_S = 2.0
READ_S = 3.0
"""The longest that a page waits for one read."""

WRITE_S = 30.0
"""The longest that one attempt at a write may take; most take some milliseconds."""

BULK_WRITE_S = 120.0
"""The same for the transactions of a rebuild, which write or list thousands of nodes."""

REST_S = 10.0
"""The time during which reads are refused after the graph failed to answer one."""

IDLE_CHECK_S = 30.0
"""A connection that was idle for longer is checked before use, because the graph may have stopped in the meantime."""

ATTEMPTS = 8
"""Attempts at a write that conflicts with another one, such as one that creates the same node."""

CONNECTIONS = 3
"""Attempts at a transaction whose connection breaks before it is committed, as after a restart of the graph."""

CLOSINGS = 3
"""Attempts at closing a session: one each for its transaction, its connection and itself."""

PAUSE_S = 0.02
"""The first pause between attempts; it doubles each time, and a random part of it is waited."""


class _AbandonedError(Exception):
    """Nobody waits for the result of a transaction any more, so it is rolled back."""


class _Connections:
    """A driver, which is replaced when a call on it was not answered in time; `address` is URI, user and password.

    Closing the driver closes its connections, which ends the threads that wait on them.
    """

    def __init__(self, address: tuple[str, str, str]) -> None:
        self._address = address
        self._driver: Driver | None = None
        self._making = threading.Lock()

    def open(self) -> Driver:
        """Return the driver. Raises StoreUnavailable if there is no address."""
        uri, user, password = self._address
        if not uri:
            raise StoreUnavailable("There is no graph: the setting NEO4J_URI is empty.")
        with self._making:
            if self._driver is None:
                self._driver = GraphDatabase.driver(
                    uri,
                    auth=(user, password),
                    connection_timeout=CONNECT_S,
                    connection_acquisition_timeout=CONNECT_S + 1,
                    liveness_check_timeout=IDLE_CHECK_S,
                    notifications_min_severity=NotificationMinimumSeverity.OFF,
                )
            return self._driver

    def replace(self, driver: Driver) -> None:
        """Close a driver whose graph did not answer; the next call gets another one."""
        with self._making:
            if self._driver is not driver:
                return
            self._driver = None
        threading.Thread(target=driver.close, name="graph-close", daemon=True).start()

    def has_replaced(self, driver: Driver) -> bool:
        """Return whether calls on a driver fail because it was closed."""
        return self._driver is not driver

    def close(self) -> None:
        """Close the driver."""
        with self._making:
            driver, self._driver = self._driver, None
        if driver:
            driver.close()


class Bolt:
    """Connections to the graph; with an empty `uri` the graph is always unavailable."""

    def __init__(self, uri: str, user: str, password: str) -> None:
        self._reading = _Connections((uri, user, password))
        self._writing = _Connections((uri, user, password))
        self._bulkhead = Bulkhead("The graph")
        self._rest_until = 0.0

    def read[Answer](self, ask: Callable[[Callable[..., list[Row]]], Answer]) -> Answer:
        """Return the result of `ask`, which is called with a function that runs a query.

        Raises StoreUnavailable if the graph is unavailable or slow, or was so within the last REST_S seconds.
        """
        if time.monotonic() < self._rest_until:
            raise StoreUnavailable("The graph did not answer a moment ago; it is queried again in some seconds.")

        def read(driver: Driver, is_over: IsOver) -> Answer:
            def query(text: str, **parameters: object) -> list[Row]:
                return _repeated(lambda: _transaction(session, lambda tx: _rows(tx, text, parameters), is_over, READ_S))

            with _session(driver, READ_ACCESS) as session:
                return ask(query)

        with self._bulkhead.place():
            try:
                with _translated():
                    return _in_time(self._reading, read, READ_S)
            except StoreUnavailable:
                self._rest_until = time.monotonic() + REST_S
                raise

    def write[Answer](self, work: Callable[[Transaction], Answer], *, within_s: float = WRITE_S) -> Answer:
        """Run `work` in a transaction; retry after conflicts.

        Raises StoreUnavailable if the graph is unavailable, or if an attempt takes longer than `within_s`. That
        attempt may have been committed, so `work` must be idempotent.
        """

        def write(driver: Driver, is_over: IsOver) -> Answer:
            with _session(driver, WRITE_ACCESS) as session:
                return _repeated(lambda: _transaction(session, work, is_over, within_s))

        for attempt in count(1):
            with self._bulkhead.place(), _translated():
                try:
                    return _in_time(self._writing, write, within_s)
                except (ConstraintError, TransientError) as error:
                    if attempt == ATTEMPTS:
                        raise StoreUnavailable("The graph is busy; try again in a few seconds.") from error
            _pause(attempt)
        raise AssertionError

    def run(self, text: str, **parameters: object) -> None:
        """Run a statement that cannot be part of a transaction, such as a schema change."""

        def run(driver: Driver, is_over: IsOver) -> None:
            with _session(driver, WRITE_ACCESS) as session:
                session.run(text, parameters).consume()

        with _translated():
            _in_time(self._writing, run, BULK_WRITE_S)

    def close(self) -> None:
        """Close the drivers."""
        self._reading.close()
        self._writing.close()


def _in_time[Answer](connections: _Connections, call: Callable[[Driver, IsOver], Answer], within_s: float) -> Answer:
    """Return the result of `call`, which gets a driver and a function that says whether to give up.

    Raises StoreUnavailable if it takes longer than `within_s`, or if another call on the same driver did.
    """
    driver = connections.open()
    answer: Future[Answer] = Future()

    def is_over() -> bool:
        return answer.cancelled() or connections.has_replaced(driver)

    def run() -> None:
        with suppress(InvalidStateError):  # nobody waits any more
            try:
                answer.set_result(call(driver, is_over))
            except BaseException as error:  # noqa: BLE001 - it is raised in the waiting thread
                # a driver that is closed while it is used can raise anything
                answer.set_exception(StoreUnavailable("The graph did not answer.") if is_over() else error)

    threading.Thread(target=run, name="graph", daemon=True).start()
    if not wait([answer], within_s).done and answer.cancel():
        connections.replace(driver)
        raise StoreUnavailable(f"The graph did not answer within {within_s:g} s.")
    return answer.result()


@contextmanager
def _session(driver: Driver, access: str) -> Iterator[Session]:
    """Open a session, and close it.

    If another thread has closed the driver, closing the session can fail and leave it open; it is then closed again.
    """
    session = driver.session(default_access_mode=access)
    try:
        yield session
    finally:
        for _ in range(CLOSINGS):
            with suppress(Exception):
                session.close()
                break


def _transaction[Answer](
    session: Session, work: Callable[[Transaction], Answer], is_over: IsOver, within_s: float
) -> Answer:
    """Run `work` in a transaction, which the server also ends after `within_s`, and commit it.

    Raises _AbandonedError if the call is over: the caller may have repeated a write by now, with newer values.
    """
    if is_over():
        raise _AbandonedError
    with session.begin_transaction(timeout=within_s) as transaction:
        result = work(transaction)
        if is_over():
            raise _AbandonedError
        transaction.commit()
        return result


def _repeated[Answer](attempt: Callable[[], Answer]) -> Answer:
    """Repeat an attempt on another connection if its own breaks before the transaction is committed."""
    for number in count(1):
        try:
            return attempt()
        except DriverError as error:
            if number == CONNECTIONS or not error.is_retryable():
                raise
        _pause(number)
    raise AssertionError


def _pause(attempt: int) -> None:
    time.sleep(random.uniform(0, PAUSE_S * 2**attempt))


@contextmanager
def _translated() -> Iterator[None]:
    """Translate the driver's errors to StoreUnavailable, except errors in a statement."""
    try:
        yield
    except AuthError as error:
        raise StoreUnavailable(
            f"Neo4j does not accept NEO4J_USER and NEO4J_PASSWORD ({type(error).__name__}); check both settings."
        ) from error
    except ClientError:
        raise
    except (DriverError, Neo4jError, OSError) as error:
        raise StoreUnavailable(
            f"The graph does not answer ({type(error).__name__}); try again in a few seconds."
        ) from error


def _rows(transaction: Transaction, text: str, parameters: Mapping[str, Any]) -> list[Row]:
    return [record.data() for record in transaction.run(text, parameters)]  # type: ignore[arg-type]
