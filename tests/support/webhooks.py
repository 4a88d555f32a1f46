"""Webhooks as PayPal signs them, and clocks for their certificates."""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions.billing.certificates import Certificates
from functions.billing.webhooks import WebhookReader
from infra.local.simulators.paypal.certificates import make_authority
from tests.support.billing_caches import MemoryCertificates

if TYPE_CHECKING:
    from tests.support.web import WebServer


WEBHOOK = "1JE4291016473214C"
PAYPAL, STRANGER = "198.51.100.7", "203.0.113.9"
"""The IP addresses from which PayPal and someone else send webhooks."""
CERTS = "v1/notifications/certs/"
AUTHORITY = make_authority()
SIGNER = AUTHORITY.issue()
EVENT = {"id": "WH-1", "event_type": "BILLING.SUBSCRIPTION.ACTIVATED", "resource": {"id": "I-1"}}


class Ticks:
    """A clock of seconds that only tests advance."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


class Ahead:
    """The real clock, moved forward by `by`."""

    def __init__(self) -> None:
        self.by = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.by


def pass_a_day(ticks: Ticks, clock: Ahead) -> None:
    ticks.at += 24 * 3600 + 1
    clock.by += timedelta(days=1, seconds=1)


def now() -> datetime:
    return datetime.now(UTC)


def reader(server: WebServer, ca: str, *, webhook_id: str = WEBHOOK, **options: Any) -> WebhookReader:
    store = options.pop("store", None) or MemoryCertificates()
    certificates = Certificates(server.url.rstrip("/"), ca, store, options.pop("now", now), **options)
    return WebhookReader(webhook_id, certificates)


def transmission(server: WebServer, body: bytes, **changes: str) -> dict[str, str]:
    """Return the headers of a genuine transmission, with the given changes."""
    signed_for = changes.pop("signed_for", WEBHOOK)
    message = f"b2384410-1|2026-11-24T12:00:00Z|{signed_for}|{zlib.crc32(body)}".encode()
    return {
        "PAYPAL-TRANSMISSION-ID": "b2384410-1",
        "PAYPAL-TRANSMISSION-TIME": "2026-11-24T12:00:00Z",
        "PAYPAL-TRANSMISSION-SIG": SIGNER.sign(message),
        "PAYPAL-CERT-URL": f"{server.url}{CERTS}CERT-1",
        "PAYPAL-AUTH-ALGO": "SHA256withRSA",
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }


def body_of(event: object = EVENT) -> bytes:
    return json.dumps(event).encode()
