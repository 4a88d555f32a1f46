"""Billing with the real MariaDB and Redis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from functions.billing.entitlement_cache import RedisEntitlementCache
from functions.billing.entitlements import Entitlements
from functions.billing.repository import MySqlPayments, MySqlSubscriptions
from functions.platform.mysql import Database
from functions.platform.redis import connect
from tests.support.billing import ModelledBilling, RealBilling
from tests.support.paypal import Listener, PayPal, Received, running_simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.conftest import Stack


@pytest.fixture(scope="session")
def subscriptions(stack: Stack) -> Iterator[MySqlSubscriptions]:
    """Return the store of subscriptions."""
    database = Database(stack.settings.subscriptions_db_url)
    yield MySqlSubscriptions(database)
    database.close()


@pytest.fixture(scope="session")
def mysql_payments(stack: Stack) -> Iterator[MySqlPayments]:
    """Return the store of payments."""
    database = Database(stack.settings.payments_db_url)
    yield MySqlPayments(database)
    database.close()


@pytest.fixture
def payments(mysql_payments: MySqlPayments) -> MySqlPayments:
    """Return the store of payments."""
    return mysql_payments


@pytest.fixture(scope="session")
def cache(stack: Stack) -> Iterator[RedisEntitlementCache]:
    """Return the cache of entitlements."""
    client = connect(stack.settings.redis_url)
    yield RedisEntitlementCache(client)
    client.close()


@dataclass(frozen=True, slots=True)
class Real:
    """Billing, the PayPal simulator that it uses, and the events that the simulator has sent to our webhook."""

    billing: RealBilling
    paypal: PayPal
    listener: Listener

    def arrived(self) -> list[Received]:
        """Wait until the simulator has sent all events; return the events received since the last call."""
        self.paypal.settle()
        sent, self.listener.received[:] = list(self.listener.received), []
        return sent

    def catch_up(self) -> None:
        """Receive all events that were sent, and process them."""
        self.billing.receive(self.arrived())
        self.billing.work()


@pytest.fixture
def real(
    stack: Stack,
    tmp_path: Path,
    subscriptions: MySqlSubscriptions,
    payments: MySqlPayments,
    cache: RedisEntitlementCache,
) -> Iterator[Real]:
    """Run a simulator, and billing that uses it."""
    with Listener().listening() as listener, running_simulator(tmp_path, webhook_url=listener.url) as paypal:
        settings = replace(
            stack.settings,
            paypal_url=paypal.url,
            paypal_client_id=paypal.client_id,
            paypal_client_secret=paypal.client_secret,
            paypal_webhook_id=paypal.webhook_id,
            paypal_ca=str(tmp_path / "root.pem"),
        )
        entitlements = Entitlements(subscriptions, cache, lambda: datetime.now(UTC))
        yield Real(RealBilling(settings, subscriptions, payments, entitlements), paypal, listener)


@pytest.fixture
def billing(subscriptions: MySqlSubscriptions, payments: MySqlPayments) -> ModelledBilling:
    """Return billing with its own fake of PayPal."""
    return ModelledBilling(subscriptions, payments)


@pytest.fixture
def entitlements(
    subscriptions: MySqlSubscriptions, cache: RedisEntitlementCache, billing: ModelledBilling
) -> Entitlements:
    """Return the entitlement service, which uses the clock of `billing`."""
    return Entitlements(subscriptions, cache, billing.clock)
