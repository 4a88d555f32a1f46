"""Delivers events to webhooks: in the background, again and again until a 2xx comes or 25 repeats have failed.

Events of one subscription are first sent in the order in which they happened, one after the other; an event that must
be repeated lets later ones pass. What waits is kept in the store, so a restart goes on where it was.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import requests

from infra.local.simulators.paypal.shapes import fine_stamp

if TYPE_CHECKING:
    from infra.local.simulators.paypal.clock import Clock
    from infra.local.simulators.paypal.forgery import Sender, Transmission
    from infra.local.simulators.paypal.shapes import Document
    from infra.local.simulators.paypal.store import Store
    from infra.local.simulators.paypal.switches import Switches

log = logging.getLogger(__name__)

MOST_REPEATS = 25
LONGEST_PAUSE_S = 60.0
TIME_LIMIT_S = 10.0
WORKERS = 8
MOST_LOOKED_AT = 256
GATHERED_AFTER_S = 0.5
"""How long it must have been quiet before a reordered batch goes out."""

_LOOKS_EVERY_S = 0.25
_REORDERED = "reordered"


def pause_before(repeat: int) -> float:
    """Return the seconds before the repeat number `repeat`, counted from 1; PayPal spreads the 25 over three days."""
    return min(0.5 * 2.0 ** (repeat - 1), LONGEST_PAUSE_S)


class Courier:
    """Sends what is due; `start` it, `wake` it when there is more, `stop` it."""

    def __init__(self, store: Store, clock: Clock, *, sender: Sender, switches: Switches) -> None:
        self._store = store
        self._clock = clock
        self._sender = sender
        self._switches = switches
        self._more = threading.Event()
        self._done = threading.Condition()
        self._busy: dict[str, str] = {}  # lane -> the delivery under way in it; only the courier's thread adds
        self._stopping = False
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="webhook")
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is under way is waited for, what is not stays due."""
        self._stopping = True
        self._more.set()
        self._thread.join()
        self._pool.shutdown()

    def wake(self) -> None:
        """Look for more to send; may be called from inside a change of the store, so it takes no lock."""
        self._more.set()

    def settled(self, timeout_s: float) -> bool:
        """Wait until nothing waits or is under way, and return whether that came in time."""
        end = time.monotonic() + timeout_s
        while self._busy or self._store.count_due("delivery"):
            left = end - time.monotonic()
            if left <= 0:
                return False
            with self._done:
                self._done.wait(min(left, 0.05))
        return True

    def release(self, order: str, seed: int | None = None) -> int:
        """Send all that waits for its first attempt now, in this order; return how many that are."""
        with self._store.change():
            waiting = [each for each in self._store.due("delivery", float("inf"), -1) if not each["attempts"]]
            self._reorder(waiting, order, seed)
        self.wake()
        return len(waiting)

    def send_now(self, url: str, transmission: Transmission) -> tuple[int | None, str]:
        """Send one transmission and return the answer's status and body, or None and what went wrong."""
        session = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.trust_env = False
        try:
            answer = session.post(
                url,
                data=transmission.body,
                headers=transmission.headers,
                timeout=TIME_LIMIT_S,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return None, f"{type(error).__name__}: {error}"
        return answer.status_code, answer.text

    def _run(self) -> None:
        while not self._stopping:
            self._more.clear()
            if not self._begin_some():
                following = self._store.next_due("delivery")
                wait = _LOOKS_EVERY_S if following is None else following - time.time()
                self._more.wait(min(max(wait, 0.005), _LOOKS_EVERY_S))

    def _begin_some(self) -> bool:
        """Begin what may begin now; return whether anything did."""
        if self._switches.delivery == "hold":
            return False
        # before the question to the store: a lane that is free by now was free of what the store will answer
        busy = set(self._busy)
        due = self._store.due("delivery", time.time(), MOST_LOOKED_AT)
        if self._switches.order != "in" and any(_is_fresh(each) for each in due):
            self._gather()
            return False
        began = False
        for delivery in due:
            if len(busy) >= WORKERS:
                break
            if delivery["lane"] not in busy:
                busy.add(delivery["lane"])
                self._busy[delivery["lane"]] = delivery["id"]
                self._pool.submit(self._attempt, delivery)
                began = True
        return began

    def _gather(self) -> None:
        """Once it has been quiet, bring what waits into the order that the switch wants."""
        with self._store.change():
            waiting = [each for each in self._store.due("delivery", time.time(), -1) if _is_fresh(each)]
            if time.time() - max(each["queued"] for each in waiting) >= GATHERED_AFTER_S:
                self._reorder(waiting, self._switches.order, None)

    def _reorder(self, waiting: list[Document], order: str, seed: int | None) -> None:
        if order == "reversed":
            waiting.reverse()
        elif order == "shuffled":
            random.Random(seed).shuffle(waiting)
        now = time.time()
        for index, delivery in enumerate(waiting):
            due = now + index * 1e-5  # in one lane, the order of times is the order of sending
            delivery["lane"] = _REORDERED if order != "in" else delivery["lane"]
            self._keep(delivery, due)

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
        webhook = self._store.get("webhook", delivery["webhook_id"])
        event = self._store.get("event", delivery["event_id"])
        if webhook is None or event is None:
            delivery["state"] = "dropped"
            self._keep(delivery, None)
            return
        mode = self._switches.take_mode()
        transmission = self._sender.transmit(event["raw"].encode(), webhook["id"], mode)
        began = time.monotonic()
        status, answer = self.send_now(webhook["url"], transmission)
        attempt = {
            "time": fine_stamp(self._clock.now()),
            "transmission_id": transmission.id,
            "mode": mode,
            "status": status,
            "ms": round((time.monotonic() - began) * 1000, 1),
        }
        if status is None or not 200 <= status < 300:
            attempt["answer"] = answer[:500]
        delivery["attempts"].append(attempt)
        due = None
        if status is not None and 200 <= status < 300:
            delivery["state"] = "delivered"
        elif len(delivery["attempts"]) > MOST_REPEATS:
            delivery["state"] = "failed"
        else:
            due = time.time() + pause_before(len(delivery["attempts"]))
        self._keep(delivery, due)

    def _keep(self, delivery: Document, due: float | None) -> None:
        self._store.put("delivery", delivery["id"], delivery, parent=delivery["event_id"], due=due)


def _is_fresh(delivery: Document) -> bool:
    """Return whether a delivery has neither been tried nor been given its place in a new order."""
    return not delivery["attempts"] and delivery["lane"] != _REORDERED
