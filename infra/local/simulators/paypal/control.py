"""The control API under `/_simulator`: JSON requests and responses, no key. A form is redirected to the overview page.

- `GET | PATCH | DELETE /_simulator/switches`: read, set or reset switches. `delivery`: "normal", "hold" (events wait)
  or "lose" (events are stored and never sent). `copies`: how many times each event is sent. `order`: "in" or "reversed"
  (events are collected until half a second passes without a new one). `slow_ms`: delay of each API call. `fault`: null
  or {"status": 500, 503, 429 or 502, "count": N, "path": "/v1/billing", "when": "before" or "after" the call takes
  effect}; 502 is the page of the gateway in front of the API.
  `payments`: "succeed" or "fail". `billing_time`: "10:00" UTC, or "exact" for the second of the start.
- `GET | POST /_simulator/clock`: {"days", "hours", "minutes", "seconds"} moves the clock, also backwards; {"to": time};
  {"reset": true}. Payments that become due are taken at their own times.
- `GET /_simulator/subscriptions`; `POST /_simulator/subscriptions/{id}/ACTION`: `approve`, `cancel`, `suspend`,
  `activate`, `expire`, `pay`, `fail_payment`, `refund` {"sale_id", "amount"}, `reverse` {"sale_id"}. Without a sale id,
  the action applies to the last sale.
- `GET /_simulator/deliveries?limit=100`: the latest deliveries of events, with their attempts.
- `GET /_simulator/settled?timeout_s=10`: {"settled": true} once no delivery is pending, false after the timeout.
- `POST /_simulator/sign` {"events", "mode": one of `signing.MODES`}: return signed transmissions without sending them.
- `POST /_simulator/tokens/expire`: invalidate every access token issued so far.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from infra.local.simulators.paypal.formats import format_time, parse_time
from infra.local.simulators.paypal.signing import MODES
from infra.local.simulators.paypal.validation import PayPalError

if TYPE_CHECKING:
    from starlette.requests import Request

    from infra.local.simulators.paypal.formats import Document, SimulatedClock
    from infra.local.simulators.paypal.simulator import PayPalSimulator
    from infra.local.simulators.paypal.store import DocumentStore

ROOT = "/_simulator"


class InvalidControl(Exception):
    """A control request that cannot be carried out; the message is a sentence for a user."""


@dataclass(slots=True)
class Fault:
    """The next `count` calls to paths that start with `path` fail with `status`, `before` or `after` taking effect."""

    status: int
    count: int = 1
    path: str = "/v1/"
    when: str = "before"


@dataclass(slots=True)
class Switches:
    """How the simulator behaves; the defaults are PayPal's own behaviour."""

    delivery: str = "normal"
    copies: int = 1
    order: str = "in"
    slow_ms: float = 0.0
    fault: Fault | None = None
    payments: str = "succeed"
    billing_time: str = "10:00"

    def change(self, wanted: dict[str, Any]) -> None:
        """Set the switches named in `wanted`, all or none; raise InvalidControl."""
        values = {name: _read(name, value) for name, value in wanted.items()}
        for name, value in values.items():
            setattr(self, name, value)

    def reset(self) -> None:
        """Set every switch to its default."""
        defaults = Switches()
        for each in fields(self):
            setattr(self, each.name, getattr(defaults, each.name))

    def take_fault(self, path: str) -> Fault | None:
        """Return the fault for a call to `path`, if any, and decrement its count."""
        fault = self.fault
        if fault is None or not path.startswith(fault.path):
            return None
        fault.count -= 1
        if fault.count <= 0:
            self.fault = None
        return fault


@dataclass(frozen=True, slots=True)
class SimulatorCore:
    """The objects that all components share; `base` is the address of the simulator."""

    store: DocumentStore
    clock: SimulatedClock
    switches: Switches
    base: str


_CHOICES = {
    "delivery": ("normal", "hold", "lose"),
    "order": ("in", "reversed"),
    "payments": ("succeed", "fail"),
    "billing_time": ("10:00", "exact"),
}
_NUMBERS = {"copies": (1, 100), "slow_ms": (0, 60_000)}


def _read(name: str, value: Any) -> Any:
    if name in _CHOICES:
        return _choice(name, value, _CHOICES[name])
    if name in _NUMBERS:
        return _number(name, value, *_NUMBERS[name])
    if name != "fault":
        known = ", ".join(each.name for each in fields(Switches))
        raise InvalidControl(f"There is no switch {name}; there are {known}.")
    if value is None:
        return None
    if not isinstance(value, dict):
        raise InvalidControl(f"fault must be an object or null, not {value!r}.")
    return Fault(
        int(_choice("fault.status", value.get("status", 500), (429, 500, 502, 503))),
        int(_number("fault.count", value.get("count", 1), 1, 1_000_000)),
        str(value.get("path", "/v1/")),
        _choice("fault.when", value.get("when", "before"), ("before", "after")),
    )


def _choice(name: str, value: Any, options: tuple[Any, ...]) -> Any:
    if value not in options:
        raise InvalidControl(f"{name} must be one of {', '.join(map(str, options))}, not {value!r}.")
    return value


def _number(name: str, value: Any, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise InvalidControl(f"{name} must be a number from {least} to {most}, not {value!r}.")
    return value


ControlOperation = Callable[["Document", "Document"], object]
"""A handler: it gets the ids in the path and the query or the body, and returns the response."""


class Control:
    """The routes of the control API; `message` makes a page with a title and a sentence."""

    def __init__(self, simulator: PayPalSimulator, message: Callable[[str, str, int], Response]) -> None:
        self._of = simulator
        self._message = message
        self._own_origins = (None, simulator.base, simulator.base.replace("127.0.0.1", "localhost"))

    def routes(self) -> list[Route]:
        """Return the routes of the control API."""
        of = self._of
        operations: list[tuple[str, str, ControlOperation]] = [
            ("GET", "/switches", lambda ids, given: asdict(of.switches)),
            ("PATCH", "/switches", self._change_switches),
            ("POST", "/switches", self._change_switches),
            ("DELETE", "/switches", self._reset_switches),
            ("POST", "/switches/reset", self._reset_switches),
            ("GET", "/clock", self._read_clock),
            ("POST", "/clock", self._move_clock),
            ("GET", "/subscriptions", lambda ids, given: {"subscriptions": of.subscriptions.all_subscriptions()}),
            ("POST", "/subscriptions/{id}/{action}", self._act),
            ("GET", "/deliveries", lambda ids, given: {"deliveries": of.store.latest("delivery", _limit(given))}),
            ("GET", "/settled", self._wait_until_settled),
            ("POST", "/sign", self._sign),
            ("POST", "/tokens/expire", self._expire_tokens),
        ]
        return [self._route(method, ROOT + path, operation) for method, path, operation in operations]

    def _route(self, method: str, path: str, operation: ControlOperation) -> Route:
        async def serve(request: Request) -> Response:
            origin = request.headers.get("origin")
            if method != "GET" and origin not in self._own_origins:
                return _refused(403, f"Pages of {origin} must not use the controls of the simulator.")
            raw = await request.body()
            is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
            try:
                given = _form(raw) if is_form else json.loads(raw or b"{}")
                if not isinstance(given, dict):
                    raise InvalidControl("The body must be a JSON object.")
                given.update(request.query_params)
                answer = await run_in_threadpool(operation, request.path_params, given)
            except PayPalError as error:
                if is_form:
                    return self._message("Not possible", _sentence(error), error.status)
                return JSONResponse(error.body(), error.status)
            except (InvalidControl, ValueError, TypeError, ArithmeticError) as error:
                return self._message("Not possible", str(error), 422) if is_form else _refused(422, str(error))
            except KeyError as error:
                return _refused(422, f"The field {error.args[0]} is missing.")
            return RedirectResponse("/", 303) if is_form else JSONResponse(answer)

        return Route(path, serve, methods=[method])

    def _change_switches(self, ids: Document, given: Document) -> object:
        self._of.switches.change(given)
        self._of.delivery.wake()
        return asdict(self._of.switches)

    def _reset_switches(self, ids: Document, given: Document) -> object:
        self._of.switches.reset()
        self._of.delivery.wake()
        return asdict(self._of.switches)

    def _read_clock(self, ids: Document, given: Document) -> object:
        return {"now": format_time(self._of.clock.now()), "offset_s": self._of.clock.offset.total_seconds()}

    def _move_clock(self, ids: Document, given: Document) -> object:
        units = ("days", "hours", "minutes", "seconds")
        if unknown := sorted(given.keys() - {*units, "to", "reset"}):
            raise InvalidControl(f"The clock has no {', '.join(unknown)}.")
        offset = timedelta()
        if "to" in given:
            offset = parse_time(given["to"]) - datetime.now(UTC)
        elif not given.get("reset"):
            moved = {name: float(given[name]) for name in units if name in given}
            offset = self._of.clock.offset + timedelta(**moved)
        self._of.move_clock(offset)
        return self._read_clock(ids, given)

    def _act(self, ids: Document, given: Document) -> object:
        of, id_, action = self._of, ids["id"], ids["action"]
        with of.store.transaction():
            record = of.subscriptions.record(id_)
            if action == "approve":
                of.subscriptions.approve(record["token"])
            elif action in ("cancel", "suspend", "activate", "expire"):
                of.subscriptions.act(id_, action, note=given.get("note"))
            elif action in ("pay", "fail_payment"):
                of.subscriptions.billing.charge(record, fails=action == "fail_payment")
            elif action == "refund":
                amount = Decimal(str(given["amount"])) if "amount" in given else None
                of.sales.refund_sale(given.get("sale_id") or self._last_sale(id_), amount)
            elif action == "reverse":
                of.sales.reverse_sale(given.get("sale_id") or self._last_sale(id_))
            else:
                raise InvalidControl(f"There is no action {action}.")
            return of.subscriptions.subscription(id_)

    def _last_sale(self, subscription_id: str) -> str:
        sales = self._of.store.all("sale", parent=subscription_id)
        if not sales:
            raise InvalidControl(f"Nothing has been paid for {subscription_id} yet.")
        return str(sales[-1]["id"])

    def _wait_until_settled(self, ids: Document, given: Document) -> object:
        timeout_s = min(float(given.get("timeout_s", "10")), 300)
        return {"settled": self._of.delivery.wait_until_settled(timeout_s)}

    def _sign(self, ids: Document, given: Document) -> object:
        mode = str(given.get("mode", "genuine"))
        if mode not in MODES:
            raise InvalidControl(f"mode must be one of {', '.join(MODES)}.")
        webhooks = self._of.store.all("webhook")
        if not webhooks:
            raise InvalidControl("No webhook is registered.")
        signed = [self._of.signer.sign_event(_raw(event), webhooks[0]["id"], mode) for event in given["events"]]
        return {"transmissions": [{"headers": each.headers, "body": each.body.decode()} for each in signed]}

    def _expire_tokens(self, ids: Document, given: Document) -> object:
        self._of.tokens.expire_all()
        return {}


def _raw(event: Any) -> bytes:
    """Return the bytes of an event; a string is used unchanged."""
    text = event if isinstance(event, str) else json.dumps(event, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def _limit(given: Document) -> int:
    return max(1, min(int(given.get("limit", "100")), 100_000))


def _form(raw: bytes) -> Document:
    """Return the fields of a form that are not empty; integers are converted."""
    fields = dict(parse_qsl(raw.decode("latin-1")))
    return {name: int(text) if text.lstrip("-").isdecimal() else text for name, text in fields.items() if text}


def _sentence(error: PayPalError) -> str:
    return str(error.details[0]["description"] if error.details else error.body()["message"])


def _refused(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status)
