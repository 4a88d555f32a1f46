"""Errors of the Mongo driver: which ones mean that the store is unavailable, and which ones are defects."""

from __future__ import annotations

import pytest
from bson import encode
from bson.errors import InvalidDocument
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConfigurationError,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidOperation,
    NetworkTimeout,
    OperationFailure,
    ServerSelectionTimeoutError,
    WriteError,
    WTimeoutError,
)

from functions.platform.errors import StoreUnavailable
from functions.platform.mongo import store_errors


@store_errors
def fail(error: Exception) -> None:
    raise error


def bulk(code: int, *, where: str = "writeErrors") -> BulkWriteError:
    return BulkWriteError({"nInserted": 1, "writeErrors": [], "writeConcernErrors": [], where: [{"code": code}]})


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("connection closed"),
        NetworkTimeout("timed out"),
        ServerSelectionTimeoutError("no server"),
        ExecutionTimeout("operation exceeded time limit", 50),
        WTimeoutError("waiting for replication timed out", 64),
        OperationFailure("shutdown in progress", 91),
        WriteError("no space", 14031),
        OperationFailure("internal server error", 1),
        OperationFailure("WT_PANIC: WiredTiger library panic"),
        WriteError("WT_PANIC: WiredTiger library panic", -31804),
        bulk(91),
        bulk(64, where="writeConcernErrors"),
    ],
)
def test_unreachable_or_late_store_is_unavailable(error: Exception) -> None:
    with pytest.raises(StoreUnavailable, match=type(error).__name__):
        fail(error)


@pytest.mark.parametrize("error", [OperationFailure("rate", 16500), WriteError("rate", 16500), bulk(16500)])
def test_throttling_store_is_busy_also_in_the_middle_of_a_bulk_write(error: Exception) -> None:
    with pytest.raises(StoreUnavailable, match="busy"):
        fail(error)


@pytest.mark.parametrize(
    "error",
    [
        OperationFailure("unknown operator: $foo", 2),
        DuplicateKeyError("duplicate", 11000),
        bulk(11000),
        OperationFailure("no such command"),
        InvalidOperation("cursor has started"),
        ConfigurationError("unknown option"),
    ],
)
def test_defects_pass_unchanged(error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        fail(error)
    assert raised.value is error


def test_values_that_cannot_be_stored_pass_unchanged() -> None:
    with pytest.raises(OverflowError):
        store_errors(encode)({"votes": 2**63})
    with pytest.raises(InvalidDocument):
        store_errors(encode)({"odd": object()})
