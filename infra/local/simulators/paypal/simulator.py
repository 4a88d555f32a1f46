"""The simulator as a whole: its parts wired together, its clock's ticking, its beginning and end."""

from __future__ import annotations

import json
import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from infra.local.simulators.paypal.catalogue import Catalogue
from infra.local.simulators.paypal.certificates import load_or_make
from infra.local.simulators.paypal.charging import Charging
from infra.local.simulators.paypal.clock import Clock
from infra.local.simulators.paypal.delivery import Courier
from infra.local.simulators.paypal.errors import not_found
from infra.local.simulators.paypal.events import Events
from infra.local.simulators.paypal.forgery import Sender
from infra.local.simulators.paypal.sales import Sales
from infra.local.simulators.paypal.store import Store
from infra.local.simulators.paypal.subscriptions import Subscriptions
from infra.local.simulators.paypal.switches import Switches
from infra.local.simulators.paypal.tokens import Tokens
from infra.local.simulators.paypal.webhooks import Webhooks

if TYPE_CHECKING:
    from pathlib import Path

    from infra.local.simulators.paypal.shapes import Document

log = logging.getLogger(__name__)

TICK_S = 1.0
"""How often the clock is looked at for what has become due."""


class Simulator:
    """PayPal at the address `base`, remembering everything in the folder `data`."""

    def __init__(self, data: Path, base: str, *, client_id: str, client_secret: str) -> None:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.base = base
        self.store = Store(data / "paypal.sqlite")
        kept = self.store.get("setting", "clock")
        self.clock = Clock(timedelta(seconds=kept["offset_s"] if kept else 0))
        self.switches = Switches()
        self.authority, self.signer = load_or_make(data)
        self.sender = Sender(self.authority, self.signer, self.clock, base)
        self.tokens = Tokens(self.clock, client_id=client_id, client_secret=client_secret)
        self.courier = Courier(self.store, self.clock, sender=self.sender, switches=self.switches)
        self.events = Events(self.store, self.clock, base, self.switches, self.courier.wake)
        self.sales = Sales(self.store, self.clock, base, events=self.events)
        self.charging = Charging(self.store, self.clock, sales=self.sales, events=self.events, switches=self.switches)
        self.catalogue = Catalogue(self.store, self.clock, base)
        self.subscriptions = Subscriptions(
            self.store, self.clock, base, catalogue=self.catalogue, charging=self.charging, events=self.events
        )
        self.webhooks = Webhooks(self.store, base, signer=self.signer, sender=self.sender)
        self._end = threading.Event()
        self._ticking = threading.Thread(target=self._tick, name="clock", daemon=True)

    def start(self) -> None:
        """Begin to deliver events and to charge what is due."""
        self.courier.start()
        self._ticking.start()

    def stop(self) -> None:
        """End; what is not delivered waits for the next start."""
        self._end.set()
        self._ticking.join()
        self.courier.stop()
        self.store.close()

    def move_clock(self, offset: timedelta) -> None:
        """Let the clock be `offset` ahead of the real one; payments that this makes due are taken, each at its time."""
        with self.store.change():
            target = self.clock.now() + (offset - self.clock.offset)
            if target > self.clock.now():
                self.charging.run_due(target)
            self.clock.offset = offset
            self.store.put("setting", "clock", {"offset_s": offset.total_seconds()})

    def event(self, id_: str) -> Document:
        """Return an event with its transmissions, as the events API shows it."""
        record = self.store.get("event", id_)
        if record is None:
            raise not_found()
        return self._shown(record)

    def events_shown(self, limit: int = 1000) -> list[Document]:
        """Return the latest events, newest first."""
        return [self._shown(record) for record in self.store.latest("event", limit)]

    def _shown(self, record: Document) -> Document:
        transmissions = []
        for delivery in self.store.all("delivery", parent=record["id"]):
            webhook = self.store.get("webhook", delivery["webhook_id"])
            status = {"delivered": "SUCCESS", "failed": "FAILURE"}.get(delivery["state"], "PENDING")
            last = delivery["attempts"][-1] if delivery["attempts"] else None
            transmissions.append(
                {
                    "webhook_url": webhook["url"] if webhook else "",
                    "status": status,
                    **({"transmission_id": last["transmission_id"]} if last else {}),
                    **({"http_status": last["status"]} if last and last["status"] else {}),
                }
            )
        event: Document = json.loads(record["raw"])
        return {**event, "transmissions": transmissions}

    def _tick(self) -> None:
        while not self._end.wait(TICK_S):
            try:
                self.charging.run_due(self.clock.now())
            except Exception:
                log.exception("what was due could not be charged")
                raise
