"""The functions of billing: HTTP for viewers and the owner, PayPal's webhook, reconciliation by queue and timer.

Functions that wait for PayPal are offloaded, so that a slow PayPal delays neither other requests nor webhooks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions import bootstrap
from functions.platform.errors import (
    AddressNotConfirmed,
    AgeLimited,
    AlreadySubscribed,
    Conflict,
    NotFound,
    NotFromPayPal,
    PayloadTooLarge,
    PayPalRefused,
)
from functions.platform.http import Answer, File, client_of, raw_body
from functions.platform.triggers import ANYONE, OWNER, SIGNED, VIEWER, SliceApp

if TYPE_CHECKING:
    import azure.functions as func

    from functions.billing.model import Grant
    from functions.billing.schemas import (
        CheckoutStarted,
        EventPage,
        EventReceived,
        GrantId,
        GrantPage,
        ListQuery,
        NewGrant,
        NewPlan,
        NewSubscription,
        OpenPlans,
        OwnerGrant,
        OwnerPlan,
        OwnerPlans,
        PaymentId,
        PlanId,
        ReceiptPage,
        RevocationQuery,
        SubscriptionPage,
        SubscriptionStatus,
    )
    from functions.platform.messages import SettleSubscription
    from functions.platform.triggers import Delivery
    from functions.platform.viewer import Viewer

app = SliceApp(bootstrap, "functions.billing.schemas")

LAG = "notflix.webhook.lag_s"
LARGEST_EVENT_KB = 256


@app.get("plans", caller=ANYONE)
def list_plans() -> OpenPlans:
    """Return the plans that are open to new subscribers."""
    from functions.billing.schemas import OpenPlan, OpenPlans

    return OpenPlans(tuple(map(OpenPlan.of, bootstrap.billing().subscriptions.list_open_plans())))


@app.get("plans/all", caller=OWNER)
def list_all_plans() -> OwnerPlans:
    """Return all plans, including retired ones."""
    from functions.billing.schemas import OwnerPlan, OwnerPlans

    return OwnerPlans(tuple(map(OwnerPlan.of, bootstrap.billing().admin.list_all_plans())))


@app.post("plans", caller=OWNER, status=(200, 201), raises=[PayPalRefused], offload=True, subject="id")
def create_plan(body: NewPlan) -> Answer[OwnerPlan]:
    """Create a plan at PayPal and here; 200 if an open plan with the same offer exists."""
    from functions.billing.schemas import OwnerPlan

    plan, is_new = bootstrap.billing().admin.create_plan(body.offer())
    return Answer(OwnerPlan.of(plan), 201 if is_new else 200)


@app.delete("plans/{id}", caller=OWNER, raises=[PayPalRefused], offload=True)
def retire_plan(id: PlanId) -> None:
    """Close a plan to new subscribers; existing subscriptions continue."""
    bootstrap.billing().admin.retire_plan(id)


@app.post(
    "subscriptions",
    caller=VIEWER,
    status=201,
    raises=[AgeLimited, AddressNotConfirmed, NotFound, AlreadySubscribed, Conflict, PayPalRefused],
    offload=True,
)
def subscribe(body: NewSubscription, viewer: Viewer) -> CheckoutStarted:
    """Start a checkout; the answer contains the address of the page where the caller approves it."""
    from functions.billing.schemas import CheckoutStarted

    return CheckoutStarted.of(bootstrap.billing().subscriptions.subscribe(viewer, body.plan_id))


@app.get("subscription", caller=VIEWER)
def get_subscription(viewer: Viewer) -> SubscriptionStatus:
    """Return the status of the caller's subscription."""
    from functions.billing.schemas import SubscriptionStatus

    current = bootstrap.billing().subscriptions.current_subscription(viewer)
    return SubscriptionStatus.of(current, bootstrap.entitlements().of(viewer), bootstrap.resources.now())


@app.delete("subscription", caller=VIEWER, status=200, raises=[AgeLimited, NotFound, PayPalRefused], offload=True)
def cancel_subscription(viewer: Viewer) -> SubscriptionStatus:
    """Cancel the caller's subscription and return its status."""
    from functions.billing.schemas import SubscriptionStatus

    current = bootstrap.billing().subscriptions.cancel_subscription(viewer)
    return SubscriptionStatus.of(current, bootstrap.entitlements().of(viewer), bootstrap.resources.now())


@app.get("payments", caller=VIEWER)
def list_payments(query: ListQuery, viewer: Viewer) -> ReceiptPage:
    """Return the caller's payments."""
    from functions.billing.schemas import ReceiptPage

    service = bootstrap.billing().subscriptions
    return ReceiptPage.of(service.list_receipts(viewer, cursor=query.cursor, limit=query.limit))


@app.get("payments/{id}/receipt", caller=VIEWER, raises=[NotFound], media_type="application/pdf")
def get_receipt(request: func.HttpRequest, id: PaymentId, viewer: Viewer) -> File:
    """Return the receipt of a payment as PDF, in the language of the request."""
    from functions.billing.receipt_pdf import receipt_pdf
    from functions.platform.languages import known_language, language_of

    receipt = bootstrap.billing().subscriptions.receipt_of(viewer, id)
    content = receipt_pdf(
        receipt, site=bootstrap.resources.settings().site_origin, language=known_language(language_of(request.headers))
    )
    return File(content, f"notflix-{receipt.payment.charge.at:%Y-%m-%d}.pdf")


@app.post("paypal/webhooks", caller=SIGNED, raises=[NotFromPayPal, PayloadTooLarge])
def take_paypal_event(request: func.HttpRequest) -> EventReceived:
    """Receive a webhook from PayPal: 200 once it is stored, 400 if PayPal did not sign it."""
    from functions.billing.schemas import EventReceived

    body = raw_body(request, largest_bytes=LARGEST_EVENT_KB << 10)
    client = client_of(request, bootstrap.resources.settings().front_hops)
    bootstrap.billing().inbox.receive(request.headers, body, source=client.ip)
    return EventReceived()


@app.post("grants", caller=OWNER, status=201, raises=[NotFound], subject="user_id")
def grant_access(body: NewGrant, owner: str) -> OwnerGrant:
    """Grant free access to the account with an email address."""
    from functions.billing.schemas import OwnerGrant

    admin = bootstrap.billing().admin
    grant = admin.grant_access(body.email, days=body.days, until=body.until, by=owner)
    return OwnerGrant.of(grant, _emails_of(grant))


@app.delete("grants/{id}", caller=OWNER, status=200, raises=[NotFound])
def revoke_grant(id: GrantId, query: RevocationQuery, owner: str) -> OwnerGrant:
    """End free access now or at a later time, and return the grant."""
    from functions.billing.schemas import OwnerGrant

    grant = bootstrap.billing().admin.revoke_grant(id, at=query.at, by=owner)
    return OwnerGrant.of(grant, _emails_of(grant))


@app.get("grants", caller=OWNER)
def list_grants(query: ListQuery) -> GrantPage:
    """Return grants."""
    from functions.billing.schemas import GrantPage

    page = bootstrap.billing().admin.list_grants(cursor=query.cursor, limit=query.limit)
    return GrantPage.of(page, _emails_of(*page.entries))


@app.get("subscriptions", caller=OWNER)
def list_subscriptions(query: ListQuery) -> SubscriptionPage:
    """Return the subscriptions of all viewers."""
    from functions.billing.schemas import SubscriptionPage

    page = bootstrap.billing().admin.list_subscriptions(cursor=query.cursor, limit=query.limit)
    return SubscriptionPage.of(page, bootstrap.accounts().emails_of(one.user_id for one in page.entries))


@app.get("paypal/events", caller=OWNER)
def list_paypal_events(query: ListQuery) -> EventPage:
    """Return the webhook inbox."""
    from functions.billing.schemas import EventPage

    return EventPage.of(bootstrap.billing().admin.list_events(cursor=query.cursor, limit=query.limit))


@app.queue("settle-subscription", offload=True)
def settle_subscription(message: SettleSubscription, delivery: Delivery) -> None:
    """Query PayPal about a subscription or refund and store the answer."""
    bootstrap.billing().reconciliation.reconcile(message.subject, message.cause)
    if message.cause == "event" and delivery.enqueued_at:
        lag = bootstrap.resources.now() - delivery.enqueued_at
        bootstrap.resources.telemetry().record(LAG, lag.total_seconds())


@app.dead_letters("settle-subscription")
def settle_subscription_poison(message: SettleSubscription) -> None:
    """Log the message and drop it; its subject stays pending, so `repair_subscriptions` enqueues the subject again."""
    import logging

    logging.getLogger(__name__).warning("%s could not be reconciled and stays pending.", message.subject)


@app.timer("15 */10 * * * *")
def repair_subscriptions() -> None:
    """Re-enqueue subscriptions that have been pending for longer than handling a message takes."""
    from functions.billing.reconciliation import OVERDUE_AFTER

    if bootstrap.billing().reconciliation.repair_pending():
        # a lower bound: a subject has been pending for at least this long
        bootstrap.resources.telemetry().record(LAG, OVERDUE_AFTER.total_seconds())


@app.timer("0 7 * * * *")
def reconcile_subscriptions() -> None:
    """Enqueue subscriptions that may have changed without a webhook."""
    bootstrap.billing().reconciliation.reconcile_stale()


def _emails_of(*grants: Grant) -> dict[str, str]:
    """Return the email addresses of the accounts that have, gave or revoked the grants, keyed by account id."""
    ids = (user_id for one in grants for user_id in (one.user_id, one.granted_by, one.revoked_by))
    return bootstrap.accounts().emails_of(ids)
