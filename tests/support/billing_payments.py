"""Billing's payments in memory; the contract is that of tests/integration/billing/test_stores.py."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from functions.platform.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from functions.billing.model import Payment
    from functions.platform.pagination import TimePosition


class MemoryPayments:
    """Payments in memory; unavailable on request."""

    def __init__(self) -> None:
        self.unavailable = False
        self._stored: dict[str, tuple[Payment, datetime]] = {}

    def record_payment(self, payment: Payment, *, asked_at: datetime) -> None:
        self._answer()
        charge = payment.charge
        stored = self._stored.get(charge.payment_id)
        if stored is None:
            self._stored[charge.payment_id] = (payment, asked_at)
            return
        known, known_at = stored
        if asked_at >= known_at:
            refunded = max(charge.refunded_minor, known.charge.refunded_minor)
            changed = replace(known.charge, state=charge.state, refunded_minor=refunded)
            self._stored[charge.payment_id] = (replace(known, charge=changed), asked_at)

    def page_payments(self, user_id: str, after: TimePosition | None, *, limit: int) -> list[Payment]:
        self._answer()
        mine = [payment for payment, _ in self._stored.values() if payment.user_id == user_id]
        return entries_after(mine, lambda one: (one.charge.at, one.charge.payment_id), after, limit)

    def list_of_subscription(self, subscription_id: str) -> list[Payment]:
        """Return the payments of a subscription, oldest first."""
        found = [payment for payment, _ in self._stored.values() if payment.subscription_id == subscription_id]
        return sorted(found, key=lambda one: (one.charge.at, one.charge.payment_id))

    def forget_payer(self, user_id: str) -> None:
        self._answer()
        for payment_id, (payment, asked_at) in self._stored.items():
            if payment.user_id == user_id:
                self._stored[payment_id] = (replace(payment, user_id=None), asked_at)

    def _answer(self) -> None:
        if self.unavailable:
            raise StoreUnavailable("The database of payments does not answer; try again in a few seconds.")


def entries_after[Entry](
    entries: Iterable[Entry],
    position: Callable[[Entry], tuple[datetime, str]],
    after: TimePosition | None,
    limit: int,
) -> list[Entry]:
    """Return the entries after a position, newest first."""
    ordered = sorted(entries, key=position, reverse=True)
    return [one for one in ordered if after is None or position(one) < (after.at, after.entry_id)][:limit]
