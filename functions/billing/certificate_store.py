"""PayPal's certificates in Redis, shared by all instances, so that a new instance need not fetch them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from functions.billing.ports import LearnedCertificate
from functions.platform.redis import answering
from functions.platform.time import from_text, to_exact_text

if TYPE_CHECKING:
    from redis import Redis

KEPT_S = 90 * 24 * 3600
"""PayPal renews its certificate about once a year; a certificate that was unused for this long has been replaced."""


class RedisCertificates:
    """Stores certificates in Redis under `paypal-certificate:<address>`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def find_certificate(self, address: str) -> LearnedCertificate | None:
        with answering():
            kept = self._redis.get(_key(address))
        if not isinstance(kept, str):
            return None
        pem, fetched_at = json.loads(kept)
        return LearnedCertificate(pem.encode(), from_text(fetched_at))

    def store_certificate(self, address: str, certificate: LearnedCertificate) -> None:
        kept = json.dumps([certificate.pem.decode("ascii"), to_exact_text(certificate.fetched_at)])
        with answering():
            self._redis.set(_key(address), kept, ex=KEPT_S)

    def drop_certificate(self, address: str) -> None:
        with answering():
            self._redis.delete(_key(address))


def _key(address: str) -> str:
    return f"paypal-certificate:{address}"
