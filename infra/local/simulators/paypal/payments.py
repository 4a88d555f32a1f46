"""Payments of subscriptions: charges, failures and retries; sales, refunds and reversals (Payments v1).

When the clock is moved forward, each payment that becomes due is taken at its own time. A failed payment is retried
after five days; when `payment_failure_threshold` payments have failed in a row, the subscription is suspended.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from infra.local.simulators.paypal.formats import (
    add_interval,
    format_time,
    link,
    money_v1,
    new_id,
    parse_time,
    rounded,
    total,
)
from infra.local.simulators.paypal.validation import PayPalError, not_found, unprocessable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from infra.local.simulators.paypal.control import SimulatorCore
    from infra.local.simulators.paypal.formats import Document
    from infra.local.simulators.paypal.webhooks import EventLog

SALES_PATH = "/v1/payments/sale"
REFUNDS_PATH = "/v1/payments/refund"

FEE_SHARE, FEE_FIXED = Decimal("0.0299"), Decimal("0.35")


class Sales:
    """The payments of all subscriptions."""

    def __init__(self, core: SimulatorCore, events: EventLog) -> None:
        self._core = core
        self._events = events

    def create(self, record: Document, amount: Decimal) -> Document:
        """Charge the payer of a subscription, and return the record of the sale."""
        currency, now = record["currency"], format_time(self._core.clock.now())
        fee = min(rounded(amount * FEE_SHARE + FEE_FIXED, currency), amount)
        sale: Document = {
            "id": new_id("", 17),
            "subscription_id": record["id"],
            "custom": record["custom_id"],
            "state": "completed",
            "amount": str(rounded(amount, currency)),
            "fee": str(fee),
            "refunded": "0",
            "currency": currency,
            "create_time": now,
            "update_time": now,
        }
        self._core.store.put("sale", sale["id"], sale, parent=record["id"])
        return sale

    def sale(self, id_: str) -> Document:
        """Return the resource of a sale; raise PayPalError if there is none."""
        return self._view(self._record(id_))

    def refund(self, id_: str) -> Document:
        """Return the resource of a refund; raise PayPalError if there is none."""
        refund = self._core.store.get("refund", id_)
        if refund is None:
            raise not_found()
        return self._view_of_refund(refund)

    def emit_completed(self, sale: Document) -> None:
        """Emit the event that a sale was completed."""
        self._emit("PAYMENT.SALE.COMPLETED", sale, self._view(sale), "Payment completed for {}")

    def refund_sale(self, sale_id: str, amount: Decimal | None = None) -> None:
        """Refund a part of a sale, or everything that is not refunded yet."""
        sale = self._record(sale_id)
        currency = sale["currency"]
        left = Decimal(sale["amount"]) - Decimal(sale["refunded"])
        if left == 0:
            raise PayPalError(400, "TRANSACTION_ALREADY_REFUNDED")
        if amount is None:
            amount = left
        if not 0 < amount <= left:
            raise PayPalError(400, "REFUND_EXCEEDED_TRANSACTION_AMOUNT")
        now = format_time(self._core.clock.now())
        refunded = Decimal(sale["refunded"]) + amount
        state = "refunded" if refunded == Decimal(sale["amount"]) else "partially_refunded"
        sale |= {"refunded": str(refunded), "state": state, "update_time": now}
        refund: Document = {
            "id": new_id("", 17),
            "sale_id": sale_id,
            "amount": str(amount),
            "total": str(refunded),
            "currency": currency,
            "create_time": now,
        }
        self._core.store.put("sale", sale_id, sale, parent=sale["subscription_id"])
        self._core.store.put("refund", refund["id"], refund, parent=sale_id)
        # in an event the amount of a refund is negative
        resource = {
            **self._view_of_refund(refund),
            "amount": total(-amount, currency),
            "refund_reason_code": "REFUND",
        }
        self._emit("PAYMENT.SALE.REFUNDED", {**sale, "amount": amount}, resource, "A {} sale payment was refunded")

    def reverse_sale(self, sale_id: str) -> None:
        """Reverse a sale, as after a chargeback; API v1 shows it as refunded."""
        sale = self._record(sale_id)
        if sale["state"] == "refunded":
            raise PayPalError(400, "TRANSACTION_ALREADY_REFUNDED")
        sale |= {
            "refunded": sale["amount"],
            "state": "refunded",
            "reason_code": "CHARGEBACK",
            "update_time": format_time(self._core.clock.now()),
        }
        self._core.store.put("sale", sale_id, sale, parent=sale["subscription_id"])
        self._emit("PAYMENT.SALE.REVERSED", sale, self._view(sale), "A {} sale payment was reversed")

    def _emit(self, event_type: str, sale: Document, resource: Document, summary: str) -> None:
        currency = sale["currency"]
        amount = f"{currency} {rounded(Decimal(sale['amount']), currency)} {currency}"
        self._events.emit(event_type, resource, subject=sale["subscription_id"], summary=summary.format(amount))

    def _record(self, id_: str) -> Document:
        sale = self._core.store.get("sale", id_)
        if sale is None:
            raise not_found()
        return sale

    def _view(self, sale: Document) -> Document:
        amount, currency = Decimal(sale["amount"]), sale["currency"]
        href = f"{self._core.base}{SALES_PATH}/{sale['id']}"
        return {
            "id": sale["id"],
            "state": sale["state"],
            "amount": {**total(amount, currency), "details": {"subtotal": str(rounded(amount, currency))}},
            "payment_mode": "INSTANT_TRANSFER",
            "protection_eligibility": "ELIGIBLE",
            "protection_eligibility_type": "ITEM_NOT_RECEIVED_ELIGIBLE,UNAUTHORIZED_PAYMENT_ELIGIBLE",
            "transaction_fee": money_v1(Decimal(sale["fee"]), currency),
            **({"reason_code": sale["reason_code"]} if "reason_code" in sale else {}),
            "invoice_number": "",
            "billing_agreement_id": sale["subscription_id"],
            **({"custom": sale["custom"]} if sale["custom"] else {}),
            "create_time": sale["create_time"],
            "update_time": sale["update_time"],
            "links": [link(href, "self", "GET"), link(f"{href}/refund", "refund", "POST")],
        }

    def _view_of_refund(self, refund: Document) -> Document:
        amount, currency = Decimal(refund["amount"]), refund["currency"]
        return {
            "id": refund["id"],
            "state": "completed",
            "amount": total(amount, currency),
            "refund_from_received_amount": money_v1(amount, currency),
            "refund_from_transaction_fee": money_v1(Decimal(0), currency),
            "refund_to_payer": money_v1(amount, currency),
            "total_refunded_amount": money_v1(Decimal(refund["total"]), currency),
            "sale_id": refund["sale_id"],
            "create_time": refund["create_time"],
            "update_time": refund["create_time"],
            "links": [
                link(f"{self._core.base}{REFUNDS_PATH}/{refund['id']}", "self", "GET"),
                link(f"{self._core.base}{SALES_PATH}/{refund['sale_id']}", "sale", "GET"),
            ],
        }


RETRY_AFTER = timedelta(days=5)
MAX_DUE_AT_ONCE = 100_000


class RecurringBilling:
    """Changes a subscription's record for each payment. `view` returns the resource that PayPal shows for a record."""

    def __init__(
        self, core: SimulatorCore, sales: Sales, events: EventLog, view: Callable[[Document], Document]
    ) -> None:
        self._core = core
        self._sales = sales
        self._events = events
        self._view = view

    def store_subscription(self, record: Document) -> None:
        """Store a subscription's record together with the time of its next payment."""
        due = None
        if record["status"] == "ACTIVE":
            times = [parse_time(record[name]).timestamp() for name in ("next_billing", "retry") if record[name]]
            due = min(times, default=None)
        self._core.store.put("subscription", record["id"], record, due=due)

    def begin(self, record: Document) -> Callable[[], None]:
        """Take the first payment unless the subscription starts later; return a function that emits its events."""
        start = parse_time(record["start_time"])
        record["next_billing"] = record["start_time"]
        emit = self._bill(record, fails=self._payments_fail()) if start <= self._core.clock.now() else _emit_nothing
        self.store_subscription(record)
        return emit

    def resume(self, record: Document) -> None:
        """Continue a suspended subscription; the time of the suspension is not charged."""
        record |= {"failed": 0, "retry": None}
        count = record["cycles"][0]["completed"]
        while parse_time(record["next_billing"]) <= self._core.clock.now():
            count += 1
            record["next_billing"] = format_time(self._billing_time(record, count))

    def run_due(self, until: datetime) -> None:
        """Take all payments that are due by `until`, each at its own time."""
        for _ in range(MAX_DUE_AT_ONCE):
            with self._core.store.transaction():
                found = self._core.store.due("subscription", until.timestamp(), 1)
                if not found:
                    return
                record = found[0]
                times = [parse_time(record[name]) for name in ("next_billing", "retry") if record[name]]
                with self._core.clock.at(min(times)):
                    self.charge(record, fails=self._payments_fail())

    def charge(self, record: Document, *, fails: bool) -> None:
        """Charge an active subscription now: the retry if it is due before the next renewal, otherwise the renewal."""
        if record["status"] != "ACTIVE":
            raise unprocessable("SUBSCRIPTION_STATUS_INVALID", "Only an active subscription can be charged.")
        is_retry = record["retry"] and parse_time(record["retry"]) < parse_time(record["next_billing"])
        emit = self._collect(record, fails=fails) if is_retry else self._bill(record, fails=fails)
        self.store_subscription(record)
        emit()

    def _payments_fail(self) -> bool:
        return self._core.switches.payments == "fail"

    def _bill(self, record: Document, *, fails: bool) -> Callable[[], None]:
        (cycle,) = record["cycles"]
        cycle["completed"] += 1
        record["next_billing"] = format_time(self._billing_time(record, cycle["completed"]))
        record["outstanding"] = str(Decimal(record["outstanding"]) + Decimal(cycle["price"]))
        return self._collect(record, fails=fails)

    def _collect(self, record: Document, *, fails: bool) -> Callable[[], None]:
        """Collect the outstanding amount or fail; change the record, and return a function that emits the events."""
        now = self._core.clock.now()
        record |= {"update_time": format_time(now), "retry": None}
        if fails:
            return self._fail(record, now)
        amount = Decimal(record["outstanding"])
        record |= {"outstanding": "0", "failed": 0}
        if amount == 0:
            return _emit_nothing
        sale = self._sales.create(record, amount)
        record["last_payment"] = {"amount": sale["amount"], "time": sale["create_time"]}
        return lambda: self._sales.emit_completed(sale)

    def _fail(self, record: Document, now: datetime) -> Callable[[], None]:
        record["failed"] += 1
        suspended = 0 < record["threshold"] <= record["failed"]
        if not suspended:
            record["retry"] = format_time(now + RETRY_AFTER)
        failed = self._view(record)
        if suspended:
            record |= {"status": "SUSPENDED", "status_update_time": format_time(now)}

        def emit() -> None:
            self._events.emit("BILLING.SUBSCRIPTION.PAYMENT.FAILED", failed, subject=record["id"])
            if suspended:
                self._events.emit("BILLING.SUBSCRIPTION.SUSPENDED", self._view(record), subject=record["id"])

        return emit

    def _billing_time(self, record: Document, count: int) -> datetime:
        """Return the time at which `count` cycles have passed. PayPal bills at 10:00 UTC, as captured events show."""
        (cycle,) = record["cycles"]
        moment = add_interval(parse_time(record["start_time"]), cycle["unit"], cycle["count"] * count)
        if self._core.switches.billing_time == "exact":
            return moment
        return moment.replace(hour=10, minute=0, second=0, microsecond=0)


def _emit_nothing() -> None:
    """Do nothing: no payment was attempted."""
