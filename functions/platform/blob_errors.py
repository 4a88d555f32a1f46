"""Blob storage: the translation of the SDK's errors into those of the application."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, HttpResponseError

from functions.platform.bulkhead import Bulkhead
from functions.platform.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSING = (408, 429)
BEING_DELETED = "ContainerBeingDeleted"
"""The error code for a container that is being deleted; its name is available again within a minute."""

_bulkhead = Bulkhead("Storage")


@contextmanager
def blobs_answering() -> Iterator[None]:
    """Raise StoreUnavailable if storage is overloaded, busy or does not answer.

    Any other refusal propagates unchanged. The SDK's error contains the blob's address, so its text does not reach the
    caller.
    """
    with _bulkhead.place(), blobs_transferring():
        yield


@contextmanager
def blobs_transferring() -> Iterator[None]:
    """Do the same as `blobs_answering` for background work whose requests take long, because files are large or many.

    It takes no place in the bulkhead, where it would look like a stalled store.
    """
    try:
        yield
    except HttpResponseError as error:
        code = error.status_code or 0
        if code in PASSING or code >= 500 or error_code(error) == BEING_DELETED:
            raise StoreUnavailable(f"Storage is busy ({code}); try again in a few seconds.") from error
        raise
    except AzureError as error:
        raise StoreUnavailable(f"Storage does not answer ({type(error).__name__}).") from error


def error_code(error: HttpResponseError) -> str | None:
    """Return the error code of Azure Storage in a refusal, such as "ContainerNotFound"."""
    return getattr(error, "error_code", None)
