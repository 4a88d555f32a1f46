"""Billing's in-memory stores satisfy the same contract as MySQL (tests/integration/billing/test_stores.py)."""

from __future__ import annotations

import pytest

from tests.support.billing_contract import SubscriptionStoreContract
from tests.support.billing_payment_contract import PaymentStoreContract
from tests.support.billing_payments import MemoryPayments
from tests.support.billing_report_contract import RevenueContract, SubscriberCountContract
from tests.support.billing_store import MemorySubscriptions


class TestMemorySubscriptions(SubscriptionStoreContract, SubscriberCountContract):
    """The in-memory store of subscriptions."""

    @pytest.fixture
    def store(self) -> MemorySubscriptions:
        return MemorySubscriptions()


class TestMemoryPayments(PaymentStoreContract, RevenueContract):
    """The in-memory store of payments."""

    @pytest.fixture
    def payments(self) -> MemoryPayments:
        return MemoryPayments()
