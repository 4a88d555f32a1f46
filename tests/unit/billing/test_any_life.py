"""Any history of subscribing, paying and refunding ends with the entitlement that was paid for."""

from __future__ import annotations

from tests.support.billing_life import play
from tests.support.billing_store import MemoryEntitlementCache, MemoryPayments, MemorySubscriptions


def test_any_history_ends_as_paypal_has_it() -> None:
    play((MemorySubscriptions(), MemoryPayments(), MemoryEntitlementCache()), examples=300, steps=30)
