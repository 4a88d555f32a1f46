"""Subscriptions and their states (Subscriptions v1).

APPROVAL_PENDING -> ACTIVE <-> SUSPENDED; ACTIVE and SUSPENDED -> CANCELLED or EXPIRED, which are final. A resource has
`next_billing_time` only while the subscription is ACTIVE, as in events captured from the sandbox.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from infra.local.simulators.paypal.formats import (
    format_time,
    format_time_ms,
    link,
    money,
    money_of_transaction,
    new_id,
    parse_time,
)
from infra.local.simulators.paypal.payments import RecurringBilling
from infra.local.simulators.paypal.validation import (
    RequestFields,
    invalid,
    malformed,
    missing,
    not_found,
    unprocessable,
)

if TYPE_CHECKING:
    from infra.local.simulators.paypal.control import SimulatorCore
    from infra.local.simulators.paypal.formats import Document
    from infra.local.simulators.paypal.payments import Sales
    from infra.local.simulators.paypal.plans import SimulatedPlans
    from infra.local.simulators.paypal.webhooks import EventLog

SUBSCRIPTIONS_PATH = "/v1/billing/subscriptions"
APPROVAL_PATH = "/webapps/billing/subscriptions"

_CONTEXT_FIELDS = {"brand_name", "shipping_preference", "user_action", "return_url", "cancel_url"}
_ACTIONS = {
    "cancel": ("CANCELLED", ("ACTIVE", "SUSPENDED"), "subscription status should be active or suspended"),
    "suspend": ("SUSPENDED", ("ACTIVE",), "subscription status should be active"),
    "activate": ("ACTIVE", ("SUSPENDED",), "subscription status should be approved or suspended"),
    "expire": ("EXPIRED", ("ACTIVE", "SUSPENDED"), "subscription status should be active or suspended"),
}


class SimulatedSubscriptions:
    """All subscriptions. Each is stored as a record; `view` returns the resource that PayPal shows for it."""

    def __init__(self, core: SimulatorCore, plans: SimulatedPlans, sales: Sales, events: EventLog) -> None:
        self._core = core
        self._plans = plans
        self._events = events
        self.billing = RecurringBilling(core, sales, events, self.view)

    def create_subscription(self, body: object) -> Document:
        """Create a subscription that waits for approval, and return its resource."""
        given = RequestFields(body, {"plan_id", "custom_id", "start_time", "application_context"})
        plan_id = given.text("plan_id", longest=50, shortest=3)
        custom_id = given.optional_text("custom_id", longest=127)
        now, start = self._core.clock.now(), given.time("start_time")
        if start is not None and start <= now:
            raise invalid(
                given.at("start_time"), "INVALID_PARAMETER_VALUE", "Start time must be a valid future date and time."
            )
        context: Document = {}
        if "application_context" in given:
            asked = given.child("application_context", _CONTEXT_FIELDS)
            asked.choice("user_action", ("SUBSCRIBE_NOW",), "SUBSCRIBE_NOW")
            asked.choice("shipping_preference", ("GET_FROM_FILE", "NO_SHIPPING"), "GET_FROM_FILE")
            context = {
                "brand_name": asked.optional_text("brand_name", longest=127),
                "return_url": asked.url("return_url"),
                "cancel_url": asked.url("cancel_url"),
            }
        plan = self._plans.plan(plan_id)
        if plan["status"] != "ACTIVE":
            raise unprocessable(
                "PLAN_STATUS_INVALID", "Invalid plan status for subscription creation; plan status should be active."
            )
        (cycle,) = plan["billing_cycles"]
        price = cycle["pricing_scheme"]["fixed_price"]
        record: Document = {
            "id": new_id("I-", 12),
            "plan_id": plan_id,
            "status": "APPROVAL_PENDING",
            "status_update_time": format_time(now),
            "create_time": format_time(now),
            "update_time": format_time(now),
            "start_time": format_time(start or now),
            "custom_id": custom_id,
            "subscriber": {},
            "context": context,
            "token": new_id("BA-", 17),
            "currency": price["currency_code"],
            "cycles": [
                {
                    "unit": cycle["frequency"]["interval_unit"],
                    "count": cycle["frequency"]["interval_count"],
                    "price": price["value"],
                    "completed": 0,
                }
            ],
            "threshold": plan["payment_preferences"]["payment_failure_threshold"],
            "outstanding": "0",
            "failed": 0,
            "last_payment": None,
            "next_billing": None,
            "retry": None,
        }
        self._core.store.put("approval", record["token"], {"subscription_id": record["id"]})
        self._core.store.put("subscription", record["id"], record)
        self._emit("CREATED", record)
        return self.view(record)

    def subscription(self, id_: str) -> Document:
        """Return the resource of a subscription; raise PayPalError if there is none."""
        return self.view(self.record(id_))

    def record(self, id_: str) -> Document:
        """Return the record of a subscription; raise PayPalError if there is none."""
        record = self._core.store.get("subscription", id_)
        if record is None:
            raise not_found()
        return record

    def record_by_token(self, token: str) -> Document | None:
        """Return the record of the subscription to which an approval page belongs."""
        found = self._core.store.get("approval", token)
        return self._core.store.get("subscription", found["subscription_id"]) if found else None

    def all_subscriptions(self) -> list[Document]:
        """Return the resources of all subscriptions, newest first."""
        return [self.view(record) for record in reversed(self._core.store.all("subscription"))]

    def view(self, record: Document) -> Document:
        """Return the resource that PayPal shows for a record."""
        view: Document = {
            "status": record["status"],
            "status_update_time": record["status_update_time"],
            "id": record["id"],
            "plan_id": record["plan_id"],
            "start_time": record["start_time"],
            "quantity": "1",
            "shipping_amount": money(Decimal(0), record["currency"]),
            "subscriber": record["subscriber"],
            "create_time": record["create_time"],
            "update_time": record["update_time"],
            "plan_overridden": False,
        }
        for name in ("status_change_note", "custom_id"):
            if record.get(name) is not None:
                view[name] = record[name]
        if record["status"] != "APPROVAL_PENDING":
            view["billing_info"] = _billing_info(record)
        return {**view, "links": self._links(record)}

    def approve(self, token: str) -> Document:
        """Activate the subscription, as PayPal does when the payer approves it, and take the first payment."""
        record = self.record_by_token(token)
        if record is None:
            raise not_found()
        if record["status"] != "APPROVAL_PENDING":
            return record
        now = self._core.clock.now()
        payer = new_id("", 13)
        record["subscriber"] = {
            "email_address": f"payer-{payer.lower()}@example.com",
            "name": {"given_name": "Simulated", "surname": "Payer"},
            "payer_id": payer,
        }
        if parse_time(record["start_time"]) <= now:
            record["start_time"] = format_time(now)
        self._set_status(record, "ACTIVE")
        emit_payment = self.billing.begin(record)
        # a failed first payment may already have suspended it; that event is emitted after this one
        self._emit("ACTIVATED", {**record, "status": "ACTIVE"})
        emit_payment()
        return record

    def act(self, id_: str, action: str, *, note: str | None = None) -> None:
        """Cancel, suspend, activate or expire a subscription; raise PayPalError if its state forbids that."""
        record = self.record(id_)
        status, allowed, sentence = _ACTIONS[action]
        if record["status"] not in allowed:
            raise unprocessable(
                "SUBSCRIPTION_STATUS_INVALID", f"Invalid subscription status for {action} action; {sentence}."
            )
        if note is not None:
            record["status_change_note"] = note
        self._set_status(record, status)
        if action == "activate":
            self.billing.resume(record)
        else:
            record["retry"] = None
        self.billing.store_subscription(record)
        self._emit("RE-ACTIVATED" if action == "activate" else status, record)

    def transactions(self, id_: str, start: str | None, end: str | None) -> Document:
        """Return the payments between two times."""
        self.record(id_)
        bounds = []
        for name, text in (("start_time", start), ("end_time", end)):
            if text is None:
                raise missing(name, location="query")
            try:
                bounds.append(parse_time(text))
            except ValueError:
                raise malformed(name, text, location="query") from None
        sales = self._core.store.all("sale", parent=id_)
        found = [self._transaction(sale) for sale in sales if bounds[0] <= parse_time(sale["create_time"]) <= bounds[1]]
        href = f"{self._core.base}{SUBSCRIPTIONS_PATH}/{id_}/transactions?start_time={start}&end_time={end}"
        links, pages = [link(href, "self", "GET")], 1 if found else 0
        return {"transactions": found, "links": links, "total_items": len(found), "total_pages": pages}

    def _emit(self, event: str, record: Document) -> None:
        self._events.emit(f"BILLING.SUBSCRIPTION.{event}", self.view(record), subject=record["id"])

    def _set_status(self, record: Document, status: str) -> None:
        now = format_time(self._core.clock.now())
        record |= {"status": status, "status_update_time": now, "update_time": now}

    def _transaction(self, sale: Document) -> Document:
        amount, fee, currency = Decimal(sale["amount"]), Decimal(sale["fee"]), sale["currency"]
        subscriber = self.record(sale["subscription_id"])["subscriber"]
        return {
            "status": sale["state"].upper(),
            "id": sale["id"],
            "amount_with_breakdown": {
                "gross_amount": money_of_transaction(amount, currency),
                "fee_amount": money_of_transaction(fee, currency),
                "net_amount": money_of_transaction(amount - fee, currency),
            },
            "payer_name": subscriber["name"],
            "payer_email": subscriber["email_address"],
            "time": format_time_ms(parse_time(sale["create_time"])),
        }

    def _links(self, record: Document) -> list[Document]:
        href = f"{self._core.base}{SUBSCRIPTIONS_PATH}/{record['id']}"
        status = record["status"]
        if status == "APPROVAL_PENDING":
            page = f"{self._core.base}{APPROVAL_PATH}?ba_token={record['token']}"
            approve = {"href": page, "rel": "approve", "method": "GET"}
            return [approve, link(href, "edit", "PATCH"), link(href, "self", "GET")]
        actions = {"ACTIVE": ("cancel", "suspend", "capture"), "SUSPENDED": ("activate", "cancel")}.get(status, ())
        edit = [link(href, "edit", "PATCH")] if actions else []
        return [*edit, link(href, "self", "GET"), *(link(f"{href}/{each}", each, "POST") for each in actions)]


def _billing_info(record: Document) -> Document:
    currency = record["currency"]
    info: Document = {
        "outstanding_balance": money(Decimal(record["outstanding"]), currency),
        "cycle_executions": [
            {
                "tenure_type": "REGULAR",
                "sequence": 1,
                "cycles_completed": record["cycles"][0]["completed"],
                "cycles_remaining": 0,
                "current_pricing_scheme_version": 1,
                "total_cycles": 0,
            }
        ],
    }
    if record["last_payment"]:
        paid = record["last_payment"]
        info["last_payment"] = {"amount": money(Decimal(paid["amount"]), currency), "time": paid["time"]}
    if record["status"] == "ACTIVE":
        info["next_billing_time"] = record["next_billing"]
    return {**info, "failed_payments_count": record["failed"]}
