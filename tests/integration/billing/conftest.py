"""Billing over the real MariaDB and Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.billing.access import Entitlements, RedisMemory
from functions.billing.repository import MySqlPayments, MySqlSubscriptions
from functions.mysql import Database
from functions.redis import connect
from tests.support.billing import Counter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import Stack


@pytest.fixture(scope="session")
def subscriptions(stack: Stack) -> Iterator[MySqlSubscriptions]:
    """Return the store of subscriptions."""
    database = Database(stack.settings.subscriptions_db_url)
    yield MySqlSubscriptions(database)
    database.close()


@pytest.fixture(scope="session")
def payments(stack: Stack) -> Iterator[MySqlPayments]:
    """Return the store of payments."""
    database = Database(stack.settings.payments_db_url)
    yield MySqlPayments(database)
    database.close()


@pytest.fixture(scope="session")
def memory(stack: Stack) -> Iterator[RedisMemory]:
    """Return the memory of entitlements."""
    client = connect(stack.settings.redis_url)
    yield RedisMemory(client)
    client.close()


@pytest.fixture
def counter(subscriptions: MySqlSubscriptions, payments: MySqlPayments) -> Counter:
    """Return billing with a PayPal of its own."""
    return Counter(subscriptions, payments)


@pytest.fixture
def entitlements(subscriptions: MySqlSubscriptions, memory: RedisMemory, counter: Counter) -> Entitlements:
    """Return who answers whether somebody may watch, by the counter's clock."""
    return Entitlements(subscriptions, memory, counter.clock)
