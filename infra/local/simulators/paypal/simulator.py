"""The simulator as a whole: its components, its web application, and the timer that takes due payments."""

from __future__ import annotations

import logging
import threading
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool

from infra.local.simulators.paypal.api import AccessTokens, PayPalApi
from infra.local.simulators.paypal.certificates import load_or_make
from infra.local.simulators.paypal.control import Control, SimulatorCore, Switches
from infra.local.simulators.paypal.formats import SimulatedClock
from infra.local.simulators.paypal.pages import SimulatorPages
from infra.local.simulators.paypal.payments import Sales
from infra.local.simulators.paypal.plans import SimulatedPlans
from infra.local.simulators.paypal.signing import TransmissionSigner
from infra.local.simulators.paypal.store import DocumentStore
from infra.local.simulators.paypal.subscriptions import SimulatedSubscriptions
from infra.local.simulators.paypal.webhooks import EventLog, WebhookDelivery, WebhookRegistry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

log = logging.getLogger(__name__)

TICK_S = 1.0
"""How often the simulator looks for payments that have become due."""


class PayPalSimulator:
    """PayPal at the address `base`; its state is in the folder `data`."""

    def __init__(self, data: Path, base: str, *, client_id: str, client_secret: str) -> None:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.base = base
        self.store = store = DocumentStore(data / "paypal.sqlite")
        setting = store.get("setting", "clock")
        self.clock = SimulatedClock(timedelta(seconds=setting["offset_s"] if setting else 0))
        self.switches = Switches()
        core = SimulatorCore(store, self.clock, self.switches, base)
        self.authority, leaf = load_or_make(data)
        self.signer = TransmissionSigner(core, self.authority, leaf)
        self.tokens = AccessTokens(store, client_id=client_id, client_secret=client_secret)
        self.delivery = WebhookDelivery(core, self.signer)
        events = EventLog(core, on_new=self.delivery.wake)
        self.sales = Sales(core, events)
        self.plans = SimulatedPlans(core)
        self.subscriptions = SimulatedSubscriptions(core, self.plans, self.sales, events)
        self.webhooks = WebhookRegistry(core)
        self._stopping = threading.Event()
        self._timer = threading.Thread(target=self._charge_due, name="timer", daemon=True)

    def start(self) -> None:
        """Start delivering events and taking due payments."""
        self.delivery.start()
        self._timer.start()

    def stop(self) -> None:
        """Stop; pending deliveries continue at the next start."""
        self._stopping.set()
        self._timer.join()
        self.delivery.stop()
        self.store.close()

    def move_clock(self, offset: timedelta) -> None:
        """Set how far the clock is ahead of the real time; payments that become due are taken at their own times."""
        with self.store.transaction():
            target = self.clock.now() + (offset - self.clock.offset)
            if target > self.clock.now():
                self.subscriptions.billing.run_due(target)
            self.clock.offset = offset
            self.store.put("setting", "clock", {"offset_s": offset.total_seconds()})

    def _charge_due(self) -> None:
        while not self._stopping.wait(TICK_S):
            try:
                self.subscriptions.billing.run_due(self.clock.now())
            except Exception:
                log.exception("payments that are due could not be taken")
                raise


def create_app(simulator: PayPalSimulator) -> Starlette:
    """Return the ASGI application, which starts and stops the simulator."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        simulator.start()
        try:
            yield
        finally:
            await run_in_threadpool(simulator.stop)

    pages = SimulatorPages(simulator)
    routes = [*pages.routes(), *Control(simulator, pages.message).routes(), *PayPalApi(simulator).routes()]
    return Starlette(routes=routes, lifespan=lifespan)
