"""The webhook inbox: verify a webhook, store it once, and enqueue a query to PayPal about its subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.billing.reconciliation import new_token
from functions.platform.messages import SettleSubscription

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.billing.ports import BillingDependencies, SubscriptionStore, WebhookVerifier


class WebhookInbox:
    """Receives webhooks."""

    def __init__(self, verifier: WebhookVerifier, store: SubscriptionStore, dependencies: BillingDependencies) -> None:
        self._verifier = verifier
        self._store = store
        self._dependencies = dependencies

    def receive(self, headers: Mapping[str, str], body: bytes, *, source: str) -> None:
        """Store an event sent from the IP address `source` and enqueue its subject; a repeated event changes nothing.

        Raises NotFromPayPal or StoreUnavailable.
        """
        event = self._verifier.read(headers, body, source=source)
        must_send = self._store.store_event(event, new_token(), self._dependencies.now())
        if must_send and event.subject:
            self._dependencies.enqueue(SettleSubscription(event.subject, "event"))
