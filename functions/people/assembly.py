"""Creates the services of the people slice with their dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.people.service import People

if TYPE_CHECKING:
    from functions.accounts.service import AccountService
    from functions.billing.service import SubscriptionService
    from functions.people.ports import AccessReader


def assemble(accounts: AccountService, access: AccessReader, subscriptions: SubscriptionService) -> People:
    """Return the people."""
    return People(accounts, access, subscriptions)
