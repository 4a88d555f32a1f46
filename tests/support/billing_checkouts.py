"""Checkouts of one viewer: begun, paid, and what they entitle to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.billing.entitlements import Entitlements
from tests.support.billing_caches import MemoryEntitlementCache

if TYPE_CHECKING:
    from functions.platform.viewer import Viewer
    from tests.support.billing import ModelledBilling


def entitled(billing: ModelledBilling, viewer: Viewer) -> bool:
    """Return whether the viewer may watch."""
    return Entitlements(billing.store, MemoryEntitlementCache(), billing.clock).of(viewer).entitled


def checked_out(billing: ModelledBilling, viewer: Viewer) -> str:
    """Return a subscription that was begun, but not approved."""
    checkout = billing.subscriptions.subscribe(viewer, billing.plan())
    billing.catch_up()
    return checkout.subscription_id


def paid(billing: ModelledBilling, viewer: Viewer) -> str:
    """Return a subscription that was approved and charged, with all events handled."""
    subscription_id = checked_out(billing, viewer)
    billing.paypal.approve(subscription_id)
    billing.catch_up()
    return subscription_id
