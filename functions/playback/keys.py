"""The key for reading a title's blobs: a read-only SAS for its container.

The key is the same for all viewers within a time bucket, so that a CDN can cache the blobs. It must never be logged.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from functions.platform.blob_signing import Signer

CLOCKS_DIFFER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class ReadKey:
    """A SAS without its question mark, and its expiry."""

    sas: str = field(repr=False)
    expires_at: datetime


def expiry_of(now: datetime, bucket: timedelta) -> datetime:
    """Return the end of the bucket after the current one, so a key is valid for at least one bucket and at most two."""
    seconds = int(bucket.total_seconds())
    return datetime.fromtimestamp((int(now.timestamp()) // seconds + 2) * seconds, UTC)


class SasKeys:
    """Issues keys that expire at the end of a bucket: between half of `minutes` and `minutes` after their issue."""

    def __init__(self, signer: Signer, *, minutes: int, front: str = "") -> None:
        self._signer = signer
        self._front = front
        self._bucket = timedelta(minutes=minutes) / 2

    def read_key(self, container: str, now: datetime) -> ReadKey:
        expires_at = expiry_of(now, self._bucket)
        begins = expires_at - 2 * self._bucket - CLOCKS_DIFFER
        return ReadKey(self._signer.container_sas(container, begins=begins, until=expires_at), expires_at)

    def url(self, path: str) -> str:
        return self._signer.url(path, self._front)
