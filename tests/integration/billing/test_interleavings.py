"""In whatever order events come, twice or not at all: after one reconciliation all is stored as at PayPal.

The machine plays payer, PayPal, network and workers against the real stores. Two people subscribe, cancel, are charged
and paid back; events are delivered in any order, again, or lost; messages are lost; a worker is overtaken by others
between PayPal's answer and its writing of it; an account is deleted in between.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from functions.accounts.model import Viewer
from functions.billing.entitlements import Entitlements, RedisMemory
from functions.billing.model import PaymentState, State
from functions.platform.errors import AlreadySubscribed, Conflict, NotFound
from tests.support.billing import MONTHLY, YEARLY, Counter, TickingClock, make_user_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.billing.repository import MySqlPayments, MySqlSubscriptions

people = st.integers(0, 1)
chances = st.randoms(use_true_random=False)


class OwnSubscriptions:
    """The real store, of which lists show only what belongs to one example."""

    def __init__(self, store: MySqlSubscriptions, own: Callable[[str], bool]) -> None:
        self._store = store
        self._own = own

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def marked(self, *, before: datetime, limit: int) -> list[str]:
        return [one for one in self._store.marked(before=before, limit=1_000_000) if self._own(one)]

    def unsure(self, *, limit: int, **bounds: Any) -> list[str]:
        return [one for one in self._store.unsure(limit=1_000_000, **bounds) if self._own(one)]


class Life(RuleBasedStateMachine):
    """Two people's lives as subscribers."""

    stores: tuple[MySqlSubscriptions, MySqlPayments, RedisMemory]

    def __init__(self) -> None:
        super().__init__()
        subscriptions, payments, memory = self.stores
        clock = TickingClock()
        self.entitlements = Entitlements(subscriptions, memory, clock)
        own = OwnSubscriptions(subscriptions, lambda subject: subject in self.paypal.told_of)
        self.counter = Counter(own, payments, clock, access_changed=self.entitlements.changed)
        self.paypal = self.counter.paypal
        self.viewers = [Viewer(make_user_id(), "ada@example.org"), Viewer(make_user_id(), "bob@example.org")]
        self.gone: set[str] = set()
        self.plans = [self.counter.plan(MONTHLY), self.counter.plan(YEARLY)]
        self.past: list[Any] = []

    # People

    @rule(who=people, which=st.integers(0, 1), approves=st.booleans())
    def subscribes(self, who: int, which: int, approves: bool) -> None:
        if self.viewers[who].user_id in self.gone:
            return
        try:
            opening = self.counter.shop.subscribe(self.viewers[who], self.plans[which])
        except AlreadySubscribed:
            return
        except Conflict:
            return  # taken up already: the approval is older than its event
        if approves:
            self.paypal.approve(opening.subscription_id)

    @precondition(lambda self: self.paypal.records)
    @rule(chance=chances)
    def approves_late(self, chance: Any) -> None:
        self.paypal.approve(chance.choice(list(self.paypal.records)))

    @rule(who=people)
    def cancels_here(self, who: int) -> None:
        try:
            self.counter.shop.cancel(self.viewers[who])
        except NotFound:
            return

    @rule(who=people)
    def looks(self, who: int) -> None:
        self.counter.shop.current(self.viewers[who])
        self.entitlements.of(self.viewers[who])

    @rule(who=people)
    def leaves(self, who: int) -> None:
        user_id = self.viewers[who].user_id
        self.counter.shop.forget(user_id)
        self.gone.add(user_id)

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
        self.counter.clock.now += by

    # The network

    @precondition(lambda self: self.paypal.told)
    @rule(chance=chances)
    def an_event_comes(self, chance: Any) -> None:
        event = self.paypal.told.pop(chance.randrange(len(self.paypal.told)))
        self.past.append(event)
        self.counter.deliver(event)

    @precondition(lambda self: self.past)
    @rule(chance=chances)
    def an_event_comes_again(self, chance: Any) -> None:
        self.counter.deliver(chance.choice(self.past))

    @precondition(lambda self: self.paypal.told)
    @rule(chance=chances)
    def an_event_is_lost(self, chance: Any) -> None:
        self.paypal.told.pop(chance.randrange(len(self.paypal.told)))

    @precondition(lambda self: self.counter.queue)
    @rule(chance=chances)
    def a_message_is_lost(self, chance: Any) -> None:
        self.counter.queue.pop(chance.randrange(len(self.counter.queue)))

    # Workers

    @precondition(lambda self: self.counter.queue)
    @rule(chance=chances)
    def a_message_is_handled(self, chance: Any) -> None:
        self.counter.settlements.settle(*self.counter.queue.pop(chance.randrange(len(self.counter.queue))))

    @precondition(lambda self: self.counter.queue)
    @rule(chance=chances, state=st.sampled_from([State.CANCELLED, State.SUSPENDED, State.ACTIVE]))
    def a_message_is_handled_and_overtaken(self, chance: Any, state: State) -> None:
        subject, cause = self.counter.queue.pop(chance.randrange(len(self.counter.queue)))

        def meanwhile() -> None:
            if subject in self.paypal.records:
                self.paypal.turn(subject, state)
                self.paypal.renew(subject)
            while self.paypal.told:
                self.counter.deliver(self.paypal.told.pop())
            self.counter.work()

        self.paypal.between = meanwhile
        self.counter.settlements.settle(subject, cause)
        self.paypal.between = None

    # The end

    def teardown(self) -> None:
        self.paypal.told.clear()  # whatever was not told by now never is
        self.counter.queue.clear()
        self.counter.clock.forward(minutes=2)
        self.counter.settlements.reconcile(everything=True)
        self.counter.work()
        self.paypal.told.clear()
        self.counter.clock.forward(minutes=2)
        self.counter.settlements.mend()
        self.counter.work()
        self.agrees()

    def agrees(self) -> None:
        subscriptions, payments, _ = self.stores
        for subscription_id, record in self.paypal.records.items():
            waiting = subscriptions.waiting(subscription_id)
            assert waiting.subscription is not None
            assert (waiting.subscription.state, waiting.subscription.state_since) == (
                record.standing.state,
                record.standing.state_since,
            )
            assert waiting.token is None
            stored = payments.of_subscription(subscription_id)
            assert sorted((p.charge.payment_id, p.charge.state, p.charge.amount_minor) for p in stored) == sorted(
                (c.payment_id, c.state, c.amount_minor) for c in record.charges
            )
            for payment in stored:
                assert payment.charge.state is not PaymentState.REFUNDED or payment.charge.refunded_minor > 0
            of_nobody = record.standing.user_id in self.gone
            assert (waiting.subscription.user_id is None) == of_nobody
            assert of_nobody <= all(payment.user_id is None for payment in stored)
            if of_nobody:
                assert record.standing.state not in (State.ACTIVE, State.SUSPENDED)
        for viewer in self.viewers:
            if viewer.user_id in self.gone:
                continue
            mine = [r for r in self.paypal.records.values() if r.standing.user_id == viewer.user_id]
            assert sum(record.standing.state is State.ACTIVE for record in mine) <= 1
            self.is_let_in_rightly(viewer, mine)

    def is_let_in_rightly(self, viewer: Viewer, mine: list[Any]) -> None:
        """Hold the entitlement against what has been paid, now and later; a paid day is given to its end."""
        for later in (timedelta(0), timedelta(days=3), timedelta(days=29), timedelta(days=33), timedelta(days=400)):
            now = self.counter.clock.now + later
            given = Entitlements(self.stores[0], _NoMemory(), lambda now=now: now).of(viewer).entitled  # type: ignore[misc]
            due = any(record.lets_in(now) for record in mine)
            at_most = due or any(record.lets_in(now - timedelta(days=1)) for record in mine)
            stored = self.stores[0].of_user(viewer.user_id)
            assert due <= given <= at_most, f"in {later}: {given}, by what was paid {due}\n{mine}\n{stored}"
        assert self.entitlements.of(viewer) == Entitlements(self.stores[0], _NoMemory(), self.counter.clock).of(viewer)


class _NoMemory:
    """A memory that remembers nothing."""

    def recall(self, user_id: str) -> None:
        return None

    def remember(self, user_id: str, entitlement: object, *, seconds: int) -> None:
        pass

    def forget(self, user_id: str) -> None:
        pass


def test_any_interleaving_ends_as_paypal_has_it(
    subscriptions: MySqlSubscriptions, payments: MySqlPayments, memory: RedisMemory
) -> None:
    Life.stores = (subscriptions, payments, memory)
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=150,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            database=None,
        ),
    )


@pytest.fixture(autouse=True)
def _classes_stay_clean() -> Any:
    yield
    if hasattr(Life, "stores"):
        del Life.stores
