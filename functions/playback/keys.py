"""The key for reading a title's blobs: a read-only SAS for its container.

Behind a CDN, the key is the same for all viewers within a time bucket, so that the CDN can cache the blobs. A CDN that
verifies tokens finds its token in the key, and does not make the token part of its cache key
(docs/decisions/0037-a-cdn-verifies-tokens-and-storage-the-sas.md). Without a CDN, a key that the app's identity signs
contains the id of its stream as correlation id, which the logs of storage show. A key must never be logged.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from functions.playback.cdn_tokens import token_query

if TYPE_CHECKING:
    from functions.platform.blob_signing import Signer

CLOCKS_DIFFER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class ReadKey:
    """A query without its question mark, and its expiry; it contains the SAS and, if there is one, the CDN's token."""

    sas: str = field(repr=False)
    expires_at: datetime


def expiry_of(now: datetime, bucket: timedelta) -> datetime:
    """Return the end of the bucket after the current one, so a key is valid for at least one bucket and at most two."""
    seconds = int(bucket.total_seconds())
    return datetime.fromtimestamp((int(now.timestamp()) // seconds + 2) * seconds, UTC)


def correlation_of(stream_id: str) -> uuid.UUID:
    """Return the id by which the logs of storage identify a stream; a correlation id must be a UUID."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"notflix.stream.{stream_id}")


class SasKeys:
    """Issues keys that expire at the end of a bucket: between half of `minutes` and `minutes` after their issue.

    `front` is the address of the CDN, `token_key` the key of its tokens, if it verifies any.
    """

    def __init__(self, signer: Signer, *, minutes: int, front: str = "", token_key: str = "") -> None:
        self._signer = signer
        self._front = front
        self._token_key = token_key
        self._bucket = timedelta(minutes=minutes) / 2

    def expires_at(self, now: datetime) -> datetime:
        return expiry_of(now, self._bucket)

    def read_key(self, container: str, expires_at: datetime, *, stream_id: str) -> ReadKey:
        begins = expires_at - 2 * self._bucket - CLOCKS_DIFFER
        correlation = "" if self._front else str(correlation_of(stream_id))
        sas = self._signer.container_sas(container, begins=begins, until=expires_at, correlation=correlation)
        if self._front and self._token_key:
            folder = f"{urlsplit(self._front).path.rstrip('/')}/{container}/"
            sas = f"{sas}&{token_query(self._token_key, folder, until=expires_at)}"
        return ReadKey(sas, expires_at)

    def url(self, path: str) -> str:
        return self._signer.url(path, self._front)
