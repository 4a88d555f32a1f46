"""The store of PayPal's certificates: Redis and the fake of the unit tests satisfy the same contract."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from functions.billing.certificate_store import RedisCertificates
from functions.billing.ports import LearnedCertificate
from functions.platform.errors import StoreUnavailable
from functions.platform.redis import connect
from tests.support.billing_caches import MemoryCertificates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.billing.ports import CertificateStore
    from tests.integration.conftest import Stack

NOON = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest, stack: Stack) -> Iterator[CertificateStore]:
    """Return one of the two stores; each test runs with both."""
    if request.param == "memory":
        yield MemoryCertificates()
        return
    client = connect(stack.settings.redis_url)
    yield RedisCertificates(client)
    client.close()


def test_a_certificate_is_stored_replaced_and_dropped(store: CertificateStore) -> None:
    address = f"https://api.paypal.com/v1/notifications/certs/CERT-{uuid.uuid4()}"
    assert store.find_certificate(address) is None
    for certificate in (LearnedCertificate(b"one", NOON), LearnedCertificate(b"two", NOON + timedelta(days=1))):
        store.store_certificate(address, certificate)
        assert store.find_certificate(address) == certificate
    store.drop_certificate(address)
    store.drop_certificate(address)
    assert store.find_certificate(address) is None


def test_a_certificate_expires_ninety_days_after_it_was_stored(stack: Stack) -> None:
    address = f"https://api.paypal.com/v1/notifications/certs/CERT-{uuid.uuid4()}"
    with connect(stack.settings.redis_url) as client:
        RedisCertificates(client).store_certificate(address, LearnedCertificate(b"one", NOON))
        left = timedelta(seconds=client.ttl(f"paypal-certificate:{address}"))
    assert timedelta(days=89) < left <= timedelta(days=90)


def test_a_store_that_does_not_answer_says_so() -> None:
    away = RedisCertificates(connect("redis://127.0.0.1:1/0"))
    with pytest.raises(StoreUnavailable):
        away.find_certificate("address")
    with pytest.raises(StoreUnavailable):
        away.store_certificate("address", LearnedCertificate(b"one", NOON))
    with pytest.raises(StoreUnavailable):
        away.drop_certificate("address")
