"""The data read from the body of a webhook: an event, and the subscription or refund that the event concerns."""

from __future__ import annotations

from typing import Any

import pytest

from functions.billing.webhooks import event_of, subject_of
from functions.platform.errors import NotFromPayPal


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b"\xff",
        b'{"id": 5, "event_type": "A"}',
        b'{"id": "WH 1", "event_type": "A"}',
        b'{"id": "WH-1"}',
        b"[" * 9000,
    ],
    ids=["empty", "text", "list", "bytes", "number", "blank", "no type", "deep"],
)
def test_what_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(NotFromPayPal):
        event_of(body)


@pytest.mark.parametrize(
    ("kind", "resource", "subject"),
    [
        ("BILLING.SUBSCRIPTION.CANCELLED", {"id": "I-1"}, "I-1"),
        ("BILLING.SUBSCRIPTION.PAYMENT.FAILED", {"id": "I-1"}, "I-1"),
        ("PAYMENT.SALE.COMPLETED", {"id": "S1", "billing_agreement_id": "I-1"}, "I-1"),
        ("PAYMENT.SALE.REFUNDED", {"id": "R1", "sale_id": "S1"}, "refund/R1"),
        ("PAYMENT.SALE.COMPLETED", {"id": "S1"}, None),
        ("PAYMENT.SALE.REFUNDED", {"id": "../x", "sale_id": "S1"}, None),
        ("BILLING.SUBSCRIPTION.CANCELLED", {"id": 7}, None),
        ("BILLING.SUBSCRIPTION.CANCELLED", None, None),
        ("CHECKOUT.ORDER.APPROVED", {"id": "O-1"}, None),
    ],
)
def test_an_event_says_what_to_ask_about(kind: str, resource: Any, subject: str | None) -> None:
    assert subject_of(kind, resource) == subject
