"""Random histories of two subscribers, run against given stores; at the end, billing must agree with PayPal's ledger.

The state machine simulates payers, PayPal, network and workers. Two viewers subscribe, cancel, are charged and
refunded, and another person creates subscriptions in their names. Events are delivered in any order, repeatedly, or
not at all, and messages are lost. Other workers run after PayPal has answered and before its answer is stored. Accounts
are deleted at any time.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from functions.billing.entitlements import Entitlements
from functions.billing.model import PaymentState, State
from functions.platform.errors import AlreadySubscribed, Conflict, NotFound
from functions.platform.viewer import Viewer
from tests.support.billing import MONTHLY, YEARLY, ModelledBilling, TickingClock, make_user_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.billing.ports import EntitlementCache
    from tests.support.billing import Record

type Stores = tuple[Any, Any, EntitlementCache]
"""Subscriptions, payments, and the cache of entitlements."""

people = st.integers(0, 1)
chances = st.randoms(use_true_random=False)


class OwnSubscriptions:
    """A store whose lists contain only the entries of one generated example."""

    def __init__(self, store: Any, own: Callable[[str], bool]) -> None:
        self._store = store
        self._own = own

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def list_pending(self, *, before: datetime, limit: int) -> list[str]:
        return [one for one in self._store.list_pending(before=before, limit=1_000_000) if self._own(one)]

    def list_stale(self, *, limit: int, **bounds: Any) -> list[str]:
        return [one for one in self._store.list_stale(limit=1_000_000, **bounds) if self._own(one)]


class Life(RuleBasedStateMachine):
    """The state machine of the two subscribers."""

    stores: Stores

    def __init__(self) -> None:
        super().__init__()
        subscriptions, payments, cache = self.stores
        clock = TickingClock()
        self.entitlements = Entitlements(subscriptions, cache, clock)
        own = OwnSubscriptions(subscriptions, lambda subject: subject in self.paypal.told_of)
        self.billing = ModelledBilling(own, payments, clock, entitlement_changed=self.entitlements.changed)
        self.paypal = self.billing.paypal
        self.viewers = [
            Viewer(make_user_id(), "ada@example.org", confirmed=True),
            Viewer(make_user_id(), "bob@example.org", confirmed=True),
        ]
        self.gone: set[str] = set()
        self.plans = [self.billing.plan(MONTHLY), self.billing.plan(YEARLY)]
        self.past: list[Any] = []
        self.granted_until: dict[int, datetime] = {}

    # People

    @rule(who=people, which=st.integers(0, 1), approves=st.booleans())
    def subscribes(self, who: int, which: int, approves: bool) -> None:
        if self.viewers[who].user_id in self.gone:
            return
        try:
            checkout = self.billing.subscriptions.subscribe(self.viewers[who], self.plans[which])
        except AlreadySubscribed:
            return
        except Conflict:
            return  # already reconciled: the approval is older than its event
        if approves:
            self.paypal.approve(checkout.subscription_id)

    @precondition(lambda self: self.paypal.records)
    @rule(chance=chances)
    def approves_late(self, chance: Any) -> None:
        self.paypal.approve(chance.choice(list(self.paypal.records)))

    @rule(who=people)
    def cancels_here(self, who: int) -> None:
        try:
            self.billing.subscriptions.cancel_subscription(self.viewers[who])
        except NotFound:
            return

    @rule(who=people)
    def looks(self, who: int) -> None:
        self.billing.subscriptions.current_subscription(self.viewers[who])
        self.entitlements.of(self.viewers[who])

    @rule(who=people)
    def leaves(self, who: int) -> None:
        user_id = self.viewers[who].user_id
        self.billing.subscriptions.forget_viewer(user_id)
        self.gone.add(user_id)

    # Another person, and the owner

    @rule(who=people, which=st.integers(0, 1), days=st.sampled_from([0, 3650]))
    def is_subscribed_by_somebody_else(self, who: int, which: int, days: int) -> None:
        starts_at = self.billing.clock() + timedelta(days=days) if days else None
        user_id = self.viewers[who].user_id
        self.paypal.approve(self.paypal.begin_elsewhere(self.plans[which], user_id, starts_at=starts_at))

    @rule(who=people)
    def is_granted(self, who: int) -> None:
        if self.viewers[who].user_id not in self.gone:
            self.billing.admin.grant_access(f"{self.viewers[who].user_id}@example.org", days=5, by="operator")
            self.granted_until[who] = self.billing.clock.now + timedelta(days=5)

    # PayPal

    @precondition(lambda self: self.paypal.records)
    @rule(chance=chances, state=st.sampled_from([State.CANCELLED, State.SUSPENDED, State.ACTIVE, State.EXPIRED]))
    def is_changed_at_paypal(self, chance: Any, state: State) -> None:
        self.paypal.turn(chance.choice(list(self.paypal.records)), state)

    @precondition(lambda self: self.paypal.records)
    @rule(chance=chances, fails=st.booleans())
    def is_charged(self, chance: Any, fails: bool) -> None:
        self.paypal.renew(chance.choice(list(self.paypal.records)), fails=fails)

    @precondition(lambda self: self.paypal.records)
    @rule(chance=chances, minor=st.one_of(st.none(), st.integers(1, 500)))
    def is_paid_back(self, chance: Any, minor: int | None) -> None:
        self.paypal.pay_back(chance.choice(list(self.paypal.records)), minor)

    @rule(by=st.sampled_from([timedelta(0), timedelta(seconds=1), timedelta(hours=7), timedelta(days=20)]))
    def time_goes_on(self, by: timedelta) -> None:
        self.billing.clock.now += by

    # The network

    @precondition(lambda self: self.paypal.told)
    @rule(chance=chances)
    def an_event_comes(self, chance: Any) -> None:
        event = self.paypal.told.pop(chance.randrange(len(self.paypal.told)))
        self.past.append(event)
        self.billing.deliver(event)

    @precondition(lambda self: self.past)
    @rule(chance=chances)
    def an_event_comes_again(self, chance: Any) -> None:
        self.billing.deliver(chance.choice(self.past))

    @precondition(lambda self: self.paypal.told)
    @rule(chance=chances)
    def an_event_is_lost(self, chance: Any) -> None:
        self.paypal.told.pop(chance.randrange(len(self.paypal.told)))

    @precondition(lambda self: self.billing.queue)
    @rule(chance=chances)
    def a_message_is_lost(self, chance: Any) -> None:
        self.billing.queue.pop(chance.randrange(len(self.billing.queue)))

    # Workers

    @precondition(lambda self: self.billing.queue)
    @rule(chance=chances)
    def a_message_is_handled(self, chance: Any) -> None:
        self.billing.handle(self.billing.queue.pop(chance.randrange(len(self.billing.queue))))

    @precondition(lambda self: self.billing.queue)
    @rule(chance=chances, state=st.sampled_from([State.CANCELLED, State.SUSPENDED, State.ACTIVE]))
    def a_message_is_handled_and_overtaken(self, chance: Any, state: State) -> None:
        message = self.billing.queue.pop(chance.randrange(len(self.billing.queue)))
        subject = message.subject

        def meanwhile() -> None:
            if subject in self.paypal.records:
                self.paypal.turn(subject, state)
                self.paypal.renew(subject)
            while self.paypal.told:
                self.billing.deliver(self.paypal.told.pop())
            self.billing.work()

        self.paypal.between = meanwhile
        self.billing.handle(message)
        self.paypal.between = None

    # The end

    def teardown(self) -> None:
        self.paypal.told.clear()  # events that have not been delivered by now are lost
        self.billing.queue.clear()
        self.billing.clock.forward(minutes=2)
        self.billing.reconciliation.reconcile_stale(everything=True)
        self.billing.work()
        self.paypal.told.clear()
        self.billing.clock.forward(minutes=2)
        self.billing.reconciliation.repair_pending()
        self.billing.work()
        self.agrees()

    def agrees(self) -> None:
        subscriptions, payments, _ = self.stores
        for subscription_id, record in self.paypal.records.items():
            pending = subscriptions.find_pending(subscription_id)
            assert pending.token is None
            stored = payments.list_of_subscription(subscription_id)
            assert all(p.charge.state is not PaymentState.REFUNDED or p.charge.refunded_minor > 0 for p in stored)
            if record.is_foreign:
                assert pending.subscription is None
                assert all(payment.user_id is None for payment in stored)
                continue
            assert pending.subscription is not None
            assert (pending.subscription.state, pending.subscription.state_since) == (
                record.remote.state,
                record.remote.state_since,
            )
            assert sorted((p.charge.payment_id, p.charge.state, p.charge.amount_minor) for p in stored) == sorted(
                (c.payment_id, c.state, c.amount_minor) for c in record.charges
            )
            of_nobody = record.remote.user_id in self.gone
            assert (pending.subscription.user_id is None) == of_nobody
            assert of_nobody <= all(payment.user_id is None for payment in stored)
            if of_nobody:
                assert record.remote.state not in (State.ACTIVE, State.SUSPENDED)
        for who, viewer in enumerate(self.viewers):
            if viewer.user_id in self.gone:
                continue
            records = self.paypal.records.values()
            mine = [r for r in records if r.remote.user_id == viewer.user_id and not r.is_foreign]
            assert sum(record.remote.state is State.ACTIVE for record in mine) <= 1
            self.is_entitled_rightly(viewer, mine, self.granted_until.get(who))

    def is_entitled_rightly(self, viewer: Viewer, mine: list[Record], granted_until: datetime | None) -> None:
        """Check that the entitlement matches the payments, now and later; its end may be up to a day late."""
        renews = any(record.remote.state is State.ACTIVE for record in mine)
        for later in (timedelta(0), timedelta(days=3), timedelta(days=29), timedelta(days=33), timedelta(days=400)):
            now = self.billing.clock.now + later
            found = Entitlements(self.stores[0], _NoCache(), lambda now=now: now).of(viewer)  # type: ignore[misc]
            granted = granted_until is not None and now < granted_until
            paid = sum(record.net_minor for record in mine)
            assert paid > 0 or granted or not found.entitled, f"entitled in {later} although nothing is paid\n{mine}"
            due = granted or any(record.entitles(now, renews=renews) for record in mine)
            at_most = due or any(record.entitles(now - timedelta(days=1), renews=renews) for record in mine)
            stored = self.stores[0].list_of_user(viewer.user_id)
            assert due <= found.entitled <= at_most, f"in {later}: {found}, by what was paid {due}\n{mine}\n{stored}"
        assert self.entitlements.of(viewer) == Entitlements(self.stores[0], _NoCache(), self.billing.clock).of(viewer)


class _NoCache:
    """A cache that stores nothing."""

    def find_entitlement(self, user_id: str) -> None:
        return None

    def store_entitlement(self, user_id: str, entitlement: object, *, seconds: int) -> None:
        pass

    def drop_entitlement(self, user_id: str) -> None:
        pass


def play(stores: Stores, *, examples: int, steps: int) -> None:
    """Run histories; raise AssertionError for the shortest history after which billing and ledger disagree."""

    class Played(Life):
        pass

    Played.stores = stores
    run_state_machine_as_test(
        Played,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            database=None,
        ),
    )
