"""Signed addresses of blobs (shared access signatures), by the account's key or, where there is none, by identity.

The one place that knows which of the two signs. What is signed is never logged and never stored.
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
"""Delegation keys remembered: those of the buckets that are in use at a time, and one to spare."""


def seen_from_outside(address: str, service: BlobServiceClient, front: str) -> str:
    """Return the address of a blob as browsers reach it: by a front before storage if there is one (`BLOB_URL`).

    A signature holds for both, since it names the account, the container and the blob, but no host.
    """
    own = service.url.partition("?")[0].rstrip("/")
    return f"{front.rstrip('/')}{address.removeprefix(own)}" if front else address


class Signer:
    """Signs what may be done with one blob, or read of one container, until a time."""

    def __init__(self, service: BlobServiceClient) -> None:
        self._service = service
        self._account_key: str | None = getattr(service.credential, "account_key", None)
        self._shared: dict[tuple[datetime, datetime], UserDelegationKey] = {}
        self._lock = Lock()

    def blob_address(self, container: str, blob: str, *, until: datetime, write: bool = False) -> str:
        """Return the address of a blob that may be read, or created and written, until then."""
        may = BlobSasPermissions(create=True, write=True) if write else BlobSasPermissions(read=True)
        if self._account_key:
            key = self._by_account()
        else:
            key = {"user_delegation_key": self._service.get_user_delegation_key(datetime.now(UTC) - CLOCK_SKEW, until)}
        sas = generate_blob_sas(self._account, container, blob, permission=may, expiry=until, **key, **self._narrowed)
        return f"{self._service.get_blob_client(container, blob).url}?{sas}"

    def container_sas(self, container: str, *, begins: datetime, until: datetime) -> str:
        """Return a SAS, without its question mark, that reads the blobs of a container until then.

        The same times give every instance an equal SAS; `begins` is that of the delegation key, if one is needed.
        """
        key = self._by_account() if self._account_key else {"user_delegation_key": self._by_identity(begins, until)}
        may = ContainerSasPermissions(read=True)
        return str(
            generate_container_sas(self._account, container, permission=may, expiry=until, **key, **self._narrowed)
        )

    def url(self, path: str, front: str = "") -> str:
        """Return the address of a blob, given as container/blob, as browsers reach it, unsigned."""
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
        """Return the delegation key of these times, asked for once."""
        with self._lock:
            if (begins, until) not in self._shared:
                self._shared[begins, until] = self._service.get_user_delegation_key(begins, until)
                while len(self._shared) > KEYS_KEPT:
                    del self._shared[next(iter(self._shared))]
            return self._shared[begins, until]
