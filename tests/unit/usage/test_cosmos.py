"""Errors of Cosmos DB: some can be retried, others mean that the setup is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.cosmos.exceptions import (
    CosmosClientTimeoutError,
    CosmosHttpResponseError,
    CosmosResourceNotFoundError,
)

from functions.platform.errors import StoreUnavailable
from functions.usage.cosmos import OWNER_NOT_FOUND, CosmosUsage
from functions.usage.model import UsageKind
from tests.support.usage import ADA, make_view


class Failing:
    """A container that raises this error at every call."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        def fail(*given: object, **more: object) -> None:
            raise self._error

        return fail


def refused(status: int, *, missing: bool = False, sub_status: int | None = None) -> Exception:
    """Return the exception that the client raises for an error response of the service."""
    kind: Any = CosmosResourceNotFoundError if missing else CosmosHttpResponseError
    error: Exception = kind(status_code=status, message="No.", sub_status=sub_status)
    return error


def outcomes(error: Exception) -> set[str]:
    """Return the results of reading, changing and removing, each as the name of the exception or the returned value."""
    container: Any = Failing(error)
    store = CosmosUsage(container)
    found = set()
    for act in (
        lambda: store.view(ADA, "film"),
        lambda: store.change(make_view(), over="etag"),
        lambda: store.remove(ADA, UsageKind.VIEW, "film"),
    ):
        try:
            found.add(repr(act()))
        except (StoreUnavailable, CosmosHttpResponseError) as raised:
            found.add(type(raised).__name__)
    return found


@pytest.mark.parametrize("status", [408, 410, 429, 449, 500, 503])
def test_what_the_service_asks_to_try_again_is_told_as_unavailable(status: int) -> None:
    assert outcomes(refused(status)) == {StoreUnavailable.__name__}


def test_a_service_that_is_not_reached_is_unavailable() -> None:
    late: Any = CosmosClientTimeoutError
    assert outcomes(ServiceRequestError("no route")) == {StoreUnavailable.__name__}
    assert outcomes(late()) == {StoreUnavailable.__name__}


def test_an_item_that_is_not_there_is_an_answer() -> None:
    assert outcomes(refused(404, missing=True)) == {"None", "False"}


def test_a_container_that_was_never_made_is_a_fault_and_not_an_empty_one() -> None:
    assert outcomes(refused(404, missing=True, sub_status=OWNER_NOT_FOUND)) == {"CosmosResourceNotFoundError"}


def test_a_refusal_is_a_fault() -> None:
    assert outcomes(refused(403)) == {"CosmosHttpResponseError"}
