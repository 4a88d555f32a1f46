"""Signed addresses of blobs (shared access signatures), by the account's key or, where there is none, by identity."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from azure.storage.blob import BlobSasPermissions, generate_blob_sas

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

CLOCK_SKEW = timedelta(minutes=5)


def seen_from_outside(address: str, service: BlobServiceClient, front: str) -> str:
    """Return the address of a blob as browsers reach it: by a front before storage if there is one (`BLOB_URL`).

    A signature holds for both, since it names the account, the container and the blob, but no host.
    """
    own = service.url.partition("?")[0].rstrip("/")
    return f"{front.rstrip('/')}{address.removeprefix(own)}" if front else address


class Signer:
    """Signs what may be done with one blob until a time; the address is never logged and never stored."""

    def __init__(self, service: BlobServiceClient) -> None:
        self._service = service

    def blob_address(self, container: str, blob: str, *, until: datetime, write: bool = False) -> str:
        """Return the address of a blob that may be read, or created and written, until then."""
        may = BlobSasPermissions(create=True, write=True) if write else BlobSasPermissions(read=True)
        token = generate_blob_sas(
            self._account, container, blob, permission=may, expiry=until, **self._key(until), **self._narrowed
        )
        return f"{self._service.get_blob_client(container, blob).url}?{token}"

    @property
    def _account(self) -> str:
        return str(self._service.account_name)

    @property
    def _narrowed(self) -> dict[str, Any]:
        return {"protocol": "https"} if self._service.url.startswith("https://") else {}

    def _key(self, until: datetime) -> dict[str, Any]:
        key = getattr(self._service.credential, "account_key", None)
        if key:
            return {"account_key": key}
        start = datetime.now(UTC) - CLOCK_SKEW
        return {"user_delegation_key": self._service.get_user_delegation_key(start, until)}
