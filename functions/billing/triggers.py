"""The functions of billing: viewers and the owner by HTTP, PayPal by webhook, settling by queue, mending by timer.

What waits for PayPal is done `apart`, so that a slow PayPal holds up nobody else, not even its own webhooks.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import azure.functions as func

from functions import bootstrap
from functions.billing.reconciliation import OVERDUE_AFTER
from functions.billing.views import (
    owners_event,
    owners_grant,
    owners_plan,
    owners_subscription,
    public_payment,
    public_plan,
    public_subscription,
)
from functions.platform.errors import Malformed
from functions.platform.http import answer, bearer, endpoint, json_object, no_content, operator_key
from functions.platform.thread_offload import offload

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]

STORAGE = "AzureWebJobsStorage"
LAG = "notflix.webhook.lag_s"
ANONYMOUS = func.AuthLevel.ANONYMOUS


@blueprint.function_name("list_plans")
@blueprint.route("plans", methods=["GET"], auth_level=ANONYMOUS)
@endpoint
def list_plans(req: func.HttpRequest) -> func.HttpResponse:
    """Answer the plans that can be subscribed to; ?retired=true, for the owner, all there ever were."""
    if req.params.get("retired") == "true":
        _owner(req)
        return answer({"plans": [owners_plan(plan) for plan in bootstrap.billing().office.plans()]})
    return answer({"plans": [public_plan(plan) for plan in bootstrap.billing().shop.plans()]})


@blueprint.function_name("subscribe")
@blueprint.route("subscriptions", methods=["POST"], auth_level=ANONYMOUS)
@offload
@endpoint
def subscribe(req: func.HttpRequest) -> func.HttpResponse:
    """Begin a subscription: {"plan_id"}; answer where to approve it."""
    viewer = bootstrap.accounts().viewer(bearer(req))
    plan_id = json_object(req).get("plan_id")
    if not isinstance(plan_id, str):
        raise Malformed('Say which plan: {"plan_id"}.')
    opening = bootstrap.billing().shop.subscribe(viewer, plan_id)
    return answer({"subscription_id": opening.subscription_id, "approve_url": opening.approve_url}, status=201)


@blueprint.function_name("get_subscription")
@blueprint.route("subscription", methods=["GET"], auth_level=ANONYMOUS)
@endpoint
def get_subscription(req: func.HttpRequest) -> func.HttpResponse:
    """Answer how the caller's subscription stands."""
    viewer = bootstrap.accounts().viewer(bearer(req))
    current = bootstrap.billing().shop.current(viewer)
    return answer(public_subscription(current, bootstrap.entitlements().of(viewer), bootstrap.resources.now()))


@blueprint.function_name("cancel_subscription")
@blueprint.route("subscription", methods=["DELETE"], auth_level=ANONYMOUS)
@offload
@endpoint
def cancel_subscription(req: func.HttpRequest) -> func.HttpResponse:
    """Cancel the caller's subscription; answer how it stands now."""
    viewer = bootstrap.accounts().viewer(bearer(req))
    current = bootstrap.billing().shop.cancel(viewer)
    return answer(public_subscription(current, bootstrap.entitlements().of(viewer), bootstrap.resources.now()))


@blueprint.function_name("list_payments")
@blueprint.route("payments", methods=["GET"], auth_level=ANONYMOUS)
@endpoint
def list_payments(req: func.HttpRequest) -> func.HttpResponse:
    """Answer what the caller paid, newest first."""
    viewer = bootstrap.accounts().viewer(bearer(req))
    return answer({"payments": [public_payment(payment) for payment in bootstrap.billing().shop.receipts(viewer)]})


@blueprint.function_name("take_paypal_event")
@blueprint.route("paypal/webhooks", methods=["POST"], auth_level=ANONYMOUS)
@endpoint
def take_paypal_event(req: func.HttpRequest) -> func.HttpResponse:
    """Take a webhook of PayPal in: 200 once it is stored, 400 if PayPal did not sign it."""
    bootstrap.billing().inbox.receive(req.headers, req.get_body())
    return answer({})


@blueprint.function_name("create_plan")
@blueprint.route("plans", methods=["POST"], auth_level=ANONYMOUS)
@offload
@endpoint
def create_plan(req: func.HttpRequest) -> func.HttpResponse:
    """Make a plan at PayPal: {"name", "description", "price", "currency", "interval", "interval_count"}."""
    _owner(req)
    from functions.billing.owner import offer_of

    plan, is_new = bootstrap.billing().office.create_plan(offer_of(json_object(req)))
    return answer(owners_plan(plan), status=201 if is_new else 200)


@blueprint.function_name("retire_plan")
@blueprint.route("plans/{id}", methods=["DELETE"], auth_level=ANONYMOUS)
@offload
@endpoint
def retire_plan(req: func.HttpRequest) -> func.HttpResponse:
    """Let nobody subscribe to a plan any more; those who have go on."""
    _owner(req)
    bootstrap.billing().office.retire_plan(req.route_params["id"])
    return no_content()


@blueprint.function_name("grant_access")
@blueprint.route("grants", methods=["POST"], auth_level=ANONYMOUS)
@endpoint
def grant_access(req: func.HttpRequest) -> func.HttpResponse:
    """Let an account in for some days: {"email", "days"}."""
    owner = _owner(req)
    body = json_object(req)
    email, days = body.get("email"), body.get("days")
    if not isinstance(email, str) or not isinstance(days, int) or isinstance(days, bool):
        raise Malformed('Say whom and for how many days: {"email", "days"}.')
    return answer(owners_grant(bootstrap.billing().office.grant(email, days, by=owner)), status=201)


@blueprint.function_name("list_grants")
@blueprint.route("grants", methods=["GET"], auth_level=ANONYMOUS)
@endpoint
def list_grants(req: func.HttpRequest) -> func.HttpResponse:
    """Answer the newest grants."""
    _owner(req)
    return answer({"grants": [owners_grant(grant) for grant in bootstrap.billing().office.grants()]})


@blueprint.function_name("list_subscriptions")
@blueprint.route("subscriptions", methods=["GET"], auth_level=ANONYMOUS)
@endpoint
def list_subscriptions(req: func.HttpRequest) -> func.HttpResponse:
    """Answer subscriptions, newest first; ?before= is the created_at of the last one seen."""
    _owner(req)
    page = bootstrap.billing().office.subscriptions(before=_before(req))
    return answer({"subscriptions": [owners_subscription(one) for one in page]})


@blueprint.function_name("list_paypal_events")
@blueprint.route("paypal/events", methods=["GET"], auth_level=ANONYMOUS)
@endpoint
def list_paypal_events(req: func.HttpRequest) -> func.HttpResponse:
    """Answer the inbox of webhooks, newest first; ?before= is the received_at of the last one seen."""
    _owner(req)
    page = bootstrap.billing().office.events(before=_before(req))
    return answer({"events": [owners_event(event) for event in page]})


@blueprint.function_name("settle_subscription")
@blueprint.queue_trigger("msg", "settle-subscription", STORAGE)
@offload
def settle_subscription(msg: func.QueueMessage) -> None:
    """Ask PayPal how a subscription stands and write it down: {"subscription_id", "cause"}."""
    subject, cause = _subject(msg)
    bootstrap.billing().settlements.settle(subject, cause)
    if cause == "event" and (told_at := msg.insertion_time):
        bootstrap.resources.telemetry().record(LAG, (bootstrap.resources.now() - told_at).total_seconds())


@blueprint.function_name("settle_subscription_poison")
@blueprint.queue_trigger("msg", "settle-subscription-poison", STORAGE)
def settle_subscription_poison(msg: func.QueueMessage) -> None:
    """Let the message go: the subscription stays marked, and `mend_subscriptions` sends another for it."""
    _subject(msg)


@blueprint.function_name("mend_subscriptions")
@blueprint.timer_trigger("timer", "15 */5 * * * *")
def mend_subscriptions(timer: func.TimerRequest) -> None:
    """Send again for subscriptions that have waited to be settled for longer than a message takes."""
    del timer
    if bootstrap.billing().settlements.mend():
        bootstrap.resources.telemetry().record(LAG, OVERDUE_AFTER.total_seconds())  # so long at least, and not over yet


@blueprint.function_name("reconcile_subscriptions")
@blueprint.timer_trigger("timer", "0 7 * * * *")
def reconcile_subscriptions(timer: func.TimerRequest) -> None:
    """Have settled what PayPal may know more about than its webhooks have told."""
    del timer
    bootstrap.billing().settlements.reconcile()


def _owner(req: func.HttpRequest) -> str:
    return bootstrap.owners().admit(bearer(req), operator_key(req))


def _before(req: func.HttpRequest) -> datetime | None:
    text = req.params.get("before", "")
    try:
        at = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise Malformed("`before` must be a time such as 2026-11-24T12:00:00Z.") from None
    return at.replace(tzinfo=at.tzinfo or UTC) if at else None


def _subject(msg: func.QueueMessage) -> tuple[str, str]:
    """Return subject and cause of a message; raise Malformed."""
    try:
        body: Any = json.loads(msg.get_body())
        subject, cause = body["subscription_id"], body.get("cause", "event")
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Malformed('The message must be {"subscription_id", "cause"}.') from None
    if not (isinstance(subject, str) and isinstance(cause, str)):
        raise Malformed("Subscription id and cause must be text.")
    return subject, cause
