"""Signed addresses of blobs (shared access signatures), by the account's key or, without one, by the app's identity.

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
"""Delegation keys that are cached: those of the time windows in use at once, and one more."""


def seen_from_outside(address: str, service: BlobServiceClient, front: str) -> str:
    """Return the address of a blob as browsers reach it: through the CDN or proxy of `BLOB_URL` if there is one.

    A signature is valid for both, because it covers account, container and blob but not the host.
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
        """Return an address that allows to read a blob, or to create and write it, until a time."""
        may = BlobSasPermissions(create=True, write=True) if write else BlobSasPermissions(read=True)
        if self._account_key:
            key = self._by_account()
        else:
            key = {"user_delegation_key": self._service.get_user_delegation_key(datetime.now(UTC) - CLOCK_SKEW, until)}
        sas = generate_blob_sas(self._account, container, blob, permission=may, expiry=until, **key, **self._narrowed)
        return f"{self._service.get_blob_client(container, blob).url}?{sas}"

    def container_sas(self, container: str, *, begins: datetime, until: datetime) -> str:
        """Return a SAS, without the question mark, that reads the blobs of a container until a time.

        Equal times give equal SAS on every instance; `begins` is the start of the delegation key, if one is used.
        """
        key = self._by_account() if self._account_key else {"user_delegation_key": self._by_identity(begins, until)}
        may = ContainerSasPermissions(read=True)
        return str(
            generate_container_sas(self._account, container, permission=may, expiry=until, **key, **self._narrowed)
        )

    def url(self, path: str, front: str = "") -> str:
        """Return the unsigned address, as browsers reach it, of a blob given as container/blob."""
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
        """Return the delegation key of a time window, which is requested once."""
        with self._lock:
            if (begins, until) not in self._shared:
                self._shared[begins, until] = self._service.get_user_delegation_key(begins, until)
                while len(self._shared) > KEYS_KEPT:
                    del self._shared[next(iter(self._shared))]
            return self._shared[begins, until]
