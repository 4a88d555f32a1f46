"""Sales, refunds and reversals (Payments v1)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from infra.local.simulators.paypal.checks import Fields
from infra.local.simulators.paypal.errors import PayPalError, not_found, unprocessable
from infra.local.simulators.paypal.shapes import link, old_money, rounded, stamp, total, transaction_id

if TYPE_CHECKING:
    from infra.local.simulators.paypal.clock import Clock
    from infra.local.simulators.paypal.events import Events
    from infra.local.simulators.paypal.shapes import Document
    from infra.local.simulators.paypal.store import Store

SALES_PATH = "/v1/payments/sale"
REFUNDS_PATH = "/v1/payments/refund"

FEE_SHARE, FEE_FIXED = Decimal("0.0299"), Decimal("0.35")


class Sales:
    """Money that was taken and given back."""

    def __init__(self, store: Store, clock: Clock, base: str, *, events: Events) -> None:
        self._store = store
        self._clock = clock
        self._base = base
        self._events = events

    def sell(self, record: Document, amount: Decimal) -> Document:
        """Take an amount from the payer of a subscription."""
        currency, now = record["currency"], stamp(self._clock.now())
        fee = min(rounded(amount * FEE_SHARE + FEE_FIXED, currency), amount)
        sale: Document = {
            "id": transaction_id(),
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
        self._store.put("sale", sale["id"], sale, parent=record["id"])
        return sale

    def get(self, id_: str) -> Document:
        """Return a sale's record."""
        sale = self._store.get("sale", id_)
        if sale is None:
            raise not_found()
        return sale

    def shown(self, sale: Document) -> Document:
        """Return a sale as PayPal shows it (Payments v1)."""
        amount, currency = Decimal(sale["amount"]), sale["currency"]
        href = f"{self._base}{SALES_PATH}/{sale['id']}"
        details = {"subtotal": str(rounded(amount, currency))}
        return {
            "id": sale["id"],
            "state": sale["state"],
            "amount": {**total(amount, currency), "details": details},
            "payment_mode": "INSTANT_TRANSFER",
            "protection_eligibility": "ELIGIBLE",
            "protection_eligibility_type": "ITEM_NOT_RECEIVED_ELIGIBLE,UNAUTHORIZED_PAYMENT_ELIGIBLE",
            "transaction_fee": old_money(Decimal(sale["fee"]), currency),
            **({"reason_code": sale["reason_code"]} if "reason_code" in sale else {}),
            "invoice_number": "",
            "billing_agreement_id": sale["subscription_id"],
            **({"custom": sale["custom"]} if sale["custom"] else {}),
            "create_time": sale["create_time"],
            "update_time": sale["update_time"],
            "links": [link(href, "self", "GET"), link(f"{href}/refund", "refund", "POST")],
        }

    def tell(self, event_type: str, sale: Document) -> None:
        """Tell that a sale was made or reversed."""
        amount, currency = rounded(Decimal(sale["amount"]), sale["currency"]), sale["currency"]
        summary = f"Payment completed for {currency} {amount} {currency}"
        if event_type == "PAYMENT.SALE.REVERSED":
            summary = f"A {currency} {amount} {currency} sale payment was reversed"
        self._events.emit(
            event_type, self.shown(sale), resource_type="sale", summary=summary, subject=sale["subscription_id"]
        )

    def refund(self, sale_id: str, body: object) -> Document:
        """Give back a sale, or the part that `amount` says, and return the refund."""
        given = Fields(body)
        sale = self.get(sale_id)
        left = Decimal(sale["amount"]) - Decimal(sale["refunded"])
        amount = left
        if "amount" in given:
            amount, currency = given.money("amount", "total", "currency")
            if currency != sale["currency"]:
                raise unprocessable(
                    "CURRENCY_MISMATCH", "The currency code is different from the sale's currency code."
                )
        if left == 0:
            raise PayPalError(400, "TRANSACTION_ALREADY_REFUNDED")
        if not 0 < amount <= left:
            raise PayPalError(400, "REFUND_EXCEEDED_TRANSACTION_AMOUNT")
        now = stamp(self._clock.now())
        refunded = Decimal(sale["refunded"]) + amount
        state = "refunded" if refunded == Decimal(sale["amount"]) else "partially_refunded"
        sale |= {"refunded": str(refunded), "state": state, "update_time": now}
        refund: Document = {
            "id": transaction_id(),
            "sale_id": sale_id,
            "amount": str(amount),
            "total": str(refunded),
            "currency": sale["currency"],
            "reason": given.optional_text("reason", longest=255),
            "create_time": now,
        }
        self._store.put("sale", sale_id, sale, parent=sale["subscription_id"])
        self._store.put("refund", refund["id"], refund, parent=sale_id)
        shown = self.shown_refund(refund)
        # in an event the amount of a refund is negative
        resource = {**shown, "amount": total(-amount, sale["currency"]), "refund_reason_code": "REFUND"}
        summary = (
            f"A {sale['currency']} {rounded(amount, sale['currency'])} {sale['currency']} sale payment was refunded"
        )
        self._events.emit(
            "PAYMENT.SALE.REFUNDED", resource, resource_type="refund", summary=summary, subject=sale["subscription_id"]
        )
        return shown

    def shown_refund(self, refund: Document) -> Document:
        """Return a refund as PayPal shows it (Payments v1)."""
        amount, currency = Decimal(refund["amount"]), refund["currency"]
        return {
            "id": refund["id"],
            "state": "completed",
            "amount": total(amount, currency),
            "refund_from_received_amount": old_money(amount, currency),
            "refund_from_transaction_fee": old_money(Decimal(0), currency),
            "refund_to_payer": old_money(amount, currency),
            "total_refunded_amount": old_money(Decimal(refund["total"]), currency),
            **({"reason": refund["reason"]} if refund["reason"] else {}),
            "sale_id": refund["sale_id"],
            "create_time": refund["create_time"],
            "update_time": refund["create_time"],
            "links": [
                link(f"{self._base}{REFUNDS_PATH}/{refund['id']}", "self", "GET"),
                link(f"{self._base}{SALES_PATH}/{refund['sale_id']}", "sale", "GET"),
            ],
        }

    def get_refund(self, id_: str) -> Document:
        """Return a refund."""
        refund = self._store.get("refund", id_)
        if refund is None:
            raise not_found()
        return self.shown_refund(refund)

    def reverse(self, sale_id: str) -> Document:
        """Take a sale back from the merchant, as after a chargeback; v1 has no other state than refunded."""
        sale = self.get(sale_id)
        if sale["state"] == "refunded":
            raise PayPalError(400, "TRANSACTION_ALREADY_REFUNDED")
        sale |= {
            "refunded": sale["amount"],
            "state": "refunded",
            "reason_code": "CHARGEBACK",
            "update_time": stamp(self._clock.now()),
        }
        self._store.put("sale", sale_id, sale, parent=sale["subscription_id"])
        self.tell("PAYMENT.SALE.REVERSED", sale)
        return sale
