"""The control API under `/_simulator`: JSON in, JSON out, no key; a form is answered with a redirect to the overview.

- `GET | PATCH | DELETE /_simulator/switches`: see, set, reset. `delivery` "normal", "hold" (events wait) or "lose"
  (they are written down, never sent); `copies`; `delay_s`; `order` "in", "reversed" or "shuffled" (gathers until half a
  second passed without a new event); `signing` {"mode": one of `forgery.MODES`, "count": N} for the next N
  transmissions; `slow_ms` for each call of the API; `fault` {"status": 500, 503 or 429, "count": N, "path":
  "/v1/billing", "when": "before" or "after" the call has taken effect} or null; `payments` "succeed" or "fail";
  `billing_time` "10:00", or "exact" for one interval after the start to the second; `token_seconds`.
- `GET | POST /_simulator/clock`: {"days", "hours", "minutes", "seconds"} moves it, also back; {"to": time};
  {"cycles": N, "subscription_id"} to that renewal; {"reset": true}. Payments on the way are taken at their own times.
- `GET /_simulator/subscriptions`; `POST /_simulator/subscriptions/{id}/ACTION`: `approve`, `cancel`, `suspend`,
  `activate`, `expire`, `pay`, `fail_payment`, `refund` {"sale_id", "amount"}, `reverse` {"sale_id"}; without a sale it
  is the last one.
- `GET /_simulator/events`, `/_simulator/events/{id}`, `/_simulator/deliveries`, each with `?limit=`.
  `POST /_simulator/events` {"event_type", "resource", "resource_type"} makes one.
  `POST /_simulator/events/{id}/resend` {"copies"}.
- `POST /_simulator/deliveries/release` {"order", "seed"}: end "hold", what waits goes out in this order.
- `GET /_simulator/settled?timeout_s=10`: {"settled": true} once nothing waits or is under way, false if that lasts.
- `POST /_simulator/forge` {"mode", "event_id" or "event", "changes": {JSON pointer: value}}: send one forged
  transmission at once and answer what the webhook did. `POST /_simulator/sign` {"events", "mode"}: only make them.
- `POST /_simulator/tokens/expire`: refuse every access token made so far.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from infra.local.simulators.paypal.errors import PayPalError
from infra.local.simulators.paypal.forgery import MODES
from infra.local.simulators.paypal.shapes import moment_of, stamp
from infra.local.simulators.paypal.switches import WrongSwitch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from infra.local.simulators.paypal.shapes import Document
    from infra.local.simulators.paypal.simulator import Simulator
    from infra.local.simulators.paypal.switches import Switches

ROOT = "/_simulator"
MOST_CYCLES = 10_000

Operation = Callable[["Mapping[str, str]", "Mapping[str, str]", Any], object]
"""From ids, query and body to the answer."""


def shown_switches(switches: Switches) -> Document:
    """Return the switches as JSON."""
    return asdict(switches)


class Control:
    """The switchboard of a simulator."""

    def __init__(self, simulator: Simulator, message: Callable[[str, str, int], Response]) -> None:
        self._of = simulator
        self._message = message
        self._own_origins = (None, simulator.base, simulator.base.replace("127.0.0.1", "localhost"))

    def routes(self) -> list[Route]:
        """Return the routes of all controls."""
        operations: list[tuple[str, str, Operation]] = [
            ("GET", "/switches", lambda ids, query, body: shown_switches(self._of.switches)),
            ("PATCH", "/switches", lambda ids, query, body: self._set(body)),
            ("POST", "/switches", lambda ids, query, body: self._set(body)),
            ("DELETE", "/switches", lambda ids, query, body: self._reset()),
            ("POST", "/switches/reset", lambda ids, query, body: self._reset()),
            ("GET", "/clock", lambda ids, query, body: self._clock()),
            ("POST", "/clock", lambda ids, query, body: self._move_clock(body)),
            ("GET", "/subscriptions", lambda ids, query, body: {"subscriptions": self._of.subscriptions.all()}),
            (
                "POST",
                "/subscriptions/{id}/{action}",
                lambda ids, query, body: self._act(ids["id"], ids["action"], body),
            ),
            ("GET", "/events", lambda ids, query, body: {"events": self._of.events_shown(_limit(query))}),
            ("POST", "/events", lambda ids, query, body: self._make_event(body)),
            ("GET", "/events/{id}", lambda ids, query, body: self._of.event(ids["id"])),
            ("POST", "/events/{id}/resend", lambda ids, query, body: self._resend(ids["id"], body)),
            ("GET", "/deliveries", lambda ids, query, body: self._deliveries(query)),
            ("POST", "/deliveries/release", lambda ids, query, body: self._release(body)),
            ("GET", "/settled", lambda ids, query, body: self._settled(query)),
            ("POST", "/forge", lambda ids, query, body: self._forge(body)),
            ("POST", "/sign", lambda ids, query, body: self._sign(body)),
            ("POST", "/tokens/expire", lambda ids, query, body: self._expire_tokens()),
        ]
        return [self._route(method, ROOT + path, operation) for method, path, operation in operations]

    def _route(self, method: str, path: str, operation: Operation) -> Route:
        async def serve(request: Request) -> Response:
            origin = request.headers.get("origin")
            if method != "GET" and origin not in self._own_origins:
                return _refused(403, f"Pages of {origin} may not use the simulator's controls.")
            raw = await request.body()
            is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
            try:
                body = _form(raw) if is_form else json.loads(raw or b"{}")
                if not isinstance(body, dict):
                    raise WrongSwitch("The body is a JSON object.")
                answer = await run_in_threadpool(operation, request.path_params, request.query_params, body)
            except PayPalError as error:
                if is_form:
                    return self._message("Not possible", _sentence(error), error.status)
                return JSONResponse(error.body(), error.status)
            except (WrongSwitch, ValueError, TypeError, OverflowError) as error:
                return self._message("Not possible", str(error), 422) if is_form else _refused(422, str(error))
            except KeyError as error:
                return _refused(422, f"The field {error.args[0]} is missing.")
            return RedirectResponse("/", 303) if is_form else JSONResponse(answer)

        return Route(path, serve, methods=[method])

    def _set(self, body: Document) -> Document:
        self._of.switches.change(body)
        self._of.courier.wake()
        return shown_switches(self._of.switches)

    def _reset(self) -> Document:
        self._of.switches.reset()
        self._of.courier.wake()
        return shown_switches(self._of.switches)

    def _clock(self) -> Document:
        return {"now": stamp(self._of.clock.now()), "offset_s": self._of.clock.offset.total_seconds()}

    def _move_clock(self, body: Document) -> Document:
        known = {"days", "hours", "minutes", "seconds", "to", "cycles", "subscription_id", "reset"}
        if unknown := body.keys() - known:
            raise WrongSwitch(f"The clock does not know {', '.join(sorted(unknown))}.")
        if body.get("reset"):
            self._of.move_clock(timedelta())
        elif "to" in body:
            self._of.move_clock(moment_of(body["to"]) - datetime.now(UTC))
        elif "cycles" in body:
            self._pass_cycles(str(body["subscription_id"]), int(body["cycles"]))
        else:
            units = {name: float(body[name]) for name in ("days", "hours", "minutes", "seconds") if name in body}
            self._of.move_clock(self._of.clock.offset + timedelta(**units))
        return self._clock()

    def _pass_cycles(self, id_: str, count: int) -> None:
        for _ in range(min(count, MOST_CYCLES)):
            record = self._of.subscriptions.record(id_)
            if record["status"] != "ACTIVE":
                return
            due = moment_of(record["next_billing"])
            self._of.move_clock(max(due - datetime.now(UTC), self._of.clock.offset))

    def _act(self, id_: str, action: str, body: Document) -> Document:
        of = self._of
        with of.store.change():
            record = of.subscriptions.record(id_)
            if action == "approve":
                of.subscriptions.approve(record["token"])
            elif action in ("cancel", "suspend", "activate", "expire"):
                of.subscriptions.act(id_, action, note=body.get("note"))
            elif action in ("pay", "fail_payment"):
                of.charging.charge(record, fails=action == "fail_payment")
            elif action in ("refund", "reverse"):
                sale_id = body.get("sale_id") or self._last_sale(id_)
                if action == "reverse":
                    of.sales.reverse(sale_id)
                else:
                    amount = (
                        {"total": str(body["amount"]), "currency": record["currency"]} if "amount" in body else None
                    )
                    of.sales.refund(sale_id, {"amount": amount})
            else:
                raise WrongSwitch(f"There is no action {action}.")
            return of.subscriptions.shown(of.subscriptions.record(id_))

    def _last_sale(self, subscription_id: str) -> str:
        sales = self._of.store.all("sale", parent=subscription_id)
        if not sales:
            raise WrongSwitch(f"Nothing has been paid for {subscription_id} yet.")
        return str(sales[-1]["id"])

    def _make_event(self, body: Document) -> Document:
        record = self._of.events.emit(
            str(body["event_type"]),
            body.get("resource") or {},
            resource_type=str(body.get("resource_type", "subscription")),
            summary=str(body.get("summary", "An event made by hand")),
            subject=str((body.get("resource") or {}).get("id", "")),
        )
        return self._of.event(record["id"])

    def _resend(self, id_: str, body: Document) -> Document:
        record = self._of.store.get("event", id_)
        if record is None:
            raise WrongSwitch(f"There is no event {id_}.")
        self._of.events.queue(record, copies=int(body.get("copies", 1)))
        return self._of.event(id_)

    def _deliveries(self, query: Mapping[str, str]) -> Document:
        deliveries = self._of.store.latest("delivery", _limit(query))
        return {"deliveries": deliveries, "waiting": self._of.store.count_due("delivery")}

    def _release(self, body: Document) -> Document:
        order, seed = body.get("order", "in"), body.get("seed")
        if order not in ("in", "reversed", "shuffled"):
            raise WrongSwitch("order is one of in, reversed, shuffled.")
        released = self._of.courier.release(order, None if seed is None else int(seed))
        self._of.switches.delivery = "normal"
        self._of.courier.wake()
        return {"released": released}

    def _settled(self, query: Mapping[str, str]) -> Document:
        return {"settled": self._of.courier.settled(min(float(query.get("timeout_s", "10")), 300))}

    def _forge(self, body: Document) -> Document:
        raw = self._raw(body["event"]) if "event" in body else self._kept(str(body["event_id"]))
        answers = []
        for webhook in self._of.store.all("webhook"):
            transmission = self._of.sender.transmit(raw, webhook["id"], _mode(body), body.get("changes"))
            status, text = self._of.courier.send_now(webhook["url"], transmission)
            answers.append({"status": status, "body": text, "sent": transmission.body.decode()})
        if not answers:
            raise WrongSwitch("No webhook is registered.")
        return answers[0]

    def _sign(self, body: Document) -> Document:
        webhooks = self._of.store.all("webhook")
        id_ = str(body.get("webhook_id") or (webhooks[0]["id"] if webhooks else "WEBHOOK_ID"))
        signed = [self._of.sender.transmit(self._raw(event), id_, _mode(body)) for event in body["events"]]
        return {"transmissions": [{"headers": each.headers, "body": each.body.decode()} for each in signed]}

    def _expire_tokens(self) -> Document:
        self._of.tokens.expire()
        return {}

    def _kept(self, id_: str) -> bytes:
        record = self._of.store.get("event", id_)
        if record is None:
            raise WrongSwitch(f"There is no event {id_}.")
        return str(record["raw"]).encode()

    @staticmethod
    def _raw(event: Any) -> bytes:
        """Return an event's bytes: a text stands as it is."""
        text = event if isinstance(event, str) else json.dumps(event, separators=(",", ":"), ensure_ascii=False)
        return text.encode()


def _mode(body: Document) -> str:
    mode = str(body.get("mode", "genuine"))
    if mode not in MODES:
        raise WrongSwitch(f"mode is one of {', '.join(MODES)}.")
    return mode


def _limit(query: Mapping[str, str]) -> int:
    return max(1, min(int(query.get("limit", "100")), 100_000))


def _form(raw: bytes) -> Document:
    """Return a form's fields; what looks like a number is one."""
    fields = dict(parse_qsl(raw.decode("latin-1")))
    return {name: int(text) if text.lstrip("-").isdecimal() else text for name, text in fields.items() if text}


def _sentence(error: PayPalError) -> str:
    return str(error.details[0]["description"] if error.details else error.body()["message"])


def _refused(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status)
