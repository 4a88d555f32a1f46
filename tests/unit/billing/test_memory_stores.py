"""Billing's in-memory stores satisfy the same contract as MySQL (tests/integration/billing/test_stores.py)."""

from __future__ import annotations

import pytest

from tests.support.billing_contract import PaymentStoreContract, SubscriptionStoreContract
from tests.support.billing_payments import MemoryPayments
from tests.support.billing_store import MemorySubscriptions


class TestMemorySubscriptions(SubscriptionStoreContract):
    """The in-memory store of subscriptions."""

    @pytest.fixture
    def store(self) -> MemorySubscriptions:
        return MemorySubscriptions()


class TestMemoryPayments(PaymentStoreContract):
    """The in-memory store of payments."""

    @pytest.fixture
    def payments(self) -> MemoryPayments:
        return MemoryPayments()
