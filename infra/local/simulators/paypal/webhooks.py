"""Events, the webhooks that receive them (Webhooks Management v1), and their delivery.

A delivery is retried up to 25 times until the response is 2xx. Events of one subscription are first sent in the order
in which they happened, one after the other; a retried event does not delay later events. Pending deliveries are in the
store, so they continue after a restart.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import requests

from infra.local.simulators.paypal.formats import format_time_ms, link, new_id
from infra.local.simulators.paypal.validation import PayPalError, RequestFields, invalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.local.simulators.paypal.control import SimulatorCore
    from infra.local.simulators.paypal.formats import Document
    from infra.local.simulators.paypal.signing import Transmission, TransmissionSigner

log = logging.getLogger(__name__)

WEBHOOKS_PATH = "/v1/notifications/webhooks"
EVENTS_PATH = "/v1/notifications/webhooks-events/"
MAX_WEBHOOKS = 10

SUBSCRIPTION_EVENTS = {
    "BILLING.SUBSCRIPTION.CREATED": "Subscription created",
    "BILLING.SUBSCRIPTION.ACTIVATED": "Subscription activated",
    "BILLING.SUBSCRIPTION.UPDATED": "Subscription updated",
    "BILLING.SUBSCRIPTION.RE-ACTIVATED": "Subscription reactivated",
    "BILLING.SUBSCRIPTION.CANCELLED": "Subscription cancelled",
    "BILLING.SUBSCRIPTION.SUSPENDED": "Subscription suspended",
    "BILLING.SUBSCRIPTION.EXPIRED": "Subscription expired",
    "BILLING.SUBSCRIPTION.PAYMENT.FAILED": "Payment failed for subscription",
}
EVENT_TYPES = (*SUBSCRIPTION_EVENTS, "PAYMENT.SALE.COMPLETED", "PAYMENT.SALE.REFUNDED", "PAYMENT.SALE.REVERSED")

MAX_RETRIES = 25
MAX_RETRY_DELAY_S = 60.0
TIMEOUT_S = 10.0
WORKERS = 8
MAX_DUE_AT_ONCE = 256
REVERSED_AFTER_S = 0.5
"""How long to wait after the last new event before sending a reversed batch."""

_POLL_INTERVAL_S = 0.25
_REVERSED_LANE = "reordered"


class EventLog:
    """Stores events and queues their deliveries; `on_new` is called when there is something to deliver."""

    def __init__(self, core: SimulatorCore, on_new: Callable[[], None]) -> None:
        self._core = core
        self._on_new = on_new

    def emit(self, event_type: str, resource: Document, *, subject: str, summary: str = "") -> None:
        """Store an event and queue its deliveries; events with the same `subject` are delivered one after the other."""
        of_subscription = event_type in SUBSCRIPTION_EVENTS
        payment = "refund" if event_type == "PAYMENT.SALE.REFUNDED" else "sale"
        id_ = f"{new_id('WH-', 17)}-{new_id('', 17)}"
        address = f"{self._core.base}{EVENTS_PATH}{id_}"
        event: Document = {
            "id": id_,
            "event_version": "1.0",
            "create_time": format_time_ms(self._core.clock.now()),
            "resource_type": "subscription" if of_subscription else payment,
            **({"resource_version": "2.0"} if of_subscription else {}),
            "event_type": event_type,
            "summary": SUBSCRIPTION_EVENTS.get(event_type, summary),
            "resource": resource,
            "links": [link(address, "self", "GET"), link(f"{address}/resend", "resend", "POST")],
        }
        raw = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
        lost = self._core.switches.delivery == "lose"
        with self._core.store.transaction():
            self._core.store.put("event", id_, {"id": id_, "event_type": event_type, "subject": subject, "raw": raw})
            webhooks = [hook for hook in self._core.store.all("webhook") if _receives(hook, event_type)]
            for number, hook in enumerate(hook for hook in webhooks for _ in range(self._core.switches.copies)):
                delivery = {
                    "id": f"{id_}/{number + 1}",
                    "event_id": id_,
                    "event_type": event_type,
                    "webhook_id": hook["id"],
                    "lane": subject,
                    "state": "lost" if lost else "waiting",
                    "queued": time.time(),
                    "attempts": [],
                }
                self._core.store.put(
                    "delivery", delivery["id"], delivery, parent=id_, due=None if lost else time.time()
                )
        self._on_new()


class WebhookRegistry:
    """The registered webhooks."""

    def __init__(self, core: SimulatorCore) -> None:
        self._core = core

    def register(self, id_: str, url: str) -> None:
        """Set the URL of the webhook `id_`, which is created if there is none."""
        known = self._core.store.get("webhook", id_)
        types = known["event_types"] if known else [{"name": "*"}]
        self._core.store.put("webhook", id_, {"id": id_, "url": url, "event_types": types})

    def create_webhook(self, body: object) -> Document:
        """Register a webhook and return its resource."""
        given = RequestFields(body, {"url", "event_types"})
        url = given.url("url")
        types = given.children("event_types", {"name"}, most=500)
        webhook: Document = {
            "id": new_id("", 17),
            "url": url,
            "event_types": [{"name": each.choice("name", (*EVENT_TYPES, "*"))} for each in types],
        }
        known = self._core.store.all("webhook")
        if any(each["url"] == url for each in known):
            raise PayPalError(400, "WEBHOOK_URL_ALREADY_EXISTS")
        if len(known) >= MAX_WEBHOOKS:
            raise invalid("/url", "WEBHOOK_NUMBER_LIMIT_EXCEEDED", "The maximum number of webhooks is registered.")
        self._core.store.put("webhook", webhook["id"], webhook)
        return self._view(webhook)

    def all_webhooks(self) -> list[Document]:
        """Return the resources of all webhooks."""
        return [self._view(each) for each in self._core.store.all("webhook")]

    def _view(self, webhook: Document) -> Document:
        href = f"{self._core.base}{WEBHOOKS_PATH}/{webhook['id']}"
        links = [link(href, "self", "GET"), link(href, "update", "PATCH"), link(href, "delete", "DELETE")]
        return {**webhook, "links": links}


def _receives(hook: Document, event_type: str) -> bool:
    return any(each["name"] in ("*", event_type) for each in hook["event_types"])


def retry_delay_s(retry: int) -> float:
    """Return the seconds before retry number `retry`, counted from 1. PayPal spreads its 25 retries over three days."""
    return min(0.5 * 2.0 ** (retry - 1), MAX_RETRY_DELAY_S)


class WebhookDelivery:
    """Sends deliveries that are due, in threads of its own."""

    def __init__(self, core: SimulatorCore, signer: TransmissionSigner) -> None:
        self._core = core
        self._signer = signer
        self._more = threading.Event()
        self._done = threading.Condition()
        self._busy: dict[str, str] = {}  # lane -> id of the delivery being sent; only the loop's thread adds to it
        self._stopping = False
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="webhook")
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)

    def start(self) -> None:
        """Start sending due deliveries."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the deliveries in progress and stop; all other deliveries stay due."""
        self._stopping = True
        self._more.set()
        self._thread.join()
        self._pool.shutdown()

    def wake(self) -> None:
        """Check for due deliveries now. Takes no lock, so it can be called inside a transaction of the store."""
        self._more.set()

    def wait_until_settled(self, timeout_s: float) -> bool:
        """Wait until nothing is pending or being sent; return False after `timeout_s` seconds."""
        end = time.monotonic() + timeout_s
        while self._busy or self._core.store.next_due("delivery") is not None:
            left = end - time.monotonic()
            if left <= 0:
                return False
            with self._done:
                self._done.wait(min(left, 0.05))
        return True

    def _run(self) -> None:
        while not self._stopping:
            self._more.clear()
            if not self._send_due():
                following = self._core.store.next_due("delivery")
                wait = _POLL_INTERVAL_S if following is None else following - time.time()
                self._more.wait(min(max(wait, 0.005), _POLL_INTERVAL_S))

    def _send_due(self) -> bool:
        """Start the deliveries that can be sent now; return whether any was started."""
        if self._core.switches.delivery == "hold":
            return False
        # copied before the query: a lane that is free in this copy has already recorded its last delivery, so the query
        # does not return that delivery as due
        busy = set(self._busy)
        due = self._core.store.due("delivery", time.time(), MAX_DUE_AT_ONCE)
        if self._core.switches.order == "reversed" and any(_is_new(each) for each in due):
            self._reverse_when_quiet()
            return False
        started = False
        for delivery in due:
            if len(busy) >= WORKERS:
                break
            if delivery["lane"] not in busy:
                busy.add(delivery["lane"])
                self._busy[delivery["lane"]] = delivery["id"]
                self._pool.submit(self._attempt, delivery)
                started = True
        return started

    def _reverse_when_quiet(self) -> None:
        """Reverse the pending deliveries, unless the last event arrived less than REVERSED_AFTER_S ago."""
        with self._core.store.transaction():
            pending = [each for each in self._core.store.due("delivery", time.time(), -1) if _is_new(each)]
            now = time.time()
            if now - max(each["queued"] for each in pending) < REVERSED_AFTER_S:
                return
            for index, delivery in enumerate(reversed(pending)):
                delivery["lane"] = _REVERSED_LANE
                self._put(delivery, now + index * 1e-5)  # a lane sends in the order of due times

    def _attempt(self, delivery: Document) -> None:
        try:
            self._send(delivery)
        except Exception:
            log.exception("an event could not be delivered")
            raise
        finally:
            del self._busy[delivery["lane"]]
            self._more.set()
            with self._done:
                self._done.notify_all()

    def _send(self, delivery: Document) -> None:
        webhook = self._core.store.get("webhook", delivery["webhook_id"])
        event = self._core.store.get("event", delivery["event_id"])
        if webhook is None or event is None:
            delivery["state"] = "failed"
            self._put(delivery, None)
            return
        transmission = self._signer.sign_event(event["raw"].encode(), webhook["id"])
        status = self._post(webhook["url"], transmission)
        attempt = {
            "time": format_time_ms(self._core.clock.now()),
            "transmission_id": transmission.id,
            "status": status,
        }
        delivery["attempts"].append(attempt)
        due = None
        if status is not None and 200 <= status < 300:
            delivery["state"] = "delivered"
        elif len(delivery["attempts"]) > MAX_RETRIES:
            delivery["state"] = "failed"
        else:
            due = time.time() + retry_delay_s(len(delivery["attempts"]))
        self._put(delivery, due)

    def _post(self, url: str, transmission: Transmission) -> int | None:
        """Send a transmission and return the status of the response, or None if there was no response."""
        session = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.trust_env = False
        try:
            answer = session.post(
                url, data=transmission.body, headers=transmission.headers, timeout=TIMEOUT_S, allow_redirects=False
            )
        except requests.RequestException as error:
            log.warning("%s could not be reached: %s", url, error)
            return None
        return int(answer.status_code)

    def _put(self, delivery: Document, due: float | None) -> None:
        self._core.store.put("delivery", delivery["id"], delivery, parent=delivery["event_id"], due=due)


def _is_new(delivery: Document) -> bool:
    """Return whether a delivery has neither been attempted nor reversed."""
    return not delivery["attempts"] and delivery["lane"] != _REVERSED_LANE
