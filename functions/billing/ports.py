"""The interfaces that billing needs: its stores, PayPal, and the rest of the application."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from functions.billing.figures import DayRevenue, SubscriberCount, WebhookCount
    from functions.billing.model import (
        Charge,
        CheckoutAttempt,
        Coverage,
        Entitlement,
        Grant,
        Offer,
        Payment,
        PendingSubscription,
        Plan,
        ReconcileResult,
        RemoteSubscription,
        StoredEvent,
        Subscription,
        WebhookEvent,
    )
    from functions.platform.messages import SettleSubscription
    from functions.platform.pagination import TimePosition


class PlanStore(Protocol):
    """The store of plans."""

    def store_plan(self, plan: Plan) -> None:
        """Store a plan; an existing plan with the same id is not changed."""

    def retire_plan(self, plan_id: str, at: datetime) -> None:
        """Record the time from which a plan accepts no new subscribers; a time that is already recorded is kept."""

    def list_plans(self) -> list[Plan]:
        """Return all plans, including retired ones, cheapest first."""

    def find_plan(self, plan_id: str) -> Plan | None:
        """Return a plan, or None."""


class SubscriptionStore(PlanStore, Protocol):
    """The store of subscriptions, grants and webhook events.

    Every method is idempotent and raises StoreUnavailable. A pending flag marks a subject about which PayPal must be
    queried. The flag's token changes with each event, so that clearing the flag cannot lose an event.
    """

    def begin_checkout(
        self, user_id: str, plan_id: str, request_id: str, *, now: datetime, fresh_since: datetime
    ) -> CheckoutAttempt:
        """Return the attempt to continue, or a new one under `request_id`.

        An existing attempt continues if it is for the same plan, was started after `fresh_since`, and is not approved
        yet. Raises AlreadySubscribed, or Unauthenticated for a deleted account.
        """

    def store_checkout(self, request_id: str, opened: RemoteSubscription, *, user_id: str, now: datetime) -> None:
        """Store PayPal's answer to a checkout, without a user id if the account was deleted in the meantime."""

    def set_pending(self, subject: str, token: str, now: datetime) -> bool:
        """Set the pending flag of a subject; return whether a message must be sent.

        A message must be sent if the flag was not set. It must also be sent if the flag was set at least a minute ago,
        because the message sent then may be lost.
        """

    def store_event(self, event: WebhookEvent, token: str, now: datetime) -> bool:
        """Store an event and set its subject's pending flag in one transaction; return whether a message must be sent.

        That is so as for `set_pending`. An event that is already stored changes nothing, unless its body differs. If it
        set the flag of its subject, which is still pending, a message must be sent, because sending it may have failed
        at an earlier delivery.
        """

    def list_pending(self, *, before: datetime, limit: int) -> list[str]:
        """Return subjects whose pending flag was set before a time, oldest first."""

    def find_pending(self, subject: str) -> PendingSubscription:
        """Return the stored subscription of a subject, and the token of its pending flag."""

    def apply_remote(
        self,
        remote: RemoteSubscription,
        paid_through: datetime | None,
        *,
        token: str | None,
        asked_at: datetime,
        now: datetime,
        cause: str,
    ) -> ReconcileResult:
        """Store PayPal's answer unless a newer one is stored, and clear the pending flag if it has this token.

        Answers are ordered by PayPal's status_update_time, then by `asked_at`.
        """

    def clear_pending(self, subject: str, token: str) -> bool:
        """Clear the pending flag with this token; return whether the subject is still pending with another token."""

    def coverage_of(self, user_id: str) -> tuple[list[Coverage], list[datetime]]:
        """Return the subscriptions that may entitle a viewer, and the end of their longest grant.

        Only subscriptions that a request of ours created, and that are paid or active, are included.
        """

    def list_of_user(self, user_id: str) -> list[Subscription]:
        """Return the subscriptions of a viewer, newest first."""

    def page_subscriptions(self, after: TimePosition | None, *, limit: int) -> list[Subscription]:
        """Return subscriptions after a position, newest first."""

    def list_stale(
        self,
        *,
        unapproved_before: datetime,
        running_before: datetime,
        ended_before: datetime,
        ended_since: datetime,
        now: datetime,
        limit: int,
    ) -> list[str]:
        """Return subscriptions about which PayPal must be queried although no event arrived, longest unchecked first.

        These are:
        - unapproved subscriptions last checked before `unapproved_before`
        - running ones last checked before `running_before`, or with a charge that has become due since their last check
        - those that ended, or whose stored state last changed, after `ended_since`, and that were last checked before
          `ended_before`
        """

    def store_grant(self, grant: Grant) -> None:
        """Store a grant."""

    def revoke_grant(self, grant_id: str, *, ends_at: datetime, now: datetime, by: str) -> Grant | None:
        """Set the end of a grant, unless it already ends earlier; return the grant, or None if it does not exist."""

    def page_grants(self, after: TimePosition | None, *, limit: int) -> list[Grant]:
        """Return grants after a position, newest first."""

    def page_events(self, after: TimePosition | None, *, limit: int) -> list[StoredEvent]:
        """Return events of the webhook inbox after a position, newest first."""

    def count_subscribers(self, since: datetime) -> SubscriberCount:
        """Return the number of active subscriptions, and how many were gained and lost on each day since `since`.

        Only subscriptions that a request of ours created are counted.
        """

    def count_events(self, since: datetime) -> WebhookCount:
        """Return the number of pending subjects, and the number of events received on each day since a time."""

    def clear_old_event_bodies(self, before: datetime, *, limit: int) -> None:
        """Clear the bodies of events received before a time."""

    def forget_subscriber(self, user_id: str, now: datetime) -> None:
        """Remove a viewer from their subscriptions and events, and delete their grants."""


class PaymentStore(Protocol):
    """The store of payments; every method is idempotent and raises StoreUnavailable."""

    def record_payment(self, payment: Payment, *, asked_at: datetime) -> None:
        """Store a payment, or update it from PayPal's answer at `asked_at`; an older answer changes nothing."""

    def page_payments(self, user_id: str, after: TimePosition | None, *, limit: int) -> list[Payment]:
        """Return the payments of a viewer after a position, newest first."""

    def find_payment(self, user_id: str, payment_id: str) -> Payment | None:
        """Return a payment of a viewer, or None if the viewer has no payment with this id."""

    def list_of_subscription(self, subscription_id: str) -> list[Payment]:
        """Return the payments of a subscription, oldest first."""

    def claim_notice(self, key: str, claim: str, *, now: datetime, stale_before: datetime) -> bool:
        """Claim an email about a payment before it is sent; return whether this claim is held.

        It is refused if the email was sent, or was claimed by another one after `stale_before`.
        """

    def confirm_notice(self, key: str) -> None:
        """Record that a claimed email was sent."""

    def release_notice(self, key: str, claim: str) -> None:
        """Give up a claim, so that the next one is held."""

    def count_revenue(self, since: datetime) -> dict[str, dict[date, DayRevenue]]:
        """Return what was paid since a time, by currency and day; days without a payment are left out."""

    def forget_payer(self, user_id: str) -> None:
        """Remove the viewer from their payments; the payments themselves are kept."""


class PayPal(Protocol):
    """PayPal; every method raises StoreUnavailable while PayPal is unreachable, and PayPalRefused if PayPal refuses."""

    def create_plan(self, offer: Offer, *, request_id: str) -> tuple[str, str]:
        """Create a product and an active plan; return their ids. A repeated request id creates nothing new."""

    def retire_plan(self, plan_id: str) -> None:
        """Close a plan to new subscribers."""

    def webhooks_after_login(self) -> dict[str, str]:
        """Log in again with the configured credentials; return the addresses of the webhooks by their ids."""

    def subscribe(
        self,
        plan_id: str,
        user_id: str,
        *,
        request_id: str,
        return_url: str,
        cancel_url: str,
        starts_at: datetime | None,
    ) -> RemoteSubscription:
        """Create a subscription that waits for approval; a repeated request id creates nothing new.

        `starts_at`, a time in the future, defers the first charge.
        """

    def subscription(self, subscription_id: str) -> RemoteSubscription | None:
        """Return a subscription, or None if PayPal has none with this id."""

    def charges(self, subscription_id: str, *, since: datetime, until: datetime) -> list[Charge]:
        """Return the transactions of a subscription between two times."""

    def refund(self, refund_id: str) -> tuple[str, int] | None:
        """Return the sale of a refund, and the amount of the sale refunded so far; None for an unknown refund."""

    def subscription_of_sale(self, sale_id: str) -> str | None:
        """Return the id of the subscription that a sale belongs to, or None."""

    def cancel(self, subscription_id: str, *, reason: str) -> None:
        """Cancel a subscription; a subscription that cannot be cancelled is left unchanged."""


class WebhookVerifier(Protocol):
    """Verifies PayPal's signature."""

    def read(self, headers: Mapping[str, str], body: bytes, *, source: str) -> WebhookEvent:
        """Return the event of a webhook sent from the IP address `source`. Raises NotFromPayPal or StoreUnavailable."""


@dataclass(frozen=True, slots=True)
class LearnedCertificate:
    """A certificate chain in PEM that was verified when it was fetched."""

    pem: bytes = field(repr=False)
    fetched_at: datetime


class CertificateStore(Protocol):
    """Certificates shared by all instances; every method raises StoreUnavailable. Callers verify the certificates."""

    def find_certificate(self, address: str) -> LearnedCertificate | None:
        """Return the certificate that was fetched from an address, or None."""

    def store_certificate(self, address: str, certificate: LearnedCertificate) -> None:
        """Store a verified certificate."""

    def drop_certificate(self, address: str) -> None:
        """Remove a certificate that PayPal has withdrawn."""


class EntitlementCache(Protocol):
    """Entitlements cached for some seconds; every method raises StoreUnavailable."""

    def find_entitlement(self, user_id: str) -> Entitlement | None:
        """Return the cached entitlement, or None."""

    def store_entitlement(self, user_id: str, entitlement: Entitlement, *, seconds: int) -> None:
        """Cache an entitlement for a number of seconds."""

    def drop_entitlement(self, user_id: str) -> None:
        """Remove the cached entitlement."""


@dataclass(frozen=True, slots=True)
class BillingDependencies:
    """The functions of the rest of the application that billing's services call.

    `enqueue` sends a message, `entitlement_changed` drops a cached entitlement, `find_user` returns the id of the
    account with an email address or raises NotFound. `mail` sends an email, given the id of the account, the kind and
    the id of the email; it does nothing if the account no longer exists.
    """

    site_origin: str
    now: Callable[[], datetime]
    enqueue: Callable[[SettleSubscription], None]
    entitlement_changed: Callable[[str], None]
    find_user: Callable[[str], str]
    mail: Callable[[str, str, str], None]


class CoverageStore(Protocol):
    """The part of the subscription store that entitlements need."""

    def coverage_of(self, user_id: str) -> tuple[list[Coverage], list[datetime]]:
        """Return a viewer's subscriptions, and the end of their longest grant."""


class CertificateKeys(Protocol):
    """The public keys of PayPal's certificates."""

    def key(self, address: str, source: str) -> RSAPublicKey:
        """Return the public key of the certificate at a URL that was sent from the IP address `source`.

        Raises NotFromPayPal or StoreUnavailable.
        """
