"""Fetching a poster from the address in OMDb's response. The address is not trusted: only known hosts are contacted.

The host name is resolved here, and the connection uses the IP address that was checked, so the address cannot change
between check and connection.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import certifi
import urllib3

from functions.platform.download import TooLarge, TooSlow, read_bounded

if TYPE_CHECKING:
    from collections.abc import Callable
    from urllib.parse import SplitResult

POSTER_HOSTS = frozenset({"m.media-amazon.com", "images-na.ssl-images-amazon.com"})
TIMEOUT_S = 5.0
MAX_BYTES = 5 * 1024 * 1024


class PosterRefused(Exception):
    """The poster cannot be fetched; the message says why, and `passing` is true if a retry may help."""

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        super().__init__(reason)
        self.passing = passing


def resolve(host: str, port: int) -> list[str]:
    """Return all IP addresses of a host."""
    return sorted({str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})


class PosterFetcher:
    """Fetches posters over HTTPS from `POSTER_HOSTS`, and from OMDb's own host if OMDb is on this machine."""

    def __init__(self, omdb_url: str, resolver: Callable[[str, int], list[str]] = resolve) -> None:
        omdb = urlsplit(omdb_url)
        self._local = (omdb.scheme, omdb.hostname, omdb.port) if _is_loopback(omdb.hostname or "") else None
        self._resolver = resolver

    def fetch(self, url: str) -> bytes:
        """Return the bytes at `url` without checking their format. Raises PosterRefused."""
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            raise PosterRefused("The address of the poster is malformed.") from None
        host = parts.hostname or ""
        local = self._local is not None and (parts.scheme, host, parts.port) == self._local
        if not local and (parts.scheme != "https" or host not in POSTER_HOSTS or port != 443 or parts.username):
            raise PosterRefused(f"The poster is at {parts.scheme}://{host}; posters are not fetched from there.")
        try:
            addresses = self._resolver(host, port)
        except OSError:
            raise PosterRefused(f"The poster's host {host} cannot be resolved at the moment.", passing=True) from None
        if not addresses or not (local or all(ipaddress.ip_address(address).is_global for address in addresses)):
            raise PosterRefused(f"The poster's host {host} resolves to a private network.")
        try:
            return self._get(parts, host, port, addresses[0])
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise PosterRefused(f"The poster could not be fetched ({type(error).__name__}).", passing=True) from None

    def _get(self, parts: SplitResult, host: str, port: int, address: str) -> bytes:
        timeout = urllib3.Timeout(total=TIMEOUT_S)
        pool: urllib3.HTTPConnectionPool
        if parts.scheme == "https":
            pool = urllib3.HTTPSConnectionPool(
                address,
                port,
                timeout=timeout,
                retries=False,
                cert_reqs="CERT_REQUIRED",
                ca_certs=certifi.where(),
                server_hostname=host,
                assert_hostname=host,
            )
        else:
            pool = urllib3.HTTPConnectionPool(address, port, timeout=timeout, retries=False)
        deadline = time.monotonic() + TIMEOUT_S
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Host": parts.netloc, "Accept": "image/*"}
        with pool, pool.request("GET", target, headers=headers, redirect=False, preload_content=False) as response:
            if response.status != 200:
                raise PosterRefused(
                    f"The poster's host answered with HTTP {response.status}.", passing=response.status >= 500
                )
            try:
                return read_bounded(response, limit=MAX_BYTES, deadline=deadline)
            except TooLarge:
                raise PosterRefused(f"The poster is larger than {MAX_BYTES // 1024 // 1024} MiB.") from None
            except TooSlow:
                raise PosterRefused("The poster did not arrive in time.", passing=True) from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
