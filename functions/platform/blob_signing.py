"""Signed addresses of blobs (shared access signatures), using the account's key or, without a key, the app's identity.

A signed address must never be logged or stored.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from azure.storage.blob import BlobSasPermissions, ContainerSasPermissions, generate_blob_sas, generate_container_sas

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient, UserDelegationKey

CLOCK_SKEW = timedelta(minutes=5)
KEYS_KEPT = 4
"""Number of cached delegation keys: one for each time window that is in use at the same time, and one more."""


def seen_from_outside(address: str, service: BlobServiceClient, front: str) -> str:
    """Return the address that browsers use for a blob: through the CDN or proxy in `BLOB_URL`, if it is set.

    A signature is valid for both addresses, because it covers account, container and blob but not the host.
    """
    own = service.url.partition("?")[0].rstrip("/")
    return f"{front.rstrip('/')}{address.removeprefix(own)}" if front else address


class Signer:
    """Signs access to one blob, or read access to one container, until a time."""

    def __init__(self, service: BlobServiceClient) -> None:
        self._service = service
        self._account_key: str | None = getattr(service.credential, "account_key", None)
        self._shared: dict[tuple[datetime, datetime], UserDelegationKey] = {}
        self._lock = Lock()

    def blob_address(self, container: str, blob: str, *, until: datetime, write: bool = False) -> str:
        """Return an address that permits reading a blob until a time; `write` permits creating and writing it too.

        An upload reads the list of the blocks that it has already stored (Get Block List), for which Azure requires the
        permission to read.
        """
        may = BlobSasPermissions(read=True, create=write, write=write)
        if self._account_key:
            key = self._by_account()
        else:
            key = {"user_delegation_key": self._service.get_user_delegation_key(datetime.now(UTC) - CLOCK_SKEW, until)}
        sas = generate_blob_sas(self._account, container, blob, permission=may, expiry=until, **key, **self._narrowed)
        return f"{self._service.get_blob_client(container, blob).url}?{sas}"

    def container_sas(self, container: str, *, begins: datetime, until: datetime, correlation: str = "") -> str:
        """Return a SAS, without the question mark, that permits reading the blobs of a container until a time.

        Equal arguments result in the same SAS on every instance; `begins` is the start of the delegation key, if any.
        `correlation` is a UUID that the SAS contains and storage logs; only a delegation key can sign it, so it is
        omitted if the account's key signs.
        """
        if self._account_key:
            key = self._by_account()
        else:
            key = {"user_delegation_key": self._by_identity(begins, until), "correlation_id": correlation or None}
        may = ContainerSasPermissions(read=True)
        return str(
            generate_container_sas(self._account, container, permission=may, expiry=until, **key, **self._narrowed)
        )

    def url(self, path: str, front: str = "") -> str:
        """Return the unsigned address that browsers use for a blob; `path` is container/blob."""
        return seen_from_outside(f"{self._service.url.partition('?')[0].rstrip('/')}/{path}", self._service, front)

    @property
    def _account(self) -> str:
        return str(self._service.account_name)

    @property
    def _narrowed(self) -> dict[str, Any]:
        return {"protocol": "https"} if self._service.url.startswith("https://") else {}

    def _by_account(self) -> dict[str, Any]:
        return {"account_key": self._account_key}

    def _by_identity(self, begins: datetime, until: datetime) -> UserDelegationKey:
        """Return the delegation key for a time window; each key is requested only once."""
        with self._lock:
            if (begins, until) not in self._shared:
                self._shared[begins, until] = self._service.get_user_delegation_key(begins, until)
                while len(self._shared) > KEYS_KEPT:
                    del self._shared[next(iter(self._shared))]
            return self._shared[begins, until]
