"""Webhooks: verify that PayPal sent a webhook, and read the event that it reports.

The signature is RSA PKCS#1 v1.5 with SHA-256 over `transmission id|time|webhook id|crc32 of the raw body` (PayPal,
"Webhooks integration guide"). A CRC32 is easily forged: anyone who has seen one transmission can send another body with
the same signature. Nothing in a body is therefore trusted; it only determines the subject to query PayPal about.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from functions.billing.model import WebhookEvent
from functions.platform.errors import NotFromPayPal, SettingMissing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.billing.ports import CertificateKeys


ALGORITHM = "SHA256withRSA"
LARGEST_BODY = 256 * 1024
LONGEST_SIGNATURE = 1024
EVERYONES_ID = "WEBHOOK_ID"
"""The id with which PayPal signs mock events. Anyone can make PayPal send mock events to any address."""

_TRANSMISSION = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_TIME = re.compile(r"[0-9TZ:.+-]{10,40}", re.ASCII)
_EVENT_ID = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_KIND = re.compile(r"[A-Z0-9._-]{1,64}", re.ASCII)
_RESOURCE_ID = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)


class WebhookReader:
    """Verifies and parses events sent to the PayPal webhook with this id."""

    def __init__(self, webhook_id: str, keys: CertificateKeys) -> None:
        self._webhook_id = webhook_id
        self._keys = keys

    def read(self, headers: Mapping[str, str], body: bytes, *, source: str) -> WebhookEvent:
        if not _RESOURCE_ID.fullmatch(self._webhook_id) or self._webhook_id == EVERYONES_ID:
            raise SettingMissing(
                "PAYPAL_WEBHOOK_ID must be the id of your own webhook, which PayPal shows beside its address."
            )
        self._verify(headers, body, source)
        return event_of(body)

    def _verify(self, headers: Mapping[str, str], body: bytes, source: str) -> None:
        said = {name: headers.get(f"PAYPAL-{name}", "") for name in ("TRANSMISSION-ID", "TRANSMISSION-TIME")}
        transmission, at = said.values()
        if len(body) > LARGEST_BODY:
            raise NotFromPayPal("The body is larger than any webhook of PayPal.")
        if headers.get("PAYPAL-AUTH-ALGO", "") != ALGORITHM:
            raise NotFromPayPal(f"The webhook is not signed with {ALGORITHM}.")
        if not _TRANSMISSION.fullmatch(transmission) or not _TIME.fullmatch(at):
            raise NotFromPayPal("The webhook does not name a transmission and its time.")
        signature = _signature(headers.get("PAYPAL-TRANSMISSION-SIG", ""))
        key = self._keys.key(headers.get("PAYPAL-CERT-URL", ""), source)
        message = f"{transmission}|{at}|{self._webhook_id}|{zlib.crc32(body)}".encode()
        try:
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            raise NotFromPayPal("The signature is not PayPal's, or is for another body.") from None


def event_of(body: bytes) -> WebhookEvent:
    """Return the event in a body. Raises NotFromPayPal if the body is not an event."""
    try:
        text = body.decode()
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise NotFromPayPal("The body is not JSON.") from None
    if not isinstance(said, dict):
        raise NotFromPayPal("The body is not a JSON object.")
    event_id, kind = said.get("id"), said.get("event_type")
    if not isinstance(event_id, str) or not _EVENT_ID.fullmatch(event_id):
        raise NotFromPayPal("The event has no valid id.")
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise NotFromPayPal("The event has no valid type.")
    return WebhookEvent(
        event_id=event_id,
        kind=kind,
        subject=subject_of(kind, said.get("resource")),
        sent_at=_moment(said.get("create_time")),
        body=text,
        body_hash=hashlib.sha256(body).hexdigest(),
    )


def subject_of(kind: str, resource: Any) -> str | None:
    """Return the subject to query PayPal about after an event: a subscription's id, `refund/<id>`, or None."""
    if not isinstance(resource, dict):
        return None
    if kind.startswith("BILLING.SUBSCRIPTION."):
        return _id(resource.get("id"))
    if not kind.startswith("PAYMENT.SALE."):
        return None
    if "billing_agreement_id" in resource:
        return _id(resource["billing_agreement_id"])
    refund = _id(resource.get("id")) if "sale_id" in resource else None
    return f"refund/{refund}" if refund else None


def _id(value: object) -> str | None:
    return value if isinstance(value, str) and _RESOURCE_ID.fullmatch(value) else None


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):  # OverflowError: not a time of the years 1 to 9999 in UTC
        return None


def _signature(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if 0 < len(text) <= LONGEST_SIGNATURE else _unsigned()
    except binascii.Error:
        return _unsigned()


def _unsigned() -> bytes:
    raise NotFromPayPal("The webhook carries no signature.")
