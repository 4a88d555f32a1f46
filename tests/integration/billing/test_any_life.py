"""After one reconciliation, MySQL agrees with PayPal, even if events arrived out of order, twice or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.billing_life import play

if TYPE_CHECKING:
    from functions.billing.entitlement_cache import RedisEntitlementCache
    from functions.billing.repository import MySqlPayments, MySqlSubscriptions


def test_any_history_ends_as_paypal_has_it(
    subscriptions: MySqlSubscriptions, payments: MySqlPayments, cache: RedisEntitlementCache
) -> None:
    play((subscriptions, payments, cache), examples=150, steps=30)
