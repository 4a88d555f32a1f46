"""The life of a subscription: approval, renewal, failed payment, suspension, cancellation, expiry, refund, reversal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import requests

from infra.local.home import REPOSITORY
from tests.support.paypal import (
    SECRET,
    Listener,
    PayPal,
    make_active,
    make_plan,
    make_subscription,
    running_simulator,
    transactions_of,
)
from tests.support.ports import free_port
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

CREATED, ACTIVATED, COMPLETED = (
    "BILLING.SUBSCRIPTION.CREATED",
    "BILLING.SUBSCRIPTION.ACTIVATED",
    "PAYMENT.SALE.COMPLETED",
)
FAILED, SUSPENDED = "BILLING.SUBSCRIPTION.PAYMENT.FAILED", "BILLING.SUBSCRIPTION.SUSPENDED"


def get(paypal: PayPal, id_: str, path: str = "") -> Any:
    return paypal.ask("GET", f"/v1/billing/subscriptions/{id_}{path}")


def pass_renewals(paypal: PayPal, id_: str, count: int) -> None:
    """Move the clock to the next renewal, `count` times."""
    for _ in range(count):
        paypal.control("POST", "clock", to=get(paypal, id_)["billing_info"]["next_billing_time"])


def told(paypal: PayPal, hook: Listener) -> list[str]:
    """Return the types of the events that arrived, in order of arrival."""
    paypal.settle()
    return [json.loads(each.body)["event_type"] for each in hook.received]


def day_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_an_approved_subscription_is_active_and_paid(paypal: PayPal, hook: Listener) -> None:
    subscription = get(paypal, make_active(paypal, make_plan(paypal, price="79.90", unit="YEAR")))
    assert subscription["status"] == "ACTIVE"
    info = subscription["billing_info"]
    assert info["last_payment"]["amount"] == {"currency_code": "EUR", "value": "79.9"}
    assert info["cycle_executions"][0]["cycles_completed"] == 1
    following = day_of(info["next_billing_time"])
    assert (following.hour, following.minute) == (10, 0)
    assert following.date() > datetime.now(UTC).date() + timedelta(days=363)
    assert subscription["subscriber"]["email_address"].endswith("@example.com")
    assert told(paypal, hook) == [CREATED, ACTIVATED, COMPLETED]
    sale = json.loads(hook.received[-1].body)["resource"]
    assert sale["billing_agreement_id"] == subscription["id"]
    assert sale["amount"]["total"] == "79.90"
    assert paypal.ask("GET", f"/v1/payments/sale/{sale['id']}") == sale


def test_a_later_start_is_not_charged_before_it_comes(paypal: PayPal) -> None:
    start = datetime.now(UTC) + timedelta(days=3)
    id_ = make_active(paypal, start_time=start.strftime("%Y-%m-%dT%H:%M:%SZ"))
    info = get(paypal, id_)["billing_info"]
    assert "last_payment" not in info and day_of(info["next_billing_time"]).date() == start.date()
    paypal.control("POST", "clock", days=4)
    assert len(transactions_of(paypal, id_)) == 1


def test_time_that_passes_brings_each_renewal_at_its_own_time(paypal: PayPal, hook: Listener) -> None:
    paypal.control("POST", "clock", to="2027-01-31T15:00:00Z")
    id_ = make_active(paypal)
    paypal.control("POST", "clock", to="2027-05-01T00:00:00Z")
    times = [each["time"] for each in transactions_of(paypal, id_)]
    assert times == [
        times[0],  # the moment of the approval
        "2027-02-28T10:00:00.000Z",
        "2027-03-31T10:00:00.000Z",
        "2027-04-30T10:00:00.000Z",
    ]
    info = get(paypal, id_)["billing_info"]
    assert info["next_billing_time"] == "2027-05-31T10:00:00Z"
    assert info["last_payment"]["time"] == "2027-04-30T10:00:00Z"
    assert told(paypal, hook).count(COMPLETED) == 4


def test_the_clock_goes_to_a_renewal_and_back(paypal: PayPal) -> None:
    id_ = make_active(paypal)
    pass_renewals(paypal, id_, 2)
    assert len(transactions_of(paypal, id_)) == 3
    assert paypal.control("POST", "clock", reset=True)["offset_s"] == 0
    assert len(transactions_of(paypal, id_)) == 3, "what was paid stays paid"


def test_a_period_that_ends_in_seconds_is_had_by_an_exact_hour_and_an_earlier_clock(paypal: PayPal) -> None:
    paypal.control("PATCH", "switches", billing_time="exact")
    paypal.control("POST", "clock", days=-1, seconds=60)
    id_ = make_active(paypal, make_plan(paypal, unit="DAY"))
    left = day_of(get(paypal, id_)["billing_info"]["next_billing_time"]) - datetime.now(UTC)
    assert timedelta(0) < left < timedelta(seconds=61)


def test_what_falls_due_in_real_time_is_charged(paypal: PayPal, hook: Listener) -> None:
    paypal.control("PATCH", "switches", billing_time="exact")
    id_ = make_active(paypal, make_plan(paypal, unit="DAY"))
    paypal.control("POST", "clock", days=1, seconds=-1)
    eventually(lambda: len(transactions_of(paypal, id_)) >= 2)
    assert told(paypal, hook).count(COMPLETED) == 2


def test_missed_payments_add_up_until_the_subscription_is_suspended(paypal: PayPal, hook: Listener) -> None:
    id_ = make_active(paypal)
    paypal.control("PATCH", "switches", payments="fail")
    pass_renewals(paypal, id_, 1)
    subscription = get(paypal, id_)
    info = subscription["billing_info"]
    assert subscription["status"] == "ACTIVE"
    assert (info["failed_payments_count"], info["outstanding_balance"]["value"]) == (1, "7.99")
    paypal.control("POST", "clock", days=5)
    subscription = get(paypal, id_)
    assert (subscription["status"], subscription["billing_info"]["failed_payments_count"]) == ("SUSPENDED", 2)
    assert "next_billing_time" not in subscription["billing_info"]
    assert told(paypal, hook)[-3:] == [FAILED, FAILED, SUSPENDED]
    assert len(transactions_of(paypal, id_)) == 1


def test_a_retry_that_succeeds_takes_what_is_owed(paypal: PayPal) -> None:
    id_ = make_active(paypal)
    paypal.control("POST", f"subscriptions/{id_}/fail_payment")
    assert get(paypal, id_)["billing_info"]["outstanding_balance"]["value"] == "7.99"
    paypal.control("POST", "clock", days=6)
    info = get(paypal, id_)["billing_info"]
    assert (info["outstanding_balance"]["value"], info["failed_payments_count"]) == ("0.0", 0)
    assert len(transactions_of(paypal, id_)) == 2


def test_a_suspended_subscription_goes_on_without_charging_for_the_time_between(paypal: PayPal) -> None:
    id_ = make_active(paypal)
    paypal.control("POST", f"subscriptions/{id_}/suspend", note="Holiday")
    paypal.control("POST", "clock", days=70)
    assert len(transactions_of(paypal, id_)) == 1
    paypal.control("POST", f"subscriptions/{id_}/activate", note="Back")
    subscription = get(paypal, id_)
    assert subscription["status_change_note"] == "Back"
    assert len(transactions_of(paypal, id_)) == 1
    now = day_of(paypal.control("GET", "clock")["now"])
    assert now < day_of(subscription["billing_info"]["next_billing_time"]) < now + timedelta(days=31)


def test_a_cancelled_subscription_shows_no_next_billing_and_is_never_charged_again(
    paypal: PayPal, hook: Listener
) -> None:
    id_ = make_active(paypal)
    before = get(paypal, id_)
    assert paypal.call("POST", f"/v1/billing/subscriptions/{id_}/cancel", {"reason": "Enough"}).status_code == 204
    after = get(paypal, id_)
    assert (after["status"], after["status_change_note"]) == ("CANCELLED", "Enough")
    assert after["status_update_time"] >= before["status_update_time"]
    assert "next_billing_time" not in after["billing_info"]
    assert after["billing_info"]["last_payment"] == before["billing_info"]["last_payment"]
    assert [each["rel"] for each in after["links"]] == ["self"]
    paypal.control("POST", "clock", days=90)
    assert len(transactions_of(paypal, id_)) == 1
    assert told(paypal, hook)[-1] == "BILLING.SUBSCRIPTION.CANCELLED"


@pytest.mark.parametrize(
    ("state", "forbidden"),
    [
        ("pending", ("cancel", "suspend", "activate")),
        ("active", ("activate",)),
        ("suspended", ("suspend",)),
        ("cancelled", ("cancel", "suspend", "activate")),
        ("expired", ("cancel", "suspend", "activate")),
    ],
)
def test_an_action_that_the_state_forbids_is_refused(paypal: PayPal, state: str, forbidden: tuple[str, ...]) -> None:
    id_ = make_subscription(paypal, make_plan(paypal))["id"]
    if state != "pending":
        paypal.control("POST", f"subscriptions/{id_}/approve")
    if state in ("suspended", "cancelled", "expired"):
        action = {"suspended": "suspend", "cancelled": "cancel", "expired": "expire"}[state]
        paypal.control("POST", f"subscriptions/{id_}/{action}")
    before = get(paypal, id_)
    for action in forbidden:
        for path in (f"_simulator/subscriptions/{id_}/{action}", f"v1/billing/subscriptions/{id_}/cancel"):
            if path.startswith("_simulator") or action == "cancel":
                answer = paypal.call("POST", f"/{path}", {"reason": "x"})
                assert answer.status_code == 422
                assert answer.json()["details"][0]["issue"] == "SUBSCRIPTION_STATUS_INVALID"
    assert get(paypal, id_) == before


def test_cancelling_wants_a_reason(paypal: PayPal) -> None:
    answer = paypal.call("POST", f"/v1/billing/subscriptions/{make_active(paypal)}/cancel", {})
    assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, "/reason")


def test_transactions_are_those_between_two_times_and_add_up(paypal: PayPal) -> None:
    id_ = make_active(paypal)
    pass_renewals(paypal, id_, 1)
    yesterday, tomorrow = (datetime.now(UTC) + timedelta(days=days) for days in (-1, 1))
    query = f"?start_time={yesterday:%Y-%m-%dT%H:%M:%SZ}&end_time={tomorrow:%Y-%m-%dT%H:%M:%SZ}"
    (only,) = get(paypal, id_, f"/transactions{query}")["transactions"]
    parts = {name: Decimal(each["value"]) for name, each in only["amount_with_breakdown"].items()}
    assert parts["gross_amount"] - parts["fee_amount"] == parts["net_amount"]
    assert only["status"] == "COMPLETED"
    missing = paypal.call("GET", f"/v1/billing/subscriptions/{id_}/transactions?start_time=2020-01-01T00:00:00Z")
    assert (missing.status_code, missing.json()["details"][0]["field"]) == (400, "end_time")
    assert (
        paypal.call("GET", f"/v1/billing/subscriptions/{id_}/transactions?start_time=x&end_time=y").status_code == 400
    )


def test_a_sale_is_given_back_in_parts_and_no_further(paypal: PayPal, hook: Listener) -> None:
    id_ = make_active(paypal)
    sale = transactions_of(paypal, id_)[0]["id"]
    path, refund = f"/v1/payments/sale/{sale}", f"subscriptions/{id_}/refund"
    paypal.control("POST", refund, amount="2.50")
    assert told(paypal, hook)[-1] == "PAYMENT.SALE.REFUNDED"
    event = json.loads(hook.received[-1].body)["resource"]
    made = paypal.ask("GET", f"/v1/payments/refund/{event['id']}")
    assert (made["amount"]["total"], made["sale_id"]) == ("2.50", sale)
    assert paypal.ask("GET", path)["state"] == "partially_refunded"
    assert transactions_of(paypal, id_)[0]["status"] == "PARTIALLY_REFUNDED"
    more = paypal.call("POST", f"/_simulator/{refund}", {"amount": "5.50"})
    assert (more.status_code, more.json()["name"]) == (400, "REFUND_EXCEEDED_TRANSACTION_AMOUNT")
    paypal.control("POST", refund)
    assert paypal.ask("GET", path)["state"] == "refunded"
    again = paypal.call("POST", f"/_simulator/{refund}", {})
    assert (again.status_code, again.json()["name"]) == (400, "TRANSACTION_ALREADY_REFUNDED")
    assert told(paypal, hook)[-2:] == ["PAYMENT.SALE.REFUNDED"] * 2
    amounts = [json.loads(each.body)["resource"]["amount"]["total"] for each in hook.received[-2:]]
    assert amounts == ["-2.50", "-5.49"], "in an event the amount of a refund is negative"


def test_a_reversal_takes_the_sale_back(paypal: PayPal, hook: Listener) -> None:
    id_ = make_active(paypal)
    paypal.control("POST", f"subscriptions/{id_}/reverse")
    sale = transactions_of(paypal, id_)[0]
    assert sale["status"] == "REFUNDED"
    assert paypal.ask("GET", f"/v1/payments/sale/{sale['id']}")["reason_code"] == "CHARGEBACK"
    assert told(paypal, hook)[-1] == "PAYMENT.SALE.REVERSED"
    assert json.loads(hook.received[-1].body)["resource"]["id"] == sale["id"]


def test_control_says_in_a_sentence_what_it_cannot_do(paypal: PayPal) -> None:
    waiting = make_subscription(paypal, make_plan(paypal))["id"]
    for action, words in (("refund", "Nothing has been paid"), ("dance", "no action dance"), ("pay", "active")):
        answer = requests.post(f"{paypal.url}/_simulator/subscriptions/{waiting}/{action}", json={}, timeout=30)
        assert answer.status_code == 422
        assert words in answer.text
    answer = requests.post(f"{paypal.url}/_simulator/clock", json={"fortnights": 1}, timeout=30)
    assert "fortnights" in answer.json()["error"]


def test_everything_outlives_a_restart(data: Path, hook: Listener) -> None:
    port = free_port()  # no other test takes it in the meantime
    with running_simulator(data, webhook_url=hook.url, port=port) as first:
        id_ = make_active(first)
        first.control("POST", "clock", days=40)
        kept = get(first, id_)
        first.settle()
        headers = {"Authorization": f"Bearer {first.token()}"}
        certificate = hook.received[0].headers["PAYPAL-CERT-URL"]
    with running_simulator(data, webhook_url=hook.url, port=port) as second:
        assert get(second, id_) == kept
        assert second.control("GET", "clock")["offset_s"] == 40 * 86_400
        assert len(second.control("GET", "deliveries")["deliveries"]) == len(hook.received) == 4
        known = requests.get(f"{second.url}/v1/notifications/webhooks", headers=headers, timeout=30)
        assert known.status_code == 200, "a token of before the restart is still good"
        assert requests.get(certificate, timeout=30).text.count("BEGIN CERTIFICATE") == 2


def test_a_killed_simulator_has_lost_nothing(data: Path) -> None:
    port = free_port()
    argv = [sys.executable, "-m", "infra.local.simulators.paypal", "--port", str(port), "--data", str(data)]
    environment = {**os.environ, "PAYPAL_CLIENT_SECRET": SECRET, "PYTHONPATH": str(REPOSITORY)}
    paypal = PayPal(f"http://127.0.0.1:{port}")
    kept = None
    for _ in range(2):
        process = subprocess.Popen(argv, env=environment)
        try:
            wait_for(paypal)
            if kept is None:
                kept = get(paypal, make_active(paypal))
            assert get(paypal, kept["id"]) == kept
        finally:
            process.kill()
            process.wait()


def wait_for(paypal: PayPal) -> None:
    def answers() -> bool:
        try:
            return requests.get(f"{paypal.url}/_simulator/clock", timeout=30).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    eventually(answers)
