"""Signs transmissions of events as PayPal does, or, in the other modes, as an attacker might.

- `genuine`: signed by PayPal's leaf certificate.
- `other_key`: signed by another key. `own_chain`: signed by an untrusted chain that the simulator serves.
- `expired`, `other_name`: signed by a leaf of PayPal's chain that has expired or has another common name.
- `wrong_host`, `http_url`, `redirect`: an untrusted chain at another host, over http, or behind a redirect.
- `altered_body`: genuine headers and a changed body. `same_crc_body`: the same, but the body keeps its CRC32 and the
  signature stays valid, since PayPal signs only that checksum.
- `literal_webhook_id`: correctly signed, but for the webhook id "WEBHOOK_ID", as PayPal's public event simulator does.
- `sha1`: signed with SHA-1. `no_headers`: without any signature.
"""

from __future__ import annotations

import json
import secrets
import uuid
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes

from infra.local.simulators.paypal.certificates import CERTIFICATES_PATH, Authority, Signer, make_authority
from infra.local.simulators.paypal.formats import format_time

if TYPE_CHECKING:
    from infra.local.simulators.paypal.control import SimulatorCore

MODES = (
    *("genuine", "other_key", "own_chain", "expired", "other_name", "wrong_host", "http_url", "redirect"),
    *("altered_body", "same_crc_body", "literal_webhook_id", "sha1", "no_headers"),
)
ALGORITHM = "SHA256withRSA"
REDIRECT_ID = "CERT-redirect"

_CHANGES: dict[str, dict[str, object]] = {
    "sale": {"/resource/amount/total": "9999.99"},
    "refund": {"/resource/amount/total": "-9999.99"},
    "subscription": {
        "/resource/status": "ACTIVE",
        "/resource/billing_info/next_billing_time": "2099-01-01T10:00:00Z",
    },
}
"""The changes of an altered body, by resource type and JSON pointer."""


@dataclass(frozen=True, slots=True)
class Transmission:
    """The headers and the body of one request to a webhook."""

    id: str
    headers: dict[str, str]
    body: bytes


class TransmissionSigner:
    """Signs transmissions and serves the certificates for them."""

    def __init__(self, core: SimulatorCore, authority: Authority, signer: Signer) -> None:
        self._core = core
        self._authority = authority
        self._signer = signer

    @cached_property
    def _self_made(self) -> Signer:
        """Return a signer with the right name whose chain is not trusted."""
        return make_authority().issue()

    @cached_property
    def _expired(self) -> Signer:
        """Return a signer of PayPal's chain whose leaf has expired."""
        return self._authority.issue(began=datetime.now(UTC) - timedelta(days=400), life=timedelta(days=365))

    @cached_property
    def _misnamed(self) -> Signer:
        """Return a signer of PayPal's chain whose leaf has another common name."""
        return self._authority.issue(name="www.paypal.com")

    def certificate(self, id_: str) -> str | None:
        """Return the certificate chain (PEM) with this id, or None if there is none."""
        forged = (self.__dict__.get(name) for name in ("_self_made", "_expired", "_misnamed"))
        for signer in (self._signer, *forged):
            if signer is not None and signer.id == id_:
                return str(signer.chain)
        return None

    def url_of(self, signer: Signer) -> str:
        """Return the URL of a signer's certificate chain."""
        return f"{self._core.base}{CERTIFICATES_PATH}{signer.id}"

    def redirect_url(self) -> str:
        """Return the URL to which the certificate URL of the mode `redirect` redirects."""
        return self.url_of(self._self_made)

    def sign_event(self, raw: bytes, webhook_id: str, mode: str = "genuine") -> Transmission:
        """Return a new transmission of an event to a webhook, in one of the MODES."""
        id_, time = str(uuid.uuid1(secrets.randbits(47))), format_time(self._core.clock.now())
        body = raw
        if mode == "altered_body":
            body = altered(raw)
        elif mode == "same_crc_body":
            body = with_same_crc(raw)
        signer, address = self._signer, self.url_of(self._signer)
        if mode == "other_key":
            signer = self._self_made
        elif mode in ("own_chain", "wrong_host", "http_url", "redirect"):
            signer = self._self_made
            address = self._elsewhere(mode)
        elif mode in ("expired", "other_name"):
            signer = self._expired if mode == "expired" else self._misnamed
            address = self.url_of(signer)
        signed_for = "WEBHOOK_ID" if mode == "literal_webhook_id" else webhook_id
        message = f"{id_}|{time}|{signed_for}|{zlib.crc32(raw)}".encode()
        headers = {
            "Content-Type": "application/json",
            "Accept": "*/*",
            "User-Agent": "PayPal/AUHR-214.0-58417034",
            "Correlation-Id": id_.replace("-", "")[:13],
        }
        if mode != "no_headers":
            headers |= {
                "PAYPAL-AUTH-ALGO": "SHA1withRSA" if mode == "sha1" else ALGORITHM,
                "PAYPAL-AUTH-VERSION": "v2",
                "PAYPAL-CERT-URL": address,
                "PAYPAL-TRANSMISSION-ID": id_,
                "PAYPAL-TRANSMISSION-SIG": signer.sign(message, hashes.SHA1() if mode == "sha1" else None),
                "PAYPAL-TRANSMISSION-TIME": time,
            }
        return Transmission(id_, headers, body)

    def _elsewhere(self, mode: str) -> str:
        own = self._self_made.id
        return {
            "own_chain": self.url_of(self._self_made),
            "wrong_host": f"https://api.paypal.com.certificates.example{CERTIFICATES_PATH}{own}",
            "http_url": f"http://api.paypal.com{CERTIFICATES_PATH}{own}",
            "redirect": f"{self._core.base}{CERTIFICATES_PATH}{REDIRECT_ID}",
        }[mode]


def altered(raw: bytes) -> bytes:
    """Return the event with changed values at some JSON pointers."""
    event = json.loads(raw)
    wanted = _CHANGES.get(event.get("resource_type", ""), {"/summary": "Altered"})
    for pointer, value in wanted.items():
        *path, last = pointer.strip("/").split("/")
        target: Any = event
        for name in path:
            target = target.setdefault(name, {})
        target[last] = value
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


def with_same_crc(raw: bytes) -> bytes:
    """Return the altered event with one more field, chosen so that the result has the same CRC32 as `raw`."""
    before = altered(raw)[:-1] + b',"padding":"'
    after = b'"}'
    return before + text_for(before, after, zlib.crc32(raw)) + after


_PLACES = 16
_BASE = b"@" * _PLACES  # 0x40: with any low nibble it is a printable ASCII character that JSON does not escape


def text_for(before: bytes, after: bytes, wanted: int) -> bytes:
    """Return the bytes `text` for which `before + text + after` has the CRC32 `wanted`.

    CRC32 is linear over GF(2): each of 16 characters contributes four free bits, twice as many as the checksum has.
    """
    start = zlib.crc32(before + _BASE + after)
    # the highest bit of a difference -> the difference, and the choice of characters that results in it
    basis: dict[int, tuple[int, int]] = {}
    for bit in range(_PLACES * 4):
        choice = 1 << bit
        difference, choice = _reduced(zlib.crc32(before + _characters(choice) + after) ^ start, choice, basis)
        if difference:
            basis[difference.bit_length()] = difference, choice
    rest, choice = _reduced(start ^ wanted, 0, basis)
    if rest:
        raise ValueError("no text of these characters has that checksum")
    return _characters(choice)


def _reduced(difference: int, choice: int, basis: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Reduce `difference` by the elements of the basis, and combine their choices into `choice`."""
    for top in range(32, 0, -1):
        if difference.bit_length() == top and top in basis:
            difference ^= basis[top][0]
            choice ^= basis[top][1]
    return difference, choice


def _characters(choice: int) -> bytes:
    return bytes(0x40 | choice >> 4 * place & 0xF for place in range(_PLACES))
