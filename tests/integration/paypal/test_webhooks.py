"""Webhooks: their structure, signature, order and retries, and the simulator's switches that disturb delivery."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from infra.local.simulators.paypal.webhooks import MAX_RETRIES, MAX_RETRY_DELAY_S, retry_delay_s
from tests.support.paypal import (
    Listener,
    PayPal,
    chain_of,
    is_signed,
    make_active,
    make_plan,
    make_subscription,
    running_simulator,
)

EVENTS = Path(__file__).parents[2] / "events" / "paypal"
IDS = re.compile(r"WH-[0-9A-Z]{17}-[0-9A-Z]{17}")


def types_of(hook: Listener) -> list[str]:
    return [json.loads(each.body)["event_type"].removeprefix("BILLING.SUBSCRIPTION.") for each in hook.received]


def ids_of(hook: Listener) -> list[str]:
    return [json.loads(each.body)["id"] for each in hook.received]


def shape_of(value: Any) -> Any:
    """Return the names and types of a JSON value."""
    if isinstance(value, dict):
        return {name: shape_of(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape_of(value[0])] if value else []
    return type(value).__name__


def test_a_webhook_is_signed_as_paypal_signs(paypal: PayPal, hook: Listener) -> None:
    make_active(paypal)
    paypal.settle()
    for received in hook.received:
        headers = received.headers
        assert headers["PAYPAL-AUTH-ALGO"] == "SHA256withRSA"
        assert headers["CONTENT-TYPE"] == "application/json"
        assert headers["PAYPAL-CERT-URL"].startswith(f"{paypal.url}/v1/notifications/certs/CERT-")
        leaf, middle = chain_of(received)
        (name,) = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        assert name.value == "messageverificationcerts.paypal.com"
        assert is_signed(received, paypal.webhook_id)
        leaf.verify_directly_issued_by(middle)
        root = x509.load_pem_x509_certificate(paypal.simulator.authority.root.encode())
        middle.verify_directly_issued_by(root)


def test_events_have_the_shape_of_captured_ones(paypal: PayPal, hook: Listener) -> None:
    id_ = make_active(paypal)
    for action in ("fail_payment", "suspend", "activate"):
        paypal.control("POST", f"subscriptions/{id_}/{action}")
    paypal.call("POST", f"/v1/billing/subscriptions/{id_}/cancel", {"reason": "Enough"})
    paypal.control("POST", f"subscriptions/{id_}/refund", amount="2.50")
    paypal.control("POST", f"subscriptions/{id_}/reverse")
    other = make_active(paypal)
    paypal.control("POST", f"subscriptions/{other}/expire")
    paypal.settle()
    made = {json.loads(each.body)["event_type"]: json.loads(each.body) for each in hook.received}
    captured = {event["event_type"]: event for event in map(json.loads, (p.read_text() for p in EVENTS.glob("*.json")))}
    assert captured.keys() - made.keys() == {"CHECKOUT.ORDER.APPROVED", "BILLING.SUBSCRIPTION.UPDATED"}
    for kind, event in made.items():
        assert shape_of(event) == shape_of(captured[kind]), kind
        assert IDS.fullmatch(event["id"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["create_time"])
        links = [(each["rel"], each["method"]) for each in event["resource"]["links"]]
        assert links == [(each["rel"], each["method"]) for each in captured[kind]["resource"]["links"]], kind


def test_events_of_a_subscription_come_in_order_and_once(paypal: PayPal, hook: Listener) -> None:
    plan = make_plan(paypal)
    subscriptions = [make_active(paypal, plan) for _ in range(5)]
    for id_ in subscriptions:
        paypal.control("POST", f"subscriptions/{id_}/cancel")
    paypal.settle()
    assert len(set(ids_of(hook))) == len(hook.received) == 20
    for id_ in subscriptions:
        own = [each for each in hook.received if id_.encode() in each.body]
        kinds = [json.loads(each.body)["event_type"].rpartition(".")[2] for each in own]
        assert kinds == ["CREATED", "ACTIVATED", "COMPLETED", "CANCELLED"]


def test_a_refused_event_is_repeated_with_pauses_and_lets_later_ones_pass(paypal: PayPal, hook: Listener) -> None:
    hook.statuses = [500, 302, 404]
    began = time.monotonic()
    make_subscription(paypal, make_plan(paypal))
    paypal.settle()
    assert time.monotonic() - began >= retry_delay_s(1) + retry_delay_s(2) + retry_delay_s(3)
    assert len(hook.received) == 4
    assert len(set(ids_of(hook))) == 1, "it is the same event"
    assert len({each.body for each in hook.received}) == 1, "to the byte"
    assert len({each.headers["PAYPAL-TRANSMISSION-ID"] for each in hook.received}) == 4
    (delivery,) = paypal.control("GET", "deliveries")["deliveries"]
    assert [each["status"] for each in delivery["attempts"]] == [500, 302, 404, 200]
    assert delivery["state"] == "delivered"
    hook.received.clear()
    hook.statuses = [500]
    make_active(paypal)
    paypal.settle()
    assert types_of(hook) == ["CREATED", "ACTIVATED", "PAYMENT.SALE.COMPLETED", "CREATED"]


def test_repeats_end_after_twenty_five() -> None:
    pauses = [retry_delay_s(repeat) for repeat in range(1, MAX_RETRIES + 1)]
    assert (len(pauses), pauses[0], max(pauses)) == (25, 0.5, MAX_RETRY_DELAY_S)
    assert pauses == sorted(pauses)


def test_what_could_not_be_delivered_waits_for_the_next_start(data: Path, hook: Listener, refused_port: int) -> None:
    with running_simulator(data, webhook_url=f"http://127.0.0.1:{refused_port}/away") as first:
        id_ = make_active(first)
        assert not first.control("GET", "settled?timeout_s=0.2")["settled"]
    with running_simulator(data, webhook_url=hook.url) as second:
        second.settle()
        assert sorted(types_of(hook)) == ["ACTIVATED", "CREATED", "PAYMENT.SALE.COMPLETED"]
        assert all(id_.encode() in each.body for each in hook.received)


# Switches


def test_events_sent_twice_are_two_transmissions_of_one_event(paypal: PayPal, hook: Listener) -> None:
    paypal.control("PATCH", "switches", copies=2)
    make_active(paypal)
    paypal.settle()
    assert len(hook.received) == 6
    assert len(set(ids_of(hook))) == 3
    assert len({each.headers["PAYPAL-TRANSMISSION-ID"] for each in hook.received}) == 6


def test_reversed_events_come_last_first(paypal: PayPal, hook: Listener) -> None:
    paypal.control("PATCH", "switches", order="reversed")
    id_ = make_active(paypal)
    paypal.control("POST", f"subscriptions/{id_}/cancel")
    paypal.settle()
    assert types_of(hook) == ["CANCELLED", "PAYMENT.SALE.COMPLETED", "ACTIVATED", "CREATED"]


def test_lost_events_never_arrive(paypal: PayPal, hook: Listener) -> None:
    paypal.control("PATCH", "switches", delivery="lose")
    id_ = make_active(paypal)
    paypal.control("PATCH", "switches", delivery="normal")
    paypal.control("POST", f"subscriptions/{id_}/cancel")
    paypal.settle()
    assert types_of(hook) == ["CANCELLED"]
    states = [each["state"] for each in paypal.control("GET", "deliveries")["deliveries"]]
    assert states == ["delivered", "lost", "lost", "lost"]


@pytest.mark.parametrize("order", ["in", "reversed"])
def test_held_events_are_sent_when_the_switch_is_reset(paypal: PayPal, hook: Listener, order: str) -> None:
    paypal.control("PATCH", "switches", delivery="hold", order=order)
    id_ = make_active(paypal)
    paypal.control("POST", f"subscriptions/{id_}/suspend")
    assert not paypal.control("GET", "settled?timeout_s=0.3")["settled"]
    assert hook.received == []
    paypal.control("PATCH", "switches", delivery="normal")
    paypal.settle()
    expected = ["CREATED", "ACTIVATED", "PAYMENT.SALE.COMPLETED", "SUSPENDED"]
    assert types_of(hook) == (expected if order == "in" else expected[::-1])


# The webhooks API


def test_a_second_webhook_gets_the_events_it_asked_for(paypal: PayPal, hook: Listener) -> None:
    with Listener().listening() as other:
        body = {"url": other.url, "event_types": [{"name": "PAYMENT.SALE.COMPLETED"}]}
        answer = paypal.call("POST", "/v1/notifications/webhooks", body)
        assert answer.status_code == 201
        id_ = answer.json()["id"]
        twice = paypal.call("POST", "/v1/notifications/webhooks", body)
        assert (twice.status_code, twice.json()["name"]) == (400, "WEBHOOK_URL_ALREADY_EXISTS")
        listed = paypal.ask("GET", "/v1/notifications/webhooks")["webhooks"]
        assert [each["id"] for each in listed] == [paypal.webhook_id, id_]
        make_active(paypal)
        paypal.settle()
        assert types_of(other) == ["PAYMENT.SALE.COMPLETED"]
        assert is_signed(other.received[0], id_)
        assert not is_signed(other.received[0], paypal.webhook_id)
    assert len(hook.received) == 3


@pytest.mark.parametrize(
    "body",
    [
        {"url": "ftp://a.example/hook", "event_types": [{"name": "*"}]},
        {"url": "https://a.example/hook", "event_types": []},
        {"url": "https://a.example/hook", "event_types": [{"name": "NO.SUCH.EVENT"}]},
    ],
)
def test_a_senseless_webhook_is_refused(paypal: PayPal, body: dict[str, object]) -> None:
    assert paypal.call("POST", "/v1/notifications/webhooks", body).status_code == 400


def test_the_own_webhook_keeps_its_id_and_follows_its_address(data: Path, hook: Listener) -> None:
    for url in ("http://127.0.0.1:9/old", hook.url):
        with running_simulator(data, webhook_url=url) as paypal:
            (only,) = paypal.ask("GET", "/v1/notifications/webhooks")["webhooks"]
            assert (only["id"], only["url"]) == (paypal.webhook_id, url)
