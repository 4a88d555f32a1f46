"""The web pages: the approval page that a payer is sent to, and an overview at the root. They use no script."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from infra.local.simulators.paypal.formats import format_time, parse_time, rounded
from infra.local.simulators.paypal.subscriptions import APPROVAL_PATH

if TYPE_CHECKING:
    from starlette.requests import Request

    from infra.local.simulators.paypal.formats import Document
    from infra.local.simulators.paypal.simulator import PayPalSimulator

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
_MAX_ROWS = 50


class SimulatorPages:
    """The routes of the pages."""

    def __init__(self, simulator: PayPalSimulator) -> None:
        self._of = simulator
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._templates.globals["style"] = STYLE_PATH
        self._templates.filters |= {"day": _day, "price": _price, "result": _result}

    def routes(self) -> list[Route]:
        """Return the routes of the pages."""
        return [
            Route("/", self._overview, methods=["GET"]),
            Route(STYLE_PATH, self._style, methods=["GET"]),
            Route(APPROVAL_PATH, self._ask, methods=["GET"]),
            Route(APPROVAL_PATH, self._decide, methods=["POST"]),
        ]

    def message(self, title: str, text: str, status: int, *, back: str | None = None) -> Response:
        """Return a page with a title and a sentence; `back` is an address of the merchant."""
        return self._page("message.html", status, title=title, text=text, back=back)

    def _page(self, name: str, status: int = 200, **values: object) -> Response:
        return HTMLResponse(self._templates.get_template(name).render(values), status, HEADERS)

    def _style(self, request: Request) -> Response:
        return Response((FOLDER / "simulator.css").read_text(encoding="utf-8"), media_type="text/css")

    def _overview(self, request: Request) -> Response:
        of = self._of
        records = list(reversed(of.store.all("subscription")))
        return self._page(
            "overview.html",
            now=format_time(of.clock.now()),
            moved=bool(of.clock.offset),
            switches=_switch_pairs(of),
            rows=records[:_MAX_ROWS],
            more=max(len(records) - _MAX_ROWS, 0),
            deliveries=of.store.latest("delivery", _MAX_ROWS),
            webhooks=of.webhooks.all_webhooks(),
            plans={plan["id"]: plan for plan in of.plans.all_plans()},
        )

    def _ask(self, request: Request) -> Response:
        return self._approval(request.query_params.get("ba_token", ""))

    def _approval(self, token: str) -> Response:
        record = self._of.subscriptions.record_by_token(token)
        if record is None:
            return self.message("Nothing to approve", "There is no such approval page.", 404)
        if record["status"] != "APPROVAL_PENDING":
            text = f"You have already answered this request: the subscription is {record['status'].lower()}."
            target = record["context"].get("return_url")
            back = _return_url(target, record) if target else None
            return self.message("Nothing to approve", text, 410, back=back)
        plan = self._of.plans.plan(record["plan_id"])
        return self._page(
            "approval.html",
            token=token,
            merchant=record["context"].get("brand_name") or "The merchant",
            plan=plan["name"],
            about=plan.get("description"),
            price=_price(record),
            start=record["start_time"] if parse_time(record["start_time"]) > self._of.clock.now() else None,
        )

    async def _decide(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode("latin-1"))
        token = form.get("ba_token", [""])[0]
        return await run_in_threadpool(self._decided, token, form.get("decision", [""])[0])

    def _decided(self, token: str, decision: str) -> Response:
        with self._of.store.transaction():
            record = self._of.subscriptions.record_by_token(token)
            if record is None or record["status"] != "APPROVAL_PENDING":
                return self._approval(token)
            if decision == "approve":
                record = self._of.subscriptions.approve(token)
        target = record["context"].get("return_url" if decision == "approve" else "cancel_url")
        if target is None:
            return self.message("Done", "You can close this page.", 200)
        return RedirectResponse(_return_url(target, record), 303, HEADERS)


def _price(record: Document) -> str:
    """Return the price as a phrase: "7.99 EUR every month"."""
    (cycle,) = record["cycles"]
    amount, count, unit = rounded(Decimal(cycle["price"]), record["currency"]), cycle["count"], _UNITS[cycle["unit"]]
    every = f"every {unit}" if count == 1 else f"every {count} {unit}s"
    return f"{amount} {record['currency']} {every}" if amount else f"Free, {every}"


def _return_url(target: str, record: Document) -> str:
    """Return the merchant's URL with the parameters that PayPal adds."""
    parts = urlsplit(target)
    added = [("subscription_id", record["id"]), ("ba_token", record["token"]), ("token", record["token"])]
    return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query, keep_blank_values=True), *added])))


def _switch_pairs(of: PayPalSimulator) -> list[tuple[str, str]]:
    """Return the names and values of the switches."""
    pairs = {name.replace("_", " "): str(value) for name, value in asdict(of.switches).items()}
    fault = of.switches.fault
    pairs["fault"] = f"{fault.status} {fault.when} {fault.path}, {fault.count} times" if fault else "none"
    return list(pairs.items())


def _result(delivery: Document) -> str:
    """Return the result of the last attempt in words."""
    attempts = delivery["attempts"]
    if not attempts:
        return "Not sent yet"
    status = attempts[-1]["status"]
    answer = f"Answer {status}" if status else "No answer"
    return answer if len(attempts) == 1 else f"{answer} at attempt {len(attempts)}"


def _day(text: str) -> str:
    moment = parse_time(text)
    return f"{moment.day} {moment:%B %Y}, {moment:%H:%M} UTC"
