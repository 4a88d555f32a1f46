"""PayPal's responses: what they are converted to, and how unreadable responses are handled."""

from __future__ import annotations

from typing import Any

import pytest

from functions.billing.model import LastPayment, PaymentState
from functions.billing.paypal import PayPalClient
from functions.platform.errors import PayPalRefused
from tests.support.billing import NOON

PAID = {"amount": {"currency_code": "EUR", "value": "7.99"}, "time": "2026-11-24T12:00:00Z"}
SUBSCRIPTION = {
    "id": "I-1",
    "plan_id": "P-1",
    "status": "ACTIVE",
    "create_time": "2026-11-24T12:00:00Z",
    "custom_id": "a" * 32,
    "billing_info": {"last_payment": PAID, "next_billing_time": "2026-12-24T10:00:00Z"},
}


class Answering(PayPalClient):
    """A client that returns the same response to every call."""

    def __init__(self, answer: object) -> None:
        super().__init__("http://127.0.0.1:1", "id", "secret")
        self._answer = answer

    def _call(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Any:
        return self._answer


def test_a_subscription_tells_its_last_payment_with_its_amount() -> None:
    found = Answering(SUBSCRIPTION).subscription("I-1")
    assert found is not None
    assert found.last_payment == LastPayment(NOON, 799, "EUR")
    assert not found.altered


@pytest.mark.parametrize("change", [{"plan_overridden": True}, {"quantity": "3"}, {"quantity": "0"}], ids=str)
def test_a_subscription_of_another_price_or_quantity_is_altered(change: dict[str, object]) -> None:
    found = Answering({**SUBSCRIPTION, "quantity": "1", **change}).subscription("I-1")
    assert found is not None and found.altered


def transactions(value: str, currency: str) -> dict[str, object]:
    gross = {"currency_code": currency, "value": value}
    one = {"id": "S1", "status": "COMPLETED", "amount_with_breakdown": {"gross_amount": gross}}
    return {"transactions": [{**one, "time": "2026-11-24T12:00:00Z"}]}


def test_transactions_become_charges() -> None:
    (charge,) = Answering(transactions("7.99", "EUR")).charges("I-1", since=NOON, until=NOON)
    assert (charge.state, charge.amount_minor, charge.currency, charge.at) == (
        PaymentState.COMPLETED,
        799,
        "EUR",
        NOON,
    )


@pytest.mark.parametrize(("value", "currency"), [("7.99", "XYZ"), ("1e999999999", "EUR"), ("dear", "EUR")])
def test_an_amount_that_cannot_be_read_is_paypals_fault_and_not_the_callers(value: str, currency: str) -> None:
    with pytest.raises(PayPalRefused):
        Answering(transactions(value, currency)).charges("I-1", since=NOON, until=NOON)
    paid = {**PAID, "amount": {"currency_code": currency, "value": value}}
    with pytest.raises(PayPalRefused):
        Answering({**SUBSCRIPTION, "billing_info": {"last_payment": paid}}).subscription("I-1")
    refund = {"id": "R1", "sale_id": "S1", "total_refunded_amount": {"value": value, "currency": currency}}
    with pytest.raises(PayPalRefused):
        Answering(refund).refund("R1")
