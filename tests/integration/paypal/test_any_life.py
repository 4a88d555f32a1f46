"""After any sequence of actions on a subscription, its events and its resources agree."""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.local.simulators.paypal.formats import parse_time
from infra.local.simulators.paypal.simulator import PayPalSimulator
from infra.local.simulators.paypal.validation import PayPalError

STATE_EVENTS = {
    "CREATED": "APPROVAL_PENDING",
    "ACTIVATED": "ACTIVE",
    "RE-ACTIVATED": "ACTIVE",
    "SUSPENDED": "SUSPENDED",
    "CANCELLED": "CANCELLED",
    "EXPIRED": "EXPIRED",
}
STEPS = st.one_of(
    st.sampled_from(["approve", "cancel", "suspend", "activate", "expire", "pay", "fail", "refund", "part", "reverse"]),
    st.integers(1, 45),
)


def make_plan(of: PayPalSimulator, threshold: int) -> str:
    product = of.plans.create_product({"name": "Notflix", "type": "SERVICE"})["id"]
    frequency = {"interval_unit": "MONTH", "interval_count": 1}
    price = {"fixed_price": {"value": "7.99", "currency_code": "EUR"}}
    cycle = {"frequency": frequency, "tenure_type": "REGULAR", "sequence": 1, "pricing_scheme": price}
    body = {
        "product_id": product,
        "name": "Monthly",
        "billing_cycles": [{**cycle, "total_cycles": 0}],
        "payment_preferences": {"payment_failure_threshold": threshold},
    }
    return str(of.plans.create_plan(body)["id"])


def take(of: PayPalSimulator, id_: str, step: str | int) -> None:
    """Perform one step, which the simulator may refuse."""
    if isinstance(step, int):
        of.move_clock(of.clock.offset + timedelta(days=step))
        return
    with of.store.transaction():
        record = of.subscriptions.record(id_)
        sales = of.store.all("sale", parent=id_)
        if step == "approve":
            of.subscriptions.approve(record["token"])
        elif step in ("pay", "fail"):
            of.subscriptions.billing.charge(record, fails=step == "fail")
        elif step in ("refund", "part", "reverse") and sales:
            if step == "reverse":
                of.sales.reverse_sale(sales[-1]["id"])
            else:
                of.sales.refund_sale(sales[-1]["id"], Decimal("3.00") if step == "part" else None)
        elif step in ("cancel", "suspend", "activate", "expire"):
            of.subscriptions.act(id_, step)


def events_of(of: PayPalSimulator) -> list[Any]:
    return [json.loads(each["raw"]) for each in of.store.all("event")]


def check(of: PayPalSimulator, id_: str) -> None:
    shown = of.subscriptions.subscription(id_)
    events = events_of(of)
    states = [event for event in events if event["event_type"].rpartition(".")[2] in STATE_EVENTS]
    last = states[-1]
    assert last["resource"]["status"] == shown["status"] == STATE_EVENTS[last["event_type"].rpartition(".")[2]]
    times = [event["resource"]["status_update_time"] for event in states]
    assert times == sorted(times)
    sales = of.store.all("sale", parent=id_)
    completed = [event["resource"]["id"] for event in events if event["event_type"] == "PAYMENT.SALE.COMPLETED"]
    assert completed == [sale["id"] for sale in sales], "there is one event for each payment"
    for sale in sales:
        refunds = [Decimal(each["amount"]) for each in of.store.all("refund", parent=sale["id"])]
        assert sum(refunds) <= Decimal(sale["refunded"]) <= Decimal(sale["amount"])
    info = shown.get("billing_info", {})
    if "next_billing_time" in info:
        assert shown["status"] == "ACTIVE"
        assert parse_time(info["next_billing_time"]) > of.clock.now()
    if info:
        assert Decimal(info["outstanding_balance"]["value"]) >= 0
        assert ("last_payment" in info) == bool(sales)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=st.lists(STEPS, max_size=25), threshold=st.integers(0, 3))
def test_events_and_resources_agree_after_any_life(certificates: Path, steps: list[str | int], threshold: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = shutil.copytree(certificates, Path(folder) / "paypal")
        of = PayPalSimulator(data, "http://127.0.0.1:1", client_id="a", client_secret="b")
        try:
            id_ = of.subscriptions.create_subscription({"plan_id": make_plan(of, threshold)})["id"]
            check(of, id_)
            for step in steps:
                ended = of.subscriptions.record(id_)["status"] in ("CANCELLED", "EXPIRED")
                try:
                    take(of, id_, step)
                except PayPalError:
                    pass
                else:
                    after = of.subscriptions.record(id_)["status"]
                    assert not ended or after in ("CANCELLED", "EXPIRED"), "a final state never changes"
                check(of, id_)
        finally:
            of.store.close()
