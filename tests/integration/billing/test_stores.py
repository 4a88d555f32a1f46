"""Billing's MySQL stores satisfy the same contract as their fakes (tests/unit/billing/test_memory_stores.py).

They also satisfy it if the first answer to each call is lost, so that each procedure is executed twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.billing.repository import MySqlPayments, MySqlSubscriptions
from tests.support.billing_contract import SubscriptionStoreContract
from tests.support.billing_payment_contract import PaymentStoreContract
from tests.support.billing_report_contract import RevenueContract, SubscriberCountContract
from tests.support.mysql import UnansweredDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import Stack


class TestMySqlSubscriptions(SubscriptionStoreContract, SubscriberCountContract):
    """The subscription store in MySQL."""

    @pytest.fixture
    def store(self, subscriptions: MySqlSubscriptions) -> MySqlSubscriptions:
        return subscriptions


class TestMySqlPayments(PaymentStoreContract, RevenueContract):
    """The payment store in MySQL."""

    @pytest.fixture
    def payments(self, mysql_payments: MySqlPayments) -> MySqlPayments:
        return mysql_payments


class TestRepeatedMySqlSubscriptions(SubscriptionStoreContract, SubscriberCountContract):
    """The subscription store in MySQL while the first answer to each call is lost."""

    # a repeated call counts as another delivery
    test_the_deliveries_of_an_event_are_counted = None  # type: ignore[assignment]

    @pytest.fixture
    def store(self, stack: Stack) -> Iterator[MySqlSubscriptions]:
        database = UnansweredDatabase(stack.settings.subscriptions_db_url)
        yield MySqlSubscriptions(database)
        database.close()


class TestRepeatedMySqlPayments(PaymentStoreContract, RevenueContract):
    """The payment store in MySQL while the first answer to each call is lost."""

    @pytest.fixture
    def payments(self, stack: Stack) -> Iterator[MySqlPayments]:
        database = UnansweredDatabase(stack.settings.payments_db_url)
        yield MySqlPayments(database)
        database.close()
