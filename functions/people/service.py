"""One person as the owner sees them: account, access and subscription, from the slices that know them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from functions.accounts.service import AccountService
    from functions.billing.model import Entitlement
    from functions.billing.service import CurrentSubscription, SubscriptionService
    from functions.people.ports import AccessReader
    from functions.platform.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Person:
    """An account, whether it may play films, and its subscription."""

    viewer: Viewer
    entitlement: Entitlement
    current: CurrentSubscription


class People:
    """Finds people, ends their sessions, and deletes their accounts; every method raises StoreUnavailable."""

    def __init__(self, accounts: AccountService, access: AccessReader, subscriptions: SubscriptionService) -> None:
        self._accounts = accounts
        self._access = access
        self._subscriptions = subscriptions

    def find(self, email: str) -> Person:
        """Return the person with an email address. Raises NotFound, and Malformed if it is not an address."""
        viewer = self._accounts.find_account(email)
        return Person(viewer, self._access.of(viewer), self._subscriptions.current_subscription(viewer))

    def end_sessions(self, user_id: str, *, by: str) -> None:
        """Log a person out on all devices; idempotent. Raises NotFound."""
        self._accounts.moderation.end_sessions(user_id, by=by)

    def erase(self, user_id: str, *, by: str) -> None:
        """Delete an account with its data, and cancel its subscription. Raises NotFound, Conflict."""
        self._accounts.moderation.erase(user_id, by=by)
