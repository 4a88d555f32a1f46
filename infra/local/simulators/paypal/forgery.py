"""Transmissions: an event's raw body with the headers that vouch for it, genuine or forged in one of several ways.

`MODES`: `genuine`; `other_key`: signed by a key that is not PayPal's, under the genuine certificate's address;
`own_chain`: with a self-made chain of the same names; `expired`, `other_name`: with a leaf that PayPal's authority did
issue, but that has run out or bears another name; `wrong_host`, `http_url`, `redirect`: a self-made chain at an address
elsewhere, over http, or that redirects; `altered_body`, `same_crc_body`: genuine headers over a changed body, the
second with the same CRC32, so that the signature holds; `literal_webhook_id`: rightly signed, but for the id
"WEBHOOK_ID", which PayPal's public event simulator signs for anyone; `sha1`; `no_headers`.
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
from infra.local.simulators.paypal.crc import text_for
from infra.local.simulators.paypal.shapes import stamp

if TYPE_CHECKING:
    from infra.local.simulators.paypal.clock import Clock

MODES = (
    "genuine",
    "other_key",
    "own_chain",
    "expired",
    "other_name",
    "wrong_host",
    "http_url",
    "redirect",
    "altered_body",
    "same_crc_body",
    "literal_webhook_id",
    "sha1",
    "no_headers",
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
"""What an altered body says instead, unless other changes are asked for."""


@dataclass(frozen=True, slots=True)
class Transmission:
    """What goes over the wire."""

    id: str
    headers: dict[str, str]
    body: bytes


class Sender:
    """Makes transmissions of raw events, to the webhook `webhook_id`."""

    def __init__(self, authority: Authority, signer: Signer, clock: Clock, base: str) -> None:
        self._authority = authority
        self._signer = signer
        self._clock = clock
        self._base = base

    @cached_property
    def self_made(self) -> Signer:
        """Return a signer of the right name whose chain nobody trusts."""
        return make_authority().issue()

    @cached_property
    def outdated(self) -> Signer:
        """Return a signer of PayPal's own authority whose leaf has run out."""
        return self._authority.issue(began=datetime.now(UTC) - timedelta(days=400), life=timedelta(days=365))

    @cached_property
    def misnamed(self) -> Signer:
        """Return a signer of PayPal's own authority whose leaf is not for webhooks."""
        return self._authority.issue(name="www.paypal.com")

    def certificate(self, id_: str) -> str | None:
        """Return the chain that is served under an id."""
        forgers = (self.__dict__.get(name) for name in ("self_made", "outdated", "misnamed"))
        for signer in (self._signer, *forgers):
            if signer is not None and signer.id == id_:
                return str(signer.chain)
        return None

    def address_of(self, signer: Signer) -> str:
        """Return where a signer's certificate is served."""
        return f"{self._base}{CERTIFICATES_PATH}{signer.id}"

    def transmit(
        self, raw: bytes, webhook_id: str, mode: str = "genuine", changes: dict[str, object] | None = None
    ) -> Transmission:
        """Return a new transmission of a raw event in one of the MODES."""
        id_, time = str(uuid.uuid1(secrets.randbits(47))), stamp(self._clock.now())
        body = raw
        if mode == "altered_body":
            body = altered(raw, changes)
        elif mode == "same_crc_body":
            body = same_crc(raw, changes)
        signer, address = self._signer, self.address_of(self._signer)
        if mode == "other_key":
            signer = self.self_made
        elif mode in ("own_chain", "wrong_host", "http_url", "redirect"):
            signer = self.self_made
            address = self._elsewhere(mode)
        elif mode in ("expired", "other_name"):
            signer = self.outdated if mode == "expired" else self.misnamed
            address = self.address_of(signer)
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
        own = self.self_made.id
        return {
            "own_chain": self.address_of(self.self_made),
            "wrong_host": f"https://api.paypal.com.certificates.example{CERTIFICATES_PATH}{own}",
            "http_url": f"http://api.paypal.com{CERTIFICATES_PATH}{own}",
            "redirect": f"{self._base}{CERTIFICATES_PATH}{REDIRECT_ID}",
        }[mode]


def altered(raw: bytes, changes: dict[str, object] | None = None) -> bytes:
    """Return the event with other values at some JSON pointers, made where there were none."""
    event = json.loads(raw)
    wanted = changes if changes is not None else _CHANGES.get(event.get("resource_type", ""), {"/summary": "Altered"})
    for pointer, value in wanted.items():
        *path, last = pointer.strip("/").split("/")
        target: Any = event
        for name in path:
            target = target.setdefault(name, {})
        target[last] = value
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


def same_crc(raw: bytes, changes: dict[str, object] | None = None) -> bytes:
    """Return the altered event with one more field, whose value gives the whole the CRC32 of `raw`."""
    before = altered(raw, changes)[:-1] + b',"padding":"'
    after = b'"}'
    return before + text_for(before, after, zlib.crc32(raw)) + after
