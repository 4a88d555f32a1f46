"""Bolt: the one driver of the process, managed transactions with parameters, and what to do when the graph is away.

Reads are for pages: they are given up on after a second or two, and then nobody asks again for a while, so a graph that
is away costs one page in ten seconds its patience. Writes are for the queue, which waits and tries again.
"""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import Future
from itertools import count
from typing import TYPE_CHECKING, Any

from neo4j import READ_ACCESS, WRITE_ACCESS, GraphDatabase, NotificationMinimumSeverity
from neo4j.exceptions import ClientError, ConstraintError, DriverError, Neo4jError, TransientError

from functions.platform.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from neo4j import Driver, ManagedTransaction

type Row = dict[str, Any]

CONNECT_S = 2.0
READ_S = 3.0
"""How long a page waits for the graph at most, all its questions together."""

REST_S = 10.0
"""How long nobody asks after the graph did not answer."""

RETRY_S = 1.0
FIRST_RETRY_S = 0.1
"""The driver itself tries for a second, from this delay on: 30 s, its own rule, are too long for a page."""

TRIES = 8
"""Of two transactions that make one node at once the later meets the constraint, which the driver does not retry."""

READERS = 8
"""So many questions are asked at once; those that a graph which hangs never answers are among them."""


class Bolt:
    """A connection to the graph; an empty `uri` is a graph that is always away."""

    def __init__(self, uri: str, user: str, password: str) -> None:
        self._address = (uri, user, password)
        self._driver: Driver | None = None
        self._making = threading.Lock()
        self._readers = threading.BoundedSemaphore(READERS)
        self._rest_until = 0.0

    def read[Answer](self, ask: Callable[[Callable[..., list[Row]]], Answer]) -> Answer:
        """Return what `ask` makes of the graph, which it questions with the function that it is given.

        Raise StoreUnavailable if the graph is away, is slow, or was not there a moment ago.
        """
        if time.monotonic() < self._rest_until:
            raise StoreUnavailable("The graph did not answer a moment ago; it is asked again in some seconds.")
        until = time.monotonic() + READ_S
        if not self._readers.acquire(timeout=READ_S):
            raise StoreUnavailable("The graph has too many questions to answer; try again in a few seconds.")
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
        """Do `work` in a transaction, again if another was in its way; raise StoreUnavailable if the graph is away."""
        for attempt in count(1):
            try:
                with self._open().session(default_access_mode=WRITE_ACCESS) as session:
                    return session.execute_write(work)
            except (ConstraintError, TransientError) as error:
                if attempt < TRIES:
                    time.sleep(random.uniform(0, 0.02 * 2**attempt))
                    continue
                raise StoreUnavailable("The graph has too much to do at once; try again in a few seconds.") from error
            except ClientError:
                raise
            except (DriverError, Neo4jError, OSError) as error:
                raise _away(error) from error
        raise AssertionError

    def run(self, text: str, **parameters: object) -> None:
        """Run a statement that is a transaction of its own, such as one of the schema."""
        try:
            with self._open().session(default_access_mode=WRITE_ACCESS) as session:
                session.run(text, parameters).consume()
        except ClientError:
            raise
        except (DriverError, Neo4jError, OSError) as error:
            raise _away(error) from error

    def close(self) -> None:
        """Close the driver."""
        if self._driver:
            self._driver.close()

    def _answer[Answer](self, ask: Callable[[Callable[..., list[Row]]], Answer], answer: Future[Answer]) -> None:
        """Put into `answer` what comes of a question; in a thread that a graph that hangs may keep."""
        try:
            answer.set_result(self._read(ask))
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is waited for
            answer.set_exception(error)
        finally:
            self._readers.release()

    def _read[Answer](self, ask: Callable[[Callable[..., list[Row]]], Answer]) -> Answer:
        try:
            with self._open().session(default_access_mode=READ_ACCESS) as session:

                def question(text: str, **parameters: object) -> list[Row]:
                    return session.execute_read(_rows, text, parameters)

                return ask(question)
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
                    max_transaction_retry_time=RETRY_S,
                    initial_retry_delay=FIRST_RETRY_S,
                    notifications_min_severity=NotificationMinimumSeverity.OFF,
                )
            return self._driver


def _rows(transaction: ManagedTransaction, text: str, parameters: Mapping[str, Any]) -> list[Row]:
    return [record.data() for record in transaction.run(text, parameters)]  # type: ignore[arg-type]


def _away(error: Exception) -> StoreUnavailable:
    return StoreUnavailable(f"The graph does not answer ({type(error).__name__}); try again in a few seconds.")
