"""The data read from the body of a webhook: an event, and the subscription or refund that the event concerns."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.billing.webhooks import event_of, subject_of
from functions.platform.errors import NotFromPayPal
from tests.support.clock import NOON
from tests.support.wording import is_sentence


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "JSON"),
        (b"no json", "JSON"),
        (b"[]", "JSON object"),
        (b"\xff", "JSON"),
        (b'{"event_type": "A"}', " id"),
        (b'{"id": 5, "event_type": "A"}', " id"),
        (b'{"id": "WH 1", "event_type": "A"}', " id"),
        (b'{"id": "WH-1"}', " type"),
        (b'{"id": "WH-1", "event_type": 5}', " type"),
        (b'{"id": "WH-1", "event_type": "a"}', " type"),
        (b"[" * 9000, "JSON"),
    ],
    ids=[
        *("empty", "text", "list", "bytes", "no id", "number", "blank", "no type", "type is a number", "small letter"),
        "deep",
    ],
)
def test_what_is_no_event_is_refused(body: bytes, word: str) -> None:
    with pytest.raises(NotFromPayPal) as refused:
        event_of(body)
    assert is_sentence(refused.value.detail) and word in refused.value.detail


def test_an_event_is_read_with_its_body_and_the_hash_of_its_bytes() -> None:
    body = ' {"id": "WH-1", "event_type": "BILLING.SUBSCRIPTION.UPDATED", "resource": {"id": "I-1"}, "é": 1}'.encode()
    event = event_of(body)
    assert (event.event_id, event.kind, event.subject) == ("WH-1", "BILLING.SUBSCRIPTION.UPDATED", "I-1")
    assert (event.body, event.body_hash) == (body.decode(), hashlib.sha256(body).hexdigest())


@pytest.mark.parametrize(
    ("create_time", "sent_at"),
    [
        ("2026-11-24T12:00:00.000Z", NOON),
        ("2026-11-24T13:00:00+01:00", NOON),
        ("2026-11-24T12:00:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("yesterday", None),
        ("", None),
        (1764000000, None),
        (None, None),
    ],
    ids=str,
)
def test_an_event_without_a_usable_time_is_an_event(create_time: object, sent_at: datetime | None) -> None:
    found = event_of(json.dumps({"id": "WH-1", "event_type": "A", "create_time": create_time}).encode()).sent_at
    assert found == sent_at
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(("length", "is_valid"), [(64, True), (65, False)])
def test_ids_and_types_have_at_most_64_characters(length: int, is_valid: bool) -> None:
    for name in ("id", "event_type"):
        body = json.dumps({"id": "WH-1", "event_type": "A", name: "A" * length}).encode()
        if is_valid:
            assert event_of(body)
        else:
            with pytest.raises(NotFromPayPal):
                event_of(body)
    subject = "A" * length
    assert subject_of("BILLING.SUBSCRIPTION.CANCELLED", {"id": subject}) == (subject if is_valid else None)


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
