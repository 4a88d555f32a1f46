"""Subscriptions and the states they go through (Subscriptions v1).

APPROVAL_PENDING -> (APPROVED ->) ACTIVE <-> SUSPENDED, and from these CANCELLED or EXPIRED, where it ends. What PayPal
shows of one is made by `shown` from the record that is kept: in particular `next_billing_time` stands there only while
the subscription is ACTIVE, as captured events of the sandbox have it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from infra.local.simulators.paypal.charging import Charging, amount_of, is_over
from infra.local.simulators.paypal.checks import Fields
from infra.local.simulators.paypal.errors import invalid, not_found, unprocessable
from infra.local.simulators.paypal.shapes import (
    approval_token,
    full_money,
    link,
    moment_of,
    money,
    payer_id,
    stamp,
    subscription_id,
)

if TYPE_CHECKING:
    from infra.local.simulators.paypal.catalogue import Catalogue
    from infra.local.simulators.paypal.clock import Clock
    from infra.local.simulators.paypal.events import Events
    from infra.local.simulators.paypal.shapes import Document
    from infra.local.simulators.paypal.store import Store

SUBSCRIPTIONS_PATH = "/v1/billing/subscriptions"
APPROVAL_PATH = "/webapps/billing/subscriptions"

_ALLOWED = {
    "cancel": (("ACTIVE", "SUSPENDED"), "subscription status should be active or suspended"),
    "suspend": (("ACTIVE",), "subscription status should be active"),
    "activate": (("APPROVED", "SUSPENDED"), "subscription status should be approved or suspended"),
    "expire": (("ACTIVE", "SUSPENDED"), "subscription status should be active or suspended"),
}


class Subscriptions:
    """Who has subscribed to what, and how it stands."""

    def __init__(
        self, store: Store, clock: Clock, base: str, *, catalogue: Catalogue, charging: Charging, events: Events
    ) -> None:
        self._store = store
        self._clock = clock
        self._base = base
        self._catalogue = catalogue
        self._charging = charging
        self._events = events
        charging.shown = self.shown

    def create(self, body: object) -> Document:
        """Make a subscription that waits for approval."""
        given = Fields(body)
        id_of_plan = given.text("plan_id", longest=50, shortest=3)
        quantity = given.optional_text("quantity", longest=32)
        custom_id = given.optional_text("custom_id", longest=127)
        now = self._clock.now()
        start = given.moment("start_time")
        if start is not None and start <= now:
            raise invalid(
                given.at("start_time"), "INVALID_PARAMETER_VALUE", "Start time must be a valid future date and time."
            )
        subscriber = given.child("subscriber").value if "subscriber" in given else {}
        context: Document = {}
        if "application_context" in given:
            asked = given.child("application_context")
            context = {
                "brand_name": asked.optional_text("brand_name", longest=127),
                "user_action": asked.choice("user_action", ("CONTINUE", "SUBSCRIBE_NOW"), "SUBSCRIBE_NOW"),
                "return_url": asked.address("return_url"),
                "cancel_url": asked.address("cancel_url"),
            }
        plan = self._catalogue.plan(id_of_plan)
        if plan["status"] != "ACTIVE":
            raise unprocessable(
                "PLAN_STATUS_INVALID", "Invalid plan status for subscription creation; plan status should be active."
            )
        if quantity is not None and not plan["quantity_supported"] and quantity != "1":
            raise unprocessable(
                "SUBSCRIPTION_CANNOT_HAVE_QUANTITY",
                "Subscription can't have quantity as the plan does not support quantity.",
            )
        token = approval_token()
        record: Document = {
            "id": subscription_id(),
            "plan_id": id_of_plan,
            "status": "APPROVAL_PENDING",
            "status_update_time": stamp(now),
            "create_time": stamp(now),
            "update_time": stamp(now),
            "start_time": stamp(start or now),
            "quantity": quantity or "1",
            "custom_id": custom_id,
            "subscriber": subscriber,
            "context": context,
            "token": token,
            **self._charging.terms_of(plan),
        }
        self._store.put("approval", token, {"subscription_id": record["id"]})
        self._store.put("subscription", record["id"], record)
        self._events.of_subscription("BILLING.SUBSCRIPTION.CREATED", self.shown(record))
        return self.shown(record)

    def record(self, id_: str) -> Document:
        """Return what is kept of a subscription."""
        record = self._store.get("subscription", id_)
        if record is None:
            raise not_found()
        return record

    def by_token(self, token: str) -> Document | None:
        """Return the record of the subscription that an approval page is for."""
        found = self._store.get("approval", token)
        return self._store.get("subscription", found["subscription_id"]) if found else None

    def all(self) -> list[Document]:
        """Return all subscriptions as PayPal shows them, newest first."""
        return [self.shown(record) for record in reversed(self._store.all("subscription"))]

    def shown(self, record: Document, *, fields: tuple[str, ...] = ()) -> Document:
        """Return a subscription as PayPal shows it; `fields` may ask for `plan` and `last_failed_payment`."""
        shown: Document = {
            "status": record["status"],
            "status_update_time": record["status_update_time"],
            "id": record["id"],
            "plan_id": record["plan_id"],
            "start_time": record["start_time"],
            "quantity": record["quantity"],
            "shipping_amount": money(Decimal(0), record["currency"]),
            "subscriber": record["subscriber"],
            "create_time": record["create_time"],
            "update_time": record["update_time"],
            "plan_overridden": False,
        }
        for name in ("status_change_note", "custom_id"):
            if record.get(name) is not None:
                shown[name] = record[name]
        if record["status"] not in ("APPROVAL_PENDING", "APPROVED"):
            shown["billing_info"] = _billing_info(record, failed="last_failed_payment" in fields)
        if "plan" in fields:
            shown["plan"] = self._catalogue.plan(record["plan_id"])
        shown["links"] = self._links(record)
        return shown

    def approve(self, token: str) -> Document:
        """Do what happens when the payer approves: activate and charge, or wait for the merchant to activate."""
        record = self.by_token(token)
        if record is None:
            raise not_found()
        if record["status"] != "APPROVAL_PENDING":
            return record
        payer = payer_id()
        address = f"payer-{payer.lower()}@example.com"
        name = {"given_name": "Simulated", "surname": "Payer"}
        record["subscriber"] = {"email_address": address, "name": name, **record["subscriber"], "payer_id": payer}
        if record["context"].get("user_action") == "CONTINUE":
            self._enter(record, "APPROVED")
            self._store.put("subscription", record["id"], record)
            return record
        return self._begin(record)

    def act(self, id_: str, action: str, *, note: str | None = None) -> Document:
        """Cancel, suspend, activate or expire a subscription; raise PayPalError where its state forbids that."""
        record = self.record(id_)
        allowed, sentence = _ALLOWED[action]
        if record["status"] not in allowed:
            raise unprocessable(
                "SUBSCRIPTION_STATUS_INVALID", f"Invalid subscription status for {action} action; {sentence}."
            )
        if note is not None:
            record["status_change_note"] = note
        if action == "activate" and record["status"] == "APPROVED":
            return self._begin(record)
        status = {"cancel": "CANCELLED", "suspend": "SUSPENDED", "activate": "ACTIVE", "expire": "EXPIRED"}[action]
        self._enter(record, status)
        event = status
        if action == "activate":
            event = "RE-ACTIVATED"
            self._charging.resume(record)
        else:
            record["retry"] = None
        self._charging.keep(record)
        self._events.of_subscription(f"BILLING.SUBSCRIPTION.{event}", self.shown(record))
        return record

    def transactions(self, id_: str, start: str | None, end: str | None) -> Document:
        """Return the payments between two times."""
        record = self.record(id_)
        bounds = []
        for name, text in (("start_time", start), ("end_time", end)):
            if text is None:
                raise invalid(name, "MISSING_REQUIRED_PARAMETER", "A required field is missing.", location="query")
            try:
                bounds.append(moment_of(text))
            except ValueError:
                raise invalid(
                    name,
                    "INVALID_PARAMETER_SYNTAX",
                    "The value of a field does not conform to the expected format.",
                    value=text,
                    location="query",
                ) from None
        transactions = [
            self._transaction(record, sale)
            for sale in self._store.all("sale", parent=id_)
            if bounds[0] <= moment_of(sale["create_time"]) <= bounds[1]
        ]
        href = f"{self._base}{SUBSCRIPTIONS_PATH}/{id_}/transactions?start_time={start}&end_time={end}"
        return {
            "transactions": transactions,
            "links": [link(href, "self", "GET")],
            "total_items": len(transactions),
            "total_pages": 1 if transactions else 0,
        }

    def _begin(self, record: Document) -> Document:
        """Make it ACTIVE and take the first payment, unless it starts later; then tell of both."""
        now = self._clock.now()
        if moment_of(record["start_time"]) <= now:
            record["start_time"] = stamp(now)
        self._enter(record, "ACTIVE")
        tell = self._charging.begin(record)
        # its only payment may have been its last already, which is told after this
        self._events.of_subscription("BILLING.SUBSCRIPTION.ACTIVATED", self.shown({**record, "status": "ACTIVE"}))
        tell()
        return record

    def _enter(self, record: Document, status: str) -> None:
        now = stamp(self._clock.now())
        record |= {"status": status, "status_update_time": now, "update_time": now}

    def _transaction(self, record: Document, sale: Document) -> Document:
        amount, fee, currency = Decimal(sale["amount"]), Decimal(sale["fee"]), sale["currency"]
        states = {"completed": "COMPLETED", "partially_refunded": "PARTIALLY_REFUNDED", "refunded": "REFUNDED"}
        subscriber = record["subscriber"]
        return {
            "status": states[sale["state"]],
            "id": sale["id"],
            "amount_with_breakdown": {
                "gross_amount": full_money(amount, currency),
                "fee_amount": full_money(fee, currency),
                "net_amount": full_money(amount - fee, currency),
            },
            "payer_name": subscriber.get("name", {}),
            "payer_email": subscriber.get("email_address", ""),
            "time": f"{sale['create_time'][:-1]}.000Z",
        }

    def _links(self, record: Document) -> list[Document]:
        href = f"{self._base}{SUBSCRIPTIONS_PATH}/{record['id']}"
        status = record["status"]
        if status == "APPROVAL_PENDING":
            page = f"{self._base}{APPROVAL_PATH}?ba_token={record['token']}"
            approve = {"href": page, "rel": "approve", "method": "GET"}
            return [approve, link(href, "edit", "PATCH"), link(href, "self", "GET")]
        actions = {
            "APPROVED": ("activate",),
            "ACTIVE": ("cancel", "suspend", "capture"),
            "SUSPENDED": ("activate", "cancel"),
        }.get(status, ())
        edit = [link(href, "edit", "PATCH")] if actions else []
        return [*edit, link(href, "self", "GET"), *(link(f"{href}/{each}", each, "POST") for each in actions)]


def _billing_info(record: Document, *, failed: bool) -> Document:
    currency = record["currency"]
    info: Document = {
        "outstanding_balance": money(Decimal(record["outstanding"]), currency),
        "cycle_executions": [
            {
                "tenure_type": cycle["tenure_type"],
                "sequence": cycle["sequence"],
                "cycles_completed": cycle["completed"],
                "cycles_remaining": max(cycle["total_cycles"] - cycle["completed"], 0),
                "current_pricing_scheme_version": 1,
                "total_cycles": cycle["total_cycles"],
            }
            for cycle in record["cycles"]
        ],
    }
    if record["last_payment"]:
        info["last_payment"] = {
            "amount": money(amount_of(record["last_payment"]), currency),
            "time": record["last_payment"]["time"],
        }
    if record["status"] == "ACTIVE" and record["next_billing"] and not is_over(record):
        info["next_billing_time"] = record["next_billing"]
    info["failed_payments_count"] = record["failed"]
    if failed and record["last_failed"]:
        info["last_failed_payment"] = {
            "amount": money(amount_of(record["last_failed"]), currency),
            "time": record["last_failed"]["time"],
            "reason_code": "PAYMENT_DENIED",
            **({"next_payment_retry_time": record["retry"]} if record["retry"] else {}),
        }
    return info
