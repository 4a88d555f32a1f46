"""Which webhooks are accepted as PayPal's, which hosts may serve their certificates, and which subjects they have."""

from __future__ import annotations

import json
import threading
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.billing.certificates import (
    FETCHES_OF_A_NETWORK,
    FETCHES_OF_UNKNOWN,
    LARGEST_BYTES,
    Certificates,
    network_of,
    origins_of,
)
from functions.billing.ports import LearnedCertificate
from functions.billing.webhooks import LARGEST_BODY, WebhookReader
from functions.platform.errors import NotFromPayPal, SettingMissing, StoreUnavailable
from infra.local.simulators.paypal.certificates import make_authority
from tests.support.billing_caches import MemoryCertificates
from tests.support.web import Answer, WebServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


WEBHOOK = "1JE4291016473214C"
PAYPAL, STRANGER = "198.51.100.7", "203.0.113.9"
"""The IP addresses from which PayPal and someone else send webhooks."""
CERTS = "v1/notifications/certs/"
AUTHORITY = make_authority()
SIGNER = AUTHORITY.issue()
EVENT = {"id": "WH-1", "event_type": "BILLING.SUBSCRIPTION.ACTIVATED", "resource": {"id": "I-1"}}


@pytest.fixture
def server() -> Iterator[WebServer]:
    """Serve the genuine certificate."""
    with WebServer(Answer(SIGNER.chain.encode())) as running:
        yield running


@pytest.fixture
def ca(tmp_path: Path) -> str:
    """Return the file of the trusted certificate authority."""
    path = tmp_path / "root.pem"
    path.write_text(AUTHORITY.root)
    return str(path)


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


def test_a_genuine_webhook_is_read_and_its_certificate_fetched_once(server: WebServer, ca: str) -> None:
    webhooks = reader(server, ca)
    for _ in range(3):
        event = webhooks.read(transmission(server, body_of()), body_of(), source=PAYPAL)
        assert (event.event_id, event.kind, event.subject) == ("WH-1", "BILLING.SUBSCRIPTION.ACTIVATED", "I-1")
    assert len(server.asked) == 1


def test_a_certificate_is_fetched_again_after_a_day(server: WebServer, ca: str) -> None:
    ticks, clock = Ticks(), Ahead()
    webhooks = reader(server, ca, ticks=ticks, now=clock)
    webhooks.read(transmission(server, body_of()), body_of(), source=PAYPAL)
    pass_a_day(ticks, clock)
    webhooks.read(transmission(server, body_of()), body_of(), source=PAYPAL)
    assert len(server.asked) == 2


def test_a_certificate_that_paypal_has_withdrawn_is_forgotten(server: WebServer, ca: str) -> None:
    ticks, clock, store = Ticks(), Ahead(), MemoryCertificates()
    webhooks = reader(server, ca, ticks=ticks, now=clock, store=store)
    webhooks.read(transmission(server, body_of()), body_of(), source=PAYPAL)
    pass_a_day(ticks, clock)
    server.answer = Answer(status=404)
    with pytest.raises(NotFromPayPal):
        webhooks.read(transmission(server, body_of()), body_of(), source=PAYPAL)
    assert store.certificates == {}


def test_a_certificate_that_cannot_be_fetched_again_is_used_meanwhile(server: WebServer, ca: str) -> None:
    ticks, clock = Ticks(), Ahead()
    webhooks = reader(server, ca, ticks=ticks, now=clock)
    webhooks.read(transmission(server, body_of()), body_of(), source=PAYPAL)
    pass_a_day(ticks, clock)
    server.answer = Answer(status=503)
    for _ in range(3):
        webhooks.read(transmission(server, body_of()), body_of(), source=PAYPAL)
    assert len(server.asked) == 2
    ticks.at += 61
    webhooks.read(transmission(server, body_of()), body_of(), source=PAYPAL)
    assert len(server.asked) == 3


def test_another_instance_need_not_fetch_a_certificate(server: WebServer, ca: str) -> None:
    store = MemoryCertificates()
    reader(server, ca, store=store).read(transmission(server, body_of()), body_of(), source=PAYPAL)
    reader(server, ca, store=store).read(transmission(server, body_of()), body_of(), source=PAYPAL)
    assert len(server.asked) == 1


def test_what_the_store_holds_is_verified_like_what_is_fetched(server: WebServer, ca: str) -> None:
    store = MemoryCertificates()
    forged = make_authority().issue()
    headers = transmission(server, body_of())
    store.certificates[headers["PAYPAL-CERT-URL"]] = LearnedCertificate(forged.chain.encode(), now())
    reader(server, ca, store=store).read(headers, body_of(), source=PAYPAL)
    assert len(server.asked) == 1


def test_without_the_store_a_certificate_is_fetched(server: WebServer, ca: str) -> None:
    store = MemoryCertificates()
    store.unavailable = True
    webhooks = reader(server, ca, store=store)
    for _ in range(2):
        webhooks.read(transmission(server, body_of()), body_of(), source=PAYPAL)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"PAYPAL_AUTH_ALGO": "SHA1withRSA"},
        {"PAYPAL_AUTH_ALGO": "sha256withrsa"},
        {"PAYPAL_AUTH_ALGO": ""},
        {"PAYPAL_TRANSMISSION_ID": ""},
        {"PAYPAL_TRANSMISSION_ID": "b|c"},
        {"PAYPAL_TRANSMISSION_TIME": "now"},
        {"PAYPAL_TRANSMISSION_SIG": ""},
        {"PAYPAL_TRANSMISSION_SIG": "not base64!"},
        {"PAYPAL_TRANSMISSION_SIG": "A" * 2000},
        {"signed_for": "WEBHOOK_ID"},
        {"signed_for": "another"},
    ],
    ids=str,
)
def test_what_is_not_signed_as_paypal_signs_for_us_is_refused(
    server: WebServer, ca: str, changes: dict[str, str]
) -> None:
    with pytest.raises(NotFromPayPal):
        reader(server, ca).read(transmission(server, body_of(), **changes), body_of(), source=PAYPAL)


def test_a_body_that_was_changed_or_is_far_too_large_is_refused(server: WebServer, ca: str) -> None:
    headers = transmission(server, body_of())
    with pytest.raises(NotFromPayPal):
        reader(server, ca).read(headers, body_of() + b" ", source=PAYPAL)
    large = b" " * (LARGEST_BODY + 1)
    with pytest.raises(NotFromPayPal):
        reader(server, ca).read(transmission(server, large), large, source=PAYPAL)
    assert len(server.asked) <= 1


@pytest.mark.parametrize(
    "address",
    [
        "https://api.paypal.com.evil.test/v1/notifications/certs/CERT-1",
        "https://evil.test/v1/notifications/certs/CERT-1",
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com@evil.test/v1/notifications/certs/CERT-1",
        "https://api.paypal.com:444/v1/notifications/certs/CERT-1",
        "https://API.PAYPAL.COM/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/../../../x",
        "https://api.paypal.com/v1/notifications/certs/CERT-1?x",
        "https://api.paypal.com/v1/notifications/certs/CERT-1#x",
        "https://api.paypal.com/v1/notifications/certs/%2e%2e",
        "https://api.paypal.com/v1/notifications/certs/",
        "https://api.paypal.com/CERT-1",
        "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/CERT-1\n",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_certificate_elsewhere_is_not_even_asked_for(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("requests.get", lambda *_, **__: pytest.fail("somebody was asked"))
    with pytest.raises(NotFromPayPal):
        Certificates("https://api-m.paypal.com", "", MemoryCertificates(), now).key(address, PAYPAL)


@pytest.mark.parametrize(
    ("url", "origins"),
    [
        ("https://api-m.paypal.com", {"https://api.paypal.com", "https://api-m.paypal.com"}),
        (
            "https://api-m.sandbox.paypal.com/",
            {"https://api.sandbox.paypal.com", "https://api-m.sandbox.paypal.com"},
        ),
        ("http://127.0.0.1:7101", {"http://127.0.0.1:7101"}),
    ],
)
def test_the_origins_of_certificates_follow_from_where_paypal_is(url: str, origins: set[str]) -> None:
    assert origins_of(url) == origins


@pytest.mark.parametrize(
    "url", ["http://api-m.paypal.com", "https://evil.test", "http://10.0.0.1:80", "", "http://127.0.0.1.evil.test:80"]
)
def test_an_address_that_is_neither_paypal_nor_a_simulator_here_is_no_setting(url: str) -> None:
    with pytest.raises(SettingMissing, match="PAYPAL_URL"):
        origins_of(url)


@pytest.mark.parametrize("webhook_id", ["", "WEBHOOK_ID", "a|b"])
def test_everyones_webhook_id_and_none_at_all_are_no_settings(server: WebServer, ca: str, webhook_id: str) -> None:
    headers = transmission(server, body_of(), signed_for=webhook_id)
    with pytest.raises(SettingMissing, match="PAYPAL_WEBHOOK_ID"):
        reader(server, ca, webhook_id=webhook_id).read(headers, body_of(), source=PAYPAL)
    assert server.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        Answer(make_authority().issue().chain.encode()),
        Answer(AUTHORITY.issue(name="www.paypal.com").chain.encode()),
        Answer(AUTHORITY.issue(began=now() - timedelta(days=400), life=timedelta(days=300)).chain.encode()),
        Answer(AUTHORITY.issue(began=now() + timedelta(days=1), life=timedelta(days=300)).chain.encode()),
        Answer(SIGNER.chain.split("-----END CERTIFICATE-----")[0].encode() + b"-----END CERTIFICATE-----\n"),
        Answer(AUTHORITY.root.encode()),
        Answer(b"no certificate"),
        Answer(b""),
        Answer(b"x" * (LARGEST_BYTES + 1)),
        Answer(status=404),
        Answer(status=302, headers={"Location": "/v1/notifications/certs/CERT-2"}),
    ],
    ids=[
        *("self-made", "other name", "run out", "not yet", "leaf alone", "root"),
        *("text", "empty", "too large", "missing", "redirect"),
    ],
)
def test_what_lies_at_the_address_must_be_paypals_own_chain(server: WebServer, ca: str, answer: Answer) -> None:
    server.answer = answer
    with pytest.raises(NotFromPayPal):
        reader(server, ca).read(transmission(server, body_of()), body_of(), source=PAYPAL)
    assert len(server.asked) == 1


def test_while_a_certificate_cannot_be_had_the_webhook_is_to_come_again(server: WebServer, ca: str) -> None:
    server.answer = Answer(status=503)
    webhooks = reader(server, ca)
    with pytest.raises(StoreUnavailable):
        webhooks.read(transmission(server, body_of()), body_of(), source=PAYPAL)
    server.answer = Answer(SIGNER.chain.encode())
    webhooks.read(transmission(server, body_of()), body_of(), source=PAYPAL)


def name_unknown(server: WebServer, webhooks: WebhookReader, count: int, source: str) -> None:
    """Send webhooks whose certificate URLs do not exist."""
    genuine, server.answer = server.answer, Answer(status=404)
    for number in range(count):
        name = f"CERT-X{source.replace('.', '-')}-{number}"
        headers = transmission(server, body_of(), PAYPAL_CERT_URL=f"{server.url}{CERTS}{name}")
        with pytest.raises((NotFromPayPal, StoreUnavailable)):
            webhooks.read(headers, body_of(), source=source)
    server.answer = genuine


def test_a_stranger_cannot_make_us_fetch_often(server: WebServer, ca: str) -> None:
    webhooks = reader(server, ca, ticks=Ticks())
    name_unknown(server, webhooks, 20, STRANGER)
    assert len(server.asked) == FETCHES_OF_A_NETWORK


def test_strangers_of_many_networks_cannot_make_us_fetch_without_limit(server: WebServer, ca: str) -> None:
    webhooks = reader(server, ca, ticks=Ticks())
    for network in range(15):
        name_unknown(server, webhooks, 7, f"203.0.{network}.9")
    assert len(server.asked) == FETCHES_OF_UNKNOWN


def test_a_stranger_does_not_stop_the_webhooks_of_paypal(server: WebServer, ca: str) -> None:
    webhooks = reader(server, ca, ticks=Ticks())
    name_unknown(server, webhooks, 20, STRANGER)
    webhooks.read(transmission(server, body_of()), body_of(), source=PAYPAL)


def test_no_stranger_stops_the_webhooks_of_a_certificate_that_was_learned(server: WebServer, ca: str) -> None:
    store = MemoryCertificates()
    reader(server, ca, store=store).read(transmission(server, body_of()), body_of(), source=PAYPAL)
    ticks, clock = Ticks(), Ahead()
    restarted = reader(server, ca, store=store, ticks=ticks, now=clock)
    for network in range(15):
        name_unknown(server, restarted, 7, f"203.0.{network}.9")
    restarted.read(transmission(server, body_of()), body_of(), source=PAYPAL)
    pass_a_day(ticks, clock)
    for network in range(15):
        name_unknown(server, restarted, 7, f"203.0.{network}.9")
    asked = len(server.asked)
    restarted.read(transmission(server, body_of()), body_of(), source=PAYPAL)
    assert len(server.asked) == asked + 1


def test_a_stranger_cannot_make_others_wait(server: WebServer, ca: str) -> None:
    webhooks = reader(server, ca)
    webhooks.read(transmission(server, body_of()), body_of(), source=PAYPAL)
    server.answer = Answer(trickles=True)
    slow = transmission(server, body_of(), PAYPAL_CERT_URL=f"{server.url}{CERTS}CERT-SLOW")
    other = transmission(server, body_of(), PAYPAL_CERT_URL=f"{server.url}{CERTS}CERT-2")
    ended = threading.Event()

    def ask() -> None:
        with pytest.raises(StoreUnavailable):
            webhooks.read(slow, body_of(), source=STRANGER)
        ended.set()

    thread = threading.Thread(target=ask)
    thread.start()
    while len(server.asked) < 2:
        assert thread.is_alive()
    server.answer = Answer(SIGNER.chain.encode())
    webhooks.read(transmission(server, body_of()), body_of(), source=PAYPAL)  # its certificate is already known
    with pytest.raises(StoreUnavailable, match="Another"):
        webhooks.read(other, body_of(), source=STRANGER)
    # the slow fetch was caused by another sender, so it does not block the fetch for this webhook
    webhooks.read(other, body_of(), source=PAYPAL)
    assert not ended.is_set()
    thread.join(20)
    assert ended.is_set()


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("203.0.113.9", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("unknown", "unknown"),
    ],
)
def test_a_network_is_one_party(ip: str, network: str) -> None:
    assert network_of(ip) == network
