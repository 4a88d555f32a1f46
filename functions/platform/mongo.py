"""MongoDB: the one client, and its driver's errors as errors that the application answers."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from functions.platform.bulkhead import Bulkhead
from functions.platform.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT_MS = 5000
_bulkhead = Bulkhead("The document store")

THROTTLED = 16500
"""The code with which Cosmos DB for MongoDB refuses requests beyond its request units (Microsoft's documentation of
the request rate "16500 TooManyRequests")."""


def connect(url: str) -> MongoClient[dict[str, Any]]:
    """Return a client that reads times as aware; it connects at the first operation, and each step gives up after 5 s.

    Without `socketTimeoutMS` the driver would wait for a stalled server for ever (PyMongo, MongoClient).
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
    """Decorate a method of a Mongo store: an unreachable or throttling server raises StoreUnavailable.

    Every other refusal of the server is a defect of ours and passes unchanged.
    """

    @functools.wraps(method)
    def translated(*arguments: P.args, **named: P.kwargs) -> R:
        try:
            with _bulkhead.place():
                return method(*arguments, **named)
        except OperationFailure as error:
            if error.code != THROTTLED:
                raise
            raise StoreUnavailable("The document store is busy; try again in a few seconds.") from error
        except PyMongoError as error:
            raise StoreUnavailable(f"The document store does not answer ({type(error).__name__}).") from error

    return translated
