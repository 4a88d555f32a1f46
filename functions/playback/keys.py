"""The key that a title's blobs are read with: a read-only SAS for its container.

It is the same for everyone within a time bucket, so that a CDN can cache what it fetches. It is never logged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from azure.storage.blob import ContainerSasPermissions, generate_container_sas

from functions.storage import seen_from_outside

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient, UserDelegationKey

READ = ContainerSasPermissions(read=True)


@dataclass(frozen=True, slots=True)
class ReadKey:
    """A SAS, without its question mark, and when it ends."""

    sas: str = field(repr=False)
    expires_at: datetime


class Keys(Protocol):
    """Whoever gives out keys to containers."""

    def read_key(self, container: str, now: datetime) -> ReadKey:
        """Return a key that reads the blobs of the container, and can do nothing else."""

    def url(self, path: str) -> str:
        """Return the address of a blob, given as container/blob, without a key."""


def expiry_of(now: datetime, bucket: timedelta) -> datetime:
    """Return the end of the bucket after the one `now` lies in: a key lives for one bucket at least, two at most."""
    seconds = int(bucket.total_seconds())
    return datetime.fromtimestamp((int(now.timestamp()) // seconds + 2) * seconds, UTC)


class SasKeys:
    """Keys signed with the account's key or, where the service is reached by identity, with a user delegation key."""

    def __init__(self, service: BlobServiceClient, *, minutes: int, front: str = "") -> None:
        self._service = service
        self._front = front
        self._bucket = timedelta(minutes=minutes)
        self._account_key: str | None = getattr(service.credential, "account_key", None)
        self._delegation: tuple[datetime, UserDelegationKey] | None = None
        self._lock = Lock()

    def read_key(self, container: str, now: datetime) -> ReadKey:
        """Return a key that reads the blobs of the container, and can do nothing else."""
        expires_at = expiry_of(now, self._bucket)
        signing = (
            {"account_key": self._account_key}
            if self._account_key
            else {"user_delegation_key": self._delegation_key(expires_at)}
        )
        sas = generate_container_sas(
            str(self._service.account_name),
            container,
            permission=READ,
            expiry=expires_at,
            protocol="https" if self._service.url.startswith("https:") else None,
            **signing,
        )
        return ReadKey(sas, expires_at)

    def url(self, path: str) -> str:
        """Return the address of a blob as browsers reach it."""
        own = f"{self._service.url.partition('?')[0].rstrip('/')}/{path}"
        return seen_from_outside(own, self._service, self._front)

    def _delegation_key(self, until: datetime) -> UserDelegationKey:
        """Return the delegation key of the bucket that ends at `until`, asked for once."""
        with self._lock:
            if self._delegation is None or self._delegation[0] != until:
                # begins before the bucket, for clocks that differ; the same times give every instance an equal key
                begins = until - 2 * self._bucket - timedelta(minutes=15)
                self._delegation = (until, self._service.get_user_delegation_key(begins, until))
            return self._delegation[1]
