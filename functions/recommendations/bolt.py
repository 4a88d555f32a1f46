"""Bolt: one driver per process, parametrised transactions, and the behaviour while the graph is unavailable.

Reads serve pages, so they are abandoned after a few seconds. The graph is then not queried for a while: an unavailable
graph delays only one page every ten seconds. Writes run in queue functions, which retry.

Each read runs in its own thread, because no timeout of the driver ends a query that is never answered: the driver's
timeouts limit only connecting, taking a connection from the pool, and the server's own work (docs/decisions/0018).
"""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import Future
from itertools import count
from typing import TYPE_CHECKING, Any

from neo4j import READ_ACCESS, WRITE_ACCESS, GraphDatabase, NotificationMinimumSeverity
from neo4j.exceptions import AuthError, ClientError, ConstraintError, DriverError, Neo4jError, TransientError

from functions.platform.bulkhead import Bulkhead
from functions.platform.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from neo4j import Driver, ManagedTransaction

type Row = dict[str, Any]

CONNECT_S = 2.0
READ_S = 3.0
"""The longest that a page waits for one read."""

REST_S = 10.0
"""The time during which reads are refused after the graph failed to answer one."""

RETRY_S = 1.0
FIRST_RETRY_S = 0.1
"""How long the driver itself retries, and its first delay; the driver's default of 30 s is too long for a page."""

IDLE_CHECK_S = 30.0
"""A connection that was idle for longer is checked before use, because the graph may have stopped in the meantime."""

ATTEMPTS = 8
"""Attempts at a write: if two transactions create the same node, the later one fails, and the driver does not retry
it."""

READERS = 8
"""The maximum number of concurrent reads, including abandoned reads that a stalled graph never answers."""


class Bolt:
    """A connection to the graph; with an empty `uri` the graph is always unavailable."""

    def __init__(self, uri: str, user: str, password: str) -> None:
        self._address = (uri, user, password)
        self._driver: Driver | None = None
        self._making = threading.Lock()
        self._readers = threading.BoundedSemaphore(READERS)
        self._bulkhead = Bulkhead("The graph")
        self._rest_until = 0.0

    def read[Answer](self, ask: Callable[[Callable[..., list[Row]]], Answer]) -> Answer:
        """Return the result of `ask`, which is called with a function that runs a query.

        Raises StoreUnavailable if the graph is unavailable or slow, or was so within the last REST_S seconds.
        """
        if time.monotonic() < self._rest_until:
            raise StoreUnavailable("The graph did not answer a moment ago; it is queried again in some seconds.")
        with self._bulkhead.place():
            return self._read_in_time(ask)

    def _read_in_time[Answer](self, ask: Callable[[Callable[..., list[Row]]], Answer]) -> Answer:
        until = time.monotonic() + READ_S
        if not self._readers.acquire(timeout=READ_S):
            raise StoreUnavailable("The graph has too many queries to answer; try again in a few seconds.")
        answer: Future[Answer] = Future()
        threading.Thread(target=self._answer, args=(ask, answer), name="graph", daemon=True).start()
        try:
            return answer.result(max(0.0, until - time.monotonic()))
        except TimeoutError:
            self._rest_until = time.monotonic() + REST_S
            raise StoreUnavailable(f"The graph did not answer within {READ_S:g} s.") from None
        except StoreUnavailable:
            self._rest_until = time.monotonic() + REST_S
            raise

    def write[Answer](self, work: Callable[[ManagedTransaction], Answer]) -> Answer:
        """Run `work` in a transaction; retry after conflicts. Raises StoreUnavailable if the graph is unavailable."""
        for attempt in count(1):
            try:
                with self._bulkhead.place(), self._open().session(default_access_mode=WRITE_ACCESS) as session:
                    return session.execute_write(work)
            except (ConstraintError, TransientError) as error:
                if attempt < ATTEMPTS:
                    time.sleep(random.uniform(0, 0.02 * 2**attempt))
                    continue
                raise StoreUnavailable("The graph is busy; try again in a few seconds.") from error
            except AuthError as error:
                raise _refused(error) from error
            except ClientError:
                raise
            except (DriverError, Neo4jError, OSError) as error:
                raise _away(error) from error
        raise AssertionError

    def run(self, text: str, **parameters: object) -> None:
        """Run a statement that cannot be part of a transaction, such as a schema change."""
        try:
            with self._open().session(default_access_mode=WRITE_ACCESS) as session:
                session.run(text, parameters).consume()
        except AuthError as error:
            raise _refused(error) from error
        except ClientError:
            raise
        except (DriverError, Neo4jError, OSError) as error:
            raise _away(error) from error

    def close(self) -> None:
        """Close the driver."""
        if self._driver:
            self._driver.close()

    def _answer[Answer](self, ask: Callable[[Callable[..., list[Row]]], Answer], answer: Future[Answer]) -> None:
        """Put the result of a read into `answer`; runs in a thread, which a stalled graph may block."""
        try:
            answer.set_result(self._read(ask))
        except BaseException as error:  # noqa: BLE001 - it is raised in the waiting thread
            answer.set_exception(error)
        finally:
            self._readers.release()

    def _read[Answer](self, ask: Callable[[Callable[..., list[Row]]], Answer]) -> Answer:
        try:
            with self._open().session(default_access_mode=READ_ACCESS) as session:

                def query(text: str, **parameters: object) -> list[Row]:
                    return session.execute_read(_rows, text, parameters)

                return ask(query)
        except AuthError as error:
            raise _refused(error) from error
        except ClientError:
            raise
        except (DriverError, Neo4jError, OSError) as error:
            raise _away(error) from error

    def _open(self) -> Driver:
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
                    max_transaction_retry_time=RETRY_S,
                    initial_retry_delay=FIRST_RETRY_S,
                    notifications_min_severity=NotificationMinimumSeverity.OFF,
                )
            return self._driver


def _rows(transaction: ManagedTransaction, text: str, parameters: Mapping[str, Any]) -> list[Row]:
    return [record.data() for record in transaction.run(text, parameters)]  # type: ignore[arg-type]


def _away(error: Exception) -> StoreUnavailable:
    return StoreUnavailable(f"The graph does not answer ({type(error).__name__}); try again in a few seconds.")


def _refused(error: AuthError) -> StoreUnavailable:
    return StoreUnavailable(
        f"The graph does not accept NEO4J_USER and NEO4J_PASSWORD ({type(error).__name__}); check both settings."
    )
