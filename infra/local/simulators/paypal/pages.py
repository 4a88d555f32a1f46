"""The pages for people: the approval page that a payer is sent to, and an overview at the root. No script."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from infra.local.simulators.paypal.shapes import moment_of, rounded, stamp
from infra.local.simulators.paypal.subscriptions import APPROVAL_PATH
from infra.local.simulators.paypal.switches import GENUINE

if TYPE_CHECKING:
    from starlette.requests import Request

    from infra.local.simulators.paypal.shapes import Document
    from infra.local.simulators.paypal.simulator import Simulator

FOLDER = Path(__file__).with_name("templates")
STYLE_PATH = "/_simulator/simulator.css"

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}

_UNITS = {"DAY": "day", "WEEK": "week", "MONTH": "month", "YEAR": "year"}
_SHOWN = 50


class Pages:
    """What a person sees."""

    def __init__(self, simulator: Simulator) -> None:
        self._of = simulator
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._templates.globals["style"] = STYLE_PATH
        self._templates.filters["day"] = _day

    def routes(self) -> list[Route]:
        """Return the routes of all pages."""
        return [
            Route("/", self._overview, methods=["GET"]),
            Route(STYLE_PATH, self._style, methods=["GET"]),
            Route(APPROVAL_PATH, self._ask, methods=["GET"]),
            Route(APPROVAL_PATH, self._decide, methods=["POST"]),
        ]

    def message(self, title: str, text: str, status: int) -> Response:
        """Return a page that says one thing."""
        return self._page("message.html", status, title=title, text=text)

    def _page(self, name: str, status: int = 200, **values: object) -> Response:
        return HTMLResponse(self._templates.get_template(name).render(values), status, HEADERS)

    def _style(self, request: Request) -> Response:
        return Response((FOLDER / "simulator.css").read_text(encoding="utf-8"), media_type="text/css")

    def _overview(self, request: Request) -> Response:
        of = self._of
        records = list(reversed(of.store.all("subscription")))
        deliveries = of.store.latest("delivery", _SHOWN)
        return self._page(
            "overview.html",
            now=stamp(of.clock.now()),
            moved=bool(of.clock.offset),
            switches=_pairs(of),
            rows=[self._row(record) for record in records[:_SHOWN]],
            more=max(len(records) - _SHOWN, 0),
            deliveries=[_delivery(each) for each in deliveries],
            webhooks=of.webhooks.list()["webhooks"],
            plans=of.catalogue.plans(),
        )

    def _row(self, record: Document) -> Document:
        plan = self._of.catalogue.plan(record["plan_id"])
        return {
            "id": record["id"],
            "status": record["status"],
            "plan": plan["name"],
            "price": price_of(record),
            "payer": record["subscriber"].get("email_address", ""),
            "next": record["next_billing"] if record["status"] == "ACTIVE" else None,
            "token": record["token"],
            "failed": record["failed"],
        }

    def _ask(self, request: Request) -> Response:
        return self._approval(request.query_params.get("ba_token", ""))

    def _approval(self, token: str) -> Response:
        record = self._of.subscriptions.by_token(token)
        if record is None:
            return self.message("Nothing to approve", "There is no such approval page.", 404)
        if record["status"] != "APPROVAL_PENDING":
            text = f"This subscription has been decided upon already: it is {record['status'].lower()}."
            return self.message("Nothing to approve", text, 410)
        plan = self._of.catalogue.plan(record["plan_id"])
        return self._page(
            "approval.html",
            token=token,
            merchant=record["context"].get("brand_name") or "The merchant",
            plan=plan["name"],
            about=plan.get("description"),
            price=price_of(record),
            steps=_steps(record),
            start=record["start_time"] if moment_of(record["start_time"]) > self._of.clock.now() else None,
            button="Continue" if record["context"].get("user_action") == "CONTINUE" else "Approve and subscribe",
        )

    async def _decide(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode("latin-1"))
        token = form.get("ba_token", [""])[0]
        return await run_in_threadpool(self._decided, token, form.get("decision", [""])[0])

    def _decided(self, token: str, decision: str) -> Response:
        with self._of.store.change():
            record = self._of.subscriptions.by_token(token)
            if record is None or record["status"] != "APPROVAL_PENDING":
                return self._approval(token)
            if decision == "approve":
                record = self._of.subscriptions.approve(token)
        target = record["context"].get("return_url" if decision == "approve" else "cancel_url")
        if target is None:
            return self.message("Done", "You can close this page.", 200)
        return RedirectResponse(_with(target, record), 303, HEADERS)


def price_of(record: Document) -> str:
    """Return the regular price in words: "7.99 EUR every month"."""
    return _price(record, record["cycles"][-1])


def _price(record: Document, cycle: Document) -> str:
    amount = rounded(Decimal(cycle["price"]) * int(record["quantity"]), record["currency"])
    count, unit = cycle["count"], _UNITS[cycle["unit"]]
    every = f"every {unit}" if count == 1 else f"every {count} {unit}s"
    return f"{amount} {record['currency']} {every}" if amount else f"Free, {every}"


def _steps(record: Document) -> list[str]:
    """Return what is paid in which order, if there is more to say than one price for ever."""
    cycles = record["cycles"]
    if len(cycles) == 1 and cycles[0]["total_cycles"] == 0:
        return []
    return [
        f"{_price(record, cycle)}, "
        + (f"{cycle['total_cycles']} times" if cycle["total_cycles"] else "until cancelled")
        for cycle in cycles
    ]


def _with(target: str, record: Document) -> str:
    """Return the merchant's address with what PayPal adds to it."""
    parts = urlsplit(target)
    added = [("subscription_id", record["id"]), ("ba_token", record["token"]), ("token", record["token"])]
    return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query, keep_blank_values=True), *added])))


def _pairs(of: Simulator) -> list[tuple[str, str]]:
    from infra.local.simulators.paypal.control import shown_switches

    switches = of.switches
    shown = {name.replace("_", " "): str(value) for name, value in shown_switches(switches).items()}
    shown["signing"] = f"{switches.signing.mode}, {switches.signing.count} times" if switches.signing.count else GENUINE
    fault = switches.fault
    shown["fault"] = f"{fault.status} {fault.when} {fault.path}, {fault.count} times" if fault else "none"
    return list(shown.items())


def _delivery(delivery: Document) -> Document:
    attempts = delivery["attempts"]
    told = "Not sent yet"
    if attempts:
        answer = attempts[-1]["status"] or "nothing"
        told = f"Answered {answer}" if len(attempts) == 1 else f"Answered {answer} at attempt {len(attempts)}"
    return {**{name: delivery[name] for name in ("event_type", "event_id", "state")}, "told": told}


def _day(text: str) -> str:
    moment = moment_of(text)
    return f"{moment.day} {moment:%B %Y}, {moment:%H:%M} UTC"
