"""Charging: what a subscription is charged when, and what happens if that fails.

A charge that fails adds to the outstanding balance and is tried again after five days; each failure counts towards the
plan's threshold, at which the subscription is suspended. The next success takes the balance too. After its last cycle a
subscription has expired. PayPal's retry schedule is not published in full; this one keeps to what is.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from infra.local.simulators.paypal.checks import Fields
from infra.local.simulators.paypal.clock import add_interval
from infra.local.simulators.paypal.errors import unprocessable
from infra.local.simulators.paypal.shapes import moment_of, stamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from infra.local.simulators.paypal.clock import Clock
    from infra.local.simulators.paypal.events import Events
    from infra.local.simulators.paypal.sales import Sales
    from infra.local.simulators.paypal.shapes import Document
    from infra.local.simulators.paypal.store import Store
    from infra.local.simulators.paypal.switches import Switches

RETRY_AFTER = timedelta(days=5)
MOST_DUE_AT_ONCE = 100_000


class Charging:
    """Charges subscriptions when they are due by the simulator's clock."""

    shown: Callable[[Document], Document]
    """Make what PayPal shows of a subscription's record; set by its owner."""

    def __init__(self, store: Store, clock: Clock, *, sales: Sales, events: Events, switches: Switches) -> None:
        self._store = store
        self._clock = clock
        self._sales = sales
        self._events = events
        self._switches = switches

    def terms_of(self, plan: Document) -> Document:
        """Return the part of a new subscription's record that says what it costs."""
        cycles = sorted(plan["billing_cycles"], key=lambda cycle: int(cycle["sequence"]))
        price = cycles[-1]["pricing_scheme"]["fixed_price"]
        return {
            "currency": price["currency_code"],
            "cycles": [
                {
                    "tenure_type": cycle["tenure_type"],
                    "sequence": cycle["sequence"],
                    "total_cycles": cycle["total_cycles"],
                    "completed": 0,
                    "unit": cycle["frequency"]["interval_unit"],
                    "count": cycle["frequency"]["interval_count"],
                    "price": cycle["pricing_scheme"]["fixed_price"]["value"] if "pricing_scheme" in cycle else "0",
                }
                for cycle in cycles
            ],
            "threshold": plan["payment_preferences"]["payment_failure_threshold"],
            "auto_bill": plan["payment_preferences"]["auto_bill_outstanding"],
            "outstanding": "0",
            "failed": 0,
            "last_payment": None,
            "last_failed": None,
            "next_billing": None,
            "retry": None,
            "anchor": None,
        }

    def keep(self, record: Document) -> None:
        """Keep a subscription's record, with the time when money is next to be taken."""
        due = None
        if record["status"] == "ACTIVE":
            times = [moment_of(record[name]).timestamp() for name in ("next_billing", "retry") if record[name]]
            due = min(times, default=None)
        self._store.put("subscription", record["id"], record, due=due)

    def begin(self, record: Document) -> Callable[[], None]:
        """Take the first payment of an active subscription, or wait for its start; return what tells of it."""
        start = moment_of(record["start_time"])
        record |= {"anchor": record["start_time"], "next_billing": record["start_time"]}
        tell = _nothing_to_tell
        if start <= self._clock.now():
            tell = self._bill(record)
        self.keep(record)
        return tell

    def resume(self, record: Document) -> None:
        """Go on with a subscription that was suspended: what was missed meanwhile is not charged."""
        record |= {"failed": 0, "retry": None}
        cycle, anchor = current_cycle(record), moment_of(record["anchor"])
        count = cycle["completed"] if cycle else 0
        while cycle and moment_of(record["next_billing"]) <= self._clock.now():
            count += 1
            record["next_billing"] = stamp(self._at_hour(add_interval(anchor, cycle["unit"], cycle["count"] * count)))

    def run_due(self, until: datetime) -> None:
        """Take all payments that are due by `until`, each at its own time."""
        for _ in range(MOST_DUE_AT_ONCE):
            with self._store.change():
                found = self._store.due("subscription", until.timestamp(), 1)
                if not found:
                    return
                record = found[0]
                times = [moment_of(record[name]) for name in ("next_billing", "retry") if record[name]]
                with self._clock.at(min(times)):
                    self.charge(record)

    def charge(self, record: Document, *, fails: bool | None = None) -> None:
        """Charge an active subscription now: the retry if that comes first, else the next cycle."""
        if record["status"] != "ACTIVE":
            raise unprocessable("SUBSCRIPTION_STATUS_INVALID", "Only an active subscription can be charged.")
        retry, following = record["retry"], record["next_billing"]
        is_retry = bool(retry) and (not following or moment_of(retry) < moment_of(following))
        tell = self._retry(record, fails=fails) if is_retry else self._bill(record, fails=fails)
        self.keep(record)
        tell()

    def capture(self, record: Document, body: object) -> None:
        """Take what is owed, or the part that `amount` says, because the merchant asks for it."""
        given = Fields(body)
        given.text("note", longest=128)
        given.choice("capture_type", ("OUTSTANDING_BALANCE",))
        amount, currency = given.money("amount")
        if record["status"] not in ("ACTIVE", "SUSPENDED", "EXPIRED"):
            raise unprocessable(
                "SUBSCRIPTION_STATUS_INVALID",
                "Invalid subscription status for capture action; subscription status should be active or suspended or"
                " expired.",
            )
        owed = Decimal(record["outstanding"])
        if owed == 0:
            raise unprocessable("ZERO_OUTSTANDING_BALANCE", "Current outstanding balance should be greater than zero.")
        if currency != record["currency"]:
            raise unprocessable(
                "CURRENCY_MISMATCH", "The currency code is different from the subscription's currency code."
            )
        if amount > owed:
            raise unprocessable(
                "AMOUNT_GREATER_THAN_OUTSTANDING_BALANCE",
                "The capture amount can not be greater than the current outstanding balance.",
            )
        if self._switches.payments == "fail":
            raise unprocessable("SUBSCRIBER_ACCOUNT_RESTRICTED", "Subscriber Account Restricted.")
        tell = self._take(record, amount, fails=False)
        self.keep(record)
        tell()

    def _bill(self, record: Document, *, fails: bool | None = None) -> Callable[[], None]:
        cycle = current_cycle(record)
        if cycle is None:
            return _nothing_to_tell
        price = Decimal(cycle["price"]) * int(record["quantity"])
        cycle["completed"] += 1
        anchor = moment_of(record["anchor"])
        following = add_interval(anchor, cycle["unit"], cycle["count"] * cycle["completed"])
        if current_cycle(record) is not cycle:
            record["anchor"] = stamp(following)
        record["next_billing"] = stamp(self._at_hour(following))
        record["outstanding"] = str(Decimal(record["outstanding"]) + price)
        amount = Decimal(record["outstanding"]) if record["auto_bill"] else price
        return self._take(record, amount, fails=fails)

    def _retry(self, record: Document, *, fails: bool | None) -> Callable[[], None]:
        return self._take(record, Decimal(record["outstanding"]), fails=fails)

    def _take(self, record: Document, amount: Decimal, *, fails: bool | None) -> Callable[[], None]:
        """Take an amount or fail to; change the record, and return what tells of it."""
        now = self._clock.now()
        record |= {"update_time": stamp(now), "retry": None}
        if self._switches.payments == "fail" if fails is None else fails:
            return self._fail(record, amount, now)
        record["outstanding"] = str(Decimal(record["outstanding"]) - amount)
        if Decimal(record["outstanding"]) == 0:
            record["failed"] = 0
        sale = self._sales.sell(record, amount) if amount > 0 else None
        if sale:
            record["last_payment"] = {"amount": sale["amount"], "time": sale["create_time"]}
        over = record["status"] == "ACTIVE" and is_over(record)
        if over:
            record |= {"status": "EXPIRED", "status_update_time": stamp(now)}

        def tell() -> None:
            if sale:
                self._sales.tell("PAYMENT.SALE.COMPLETED", sale)
            if over:
                self._events.of_subscription("BILLING.SUBSCRIPTION.EXPIRED", self.shown(record))

        return tell

    def _fail(self, record: Document, amount: Decimal, now: datetime) -> Callable[[], None]:
        record["failed"] += 1
        record["last_failed"] = {"amount": str(amount), "time": stamp(now)}
        suspended = 0 < record["threshold"] <= record["failed"]
        if not suspended:
            record["retry"] = stamp(now + RETRY_AFTER)
        failed = self.shown(record)
        if suspended:
            record |= {"status": "SUSPENDED", "status_update_time": stamp(now)}

        def tell() -> None:
            self._events.of_subscription("BILLING.SUBSCRIPTION.PAYMENT.FAILED", failed)
            if suspended:
                self._events.of_subscription("BILLING.SUBSCRIPTION.SUSPENDED", self.shown(record))

        return tell

    def _at_hour(self, moment: datetime) -> datetime:
        """Return when on that day PayPal bills: at 10:00 UTC, as captured subscriptions have it."""
        if self._switches.billing_time == "exact":
            return moment
        return moment.replace(hour=10, minute=0, second=0, microsecond=0)


def current_cycle(record: Document) -> Document | None:
    """Return the cycle that is billed next, None if all have been."""
    for cycle in record["cycles"]:
        if cycle["total_cycles"] == 0 or cycle["completed"] < cycle["total_cycles"]:
            found: Document = cycle
            return found
    return None


def is_over(record: Document) -> bool:
    """Return whether all cycles have been billed and nothing is owed."""
    return current_cycle(record) is None and Decimal(record["outstanding"]) == 0


def amount_of(payment: Document) -> Decimal:
    """Return the amount of a kept payment."""
    return Decimal(payment["amount"])


def _nothing_to_tell() -> None:
    """Tell nothing."""
