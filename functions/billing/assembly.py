"""Creates the services of the billing slice with their dependencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.billing.admin import BillingAdmin
    from functions.billing.entitlements import Entitlements
    from functions.billing.inbox import WebhookInbox
    from functions.billing.ports import BillingDependencies, CertificateStore, PaymentStore, SubscriptionStore
    from functions.billing.reconciliation import Reconciliation
    from functions.billing.reports import BusinessReports
    from functions.billing.service import SubscriptionService
    from functions.platform.resources import Resources
    from functions.platform.settings import Settings
    from functions.platform.viewer import Recipient


@dataclass(frozen=True, slots=True)
class Billing:
    """The services of billing."""

    subscriptions: SubscriptionService
    admin: BillingAdmin
    reconciliation: Reconciliation
    inbox: WebhookInbox
    reports: BusinessReports


@dataclass(frozen=True, slots=True)
class BillingStores:
    """The stores of billing."""

    subscriptions: SubscriptionStore
    payments: PaymentStore


def open_stores(resources: Resources) -> BillingStores:
    """Return the stores."""
    from functions.billing.repository import MySqlPayments, MySqlSubscriptions

    settings = resources.settings()
    return BillingStores(
        MySqlSubscriptions(resources.mysql(settings.subscriptions_db_url)),
        MySqlPayments(resources.mysql(settings.payments_db_url)),
    )


def assemble_entitlements(resources: Resources) -> Entitlements:
    """Return the entitlements separately, because playback does not need the rest of billing."""
    from functions.billing.entitlement_cache import RedisEntitlementCache
    from functions.billing.entitlements import Entitlements

    return Entitlements(open_stores(resources).subscriptions, RedisEntitlementCache(resources.redis()), resources.now)


def assemble(
    resources: Resources,
    entitlements: Entitlements,
    *,
    find_user: Callable[[str], str],
    recipient_for: Callable[[str, str], Recipient | None],
) -> Billing:
    """Return billing; each connection is opened at its first use.

    `recipient_for` returns where an email of a kind to an account goes, None if it is not to be sent.
    """
    from functions.billing.certificate_store import RedisCertificates
    from functions.billing.ports import BillingDependencies
    from functions.platform.messages import SendMail

    def mail(kind: str, user_id: str, email_id: str) -> None:
        if to := recipient_for(user_id, kind):
            resources.queues().send(SendMail(kind, to.email, email_id=email_id, language=to.language))

    dependencies = BillingDependencies(
        site_origin=resources.settings().site_origin,
        now=resources.now,
        enqueue=lambda message: resources.interactive_queues().send(message),
        entitlement_changed=entitlements.changed,
        find_user=find_user,
        mail=mail,
    )
    return join(resources.settings(), open_stores(resources), RedisCertificates(resources.redis()), dependencies)


def join(
    settings: Settings, stores: BillingStores, kept_certificates: CertificateStore, dependencies: BillingDependencies
) -> Billing:
    """Return billing with the given stores and the PayPal client that the settings configure."""
    from functions.billing.admin import BillingAdmin
    from functions.billing.certificates import Certificates
    from functions.billing.inbox import WebhookInbox
    from functions.billing.paypal import PayPalClient
    from functions.billing.reconciliation import Reconciliation
    from functions.billing.reports import BusinessReports
    from functions.billing.service import SubscriptionService
    from functions.billing.webhooks import WebhookReader

    paypal = PayPalClient(settings.paypal_url, settings.paypal_client_id, settings.paypal_client_secret)
    certificates = Certificates(settings.paypal_url, settings.paypal_ca, kept_certificates, dependencies.now)
    store, payments = stores.subscriptions, stores.payments
    reconciliation = Reconciliation(store, payments, paypal, dependencies)
    return Billing(
        subscriptions=SubscriptionService(store, payments, paypal, reconciliation, dependencies),
        admin=BillingAdmin(store, paypal, dependencies),
        reconciliation=reconciliation,
        inbox=WebhookInbox(WebhookReader(settings.paypal_webhook_id, certificates), store, dependencies),
        reports=BusinessReports(store, payments, dependencies.now),
    )
