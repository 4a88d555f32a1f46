"""Products and plans (Catalog Products v1, Subscriptions v1): a plan has one cycle that repeats until cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.local.simulators.paypal.formats import INTERVAL_UNITS, format_time, money, new_id
from infra.local.simulators.paypal.validation import RequestFields, not_found, not_simulated, unprocessable

if TYPE_CHECKING:
    from infra.local.simulators.paypal.control import SimulatorCore
    from infra.local.simulators.paypal.formats import Document

PRODUCTS_PATH = "/v1/catalogs/products"
PLANS_PATH = "/v1/billing/plans"

_PLAN_FIELDS = {"product_id", "name", "description", "status", "billing_cycles", "payment_preferences"}
_CYCLE_FIELDS = {"frequency", "tenure_type", "sequence", "total_cycles", "pricing_scheme"}


class SimulatedPlans:
    """The products of the merchant and their plans."""

    def __init__(self, core: SimulatorCore) -> None:
        self._core = core

    def create_product(self, body: object) -> Document:
        """Create a product and return it."""
        given = RequestFields(body, {"name", "description", "type", "category"})
        now = format_time(self._core.clock.now())
        product: Document = {
            "id": new_id("PROD-", 17),
            "name": given.text("name", longest=127),
            "description": given.optional_text("description", longest=256),
            "type": given.choice("type", ("PHYSICAL", "DIGITAL", "SERVICE")),
            "category": given.optional_text("category", longest=256),
            "create_time": now,
            "update_time": now,
        }
        product = {name: value for name, value in product.items() if value is not None}
        self._core.store.put("product", product["id"], product)
        return product

    def create_plan(self, body: object) -> Document:
        """Create a plan and return it."""
        given = RequestFields(body, _PLAN_FIELDS)
        now = format_time(self._core.clock.now())
        plan: Document = {
            "id": new_id("P-", 24),
            "product_id": given.text("product_id", longest=50, shortest=6),
            "name": given.text("name", longest=127),
            "status": given.choice("status", ("CREATED", "ACTIVE"), "ACTIVE"),
            "description": given.optional_text("description", longest=127),
            "usage_type": "LICENSED",
            "billing_cycles": [_cycle(each) for each in given.children("billing_cycles", _CYCLE_FIELDS, most=12)],
            "payment_preferences": _preferences(given),
            "create_time": now,
            "update_time": now,
        }
        if self._core.store.get("product", plan["product_id"]) is None:
            raise not_found()
        _check_cycles(plan["billing_cycles"])
        plan = {name: value for name, value in plan.items() if value is not None}
        self._core.store.put("plan", plan["id"], plan)
        return plan

    def plan(self, id_: str) -> Document:
        """Return a plan; raise PayPalError if there is none."""
        plan = self._core.store.get("plan", id_)
        if plan is None:
            raise not_found()
        return plan

    def all_plans(self) -> list[Document]:
        """Return all plans, newest first."""
        return list(reversed(self._core.store.all("plan")))

    def deactivate_plan(self, id_: str) -> None:
        """Close a plan to new subscribers."""
        plan = self.plan(id_)
        if plan["status"] not in ("ACTIVE", "CREATED"):
            raise unprocessable(
                "PLAN_STATUS_INVALID",
                "Invalid plan status for deactivate action; plan status should be active or created.",
            )
        plan |= {"status": "INACTIVE", "update_time": format_time(self._core.clock.now())}
        self._core.store.put("plan", id_, plan)


def _preferences(given: RequestFields) -> Document:
    preferences = given.child("payment_preferences", {"auto_bill_outstanding", "payment_failure_threshold"})
    if not preferences.flag("auto_bill_outstanding", default=True):
        raise not_simulated("a plan that does not bill outstanding amounts automatically")
    threshold = preferences.number("payment_failure_threshold", least=0, most=999, default=0)
    return {"service_type": "PREPAID", "auto_bill_outstanding": True, "payment_failure_threshold": threshold}


def _cycle(given: RequestFields) -> Document:
    frequency = given.child("frequency", {"interval_unit", "interval_count"})
    unit = frequency.choice("interval_unit", tuple(INTERVAL_UNITS))
    count = frequency.number("interval_count", least=1, most=INTERVAL_UNITS[unit], default=1)
    cycle: Document = {
        "frequency": {"interval_unit": unit, "interval_count": count},
        "tenure_type": given.choice("tenure_type", ("REGULAR", "TRIAL")),
        "sequence": given.number("sequence", least=1, most=99),
        "total_cycles": given.number("total_cycles", least=0, most=999, default=1),
    }
    if cycle["tenure_type"] == "REGULAR":
        amount, currency = given.child("pricing_scheme", {"fixed_price"}).money("fixed_price")
        cycle["pricing_scheme"] = {"version": 1, "fixed_price": money(amount, currency)}
    return cycle


def _check_cycles(cycles: list[Document]) -> None:
    tenures = [cycle["tenure_type"] for cycle in cycles]
    if "REGULAR" not in tenures:
        raise unprocessable("MISSING_REGULAR_BILLING_CYCLE", "Plan should have at least one regular billing cycle.")
    if tenures.count("REGULAR") > 1:
        raise unprocessable(
            "MULTIPLE_REGULAR_BILLING_CYCLES_NOT_SUPPORTED", "Only one regular billing cycle is allowed."
        )
    if sorted(cycle["sequence"] for cycle in cycles) != list(range(1, len(cycles) + 1)):
        raise unprocessable(
            "INVALID_BILLING_CYCLE_SEQUENCE", "Billing cycle sequence should start with `1` and be consecutive."
        )
    if len(cycles) > 1:
        raise not_simulated("trial cycles")
    if cycles[0]["total_cycles"] != 0:
        raise not_simulated("a plan that ends after a number of cycles")
