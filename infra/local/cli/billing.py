"""`admin grant`, `plan`, `plans`, `subscriptions`, `events`: billing commands of the owner, which call the API."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from infra.local.cli.api import Api
from infra.local.home import Home

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FIRST_PLANS: tuple[dict[str, Any], ...] = (
    {
        "name": "Monthly",
        "description": "Every film, cancel any month.",
        "price": "7.99",
        "currency": "EUR",
        "interval": "month",
    },
    {
        "name": "Yearly",
        "description": "Every film for a year, at the price of ten months.",
        "price": "79.90",
        "currency": "EUR",
        "interval": "year",
    },
)


def make_first_plans(api: Api) -> None:
    """Create the first plans of a new copy; do nothing if a plan exists or has existed."""
    if not api.get("/api/plans/all")["plans"]:
        for offer in FIRST_PLANS:
            api.post("/api/plans", offer)


def grant_access(email: str, days: int, *, as_json: bool) -> None:
    """Give an account free access for some days."""
    answer = _api().post("/api/grants", {"email": email, "days": days})
    _print(
        answer,
        as_json=as_json,
        sentence=f"{email} can watch for free until {answer['until'][:16].replace('T', ' ')} UTC.",
    )


def create_plan(offer: Mapping[str, Any], *, as_json: bool) -> None:
    """Create a plan at PayPal."""
    plan = _api().post("/api/plans", dict(offer))
    _print(plan, as_json=as_json, sentence=f"{plan['name']}, {_price(plan)}, is available; its id is {plan['id']}.")


def retire_plan(plan_id: str) -> None:
    """Close a plan to new subscribers."""
    _api().delete(f"/api/plans/{plan_id}")
    _print({}, as_json=False, sentence=f"{plan_id} is closed to new subscribers; existing ones keep it.")


def show_plans(*, as_json: bool) -> None:
    """List all plans, including retired ones."""
    plans = _api().get("/api/plans/all")["plans"]
    rows = [(p["id"], p["name"], _price(p), "retired" if p["retired_at"] else "open") for p in plans]
    _table(plans, ("id", "name", "price", "state"), rows, as_json=as_json)


def show_subscriptions(*, as_json: bool) -> None:
    """List the newest subscriptions."""
    found = _api().get("/api/subscriptions")["subscriptions"]
    rows = [
        (s["subscription_id"], s["user_id"] or "deleted", s["state"], _day(s["paid_through"]), _day(s["created_at"]))
        for s in found
    ]
    _table(found, ("id", "account", "state", "paid through", "since"), rows, as_json=as_json)


def show_events(*, as_json: bool) -> None:
    """List the newest PayPal webhooks."""
    found = _api().get("/api/paypal/events")["events"]
    rows = [
        (
            e["received_at"][:19].replace("T", " "),
            e["type"],
            e["subject"] or "",
            str(e["deliveries"]),
            "settled" if e["settled"] else "waiting",
        )
        for e in found
    ]
    _table(found, ("received (UTC)", "type", "about", "came", "state"), rows, as_json=as_json)


def _api() -> Api:
    return Api.of(Home.of())


def _price(plan: Mapping[str, Any]) -> str:
    decimals = 0 if plan["currency"] == "JPY" else 2
    amount = Decimal(plan["price_minor"]).scaleb(-decimals)
    count = plan["interval_count"]
    every = plan["interval"] if count == 1 else f"{count} {plan['interval']}s"
    return f"{amount:.{decimals}f} {plan['currency']} every {every}"


def _day(at: str | None) -> str:
    return at[:10] if at else ""


def _print(answer: Mapping[str, Any], *, as_json: bool, sentence: str) -> None:
    sys.stdout.write((json.dumps(answer, ensure_ascii=False) if as_json else sentence) + "\n")


def _table(
    found: Sequence[Mapping[str, Any]], head: Sequence[str], rows: Sequence[Sequence[str]], *, as_json: bool
) -> None:
    if as_json:
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
        return

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in head:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table if rows else Text("There are no entries yet."), soft_wrap=not rows)
