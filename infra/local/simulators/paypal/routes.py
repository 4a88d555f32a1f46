"""The operations of the API: method, path, and what each does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from infra.local.simulators.paypal.api import Answer, Call
from infra.local.simulators.paypal.catalogue import PLANS_PATH, PRODUCTS_PATH
from infra.local.simulators.paypal.checks import Fields
from infra.local.simulators.paypal.errors import invalid, not_found
from infra.local.simulators.paypal.events import EVENT_TYPES, EVENTS_PATH
from infra.local.simulators.paypal.sales import REFUNDS_PATH, SALES_PATH
from infra.local.simulators.paypal.shapes import link, moment_of
from infra.local.simulators.paypal.simulator import Simulator
from infra.local.simulators.paypal.subscriptions import SUBSCRIPTIONS_PATH
from infra.local.simulators.paypal.webhooks import WEBHOOKS_PATH

if TYPE_CHECKING:
    from infra.local.simulators.paypal.shapes import Document

Handler = Callable[[Simulator, Call], Answer]


def operations() -> list[tuple[str, str, Handler]]:
    """Return all operations."""
    return [
        ("POST", PRODUCTS_PATH, lambda of, call: _made(call, of.catalogue.create_product(call.body()))),
        ("GET", PRODUCTS_PATH, lambda of, call: _page(of, call, "products", of.catalogue.products())),
        ("GET", f"{PRODUCTS_PATH}/{{id}}", lambda of, call: Answer(200, of.catalogue.product(call.ids["id"]))),
        ("POST", PLANS_PATH, lambda of, call: _made(call, of.catalogue.create_plan(call.body()))),
        ("GET", PLANS_PATH, _list_plans),
        ("GET", f"{PLANS_PATH}/{{id}}", lambda of, call: Answer(200, of.catalogue.plan(call.ids["id"]))),
        *[("POST", f"{PLANS_PATH}/{{id}}/{action}", _turn_plan) for action in ("activate", "deactivate")],
        ("POST", SUBSCRIPTIONS_PATH, lambda of, call: _made(call, of.subscriptions.create(call.body()))),
        ("GET", SUBSCRIPTIONS_PATH, _list_subscriptions),
        ("GET", f"{SUBSCRIPTIONS_PATH}/{{id}}", _get_subscription),
        ("GET", f"{SUBSCRIPTIONS_PATH}/{{id}}/transactions", _transactions),
        *[("POST", f"{SUBSCRIPTIONS_PATH}/{{id}}/{action}", _act) for action in ("cancel", "suspend", "activate")],
        ("POST", f"{SUBSCRIPTIONS_PATH}/{{id}}/capture", _capture),
        ("GET", f"{SALES_PATH}/{{id}}", _get_sale),
        ("POST", f"{SALES_PATH}/{{id}}/refund", _refund),
        ("GET", f"{REFUNDS_PATH}/{{id}}", lambda of, call: Answer(200, of.sales.get_refund(call.ids["id"]))),
        ("POST", "/v1/notifications/verify-webhook-signature", _verify),
        ("POST", WEBHOOKS_PATH, lambda of, call: Answer(201, of.webhooks.create(call.body()))),
        ("GET", WEBHOOKS_PATH, lambda of, call: Answer(200, of.webhooks.list())),
        ("GET", f"{WEBHOOKS_PATH}/{{id}}", lambda of, call: Answer(200, of.webhooks.get(call.ids["id"]))),
        ("PATCH", f"{WEBHOOKS_PATH}/{{id}}", _patch_webhook),
        ("DELETE", f"{WEBHOOKS_PATH}/{{id}}", _delete_webhook),
        ("GET", "/v1/notifications/webhooks-event-types", _event_types),
        ("GET", EVENTS_PATH.rstrip("/"), _list_events),
        ("GET", f"{EVENTS_PATH}{{id}}", lambda of, call: Answer(200, of.event(call.ids["id"]))),
        ("POST", f"{EVENTS_PATH}{{id}}/resend", _resend),
    ]


def _made(call: Call, resource: Document) -> Answer:
    """Answer a creation: whole if `Prefer` asks for it, else the least; products and plans are always whole enough."""
    if "return=representation" in call.headers.get("prefer", "").replace(" ", ""):
        return Answer(201, resource)
    least = ("id", "product_id", "name", "status", "description", "usage_type", "create_time", "links")
    return Answer(201, {name: value for name, value in resource.items() if name in least})


def _page(of: Simulator, call: Call, name: str, items: Sequence[Document]) -> Answer:
    size = _whole(call, "page_size", 10, most=20)
    page = _whole(call, "page", 1, most=10_000_000)
    body: Document = {name: list(items[(page - 1) * size : page * size])}
    if call.query.get("total_required", "").lower() == "true":
        body |= {"total_items": len(items), "total_pages": -(-len(items) // size)}
    links = [link(f"{of.base}{call.path}?page_size={size}&page={page}", "self", "GET")]
    if page * size < len(items):
        links.append(link(f"{of.base}{call.path}?page_size={size}&page={page + 1}", "next", "GET"))
    return Answer(200, {**body, "links": links})


def _whole(call: Call, name: str, default: int, *, most: int) -> int:
    text = call.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise invalid(name, "INVALID_PARAMETER_VALUE", "The value of a field is invalid.", value=text, location="query")
    return int(text)


def _list_plans(of: Simulator, call: Call) -> Answer:
    shown = ("id", "product_id", "name", "status", "description", "usage_type", "create_time", "links")
    plans = of.catalogue.plans(product=call.query.get("product_id"))
    if "return=representation" not in call.headers.get("prefer", ""):
        plans = [{name: plan[name] for name in shown if name in plan} for plan in plans]
    return _page(of, call, "plans", plans)


def _turn_plan(of: Simulator, call: Call) -> Answer:
    of.catalogue.turn_plan(call.ids["id"], call.path.rpartition("/")[2])
    return Answer(204)


def _list_subscriptions(of: Simulator, call: Call) -> Answer:
    subscriptions = of.subscriptions.all()
    for parameter, name in (("statuses", "status"), ("plan_ids", "plan_id")):
        if wanted := call.query.get(parameter):
            subscriptions = [each for each in subscriptions if each[name] in wanted.split(",")]
    return _page(of, call, "subscriptions", subscriptions)


def _get_subscription(of: Simulator, call: Call) -> Answer:
    fields = tuple(call.query.get("fields", "").split(","))
    return Answer(200, of.subscriptions.shown(of.subscriptions.record(call.ids["id"]), fields=fields))


def _transactions(of: Simulator, call: Call) -> Answer:
    start, end = call.query.get("start_time"), call.query.get("end_time")
    return Answer(200, of.subscriptions.transactions(call.ids["id"], start, end))


def _act(of: Simulator, call: Call) -> Answer:
    action = call.path.rpartition("/")[2]
    given = Fields(call.body() if call.raw or action != "activate" else {})
    note = given.text("reason", longest=128) if "reason" in given or action != "activate" else None
    of.subscriptions.act(call.ids["id"], action, note=note)
    return Answer(204)


def _capture(of: Simulator, call: Call) -> Answer:
    of.charging.capture(of.subscriptions.record(call.ids["id"]), call.body())
    return Answer(202)


def _get_sale(of: Simulator, call: Call) -> Answer:
    return Answer(200, of.sales.shown(of.sales.get(call.ids["id"])))


def _refund(of: Simulator, call: Call) -> Answer:
    return Answer(201, of.sales.refund(call.ids["id"], call.body() if call.raw else {}))


def _verify(of: Simulator, call: Call) -> Answer:
    return Answer(200, of.webhooks.verify(call.raw))


def _patch_webhook(of: Simulator, call: Call) -> Answer:
    return Answer(200, of.webhooks.patch(call.ids["id"], call.body()))


def _delete_webhook(of: Simulator, call: Call) -> Answer:
    of.webhooks.delete(call.ids["id"])
    return Answer(204)


def _event_types(of: Simulator, call: Call) -> Answer:
    return Answer(200, {"event_types": [{"name": name, "status": "ENABLED"} for name in EVENT_TYPES]})


def _list_events(of: Simulator, call: Call) -> Answer:
    size = _whole(call, "page_size", 10, most=300)
    events = of.events_shown()
    if wanted := call.query.get("event_type"):
        events = [each for each in events if each["event_type"] == wanted]
    try:
        if start := call.query.get("start_time"):
            events = [each for each in events if moment_of(each["create_time"]) >= moment_of(start)]
        if end := call.query.get("end_time"):
            events = [each for each in events if moment_of(each["create_time"]) <= moment_of(end)]
    except ValueError:
        raise invalid("start_time", "INVALID_PARAMETER_SYNTAX", "A time is malformed.", location="query") from None
    self_link = link(f"{of.base}{call.path}", "self", "GET")
    return Answer(200, {"events": events[:size], "count": len(events[:size]), "links": [self_link]})


def _resend(of: Simulator, call: Call) -> Answer:
    record = of.store.get("event", call.ids["id"])
    if record is None:
        raise not_found()
    of.events.queue(record, copies=1)
    return Answer(202, of.event(call.ids["id"]))
