"""How often certificates of webhooks are fetched, how long they are used, and how strangers are limited."""

from __future__ import annotations

import threading
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from functions.billing.certificates import FETCHES_OF_A_NETWORK, FETCHES_OF_UNKNOWN, network_of
from functions.billing.ports import LearnedCertificate
from functions.platform.errors import NotFromPayPal, SettingMissing, StoreUnavailable
from infra.local.simulators.paypal.certificates import make_authority
from tests.support.billing_caches import MemoryCertificates
from tests.support.web import Answer, WebServer
from tests.support.webhooks import (
    AUTHORITY,
    CERTS,
    PAYPAL,
    SIGNER,
    STRANGER,
    WEBHOOK,
    Ahead,
    Ticks,
    body_of,
    now,
    pass_a_day,
    reader,
    transmission,
)

if TYPE_CHECKING:
    from pathlib import Path

    from functions.billing.webhooks import WebhookReader


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


def test_a_stranger_who_named_too_many_certificates_may_name_others_after_a_minute(server: WebServer, ca: str) -> None:
    ticks = Ticks()
    webhooks = reader(server, ca, ticks=ticks)
    for later_s, fetches in ((0.0, 6), (59.9, 6), (0.1, 12)):
        ticks.at += later_s
        name_unknown(server, webhooks, 7, STRANGER)
        assert len(server.asked) == fetches


def test_only_four_unknown_certificates_are_fetched_at_the_same_time(ca: str) -> None:
    refused: list[Exception] = []
    with WebServer(Answer(hangs=True)) as server:
        webhooks = reader(server, ca)

        def name(number: int) -> None:
            headers = transmission(server, body_of(), PAYPAL_CERT_URL=f"{server.url}{CERTS}CERT-{number}")
            with pytest.raises(StoreUnavailable) as refusal:
                webhooks.read(headers, body_of(), source=f"203.0.{number}.9")
            refused.append(refusal.value)

        threads = [threading.Thread(target=name, args=(number,)) for number in range(4)]
        for number, thread in enumerate(threads):
            thread.start()
            while len(server.asked) <= number:
                assert thread.is_alive()
        assert not refused
        name(4)
        assert "Another certificate is being fetched" in str(refused) and len(server.asked) == 4
    for thread in threads:
        thread.join(20)
    assert len(refused) == 5


def test_learned_certificates_are_fetched_again_six_times_a_minute_at_most(server: WebServer, ca: str) -> None:
    ticks, store = Ticks(), MemoryCertificates()
    webhooks = reader(server, ca, ticks=ticks, store=store)
    old = LearnedCertificate(SIGNER.chain.encode(), now() - timedelta(days=1, seconds=1))
    for number in range(7):
        headers = transmission(server, body_of(), PAYPAL_CERT_URL=f"{server.url}{CERTS}CERT-{number}")
        store.certificates[headers["PAYPAL-CERT-URL"]] = old
        webhooks.read(headers, body_of(), source=PAYPAL)  # the last one is verified with the stored certificate
    assert len(server.asked) == 6
    assert [found is old for found in store.certificates.values()] == [*[False] * 6, True]
    ticks.at += 61
    webhooks.read(headers, body_of(), source=PAYPAL)
    assert len(server.asked) == 7


@pytest.mark.parametrize(
    ("age", "fetches"), [(timedelta(hours=23, minutes=59), 0), (timedelta(hours=24, minutes=1), 1)]
)
def test_a_certificate_in_the_store_is_fresh_for_a_day(
    server: WebServer, ca: str, age: timedelta, fetches: int
) -> None:
    store = MemoryCertificates()
    headers = transmission(server, body_of())
    store.certificates[headers["PAYPAL-CERT-URL"]] = LearnedCertificate(SIGNER.chain.encode(), now() - age)
    reader(server, ca, store=store).read(headers, body_of(), source=PAYPAL)
    assert len(server.asked) == fetches


def test_a_certificate_is_not_used_after_it_has_expired(server: WebServer, ca: str) -> None:
    clock = Ahead()
    signer = AUTHORITY.issue(began=now() - timedelta(days=1), life=timedelta(days=1, hours=1))
    server.answer = Answer(signer.chain.encode())
    webhooks = reader(server, ca, now=clock)
    message = f"b2384410-1|2026-11-24T12:00:00Z|{WEBHOOK}|{zlib.crc32(body_of())}".encode()
    headers = transmission(server, body_of(), PAYPAL_TRANSMISSION_SIG=signer.sign(message))
    webhooks.read(headers, body_of(), source=PAYPAL)
    clock.by = timedelta(minutes=61)
    with pytest.raises(NotFromPayPal, match="not trusted"):
        webhooks.read(headers, body_of(), source=PAYPAL)
    assert len(server.asked) == 2


def test_a_missing_file_of_authorities_is_a_setting(server: WebServer, tmp_path: Path) -> None:
    with pytest.raises(SettingMissing, match="PAYPAL_CA"):
        reader(server, str(tmp_path / "none.pem")).read(transmission(server, body_of()), body_of(), source=PAYPAL)


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
