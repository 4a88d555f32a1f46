"""The certificates that PayPal signs webhooks with: from which addresses they may come, fetched, checked, remembered.

Anyone can send a webhook that names an address, so nothing is fetched but what matches to the letter, a redirect is an
answer like any other, and an unknown address cannot make us ask often or wait long.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
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

from functions.platform.errors import NotFromPayPal, SettingMissing, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from urllib3 import BaseHTTPResponse

NAME = "messageverificationcerts.paypal.com"
PATH = "/v1/notifications/certs/"
LIVE = ("api.paypal.com", "api-m.paypal.com")
SANDBOX = ("api.sandbox.paypal.com", "api-m.sandbox.paypal.com")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

CONNECT_S, ANSWER_S, WHOLE_S = 3.0, 4.0, 8.0
LARGEST_BYTES = 64 * 1024
REMEMBERED_S = 24 * 3600.0
FETCHES, FETCHES_IN_S = 6, 60.0
WAIT_FOR_ANOTHER_S = WHOLE_S


def origins_of(paypal_url: str) -> frozenset[str]:
    """Return the origins of certificates that go with a PayPal; raise SettingMissing if it is none and no simulator."""
    parts = urlsplit(paypal_url)
    for hosts in (LIVE, SANDBOX):
        if parts.scheme == "https" and parts.netloc in hosts:
            return frozenset(f"https://{host}" for host in hosts)
    if parts.scheme in ("http", "https") and parts.netloc.rpartition(":")[0] in LOOPBACK:
        return frozenset({f"{parts.scheme}://{parts.netloc}"})
    raise SettingMissing(
        f"PAYPAL_URL must be https://{LIVE[1]}, https://{SANDBOX[1]}, or the address of a simulator on this machine."
    )


@dataclass(frozen=True, slots=True)
class _Known:
    key: rsa.RSAPublicKey
    ends_at: datetime
    until: float


class Certificates:
    """Gives the public key behind an address; `ca` is a file of trusted authorities, empty for those of the web."""

    def __init__(
        self, paypal_url: str, ca: str, now: Callable[[], datetime], *, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        names = "|".join(re.escape(origin) for origin in sorted(origins_of(paypal_url)))
        self._allowed = re.compile(f"(?:{names}){re.escape(PATH)}[A-Za-z0-9_-]{{1,100}}", re.ASCII)
        self._ca = ca or certifi.where()
        self._now = now
        self._ticks = ticks
        self._known: dict[str, _Known] = {}
        self._fetches: list[float] = []
        self._fetching = Lock()
        self._under_way = ""

    def key(self, address: str) -> rsa.RSAPublicKey:
        """Return the key of the certificate at an address.

        Raises NotFromPayPal if the address is none of PayPal's or what lies there is none of its certificates, and
        StoreUnavailable if that cannot be found out now.
        """
        if not self._allowed.fullmatch(address):
            raise NotFromPayPal("The webhook names a certificate at an address that is none of PayPal's.")
        known = self._recall(address)
        if known is None:
            # whoever waits behind another address could wait for as long as a stranger likes
            patience = WAIT_FOR_ANOTHER_S if self._under_way == address else 0.0
            if not self._fetching.acquire(timeout=patience):
                raise StoreUnavailable("Another certificate of PayPal is being fetched; send the webhook again.")
            try:
                known = self._recall(address) or self._learn(address)
            finally:
                self._under_way = ""
                self._fetching.release()
        return known.key

    def _recall(self, address: str) -> _Known | None:
        known = self._known.get(address)
        return known if known and known.until > self._ticks() and known.ends_at > self._now() else None

    def _learn(self, address: str) -> _Known:
        self._under_way = address
        self._fetches = [at for at in self._fetches if at > self._ticks() - FETCHES_IN_S]
        if len(self._fetches) >= FETCHES:
            raise StoreUnavailable("Too many certificates were asked for; send the webhook again in a minute.")
        self._fetches.append(self._ticks())
        key, ends_at = self._checked(self._fetched(address))
        known = _Known(key, ends_at, self._ticks() + REMEMBERED_S)
        self._known[address] = known
        return known

    def _fetched(self, address: str) -> bytes:
        try:
            with requests.get(address, timeout=(CONNECT_S, ANSWER_S), allow_redirects=False, stream=True) as answer:
                if answer.status_code >= 500 or answer.status_code == 429:
                    raise StoreUnavailable(f"PayPal cannot show its certificate now (HTTP {answer.status_code}).")
                if answer.status_code != 200:
                    raise NotFromPayPal(f"There is no certificate at the address named (HTTP {answer.status_code}).")
                return _body(answer.raw)
        except (requests.RequestException, HTTPError) as error:
            raise StoreUnavailable(
                f"PayPal's certificate cannot be fetched ({type(error).__name__}); send the webhook again."
            ) from None

    def _checked(self, pem: bytes) -> tuple[rsa.RSAPublicKey, datetime]:
        """Return the leaf's key and the end of its chain; raise NotFromPayPal for anything but PayPal's own chain."""
        try:
            leaf, *between = x509.load_pem_x509_certificates(pem)
            names = [name.value for name in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
            if names != [NAME]:
                raise NotFromPayPal(f"The certificate is not that of {NAME}.")
            roots = x509.load_pem_x509_certificates(Path(self._ca).read_bytes())
            policy = PolicyBuilder().store(Store(roots)).time(self._now())
            chain = policy.build_server_verifier(x509.DNSName(NAME)).verify(leaf, between)
        except (ValueError, VerificationError) as error:
            raise NotFromPayPal(f"The certificate is not to be trusted ({error}).") from None
        except FileNotFoundError:
            raise SettingMissing(f"PAYPAL_CA names {self._ca}, and there is no such file.") from None
        key = leaf.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise NotFromPayPal("The certificate's key is not an RSA key.")
        return key, min(one.not_valid_after_utc for one in chain)


def _body(response: BaseHTTPResponse) -> bytes:
    """Return a body, taking whatever bytes have come: one sent now and then cannot hold it past the deadline."""
    deadline = time.monotonic() + WHOLE_S
    body = bytearray()
    while piece := response.read1(LARGEST_BYTES, decode_content=True):
        body += piece
        if len(body) > LARGEST_BYTES:
            raise NotFromPayPal("What lies at the certificate's address is far too large for one.")
        if time.monotonic() > deadline:
            raise StoreUnavailable("PayPal's certificate comes too slowly; send the webhook again.")
    return bytes(body)
