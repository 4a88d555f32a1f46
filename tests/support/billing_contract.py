"""The contract of billing's store of subscriptions, as a test class; subclasses provide the store to test."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from functions.billing.model import Coverage, Grant, Plan, RemoteSubscription, State
from functions.billing.reconciliation import new_token
from functions.platform.errors import AlreadySubscribed, Unauthenticated
from functions.platform.pagination import TimePosition
from tests.support.billing import MONTHLY, make_event, make_user_id
from tests.support.clock import NOON

if TYPE_CHECKING:
    from datetime import datetime

    from functions.billing.model import Subscription

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LATER = NOON + DAY


def make_id(kind: str = "I") -> str:
    """Return an id in PayPal's format."""
    return f"{kind}-{uuid.uuid4().hex[:14].upper()}"


def make_remote(state: State = State.APPROVAL_PENDING, **changes: Any) -> RemoteSubscription:
    """Return PayPal's answer for a new subscription."""
    made = RemoteSubscription(
        subscription_id=make_id(),
        user_id=make_user_id(),
        plan_id="P-1",
        state=state,
        state_since=NOON,
        created_at=NOON,
        next_charge_at=None,
        last_payment=None,
        approve_url="https://paypal.example/approve",
    )
    return replace(made, **changes)


class SubscriptionStoreContract:
    """The tests that every store of subscriptions must pass."""

    @pytest.fixture
    def store(self) -> Any:
        raise NotImplementedError

    def begun(self, store: Any, remote: RemoteSubscription, *, at: datetime = NOON) -> RemoteSubscription:
        """Store a checkout of a subscription."""
        attempt = store.begin_checkout(remote.user_id, remote.plan_id, new_token(), now=at, fresh_since=at - HOUR)
        store.store_checkout(attempt.request_id, remote, user_id=remote.user_id, now=at)
        return remote

    def applied(self, store: Any, remote: RemoteSubscription, *, at: datetime = NOON, **given: Any) -> Any:
        """Store an answer of PayPal."""
        given = {"token": None, "asked_at": at, "now": at, "cause": "event", **given}
        return store.apply_remote(remote, given.pop("paid_through", None), **given)

    def stored(self, store: Any, subscription_id: str) -> Subscription:
        found = store.find_pending(subscription_id).subscription
        assert found is not None
        kept: Subscription = found
        return kept

    # Plans

    def test_a_plan_is_stored_once_and_retired_once(self, store: Any) -> None:
        plan = Plan(make_id("P"), "PROD-1", replace(MONTHLY, price_minor=1), NOON)
        store.store_plan(plan)
        store.store_plan(replace(plan, offer=replace(MONTHLY, name="Other")))
        assert store.find_plan(plan.plan_id) == plan
        dearer = replace(plan, plan_id=make_id("P"), offer=replace(MONTHLY, price_minor=10**9))
        store.store_plan(dearer)
        mine = [one for one in store.list_plans() if one in (plan, dearer)]
        assert mine == [plan, dearer]
        store.retire_plan(plan.plan_id, LATER)
        store.retire_plan(plan.plan_id, LATER + DAY)
        assert store.find_plan(plan.plan_id) == replace(plan, retired_at=LATER)
        assert store.find_plan("P-NOTHING") is None

    # Checkouts

    def test_a_checkout_continues_while_it_is_fresh_and_for_the_same_plan(self, store: Any) -> None:
        user_id = make_user_id()

        def begin(plan_id: str, request_id: str, minutes: int) -> Any:
            now = NOON + timedelta(minutes=minutes)
            return store.begin_checkout(user_id, plan_id, request_id, now=now, fresh_since=now - HOUR)

        first, second, third = new_token(), new_token(), new_token()
        assert begin("P-1", first, 0).request_id == first
        assert begin("P-1", second, 59).request_id == first
        assert begin("P-2", second, 59).request_id == second
        assert begin("P-2", third, 180).request_id == third

    def test_a_checkout_that_paypal_has_answered_returns_the_answer(self, store: Any) -> None:
        remote = self.begun(store, make_remote())
        again = store.begin_checkout(remote.user_id, "P-1", new_token(), now=NOON, fresh_since=NOON - HOUR)
        assert (again.subscription_id, again.approve_url) == (remote.subscription_id, remote.approve_url)
        self.applied(store, replace(remote, state=State.CANCELLED, state_since=LATER))
        request_id = new_token()
        ended = store.begin_checkout(remote.user_id, "P-1", request_id, now=NOON, fresh_since=NOON - HOUR)
        assert (ended.request_id, ended.subscription_id, ended.approve_url) == (request_id, None, "")

    @pytest.mark.parametrize("state", [State.APPROVED, State.ACTIVE, State.SUSPENDED])
    def test_nobody_begins_beside_a_subscription_that_has_not_ended(self, store: Any, state: State) -> None:
        remote = self.begun(store, make_remote())
        self.applied(store, replace(remote, state=state, state_since=LATER))
        with pytest.raises(AlreadySubscribed):
            store.begin_checkout(remote.user_id, "P-1", new_token(), now=NOON, fresh_since=NOON)

    def test_an_event_that_is_faster_than_the_checkout_keeps_its_state(self, store: Any) -> None:
        remote = make_remote()
        attempt = store.begin_checkout(remote.user_id, "P-1", new_token(), now=NOON, fresh_since=NOON - HOUR)
        self.applied(store, replace(remote, state=State.ACTIVE, state_since=LATER), at=LATER)
        store.store_checkout(attempt.request_id, remote, user_id=remote.user_id, now=LATER)
        found = self.stored(store, remote.subscription_id)
        assert (found.state, found.approve_url) == (State.ACTIVE, remote.approve_url)

    # Pending flags and events

    def test_one_message_is_sent_for_a_pending_subject_until_it_may_be_lost(self, store: Any) -> None:
        subject = make_id()
        assert store.set_pending(subject, "1" * 32, NOON)
        assert not store.set_pending(subject, "2" * 32, NOON + timedelta(seconds=59))
        assert store.find_pending(subject).token == "2" * 32
        assert store.set_pending(subject, "3" * 32, NOON + timedelta(seconds=60))
        assert not store.set_pending(subject, "4" * 32, NOON + timedelta(seconds=90))

    def test_a_repeated_call_is_answered_as_before(self, store: Any) -> None:
        subject = make_id()
        for token, is_new in (("1" * 32, True), ("1" * 32, True), ("2" * 32, False), ("1" * 32, False)):
            event = make_event("BILLING.SUBSCRIPTION.UPDATED", subject)
            for _ in range(2):
                assert store.store_event(event, token, NOON) is is_new
                assert store.set_pending(subject, token, NOON) is is_new

    def test_pending_subjects_are_listed_from_when_they_were_flagged(self, store: Any) -> None:
        first, second = make_id(), make_id()
        store.set_pending(second, new_token(), NOON + DAY)
        store.set_pending(first, new_token(), NOON)
        store.set_pending(first, new_token(), NOON + timedelta(seconds=30))
        listed = store.list_pending(before=NOON + DAY, limit=1_000_000)
        assert [one for one in listed if one in (first, second)] == [first, second]
        assert first in store.list_pending(before=NOON, limit=1_000_000)
        assert first not in store.list_pending(before=NOON - timedelta(seconds=1), limit=1_000_000)
        assert len(store.list_pending(before=NOON + DAY, limit=1)) == 1

    def test_a_flag_is_cleared_by_its_own_token_only(self, store: Any) -> None:
        subject = make_id()
        store.set_pending(subject, "1" * 32, NOON)
        store.set_pending(subject, "2" * 32, NOON)
        assert store.clear_pending(subject, "1" * 32)
        assert store.find_pending(subject).token == "2" * 32
        assert not store.clear_pending(subject, "2" * 32)
        assert store.find_pending(subject).token is None

    def test_an_event_is_stored_once_and_a_different_body_flags_again(self, store: Any) -> None:
        subject = make_id()
        event = make_event("BILLING.SUBSCRIPTION.UPDATED", subject)
        assert store.store_event(event, "1" * 32, NOON)
        assert store.store_event(event, "2" * 32, NOON)  # sending the message may have failed
        assert store.find_pending(subject).token == "1" * 32
        later = make_event("BILLING.SUBSCRIPTION.UPDATED", subject)
        assert not store.store_event(later, "5" * 32, NOON)
        assert not store.store_event(later, "6" * 32, NOON)  # it has no message that may have failed
        assert store.store_event(event, "7" * 32, NOON)
        other = replace(event, body_hash="f" * 64)
        assert not store.store_event(other, "3" * 32, NOON)  # the message for this flag has already been sent
        assert store.find_pending(subject).token == "3" * 32
        (stored,) = [one for one in store.page_events(None, limit=1000) if one.event_id == event.event_id]
        assert (stored.settled, stored.subject) == (False, subject)
        store.clear_pending(subject, "3" * 32)
        assert not store.store_event(event, "4" * 32, NOON)
        assert store.find_pending(subject).token is None
        (stored,) = [one for one in store.page_events(None, limit=1000) if one.event_id == event.event_id]
        assert stored.settled

    def test_the_deliveries_of_an_event_are_counted(self, store: Any) -> None:
        event = make_event("BILLING.SUBSCRIPTION.UPDATED", make_id())
        for _ in range(3):
            store.store_event(event, new_token(), NOON)
        (stored,) = [one for one in store.page_events(None, limit=1000) if one.event_id == event.event_id]
        assert stored.deliveries == 3

    def test_an_event_without_a_subject_is_stored_and_settled(self, store: Any) -> None:
        event = make_event("CATALOG.PRODUCT.CREATED", None)
        assert not store.store_event(event, new_token(), NOON)
        (stored,) = [one for one in store.page_events(None, limit=1000) if one.event_id == event.event_id]
        assert stored.settled

    # PayPal's answers

    def test_a_newer_answer_is_stored_and_an_older_one_is_not(self, store: Any) -> None:
        remote = self.begun(store, make_remote())
        active = replace(remote, state=State.ACTIVE, state_since=LATER, next_charge_at=LATER + DAY)
        assert self.applied(store, active, at=LATER, paid_through=LATER + DAY).user_id == remote.user_id
        self.applied(store, active, at=LATER, paid_through=LATER + DAY)
        self.applied(store, remote, at=LATER + DAY)  # PayPal's time is older
        self.applied(store, active, at=LATER - HOUR)  # queried earlier
        found = self.stored(store, remote.subscription_id)
        assert (found.state, found.paid_through, found.asked_at) == (State.ACTIVE, LATER + DAY, LATER)
        states = [change["state"] for change in store.list_changes(remote.subscription_id)]
        assert states == ["APPROVAL_PENDING", "ACTIVE"]

    def test_an_answer_clears_the_flag_it_was_asked_under(self, store: Any) -> None:
        remote = self.begun(store, make_remote())
        store.set_pending(remote.subscription_id, "1" * 32, NOON)
        store.set_pending(remote.subscription_id, "2" * 32, NOON)
        assert self.applied(store, remote, token="1" * 32).pending
        assert not self.applied(store, remote, token="2" * 32).pending
        assert store.find_pending(remote.subscription_id).token is None

    def test_other_active_subscriptions_of_the_same_subscriber_are_told(self, store: Any) -> None:
        user_id = make_user_id()
        first, second, third = (
            self.begun(store, make_remote(user_id=user_id, subscription_id=f"{make_id()}{number}"), at=at)
            for number, at in enumerate((NOON, NOON + 2 * HOUR, NOON + 4 * HOUR))
        )
        for number, remote in enumerate((first, second, third)):
            self.applied(store, replace(remote, state=State.ACTIVE, state_since=NOON + number * DAY))
        middle = replace(second, state=State.ACTIVE, state_since=NOON + DAY)
        result = self.applied(store, middle)
        assert (result.earlier, result.later) == ((first.subscription_id,), (third.subscription_id,))
        result = self.applied(store, replace(middle, state=State.CANCELLED, state_since=NOON + 5 * DAY))
        assert (result.earlier, result.later) == ((), ())

    # Entitlement

    def test_coverage_is_what_is_paid_for_and_the_longest_grant(self, store: Any) -> None:
        remote = self.begun(store, make_remote())
        assert store.coverage_of(remote.user_id) == ([], [])
        active = replace(remote, state=State.ACTIVE, state_since=LATER)
        self.applied(store, active, at=LATER, paid_through=LATER + DAY)
        for days in (3, 9, 6):
            grant = Grant(new_token(), remote.user_id or "", NOON + days * DAY, NOON, "operator")
            store.store_grant(grant)
            store.store_grant(replace(grant, until=NOON + 99 * DAY))
        assert store.coverage_of(remote.user_id) == (
            [Coverage(State.ACTIVE, LATER + DAY)],
            [NOON + 9 * DAY],
        )

    def test_a_revoked_grant_ends_earlier_and_says_by_whom(self, store: Any) -> None:
        remote = self.begun(store, make_remote())
        grant = Grant(new_token(), remote.user_id or "", NOON + 9 * DAY, NOON, "operator")
        store.store_grant(grant)
        assert store.revoke_grant(grant.grant_id, ends_at=NOON + 10 * DAY, now=LATER, by="a" * 32) == grant
        revoked = store.revoke_grant(grant.grant_id, ends_at=NOON + 5 * DAY, now=LATER, by="a" * 32)
        assert revoked == replace(grant, until=NOON + 5 * DAY, revoked_at=LATER, revoked_by="a" * 32)
        assert store.coverage_of(remote.user_id) == ([], [NOON + 5 * DAY])
        assert revoked == store.revoke_grant(grant.grant_id, ends_at=NOON + 5 * DAY, now=LATER + DAY, by="operator")
        at_once = store.revoke_grant(grant.grant_id, ends_at=NOON - DAY, now=LATER, by="operator")
        assert NOON < at_once.until < NOON + HOUR and at_once.revoked_by == "operator"
        position = TimePosition(NOON + timedelta(microseconds=1), "")
        assert at_once in store.page_grants(position, limit=100)
        assert store.revoke_grant(new_token(), ends_at=NOON, now=NOON, by="operator") is None

    def test_an_active_subscription_covers_nothing_before_its_first_payment(self, store: Any) -> None:
        remote = self.begun(store, make_remote())
        self.applied(store, replace(remote, state=State.ACTIVE, state_since=LATER))
        assert store.coverage_of(remote.user_id) == ([Coverage(State.ACTIVE, None)], [])
        self.applied(store, replace(remote, state=State.CANCELLED, state_since=LATER + DAY))
        assert store.coverage_of(remote.user_id) == ([], [])

    def test_what_was_not_begun_here_covers_nothing(self, store: Any) -> None:
        remote = make_remote(State.ACTIVE)
        self.applied(store, remote, paid_through=LATER)
        assert not store.find_pending(remote.subscription_id).begun_here
        assert store.coverage_of(remote.user_id) == ([], [])
        begun = self.begun(store, make_remote())
        assert store.find_pending(begun.subscription_id).begun_here
        assert not store.find_pending("I-NOTHING").begun_here

    # Lists

    def test_pages_neither_skip_nor_repeat_entries_of_one_time(self, store: Any) -> None:
        at = NOON + timedelta(days=365, microseconds=uuid.uuid4().int % 10**6)
        mine = {self.begun(store, make_remote(created_at=at)).subscription_id for _ in range(5)}
        seen: list[str] = []
        after: TimePosition | None = TimePosition(at + timedelta(microseconds=1), "")
        while len(seen) < 5:
            page = store.page_subscriptions(after, limit=2)
            seen += [one.subscription_id for one in page if one.created_at == at]
            after = TimePosition(page[-1].created_at, page[-1].subscription_id)
        assert (len(seen), set(seen)) == (5, mine)
        assert seen == sorted(seen, reverse=True)

    def test_the_first_page_has_the_newest(self, store: Any) -> None:
        at = NOON + timedelta(days=5000, seconds=uuid.uuid4().int % 10**6)
        grants = [Grant(new_token(), make_user_id(), at + n * DAY, at + n * HOUR, "operator") for n in (1, 2)]
        for grant in grants:
            store.store_grant(grant)
        event = make_event("X", None)
        store.store_event(event, new_token(), at)
        newest = store.page_grants(TimePosition(at + 2 * HOUR, "g"), limit=2)
        assert newest == grants[::-1]
        position = TimePosition(grants[1].granted_at, grants[1].grant_id)
        assert store.page_grants(position, limit=1) == [grants[0]]
        assert store.page_events(TimePosition(at, "x"), limit=1)[0].event_id == event.event_id

    def test_a_viewers_subscriptions_are_listed_newest_first(self, store: Any) -> None:
        user_id = make_user_id()
        ids = [
            self.begun(store, make_remote(user_id=user_id, created_at=at), at=at).subscription_id
            for at in (NOON, NOON + 2 * HOUR)
        ]
        assert [one.subscription_id for one in store.list_of_user(user_id)] == ids[::-1]
        assert store.list_of_user(make_user_id()) == []

    @pytest.mark.parametrize(
        ("state", "asked", "since", "next_charge", "stale"),
        [
            (State.APPROVAL_PENDING, 2, 5, None, False),
            (State.APPROVAL_PENDING, 4, 5, None, True),
            (State.ACTIVE, 9, 9, None, False),
            (State.ACTIVE, 11, 12, None, True),
            (State.ACTIVE, 3, 9, 2, True),
            (State.ACTIVE, 1, 9, 2, False),
            (State.SUSPENDED, 11, 12, None, True),
            (State.CANCELLED, 19, 25, None, False),
            (State.CANCELLED, 21, 25, None, True),
            (State.CANCELLED, 21, 40, None, False),
        ],
    )
    def test_what_may_have_changed_without_an_event_is_stale(
        self, store: Any, state: State, asked: int, since: int, next_charge: int | None, stale: bool
    ) -> None:
        """All numbers are hours before noon."""
        long_ago = NOON - 99 * HOUR
        remote = self.begun(store, make_remote(state_since=long_ago, created_at=long_ago), at=long_ago)
        due = NOON - next_charge * HOUR if next_charge else None
        turned = replace(remote, state=state, state_since=NOON - since * HOUR, next_charge_at=due)
        for hours in (since, asked):
            self.applied(store, turned, at=NOON - hours * HOUR)
        listed = store.list_stale(
            unapproved_before=NOON - 3 * HOUR,
            running_before=NOON - 10 * HOUR,
            ended_before=NOON - 20 * HOUR,
            ended_since=NOON - 30 * HOUR,
            now=NOON,
            limit=1_000_000,
        )
        assert (remote.subscription_id in listed) == stale

    @pytest.mark.parametrize(("found_ended", "stale"), [(19, False), (25, True), (40, False)])
    def test_what_was_found_to_have_ended_is_stale_however_old_its_state_is(
        self, store: Any, found_ended: int, stale: bool
    ) -> None:
        """All numbers are hours before noon. PayPal does not know the subscription, so the time of its state stays."""
        long_ago = NOON - 99 * HOUR
        remote = self.begun(store, make_remote(state_since=long_ago, created_at=long_ago), at=long_ago)
        active = replace(remote, state=State.ACTIVE)
        for turned, hours in ((active, 98), (replace(active, state=State.EXPIRED), found_ended)):
            self.applied(store, turned, at=NOON - hours * HOUR)
        listed = store.list_stale(
            unapproved_before=NOON - 3 * HOUR,
            running_before=NOON - 10 * HOUR,
            ended_before=NOON - 20 * HOUR,
            ended_since=NOON - 30 * HOUR,
            now=NOON,
            limit=1_000_000,
        )
        assert (remote.subscription_id in listed) == stale

    # Deletion of a viewer's data

    def test_a_forgotten_subscriber_leaves_records_of_nobody(self, store: Any) -> None:
        remote = self.begun(store, make_remote())
        store.store_grant(Grant(new_token(), remote.user_id or "", LATER, NOON, "operator"))
        for _ in range(2):
            store.forget_subscriber(remote.user_id, NOON)
        found = self.stored(store, remote.subscription_id)
        assert (found.user_id, found.approve_url) == (None, "")
        assert store.coverage_of(remote.user_id) == ([], [])
        assert store.list_of_user(remote.user_id) == []
        with pytest.raises(Unauthenticated):
            store.begin_checkout(remote.user_id, "P-1", new_token(), now=NOON, fresh_since=NOON)
        assert self.applied(store, replace(remote, state=State.ACTIVE, state_since=LATER)).user_id is None

    def test_a_checkout_of_a_forgotten_subscriber_is_of_nobody(self, store: Any) -> None:
        remote = make_remote()
        attempt = store.begin_checkout(remote.user_id, "P-1", new_token(), now=NOON, fresh_since=NOON)
        store.forget_subscriber(remote.user_id, NOON)
        store.store_checkout(attempt.request_id, remote, user_id=remote.user_id, now=NOON)
        assert self.stored(store, remote.subscription_id).user_id is None

    def test_what_is_heard_of_a_forgotten_subscriber_for_the_first_time_is_of_nobody(self, store: Any) -> None:
        remote = make_remote(State.ACTIVE)
        store.forget_subscriber(remote.user_id, NOON)
        assert self.applied(store, remote).user_id is None
