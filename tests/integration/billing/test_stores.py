"""Billing's MySQL stores satisfy the same contract as their fakes (tests/unit/billing/test_memory_stores.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.billing_contract import PaymentStoreContract, SubscriptionStoreContract

if TYPE_CHECKING:
    from functions.billing.repository import MySqlPayments, MySqlSubscriptions


class TestMySqlSubscriptions(SubscriptionStoreContract):
    """The subscription store in MySQL."""

    @pytest.fixture
    def store(self, subscriptions: MySqlSubscriptions) -> MySqlSubscriptions:
        return subscriptions


class TestMySqlPayments(PaymentStoreContract):
    """The payment store in MySQL."""

    @pytest.fixture
    def payments(self, mysql_payments: MySqlPayments) -> MySqlPayments:
        return mysql_payments
