"""Events: written down when something happens, and queued for every webhook that wants to hear of it."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from infra.local.simulators.paypal.shapes import event_id, fine_stamp, link

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.local.simulators.paypal.clock import Clock
    from infra.local.simulators.paypal.shapes import Document
    from infra.local.simulators.paypal.store import Store
    from infra.local.simulators.paypal.switches import Switches

EVENTS_PATH = "/v1/notifications/webhooks-events/"

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


class Events:
    """Writes events down; `on_new` is told when there is something to deliver."""

    def __init__(
        self, store: Store, clock: Clock, base: str, switches: Switches, on_new: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._clock = clock
        self._base = base
        self._switches = switches
        self.on_new = on_new

    def of_subscription(self, event_type: str, resource: Document) -> None:
        """Tell of a subscription."""
        self.emit(
            event_type,
            resource,
            resource_type="subscription",
            summary=SUBSCRIPTION_EVENTS[event_type],
            subject=resource["id"],
            version="2.0",
        )

    def emit(
        self,
        event_type: str,
        resource: Document,
        *,
        resource_type: str,
        summary: str,
        subject: str,
        version: str | None = None,
    ) -> Document:
        """Write an event down and queue it; events of one `subject` are sent one after the other."""
        id_ = event_id()
        address = f"{self._base}{EVENTS_PATH}{id_}"
        event: Document = {
            "id": id_,
            "event_version": "1.0",
            "create_time": fine_stamp(self._clock.now()),
            "resource_type": resource_type,
            **({"resource_version": version} if version else {}),
            "event_type": event_type,
            "summary": summary,
            "resource": resource,
            "links": [link(address, "self", "GET"), link(f"{address}/resend", "resend", "POST")],
        }
        raw = json.dumps(event, separators=(",", ":"), ensure_ascii=False)
        record = {"id": id_, "event_type": event_type, "subject": subject, "raw": raw}
        with self._store.change():
            self._store.put("event", id_, record, parent=subject)
            self.queue(record)
        return record

    def queue(self, record: Document, *, copies: int | None = None) -> None:
        """Queue an event for all webhooks that listen to its type, once or in copies, as the switches stand."""
        lost = self._switches.delivery == "lose"
        due = time.time() + self._switches.delay_s
        earlier = len(self._store.all("delivery", parent=record["id"]))
        webhooks = [hook for hook in self._store.all("webhook") if _listens(hook, record["event_type"])]
        for hook in webhooks:
            for _ in range(copies or self._switches.copies):
                earlier += 1
                delivery = {
                    "id": f"{record['id']}/{earlier}",
                    "event_id": record["id"],
                    "event_type": record["event_type"],
                    "webhook_id": hook["id"],
                    "lane": record["subject"],
                    "state": "lost" if lost else "waiting",
                    "queued": time.time(),
                    "attempts": [],
                }
                self._store.put("delivery", delivery["id"], delivery, parent=record["id"], due=None if lost else due)
        self.on_new()


def _listens(hook: Document, event_type: str) -> bool:
    return any(each["name"] in ("*", event_type) for each in hook["event_types"])
