"""MongoDB: the client, and the translation of its driver's errors into those of the application."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient
from pymongo.errors import BulkWriteError, ConnectionFailure, ExecutionTimeout, OperationFailure, WTimeoutError

from functions.platform.bulkhead import Bulkhead
from functions.platform.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

TIMEOUT_MS = 5000
_bulkhead = Bulkhead("The document store")

THROTTLED = 16500
"""The code with which Cosmos DB for MongoDB refuses requests that exceed its request units (documented by Microsoft as
"16500 TooManyRequests")."""

TRANSIENT = frozenset({6, 7, 50, 64, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436, 14031})
"""Codes of a server that is starting, stopping, failing over, timing out or out of disk space (MongoDB's
error_codes.yml: HostUnreachable, HostNotFound, MaxTimeMSExpired, WriteConcernFailed, NetworkTimeout,
ShutdownInProgress, PrimarySteppedDown, ExceededTimeLimit, SocketException, NotWritablePrimary, InterruptedAtShutdown,
InterruptedDueToReplStateChange, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary, OutOfDiskSpace)."""

BROKEN = frozenset({1, 8, -31804})
"""Codes of a server that fails internally (InternalError, UnknownError), and of its storage engine, WiredTiger, after a
failure from which only a restart helps (WT_PANIC)."""

PANIC = "WT_PANIC"
"""The word in the error of a server whose storage engine has stopped, which may have no code."""


def connect(url: str) -> MongoClient[dict[str, Any]]:
    """Return a client that connects at its first operation and returns aware times; each step times out after 5 s.

    Without `socketTimeoutMS`, the driver would wait for a stalled server forever (PyMongo, MongoClient).
    """
    return MongoClient(
        url,
        tz_aware=True,
        serverSelectionTimeoutMS=TIMEOUT_MS,
        connectTimeoutMS=TIMEOUT_MS,
        socketTimeoutMS=TIMEOUT_MS,
        waitQueueTimeoutMS=TIMEOUT_MS,
    )


def store_errors[**P, R](method: Callable[P, R]) -> Callable[P, R]:
    """Make a method of a Mongo store raise StoreUnavailable if the server is unreachable, slow, throttling or broken.

    Any other error from the driver or the server is a defect of the application and propagates unchanged.
    """

    @functools.wraps(method)
    def translated(*arguments: P.args, **named: P.kwargs) -> R:
        try:
            with _bulkhead.place():
                return method(*arguments, **named)
        except (ConnectionFailure, ExecutionTimeout, WTimeoutError) as error:
            raise StoreUnavailable(f"The document store does not answer ({type(error).__name__}).") from error
        except OperationFailure as error:
            codes = set(_codes(error))
            if THROTTLED in codes:
                raise StoreUnavailable("The document store is busy; try again in a few seconds.") from error
            if codes & (TRANSIENT | BROKEN) or (not codes and PANIC in str(error)):
                raise StoreUnavailable(f"The document store cannot do this now ({type(error).__name__}).") from error
            raise

    return translated


def _codes(error: OperationFailure) -> Iterator[int]:
    """Yield the codes of a refusal, including those of each write in a bulk."""
    if error.code is not None:
        yield error.code
    if isinstance(error, BulkWriteError):
        details: Mapping[str, Any] = error.details
        for part in (*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())):
            if (code := part.get("code")) is not None:
                yield code
