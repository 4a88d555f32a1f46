"""Billing commands of the owner, which call the API: `admin grant`, `grants`, `revoke-grant`, `plan`, `plans`,
`subscriptions`, `events`.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from infra.local.cli.api import Api
from infra.local.home import CannotRun, Home

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


def grant_access(email: str, days: int | None, until: str, *, as_json: bool) -> None:
    """Give an account free access for some days or until a time; raise CannotRun if not exactly one is given."""
    if (days is None) == (until == ""):
        raise CannotRun("Say when the access ends: either --days 30 or --until 2027-01-31.")
    end = {"days": days} if days else {"until": _time(until)}
    answer = _api().post("/api/grants", {"email": email, **end})
    _print(answer, as_json=as_json, sentence=f"{email} can watch for free until {_minute(answer['until'])}.")


def show_grants(*, as_json: bool) -> None:
    """List the newest grants."""
    found = _api().get("/api/grants")["grants"]
    rows = [
        (
            g["grant_id"],
            g["email"] or "deleted",
            _minute(g["until"]),
            _day(g["granted_at"]),
            "revoked" if g["revoked_at"] else "",
        )
        for g in found
    ]
    _table(found, ("id", "account", "until", "given", "state"), rows, as_json=as_json)


def revoke_grant(grant_id: str, at: str, *, as_json: bool) -> None:
    """End free access now or at a time."""
    query = f"?at={quote(_time(at))}" if at else ""
    grant = _api().delete(f"/api/grants/{grant_id}{query}")
    _print(grant, as_json=as_json, sentence=f"The free access of {grant['email']} ends {_minute(grant['until'])}.")


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
        (s["subscription_id"], s["email"] or "deleted", s["state"], _day(s["paid_through"]), _day(s["created_at"]))
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


def _time(text: str) -> str:
    """Return a date or time as the API expects it, in UTC if it names no zone; raise CannotRun if it is neither."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CannotRun(f"{text!r} is not a date such as 2027-01-31 or a time such as 2027-01-31T18:00.") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat()


def _minute(at: str) -> str:
    return f"{at[:16].replace('T', ' ')} UTC"


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
