"""The certificates with which PayPal signs webhooks: their permitted addresses, and how they are fetched and cached.

Anyone can send a webhook that names a certificate's address. Only addresses that match a strict pattern are fetched,
and redirects are not followed. A stranger can neither cause frequent fetches nor delay PayPal's own webhooks. Fetches
from unknown addresses are limited, and counted per sending network. A certificate that was verified once is kept in a
store shared by all instances, and these limits no longer apply to it.
"""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import certifi
import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from urllib3.exceptions import HTTPError

from functions.billing.ports import LearnedCertificate
from functions.platform.download import TooLarge, TooSlow, read_bounded
from functions.platform.errors import NotFromPayPal, SettingMissing, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from functions.billing.ports import CertificateStore

NAME = "messageverificationcerts.paypal.com"
PATH = "/v1/notifications/certs/"
LIVE = ("api.paypal.com", "api-m.paypal.com")
SANDBOX = ("api.sandbox.paypal.com", "api-m.sandbox.paypal.com")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

CONNECT_S, ANSWER_S, WHOLE_S = 3.0, 4.0, 8.0
LARGEST_BYTES = 64 * 1024
FRESH_FOR = timedelta(days=1)
"""The age at which a certificate is fetched again, to detect that PayPal has withdrawn it."""
RETRY_AFTER_S = 60.0
"""The time after a failed refresh during which the stored certificate is used; then the refresh is retried."""

PERIOD_S = 60.0
FETCHES_OF_A_NETWORK = 6
FETCHES_OF_UNKNOWN = 60
FETCHES_OF_LEARNED = 6
"""Maximum fetches per period: for unknown addresses from one network, for all unknown addresses, and for refreshes."""
UNKNOWN_AT_ONCE = 4
WAIT_FOR_SAME_S = WHOLE_S


def origins_of(paypal_url: str) -> frozenset[str]:
    """Return the origins that serve the certificates of PayPal, or of a simulator on this machine. Raises
    SettingMissing."""
    parts = urlsplit(paypal_url)
    for hosts in (LIVE, SANDBOX):
        if parts.scheme == "https" and parts.netloc in hosts:
            return frozenset(f"https://{host}" for host in hosts)
    if parts.scheme in ("http", "https") and parts.netloc.rpartition(":")[0] in LOOPBACK:
        return frozenset({f"{parts.scheme}://{parts.netloc}"})
    raise SettingMissing(
        f"PAYPAL_URL must be https://{LIVE[1]}, https://{SANDBOX[1]}, or the address of a simulator on this machine."
    )


def network_of(ip: str) -> str:
    """Return the network by which an address is counted: /24 for IPv4, /48 for IPv6, otherwise the string itself."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False))


@dataclass(frozen=True, slots=True)
class _Known:
    """A key cached in this process until the store is queried again; `until` is a value of `ticks`."""

    key: rsa.RSAPublicKey
    ends_at: datetime
    until: float


@dataclass(slots=True)
class _Turn:
    """The lock of one address, and the number of threads that use it."""

    lock: Lock = field(default_factory=Lock)
    waiting: int = 0


class Certificates:
    """Returns the public keys of certificates. `ca` is a file of trusted authorities; if empty, certifi's are used."""

    def __init__(
        self,
        paypal_url: str,
        ca: str,
        store: CertificateStore,
        now: Callable[[], datetime],
        *,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        names = "|".join(re.escape(origin) for origin in sorted(origins_of(paypal_url)))
        self._allowed = re.compile(f"(?:{names}){re.escape(PATH)}[A-Za-z0-9_-]{{1,100}}", re.ASCII)
        self._ca = ca or certifi.where()
        self._store = store
        self._now = now
        self._ticks = ticks
        self._known: dict[str, _Known] = {}
        self._lock = Lock()
        self._turns: dict[str, _Turn] = {}
        self._refreshes: list[float] = []
        self._fetches: list[tuple[float, str]] = []
        self._fetching: set[str] = set()

    def key(self, address: str, source: str) -> rsa.RSAPublicKey:
        """Return the public key of the certificate at a URL; `source` is the IP address from which the URL was sent.

        Raises NotFromPayPal if the URL is not PayPal's or has no certificate of PayPal, and StoreUnavailable if this
        cannot be determined now.
        """
        if not self._allowed.fullmatch(address):
            raise NotFromPayPal("The webhook names a certificate at an address that is not PayPal's.")
        known = self._recall(address)
        if known is None:
            with self._turn(address):
                known = self._recall(address) or self._load(address, network_of(source))
        return known.key

    def _recall(self, address: str) -> _Known | None:
        known = self._known.get(address)
        return known if known and known.until > self._ticks() and known.ends_at > self._now() else None

    def _load(self, address: str, network: str) -> _Known:
        """Return a verified certificate, from the store or from PayPal."""
        learned = self._learned(address)
        if learned and learned.fetched_at > self._now() - FRESH_FOR:
            return self._remember(address, learned, for_s=FRESH_FOR.total_seconds())
        try:
            with self._refresh() if learned else self._unknown(network):
                pem = self._fetched(address)
            fetched = LearnedCertificate(pem, self._now())
            known = self._remember(address, fetched, for_s=FRESH_FOR.total_seconds())
        except NotFromPayPal:
            if learned:
                self._drop(address)
            raise
        except StoreUnavailable:
            if learned is None:
                raise
            return self._remember(address, learned, for_s=RETRY_AFTER_S)
        self._keep(address, fetched)
        return known

    def _remember(self, address: str, certificate: LearnedCertificate, *, for_s: float) -> _Known:
        key, ends_at = self._checked(certificate.pem)
        known = self._known[address] = _Known(key, ends_at, self._ticks() + for_s)
        return known

    def _learned(self, address: str) -> LearnedCertificate | None:
        """Return the stored certificate; None if it does not exist, is not trusted, or the store is unavailable."""
        try:
            learned = self._store.find_certificate(address)
            if learned:
                self._checked(learned.pem)
        except (StoreUnavailable, NotFromPayPal):
            return None
        return learned

    def _keep(self, address: str, certificate: LearnedCertificate) -> None:
        try:
            self._store.store_certificate(address, certificate)
        except StoreUnavailable:
            return  # this process has the certificate in memory; other processes fetch it themselves

    def _drop(self, address: str) -> None:
        self._known.pop(address, None)
        try:
            self._store.drop_certificate(address)
        except StoreUnavailable:
            return  # the certificate is fetched again at its next use, because it is no longer fresh

    @contextmanager
    def _turn(self, address: str) -> Iterator[None]:
        """Let one thread at a time load the certificate of an address; the others then find it in memory."""
        with self._lock:
            turn = self._turns.setdefault(address, _Turn())
            turn.waiting += 1
        try:
            if not turn.lock.acquire(timeout=WAIT_FOR_SAME_S):
                raise StoreUnavailable("PayPal's certificate is still being fetched; send the webhook again.")
            try:
                yield
            finally:
                turn.lock.release()
        finally:
            with self._lock:
                turn.waiting -= 1
                if not turn.waiting:
                    self._turns.pop(address, None)

    @contextmanager
    def _refresh(self) -> Iterator[None]:
        """Count a refresh of a known certificate. Raises StoreUnavailable if there were too many."""
        with self._lock:
            self._refreshes = [at for at in self._refreshes if at > self._ticks() - PERIOD_S]
            if len(self._refreshes) >= FETCHES_OF_LEARNED:
                raise StoreUnavailable("PayPal's certificates were fetched too often; send the webhook again.")
            self._refreshes.append(self._ticks())
        yield

    @contextmanager
    def _unknown(self, network: str) -> Iterator[None]:
        """Count a fetch from an unknown address. Raises StoreUnavailable if too many were made or are in progress."""
        with self._lock:
            self._fetches = [(at, by) for at, by in self._fetches if at > self._ticks() - PERIOD_S]
            if network in self._fetching or len(self._fetching) >= UNKNOWN_AT_ONCE:
                raise StoreUnavailable("Another certificate is being fetched; send the webhook again.")
            own = sum(by == network for _, by in self._fetches)
            if own >= FETCHES_OF_A_NETWORK or len(self._fetches) >= FETCHES_OF_UNKNOWN:
                raise StoreUnavailable("Too many unknown certificates were named; send the webhook again in a minute.")
            self._fetches.append((self._ticks(), network))
            self._fetching.add(network)
        try:
            yield
        finally:
            with self._lock:
                self._fetching.discard(network)

    def _fetched(self, address: str) -> bytes:
        try:
            with requests.get(address, timeout=(CONNECT_S, ANSWER_S), allow_redirects=False, stream=True) as answer:
                if answer.status_code >= 500 or answer.status_code == 429:
                    raise StoreUnavailable(f"PayPal cannot return its certificate now (HTTP {answer.status_code}).")
                if answer.status_code != 200:
                    raise NotFromPayPal(f"There is no certificate at that address (HTTP {answer.status_code}).")
                return read_bounded(answer.raw, limit=LARGEST_BYTES, deadline=time.monotonic() + WHOLE_S)
        except TooLarge:
            raise NotFromPayPal("The file at the certificate's address is far too large for a certificate.") from None
        except TooSlow:
            raise StoreUnavailable("PayPal's certificate arrives too slowly; send the webhook again.") from None
        except (requests.RequestException, HTTPError) as error:
            raise StoreUnavailable(
                f"PayPal's certificate cannot be fetched ({type(error).__name__}); send the webhook again."
            ) from None

    def _checked(self, pem: bytes) -> tuple[rsa.RSAPublicKey, datetime]:
        """Return the leaf's key and when its chain expires. Raises NotFromPayPal unless the chain is PayPal's."""
        try:
            leaf, *between = x509.load_pem_x509_certificates(pem)
            names = [name.value for name in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
            if names != [NAME]:
                raise NotFromPayPal(f"The certificate is not that of {NAME}.")
            roots = x509.load_pem_x509_certificates(Path(self._ca).read_bytes())
            policy = PolicyBuilder().store(Store(roots)).time(self._now())
            chain = policy.build_server_verifier(x509.DNSName(NAME)).verify(leaf, between)
        except (ValueError, VerificationError) as error:
            raise NotFromPayPal(f"The certificate is not trusted ({error}).") from None
        except FileNotFoundError:
            raise SettingMissing(f"PAYPAL_CA names {self._ca}, and there is no such file.") from None
        key = leaf.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise NotFromPayPal("The certificate's key is not an RSA key.")
        return key, min(one.not_valid_after_utc for one in chain)
