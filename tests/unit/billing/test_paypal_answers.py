"""PayPal's responses: what they are converted to, and how unreadable responses are handled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests

from functions.billing.model import LastPayment, PaymentState
from functions.billing.paypal import PayPalClient
from functions.platform.errors import PayPalRefused, StoreUnavailable
from tests.support.clock import NOON

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
    assert (found.subscription_id, found.plan_id, found.user_id) == ("I-1", "P-1", "a" * 32)
    assert (found.state.value, found.state_since, found.created_at) == ("ACTIVE", NOON, NOON)
    assert found.next_charge_at == NOON.replace(month=12, hour=10) and not found.failing
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
    assert (charge.payment_id, charge.refunded_minor) == ("S1", 0)


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


def answer_at(moment: datetime, method: str = "GET") -> requests.Response:
    """Return an answer that PayPal gave at a moment by its own clock."""
    response = requests.Response()
    response.status_code = 200
    response.request = requests.Request(method, "https://api-m.paypal.com/v1/billing/subscriptions/I-1").prepare()
    response.headers["Date"] = format_datetime(moment, usegmt=True)
    return response


@pytest.mark.parametrize("hours", [36, -2, 0.2])
def test_what_is_read_while_our_clock_is_wrong_is_not_used(hours: float) -> None:
    api = PayPalClient("https://api-m.paypal.com", "id", "secret")._api
    now = datetime.now(UTC)
    with pytest.raises(StoreUnavailable, match=r"differs from PayPal's by [0-9]+ minutes"):
        api.handle_response(answer_at(now - timedelta(hours=hours)), "{}")
    assert api.handle_response(answer_at(now - timedelta(minutes=1)), "{}") == {}
    assert api.handle_response(answer_at(now - timedelta(hours=hours), "POST"), "{}") == {}
