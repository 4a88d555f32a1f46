"""Any sequence of subscriptions, payments and refunds ends with the entitlement that was paid for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.billing.entitlements import Entitlements
from functions.billing.model import State
from functions.platform.errors import AlreadySubscribed, NotFound
from functions.platform.viewer import Viewer
from tests.support.billing import MONTHLY, YEARLY, ModelledBilling, make_user_id
from tests.support.billing_caches import MemoryEntitlementCache
from tests.support.billing_life import play
from tests.support.billing_payments import MemoryPayments
from tests.support.billing_store import MemorySubscriptions

if TYPE_CHECKING:
    from functions.billing.model import Entitlement

ACTIONS = ("subscribe", "cancel", "come back", "renew", "fail", "refund", "suspend", "resume", "elsewhere")


class Viewing:
    """One viewer; billing processes the events of each action before the next action."""

    def __init__(self) -> None:
        self.billing = ModelledBilling(MemorySubscriptions(), MemoryPayments())
        self.viewer = Viewer(make_user_id(), "ada@example.org", confirmed=True)
        self.plans = [self.billing.plan(MONTHLY), self.billing.plan(YEARLY)]

    def act(self, action: str, number: int, hours: int) -> None:
        """Wait `hours`, then perform an action, if possible, on the plan or subscription that `number` selects."""
        paypal, service = self.billing.paypal, self.billing.subscriptions
        self.billing.clock.forward(hours=hours, seconds=5)
        self.billing.reconciliation.reconcile_stale()
        self.billing.work()
        ids = list(paypal.records)
        try:
            if action in ("subscribe", "come back"):
                if action == "come back":
                    service.cancel_subscription(self.viewer)
                    self.billing.catch_up()
                paypal.approve(service.subscribe(self.viewer, self.plans[number % 2]).subscription_id)
            elif action == "cancel":
                service.cancel_subscription(self.viewer)
            elif action == "elsewhere":
                starts_at = self.billing.clock() + timedelta(days=3650) if number % 2 else None
                paypal.approve(paypal.begin_elsewhere(self.plans[0], self.viewer.user_id, starts_at=starts_at))
            elif ids:
                subscription_id = ids[number % len(ids)]
                {
                    "renew": lambda: paypal.renew(subscription_id),
                    "fail": lambda: paypal.renew(subscription_id, fails=True),
                    "refund": lambda: paypal.pay_back(subscription_id, 500 if number % 3 == 2 else None),
                    "suspend": lambda: paypal.turn(subscription_id, State.SUSPENDED),
                    "resume": lambda: paypal.turn(subscription_id, State.ACTIVE),
                }[action]()
        except (AlreadySubscribed, NotFound):
            return
        finally:
            self.billing.catch_up()

    def net_minor(self) -> int:
        """Return the amount that was paid and not refunded for subscriptions begun here."""
        return sum(record.net_minor for record in self.billing.paypal.records.values() if not record.is_foreign)

    def entitlement(self) -> Entitlement:
        """Return the viewer's entitlement now."""
        return Entitlements(self.billing.store, MemoryEntitlementCache(), self.billing.clock).of(self.viewer)


@settings(max_examples=1000, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(ACTIONS), st.integers(0, 5), st.sampled_from([0, 0, 0, 24, 24 * 31])),
        min_size=3,
        max_size=12,
    )
)
def test_who_has_paid_nothing_in_sum_is_entitled_to_nothing(history: list[tuple[str, int, int]]) -> None:
    viewing = Viewing()
    for step in history:
        viewing.act(*step)
        assert viewing.net_minor() > 0 or not viewing.entitlement().entitled


def test_any_history_ends_as_paypal_has_it() -> None:
    play((MemorySubscriptions(), MemoryPayments(), MemoryEntitlementCache()), examples=200, steps=30)
