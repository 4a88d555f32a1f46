"""From subscribing to a refund: viewers, PayPal and its webhooks, and what must be true in the end."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions import bootstrap
from functions.billing import triggers as billing_triggers
from functions.billing.entitlements import Entitlements
from functions.billing.model import Plan, State
from functions.platform.errors import AlreadySubscribed, Conflict, NotFound, Unauthenticated
from functions.platform.viewer import Viewer
from tests.simulation.flow import Flow, FlowRun
from tests.simulation.host import SimulatedHost, functions_of
from tests.simulation.kernel import Port
from tests.support.account_logins import FakeLoginStore
from tests.support.account_world import CountingHasher
from tests.support.accounts import make_login
from tests.support.billing import MONTHLY, YEARLY, ModelPayPal
from tests.support.billing_caches import MemoryCertificates, MemoryEntitlementCache
from tests.support.billing_payments import MemoryPayments
from tests.support.billing_store import MemorySubscriptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from functions.billing.model import Entitlement, WebhookEvent
    from tests.simulation.kernel import Simulation
    from tests.simulation.wiring import Wiring
    from tests.support.billing import Record

STORES = ("mysql", "redis", "queues", "paypal")
GAPS = (timedelta(seconds=1), timedelta(minutes=3), timedelta(hours=5), timedelta(days=3), timedelta(days=31))
"""The times between two actions."""

ACTIONS = ("subscribe", "subscribe", "cancel", "look", "fail", "refund", "part", "suspend", "resume", "grant", "revoke")
PLANS = ("P-MONTHLY", "P-YEARLY")
REFUNDABLE_FOR = timedelta(days=180)
"""PayPal refunds a payment for 180 days (PayPal, "How do I issue a refund?")."""


class ExpiringCache(MemoryEntitlementCache):
    """The cache of entitlements, whose entries expire as in Redis."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__()
        self._now = now
        self._until: dict[str, datetime] = {}

    def find_entitlement(self, user_id: str) -> Entitlement | None:
        return super().find_entitlement(user_id) if self._until.get(user_id, self._now()) > self._now() else None

    def store_entitlement(self, user_id: str, entitlement: Entitlement, *, seconds: int) -> None:
        super().store_entitlement(user_id, entitlement, seconds=seconds)
        self._until[user_id] = self._now() + timedelta(seconds=seconds)


@dataclass(slots=True)
class Request:
    """A request of the owner about a viewer, from its beginning to its end; `until` is set once it was acknowledged.

    `until` is the end of the granted access, or the end of all access that was granted before the request.
    """

    user_id: str
    began: datetime
    ended: datetime | None = None
    until: datetime | None = None

    def before(self, other: Request) -> bool:
        """Return whether the request had ended when another began."""
        return self.ended is not None and self.ended < other.began


class SignedEvents:
    """The verifier of webhooks: the body is the id of an event that PayPal has sent."""

    def __init__(self) -> None:
        self.events: dict[str, WebhookEvent] = {}

    def read(self, headers: Mapping[str, str], body: bytes, *, source: str) -> WebhookEvent:
        del headers, source
        return self.events[body.decode()]


class SubscriptionRun(FlowRun):
    """One run: the history that its seed determines, and the invariants."""

    def __init__(self, simulation: Simulation, flow: SubscriptionFlow) -> None:
        self.simulation = simulation
        simulation.stores = STORES
        rng = simulation.rng
        self.store = MemorySubscriptions()
        self.payments = MemoryPayments()
        self.cache = ExpiringCache(simulation.clock)
        self.verifier = SignedEvents()
        self.paypal = ModelPayPal(self._tick)
        logins = FakeLoginStore()
        self.host = SimulatedHost(simulation, functions_of(billing_triggers), elsewhere=frozenset({"send-mail"}))

        def port(store: str, name: str, target: object) -> Any:
            return Port(simulation, store, name, target)

        flow.wiring.connect(
            self.host,
            {
                "subscriptions": port("mysql", "subscriptions", self.store),
                "payments": port("mysql", "payments", self.payments),
                "entitlement_cache": port("redis", "entitlement_cache", self.cache),
                "certificates": port("redis", "certificates", MemoryCertificates()),
                "paypal": port("paypal", "paypal", self.paypal),
                "logins": port("mysql", "logins", logins),
                "hasher": CountingHasher(),
                "webhook_reader": port("paypal", "webhook_reader", self.verifier),
            },
        )
        for plan_id, offer in zip(PLANS, (MONTHLY, YEARLY), strict=True):
            self.paypal.plans[plan_id] = offer
            self.store.store_plan(Plan(plan_id, f"PROD-{plan_id}", offer, simulation.now))
        self.viewers = [
            Viewer(f"{rng.getrandbits(128):032x}", f"viewer{number}@example.org", confirmed=True) for number in range(2)
        ]
        for viewer in self.viewers:
            logins.logins[viewer.user_id] = make_login(viewer.email, user_id=viewer.user_id)
        self.acknowledged: list[WebhookEvent] = []
        self.grants: list[Request] = []
        self.revocations: list[Request] = []
        self.gone: set[str] = set()
        self._announced = 0
        self._declined: set[str] = set()
        self._end = simulation.now
        self._plan_history()

    def _tick(self) -> datetime:
        """Return PayPal's time; two readings always differ, as those of two requests do."""
        self.simulation.now += timedelta(seconds=1)
        return self.simulation.now

    def _plan_history(self) -> None:
        """Choose what happens, and when."""
        rng, at = self.simulation.rng, self.simulation.now
        for number in range(rng.randrange(3, 10)):
            viewer = self.viewers[0] if rng.random() < 0.8 else self.viewers[1]
            action = "subscribe" if number == 0 else rng.choice(ACTIONS)
            self._plan_action(viewer, action, number, at)
            at += rng.choice(GAPS)
        self._end = at
        if rng.random() < 0.2:
            self.host.request("forget_viewer", lambda: self._forget(self.viewers[0]), at=at)

    def _plan_action(self, viewer: Viewer, action: str, number: int, at: datetime) -> None:
        rng = self.simulation.rng
        chosen = rng.random()
        if action == "subscribe":
            plan_id, approves = rng.choice(PLANS), rng.random() < 0.85
            request = f"subscribe#{number}"
            self.host.request(request, lambda: self._subscribe(viewer, plan_id), at=at)
            if approves:
                self._at_paypal(
                    "approve", lambda: self._approve(self.host.answers.get(request)), at + timedelta(minutes=1)
                )
        elif action == "cancel":
            self.host.request(f"cancel_subscription#{number}", lambda: self._cancel(viewer), at=at)
        elif action == "look":
            self.host.request(f"get_subscription#{number}", lambda: self._look(viewer), at=at)
        elif action == "grant":
            self.host.request(f"grant_access#{number}", lambda: self._grant(viewer), at=at)
        elif action == "revoke":
            self.host.request(f"revoke_grant#{number}", lambda: self._revoke(viewer), at=at)
        else:
            self._at_paypal(action, lambda: self._change(action, chosen), at)

    def _at_paypal(self, name: str, change: Callable[[], None], at: datetime) -> None:
        """Change something at PayPal, which then sends its webhooks."""

        def happen() -> None:
            self.simulation.note(f"at PayPal: {name}")
            change()
            self.send_webhooks()

        self.host.request(name, happen, at=at, app="outside")

    def send_webhooks(self) -> None:
        """Send the events of PayPal that were not sent yet; some are lost, some are sent twice or late."""
        rng = self.simulation.rng
        while self.paypal.told:
            event = self.paypal.told.pop(0)
            self.verifier.events[event.event_id] = event
            if rng.random() < 0.15:
                self.simulation.note(f"the webhook {event.kind} is lost")
                continue
            for _ in range(rng.choice((1, 1, 1, 2))):
                self._announced += 1
                after = timedelta(seconds=rng.choice((0, 1, 30, 4000)))
                name = f"take_paypal_event#{self._announced}"
                self.host.request(name, lambda event=event: self._receive(event), at=self.simulation.now + after)  # type: ignore[misc]

    # Requests

    def _receive(self, event: WebhookEvent) -> None:
        bootstrap.billing().inbox.receive({}, event.event_id.encode(), source="203.0.113.7")
        self.acknowledged.append(event)

    def _subscribe(self, viewer: Viewer, plan_id: str) -> str | None:
        try:
            return bootstrap.billing().subscriptions.subscribe(viewer, plan_id).subscription_id
        except (AlreadySubscribed, Conflict, Unauthenticated):
            return None
        finally:
            self.send_webhooks()

    def _cancel(self, viewer: Viewer) -> None:
        try:
            bootstrap.billing().subscriptions.cancel_subscription(viewer)
        except NotFound:
            return
        finally:
            self.send_webhooks()

    def _look(self, viewer: Viewer) -> None:
        bootstrap.billing().subscriptions.current_subscription(viewer)
        bootstrap.entitlements().of(viewer)

    def _grant(self, viewer: Viewer) -> None:
        with self._noted(self.grants, viewer) as request:
            request.until = bootstrap.billing().admin.grant_access(viewer.email, days=5, by="operator").until

    def _revoke(self, viewer: Viewer) -> None:
        """Revoke all grants of a viewer that the Studio lists."""
        with self._noted(self.revocations, viewer) as request:
            admin = bootstrap.billing().admin
            for grant in admin.list_grants(cursor="", limit=100).entries:
                if grant.user_id == viewer.user_id:
                    admin.revoke_grant(grant.grant_id, by="operator")
            request.until = self.simulation.now

    @contextmanager
    def _noted(self, requests: list[Request], viewer: Viewer) -> Iterator[Request]:
        """Note when a request was handled."""
        request = Request(viewer.user_id, self.simulation.now)
        requests.append(request)
        try:
            yield request
        finally:
            request.ended = self.simulation.now

    def _forget(self, viewer: Viewer) -> None:
        try:
            bootstrap.billing().subscriptions.forget_viewer(viewer.user_id)
        finally:
            self.send_webhooks()
        self.gone.add(viewer.user_id)

    # At PayPal

    def _approve(self, subscription_id: object) -> None:
        if isinstance(subscription_id, str):
            self.paypal.approve(subscription_id)
            self._schedule_charge(subscription_id)

    def _schedule_charge(self, subscription_id: str) -> None:
        """Charge a subscription whenever it is due, as PayPal does, until the end of the history."""
        due_at = self.paypal.records[subscription_id].remote.next_charge_at
        if due_at and due_at <= self._end:
            at = max(due_at, self.simulation.now) + timedelta(minutes=1)
            self._at_paypal("charge", lambda: self._charge(subscription_id), at)

    def _charge(self, subscription_id: str) -> None:
        remote = self.paypal.records[subscription_id].remote
        if remote.state is not State.ACTIVE or not remote.next_charge_at:
            return
        if remote.next_charge_at <= self.simulation.now:
            fails = subscription_id in self._declined
            self._declined.discard(subscription_id)
            self.paypal.renew(subscription_id, fails=fails)
            self._schedule_charge(subscription_id)

    def _change(self, action: str, chosen: float) -> None:
        """Change one of the subscriptions; `chosen` is its relative position in the list, from 0 to less than 1."""
        ids = list(self.paypal.records)
        if not ids:
            return
        subscription_id = ids[int(chosen * len(ids))]
        record = self.paypal.records[subscription_id]
        match action:
            case "fail":
                self._declined.add(subscription_id)
            case "refund" | "part":
                if record.periods and record.periods[-1].charge.at > self.simulation.now - REFUNDABLE_FOR:
                    self.paypal.pay_back(subscription_id, 300 if action == "part" else None)
            case "suspend":
                self.paypal.turn(subscription_id, State.SUSPENDED)
            case "resume" if record.remote.state is State.SUSPENDED:
                due_at, now = record.remote.next_charge_at, self.simulation.now
                if due_at and due_at < now:  # PayPal skips the periods during which the subscription was suspended
                    record.remote = replace(record.remote, next_charge_at=now)
                self.paypal.turn(subscription_id, State.ACTIVE)
                self._schedule_charge(subscription_id)

    # What must be true in the end

    def broken(self) -> Iterator[str]:
        """Yield a sentence for each invariant that does not hold."""
        for subscription_id, record in self.paypal.records.items():
            yield from self._broken_record(subscription_id, record)
        inbox = {one.event_id for one in self.store.page_events(None, limit=1000)}
        for event in self.acknowledged:
            if event.event_id not in inbox:
                yield f"the webhook {event.event_id} was acknowledged, but is not in the inbox"
            if event.subject and self.store.find_pending(event.subject).token:
                yield f"{event.subject} is still pending"
        for viewer in self.viewers:
            yield from self._broken_entitlement(viewer)

    def _broken_record(self, subscription_id: str, record: Record) -> Iterator[str]:
        pending = self.store.find_pending(subscription_id)
        stored, remote = pending.subscription, record.remote
        if pending.token:
            yield f"{subscription_id} is still pending"
        if stored is None:
            if record.charges:
                yield f"{subscription_id} was begun here and paid, but is not stored"
            return
        if (stored.state, stored.state_since) != (remote.state, remote.state_since):
            yield f"{subscription_id} is {remote.state} at PayPal, but {stored.state} here"
        kept = {(p.charge.payment_id, p.charge.state) for p in self.payments.list_of_subscription(subscription_id)}
        ledger = {(charge.payment_id, charge.state) for charge in record.charges}
        if kept != ledger:
            yield f"the payments of {subscription_id} are {sorted(kept)}, but PayPal's are {sorted(ledger)}"
        if remote.user_id in self.gone:
            if remote.state in (State.ACTIVE, State.SUSPENDED):
                yield f"{subscription_id} of a deleted account is {remote.state}"
            if stored.user_id or any(p.user_id for p in self.payments.list_of_subscription(subscription_id)):
                yield f"{subscription_id} still names a deleted account"

    def _broken_entitlement(self, viewer: Viewer) -> Iterator[str]:
        """Compare the entitlement with the payments, now and later; its end may be up to a day late."""
        if viewer.user_id in self.gone:
            return
        mine = [record for record in self.paypal.records.values() if record.remote.user_id == viewer.user_id]
        mine = [record for record in mine if self.store.find_pending(record.remote.subscription_id).begun_here]
        active = sum(record.remote.state is State.ACTIVE for record in mine)
        if active > 1:
            yield f"{viewer.email} has {active} active subscriptions"
        grants = [each for each in self.grants if each.user_id == viewer.user_id]
        revoked = [each for each in self.revocations if each.user_id == viewer.user_id]
        stored = [each for each in self.store.page_grants(None, limit=1000) if each.user_id == viewer.user_id]
        for each in revoked:
            if each.until and all(grant.before(each) for grant in grants if grant.began < each.began):
                left = [one for one in stored if one.granted_at < each.began and one.until > each.until]
                if left:
                    yield f"the grants of {viewer.email} were revoked at {each.until}, but {left} are not"
        for later in (timedelta(0), timedelta(days=3), timedelta(days=29), timedelta(days=33), timedelta(days=400)):
            now = self.simulation.now + later
            found = Entitlements(self.store, _NoCache(), lambda now=now: now).of(viewer)  # type: ignore[misc]
            granted = any(
                grant.until and now < grant.until and all(each.before(grant) for each in revoked) for grant in grants
            )
            maybe = any(now < each.until for each in stored)
            if found.entitled and not maybe and sum(record.net_minor for record in mine) <= 0:
                yield f"{viewer.email} is entitled in {later}, although nothing is paid"
            due = granted or any(record.entitles(now, renews=active > 0) for record in mine)
            at_most = (
                due or maybe or any(record.entitles(now - timedelta(days=1), renews=active > 0) for record in mine)
            )
            if not due <= found.entitled <= at_most:
                yield f"{viewer.email} in {later}: entitled {found.entitled}, by what was paid {due}"
        cached = Entitlements(self.store, self.cache, self.simulation.clock).of(viewer)
        if cached != Entitlements(self.store, _NoCache(), self.simulation.clock).of(viewer):
            yield f"the cached entitlement of {viewer.email} is out of date: {cached}"


class _NoCache:
    """A cache that stores nothing."""

    def find_entitlement(self, user_id: str) -> None:
        return None

    def store_entitlement(self, user_id: str, entitlement: object, *, seconds: int) -> None:
        pass

    def drop_entitlement(self, user_id: str) -> None:
        pass


@dataclass
class SubscriptionFlow(Flow):
    """The flow."""

    wiring: Wiring
    name: str = "subscribe to refunded"

    def begin(self, simulation: Simulation) -> FlowRun:
        """Return a run of this flow in a simulation."""
        self.wiring.seed(simulation.seed)
        return SubscriptionRun(simulation, self)
