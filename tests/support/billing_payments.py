"""Billing's payments in memory; the contract is that of tests/integration/billing/test_stores.py."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from functions.billing.figures import NO_REVENUE, NO_TURNOVER, DayRevenue, DayTurnover
from functions.billing.model import PaymentState
from functions.platform.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import date, datetime

    from functions.billing.model import Payment
    from functions.platform.pagination import TimePosition


class MemoryPayments:
    """Payments in memory; unavailable on request."""

    def __init__(self) -> None:
        self.unavailable = False
        self.told: dict[str, tuple[str | None, datetime]] = {}
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

    def find_payment(self, user_id: str, payment_id: str) -> Payment | None:
        self._answer()
        payment, _ = self._stored.get(payment_id, (None, None))
        return payment if payment and payment.user_id == user_id else None

    def claim_notice(self, key: str, claim: str, *, now: datetime, stale_before: datetime) -> bool:
        self._answer()
        held, since = self.told.get(key, (claim, stale_before))
        if held and since <= stale_before:
            self.told[key] = (claim, now)
        return self.told[key][0] == claim

    def confirm_notice(self, key: str) -> None:
        self._answer()
        self.told[key] = (None, self.told[key][1])

    def release_notice(self, key: str, claim: str) -> None:
        self._answer()
        if self.told.get(key, (None, None))[0] == claim:
            del self.told[key]

    def list_of_subscription(self, subscription_id: str) -> list[Payment]:
        self._answer()
        found = [payment for payment, _ in self._stored.values() if payment.subscription_id == subscription_id]
        return sorted(found, key=lambda one: (one.charge.at, one.charge.payment_id))

    def count_revenue(self, since: datetime) -> dict[str, dict[date, DayRevenue]]:
        self._answer()
        found: dict[str, dict[date, DayRevenue]] = {}
        for payment, _ in self._stored.values():
            charge = payment.charge
            if charge.at >= since and charge.state not in (PaymentState.PENDING, PaymentState.DECLINED):
                by_day = found.setdefault(charge.currency, {})
                before = by_day.get(charge.at.date(), NO_REVENUE)
                by_day[charge.at.date()] = DayRevenue(
                    before.amount_minor + charge.amount_minor, before.refunded_minor + charge.refunded_minor
                )
        return found

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


def turnover_by_day(
    changes: Iterable[dict[str, Any]], ids: Collection[str], since: datetime
) -> dict[date, DayTurnover]:
    """Return how many of the subscriptions with these ids became active, or were no longer active, on each day."""
    found: dict[date, DayTurnover] = {}
    for change in changes:
        was, is_now = change["state_before"] == "ACTIVE", change["state"] == "ACTIVE"
        if change["subscription_id"] in ids and change["at"] >= since and was != is_now:
            before = found.get(change["at"].date(), NO_TURNOVER)
            found[change["at"].date()] = DayTurnover(before.gained + is_now, before.lost + was)
    return found
