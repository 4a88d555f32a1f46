"""Webhooks that PayPal did not send are refused: nothing changes, and no other server is called."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests

from functions.billing.model import State
from functions.platform.errors import NotFromPayPal
from functions.platform.viewer import Viewer
from infra.local.simulators.paypal.signing import MODES
from tests.support.billing import make_offer, make_user_id
from tests.support.paypal import Received

if TYPE_CHECKING:
    from functions.billing.model import StoredEvent
    from tests.integration.billing.conftest import Real

REFUSED = sorted(set(MODES) - {"genuine", "same_crc_body"})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list of the URLs that the product requests, which it does in the thread that calls it.

    Requests of the test itself are left out, and those of other threads, such as health checks of earlier tests.
    """
    caller = threading.current_thread()
    addresses: list[str] = []
    send = requests.Session.send

    def noting(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if threading.current_thread() is caller and "/_simulator/" not in str(request.url):
            addresses.append(str(request.url))
        return send(session, request, **options)

    monkeypatch.setattr(requests.Session, "send", noting)
    return addresses


def make_ended(real: Real) -> str:
    """Return a cancelled subscription with a refunded payment."""
    plan, _ = real.billing.services.admin.create_plan(make_offer())
    viewer = Viewer(make_user_id(), "ada@example.org", confirmed=True)
    subscription_id = real.billing.services.subscriptions.subscribe(viewer, plan.plan_id).subscription_id
    for action in ("approve", "refund", "cancel"):
        real.paypal.control("POST", f"subscriptions/{subscription_id}/{action}")
    real.catch_up()
    return subscription_id


def events_of(real: Real) -> list[StoredEvent]:
    """Return all events of the inbox."""
    return real.billing.store.page_events(None, limit=1_000_000)


def signed(real: Real, event: dict[str, Any], mode: str) -> Received:
    """Return a transmission of an event, signed in one of the simulator's modes."""
    (made,) = real.paypal.control("POST", "sign", events=[event], mode=mode)["transmissions"]
    return Received({name.upper(): value for name, value in made["headers"].items()}, made["body"].encode())


def about(real: Real, subscription_id: str) -> dict[str, Any]:
    """Return an event about this subscription that PayPal has not sent yet."""
    resource = real.paypal.ask("GET", f"/v1/billing/subscriptions/{subscription_id}")
    return {
        "id": f"WH-{make_user_id().upper()}",
        "create_time": "2026-11-24T12:00:00.000Z",
        "resource_type": "subscription",
        "event_type": "BILLING.SUBSCRIPTION.UPDATED",
        "summary": "Subscription updated",
        "resource": resource,
    }


@pytest.mark.parametrize("mode", REFUSED)
def test_a_forgery_changes_nothing_and_asks_nobody_else(real: Real, asked: list[str], mode: str) -> None:
    subscription_id = make_ended(real)
    before = real.billing.store.find_pending(subscription_id)
    events = [e.event_id for e in events_of(real)]
    event = about(real, subscription_id)
    asked.clear()
    with pytest.raises(NotFromPayPal):
        real.billing.receive([signed(real, event, mode)])
    assert all(address.startswith(f"{real.paypal.url}/v1/notifications/certs/") for address in asked)
    if mode in ("wrong_host", "http_url", "no_headers", "sha1"):
        assert asked == []
    assert real.billing.store.find_pending(subscription_id) == before
    assert [e.event_id for e in events_of(real)] == events
    assert real.billing.queue == []
    real.billing.receive([signed(real, event, "genuine")])  # genuine webhooks from PayPal are still accepted


def test_another_body_with_the_same_checksum_only_makes_us_ask(real: Real) -> None:
    subscription_id = make_ended(real)
    before = real.billing.store.find_pending(subscription_id).subscription
    event = about(real, subscription_id)
    forged = signed(real, event, "same_crc_body")
    assert b"ACTIVE" in forged.body
    real.billing.receive([forged])
    real.billing.work()
    after = real.billing.store.find_pending(subscription_id).subscription
    assert before is not None and after is not None
    assert (after.state, after.paid_through) == (before.state, before.paid_through) == (State.CANCELLED, None)


def test_a_forged_body_that_comes_first_does_not_take_the_place_of_the_true_event(real: Real) -> None:
    first, second = make_ended(real), make_ended(real)
    event = about(real, first)
    forged = signed(real, {**event, "resource": {**event["resource"], "id": second}}, "genuine")
    real.billing.receive([forged])
    real.billing.work()
    real.billing.receive([signed(real, event, "genuine")])  # the genuine event with the same id
    assert [message.subject for message in real.billing.queue] == [first]


def test_an_event_of_a_kind_that_nobody_knows_is_kept(real: Real) -> None:
    event = {"id": f"WH-{make_user_id().upper()}", "event_type": "CATALOG.PRODUCT.PAINTED", "resource": {"id": "X"}}
    real.billing.receive([signed(real, event, "genuine")] * 3)
    (kept,) = [e for e in events_of(real) if e.event_id == event["id"]]
    assert (kept.kind, kept.subject, kept.deliveries, kept.settled) == ("CATALOG.PRODUCT.PAINTED", None, 3, True)
    assert real.billing.queue == []


def test_an_event_about_a_subscription_that_paypal_does_not_know_is_let_go(real: Real) -> None:
    event = about(real, make_ended(real))
    stranger = f"I-{make_user_id()[:12].upper()}"
    real.billing.receive([signed(real, {**event, "resource": {**event["resource"], "id": stranger}}, "genuine")])
    real.billing.work()
    pending = real.billing.store.find_pending(stranger)
    assert (pending.token, pending.subscription) == (None, None)
