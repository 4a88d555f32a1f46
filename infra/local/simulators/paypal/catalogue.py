"""Products and plans (Catalog Products v1, Subscriptions v1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.local.simulators.paypal.checks import Fields
from infra.local.simulators.paypal.clock import UNITS
from infra.local.simulators.paypal.errors import not_found, unprocessable
from infra.local.simulators.paypal.shapes import link, money, plan_id, product_id, stamp

if TYPE_CHECKING:
    from infra.local.simulators.paypal.clock import Clock
    from infra.local.simulators.paypal.shapes import Document
    from infra.local.simulators.paypal.store import Store

PRODUCTS_PATH = "/v1/catalogs/products"
PLANS_PATH = "/v1/billing/plans"


class Catalogue:
    """What can be subscribed to."""

    def __init__(self, store: Store, clock: Clock, base: str) -> None:
        self._store = store
        self._clock = clock
        self._base = base

    def create_product(self, body: object) -> Document:
        """Make a product."""
        given = Fields(body)
        now = stamp(self._clock.now())
        product: Document = {
            "id": given.optional_text("id", longest=50) or product_id(),
            "name": given.text("name", longest=127),
            "description": given.optional_text("description", longest=256),
            "type": given.choice("type", ("PHYSICAL", "DIGITAL", "SERVICE")),
            "category": given.optional_text("category", longest=256),
            "image_url": given.optional_text("image_url", longest=2000),
            "home_url": given.optional_text("home_url", longest=2000),
            "create_time": now,
            "update_time": now,
        }
        if self._store.get("product", product["id"]):
            raise unprocessable("DUPLICATE_RESOURCE_IDENTIFIER", "A resource with the same identifier already exists.")
        product = {name: value for name, value in product.items() if value is not None}
        href = f"{self._base}{PRODUCTS_PATH}/{product['id']}"
        product["links"] = [link(href, "self", "GET"), link(href, "edit", "PATCH")]
        self._store.put("product", product["id"], product)
        return product

    def product(self, id_: str) -> Document:
        """Return a product."""
        return _found(self._store.get("product", id_))

    def products(self) -> list[Document]:
        """Return all products, the newest first, as lists show them."""
        shown = ("id", "name", "description", "create_time", "links")
        return [{name: each[name] for name in shown if name in each} for each in reversed(self._store.all("product"))]

    def create_plan(self, body: object) -> Document:
        """Make a plan."""
        given = Fields(body)
        now = stamp(self._clock.now())
        product = given.text("product_id", longest=50, shortest=6)
        name = given.text("name", longest=127)
        status = given.choice("status", ("CREATED", "ACTIVE"), "ACTIVE")
        cycles = [_cycle(each, now) for each in given.children("billing_cycles", most=12)]
        preferences = given.child("payment_preferences")
        if self._store.get("product", product) is None:
            raise not_found()
        _check_cycles(cycles)
        id_ = plan_id()
        plan: Document = {
            "id": id_,
            "product_id": product,
            "name": name,
            "status": status,
            "description": given.optional_text("description", longest=127),
            "usage_type": "LICENSED",
            "billing_cycles": cycles,
            "payment_preferences": {
                "service_type": "PREPAID",
                "auto_bill_outstanding": preferences.flag("auto_bill_outstanding", default=True),
                "setup_fee_failure_action": preferences.choice(
                    "setup_fee_failure_action", ("CANCEL", "CONTINUE"), "CANCEL"
                ),
                "payment_failure_threshold": preferences.number(
                    "payment_failure_threshold", least=0, most=999, default=0
                ),
            },
            "quantity_supported": given.flag("quantity_supported", default=False),
            "create_time": now,
            "update_time": now,
        }
        plan = {name: value for name, value in plan.items() if value is not None}
        self._store.put("plan", id_, plan)
        return self.plan(id_)

    def plan(self, id_: str) -> Document:
        """Return a plan."""
        plan = _found(self._store.get("plan", id_))
        href = f"{self._base}{PLANS_PATH}/{id_}"
        turn = "deactivate" if plan["status"] == "ACTIVE" else "activate"
        links = [
            link(href, "self", "GET"),
            link(href, "edit", "PATCH"),
            link(f"{href}/{turn}", turn, "POST"),
            link(f"{href}/update-pricing-schemes", "edit", "POST"),
        ]
        return {**plan, "links": links}

    def plans(self, *, product: str | None = None) -> list[Document]:
        """Return all plans, the newest first, or those of a product."""
        plans = [self.plan(each["id"]) for each in reversed(self._store.all("plan"))]
        return [plan for plan in plans if product in (None, plan["product_id"])]

    def turn_plan(self, id_: str, action: str) -> None:
        """Let a plan be subscribed to ("activate") or no longer ("deactivate")."""
        plan = _found(self._store.get("plan", id_))
        wanted = "ACTIVE" if action == "activate" else "INACTIVE"
        allowed = ("CREATED", "INACTIVE") if action == "activate" else ("ACTIVE", "CREATED")
        if plan["status"] not in allowed:
            raise unprocessable(
                "PLAN_STATUS_INVALID",
                f"Invalid plan status for {action} action; plan status should be {' or '.join(allowed).lower()}.",
            )
        plan |= {"status": wanted, "update_time": stamp(self._clock.now())}
        self._store.put("plan", id_, plan)


def _found(document: Document | None) -> Document:
    if document is None:
        raise not_found()
    return document


def _cycle(given: Fields, now: str) -> Document:
    frequency = given.child("frequency")
    unit = frequency.choice("interval_unit", tuple(UNITS))
    tenure = given.choice("tenure_type", ("REGULAR", "TRIAL"))
    cycle: Document = {
        "frequency": {
            "interval_unit": unit,
            "interval_count": frequency.number("interval_count", least=1, most=UNITS[unit], default=1),
        },
        "tenure_type": tenure,
        "sequence": given.number("sequence", least=1, most=99),
        "total_cycles": given.number("total_cycles", least=0, most=999, default=1),
    }
    if tenure == "REGULAR" or "pricing_scheme" in given:
        amount, currency = given.child("pricing_scheme").money("fixed_price")
        cycle["pricing_scheme"] = {
            "version": 1,
            "fixed_price": money(amount, currency),
            "create_time": now,
            "update_time": now,
        }
    return cycle


def _check_cycles(cycles: list[Document]) -> None:
    tenures = [cycle["tenure_type"] for cycle in sorted(cycles, key=lambda cycle: int(cycle["sequence"]))]
    if "REGULAR" not in tenures:
        raise unprocessable("MISSING_REGULAR_BILLING_CYCLE", "Plan should have at least one regular billing cycle.")
    if tenures.count("REGULAR") > 1:
        raise unprocessable(
            "MULTIPLE_REGULAR_BILLING_CYCLES_NOT_SUPPORTED", "Only one regular billing cycle is allowed."
        )
    if tenures.count("TRIAL") > 2:
        raise unprocessable(
            "MORE_THAN_TWO_TRIAL_BILLING_CYCLE_NOT_SUPPORTED", "Only two trial billing cycles are allowed."
        )
    if sorted(cycle["sequence"] for cycle in cycles) != list(range(1, len(cycles) + 1)):
        raise unprocessable(
            "INVALID_BILLING_CYCLE_SEQUENCE", "Billing cycle sequence should start with `1` and be consecutive."
        )
    if tenures[-1] != "REGULAR":
        raise unprocessable(
            "INVALID_BILLING_CYCLE_SEQUENCE", "Trial Billing cycle should precede regular billing cycle."
        )
    if any(cycle["tenure_type"] == "TRIAL" and cycle["total_cycles"] == 0 for cycle in cycles):
        raise unprocessable(
            "INVALID_TRIAL_BILLING_TOTAL_CYCLES", "Total cycles for trial billing must be greater than '0'."
        )
    currencies = {
        cycle["pricing_scheme"]["fixed_price"]["currency_code"] for cycle in cycles if "pricing_scheme" in cycle
    }
    if len(currencies) > 1:
        raise unprocessable("CURRENCY_MISMATCH", "All currency codes in the request should be of similar value.")
