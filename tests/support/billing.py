"""A PayPal to play with: what it keeps of subscriptions and payments, and the events it would tell of them.

It knows for itself what has been paid for, period by period, so that what billing concludes can be held against it.
"""

from __future__ import annotations

import itertools
import json
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from functions.billing.assembly import Outside, Stores, assemble
from functions.billing.model import (
    Charge,
    Event,
    Interval,
    Offer,
    PaymentState,
    Plan,
    Standing,
    State,
    after,
)
from functions.billing.owner import Office
from functions.billing.reconciliation import Settlements, new_token
from functions.billing.service import Shop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from functions.billing.entitlements import Entitlements
    from functions.billing.ports import Payments, Subscriptions
    from functions.billing.repository import MySqlPayments, MySqlSubscriptions
    from functions.platform.settings import Settings
    from tests.support.paypal import Received

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MONTHLY = Offer("Monthly", "Every film.", 799, "EUR", Interval.MONTH)
YEARLY = Offer("Yearly", "", 7990, "EUR", Interval.YEAR)


def make_user_id() -> str:
    """Return the id of somebody new."""
    return uuid.uuid4().hex


class TickingClock:
    """A clock that goes on by a millisecond whenever it is looked at."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the time."""
        self.now += timedelta(milliseconds=1)
        return self.now

    def forward(self, **by: float) -> None:
        """Move the clock by a `timedelta`."""
        self.now += timedelta(**by)


@dataclass
class Period:
    """What one payment pays for."""

    charge: Charge
    ends: datetime


@dataclass
class Record:
    """A subscription at PayPal."""

    standing: Standing
    offer: Offer
    periods: list[Period] = field(default_factory=list)
    declined: list[Charge] = field(default_factory=list)

    @property
    def charges(self) -> list[Charge]:
        """Return all transactions."""
        return [period.charge for period in self.periods] + self.declined

    def lets_in(self, now: datetime) -> bool:
        """Say whether what has been paid lets its payer in, as a person would reckon it."""
        paid = self.periods[-1] if self.periods else None
        if paid and paid.charge.state is PaymentState.REFUNDED:
            return False
        if self.standing.state is State.ACTIVE:
            until = paid.ends if paid else self.standing.next_charge_at
            return until is not None and now < until + timedelta(days=1)
        return self.standing.state is State.CANCELLED and paid is not None and now < paid.ends


class ModelPayPal:
    """PayPal. Each action puts the events of it into `told`; `between` runs once, between an answer and its use."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.records: dict[str, Record] = {}
        self.plans: dict[str, Offer] = {}
        self.refunds: dict[str, tuple[str, int]] = {}
        self.told: list[Event] = []
        self.told_of: set[str] = set()
        self.asked: list[str] = []
        self.between: Callable[[], object] | None = None
        self._requests: dict[str, str] = {}
        self._mark = uuid.uuid4().hex[:10].upper()
        self._numbers = itertools.count(1)

    # What billing asks

    def create_plan(self, offer: Offer, *, request_id: str) -> tuple[str, str]:
        plan_id = self._requests.setdefault(request_id, f"P-{uuid.uuid4().hex[:20].upper()}")
        self.plans[plan_id] = offer
        return f"PROD-{plan_id}", plan_id

    def retire_plan(self, plan_id: str) -> None:
        pass

    def subscribe(
        self,
        plan_id: str,
        user_id: str,
        *,
        request_id: str,
        return_url: str,
        cancel_url: str,
        starts_at: datetime | None,
    ) -> Standing:
        if request_id in self._requests:
            return self.records[self._requests[request_id]].standing
        now = self._second()
        subscription_id = f"I-{self._mark}{len(self.records):04}"
        self._requests[request_id] = subscription_id
        page = f"https://paypal.example/{subscription_id}"
        standing = Standing(
            subscription_id, user_id, plan_id, State.APPROVAL_PENDING, now, now, starts_at, None, approve_url=page
        )
        self.records[subscription_id] = Record(standing, self.plans[plan_id])
        self._tell("BILLING.SUBSCRIPTION.CREATED", subscription_id)
        return replace(standing, next_charge_at=None)

    def subscription(self, subscription_id: str) -> Standing | None:
        self.asked.append(subscription_id)
        record = self.records.get(subscription_id)
        if record is None:
            return None
        named = record.standing.next_charge_at if record.standing.state is State.ACTIVE else None
        return replace(record.standing, next_charge_at=named)

    def charges(self, subscription_id: str, *, since: datetime, until: datetime) -> list[Charge]:
        if subscription_id not in self.records:
            return []
        found = [
            replace(charge, refunded_minor=charge.amount_minor if charge.state is PaymentState.REFUNDED else 0)
            for charge in self.records[subscription_id].charges
            if since <= charge.at <= until
        ]
        if self.between:
            happens, self.between = self.between, None
            happens()
        return found

    def refund(self, refund_id: str) -> tuple[str, int] | None:
        return self.refunds.get(refund_id)

    def subscription_of_sale(self, sale_id: str) -> str | None:
        for subscription_id, record in self.records.items():
            if any(charge.payment_id == sale_id for charge in record.charges):
                return subscription_id
        return None

    def cancel(self, subscription_id: str, *, reason: str) -> None:
        if self.records[subscription_id].standing.state in (State.ACTIVE, State.SUSPENDED):
            self.turn(subscription_id, State.CANCELLED)

    # What happens at PayPal

    def approve(self, subscription_id: str) -> None:
        """Let the payer approve: it is active, and charged unless it begins later."""
        record = self.records[subscription_id]
        if record.standing.state is not State.APPROVAL_PENDING:
            return
        now = self._second()
        record.standing = replace(record.standing, state=State.ACTIVE, state_since=now, approve_url="")
        if record.standing.next_charge_at is None or record.standing.next_charge_at <= now:
            self._charge(record)
        self._tell("BILLING.SUBSCRIPTION.ACTIVATED", subscription_id)

    def renew(self, subscription_id: str, *, fails: bool = False) -> None:
        """Charge for the next period."""
        record = self.records[subscription_id]
        if record.standing.state is not State.ACTIVE:
            return
        if not fails:
            self._charge(record)
            return
        now = self._second()
        record.declined.append(Charge(self._number("S"), PaymentState.DECLINED, 799, "EUR", now))
        record.standing = replace(record.standing, failing=True, next_charge_at=now + timedelta(days=5))
        self._tell("BILLING.SUBSCRIPTION.PAYMENT.FAILED", subscription_id)

    def turn(self, subscription_id: str, state: State) -> None:
        """Change the state, where PayPal would."""
        record = self.records[subscription_id]
        may = {
            State.CANCELLED: (State.ACTIVE, State.SUSPENDED),
            State.EXPIRED: (State.ACTIVE, State.SUSPENDED),
            State.SUSPENDED: (State.ACTIVE,),
            State.ACTIVE: (State.SUSPENDED,),
        }
        if record.standing.state in may[state]:
            record.standing = replace(record.standing, state=state, state_since=self._second())
            kind = "RE-ACTIVATED" if state is State.ACTIVE else str(state)
            self._tell(f"BILLING.SUBSCRIPTION.{kind}", subscription_id)

    def pay_back(self, subscription_id: str, minor: int | None = None) -> None:
        """Pay the last payment back, in full or in part."""
        record = self.records[subscription_id]
        if not record.periods or record.periods[-1].charge.state is PaymentState.REFUNDED:
            return
        charge = record.periods[-1].charge
        total = charge.amount_minor if minor is None else min(charge.refunded_minor + minor, charge.amount_minor)
        whole = total == charge.amount_minor
        state = PaymentState.REFUNDED if whole else PaymentState.PARTIALLY_REFUNDED
        record.periods[-1].charge = replace(charge, state=state, refunded_minor=total)
        refund_id = self._number("R")
        self.refunds[refund_id] = (charge.payment_id, total)
        self._tell("PAYMENT.SALE.REFUNDED", f"refund/{refund_id}")

    def _charge(self, record: Record) -> None:
        now = self._second()
        if record.periods and record.periods[-1].charge.at >= now:
            return  # no two payments come in one second
        charge = Charge(self._number("S"), PaymentState.COMPLETED, record.offer.price_minor, "EUR", now)
        due = record.standing.next_charge_at
        begins = due if due and record.periods and not record.standing.failing and due <= now else now
        ends = after(begins, record.offer.interval, record.offer.count).replace(hour=10, minute=0, second=0)
        record.periods.append(Period(charge, ends))
        record.standing = replace(record.standing, last_paid_at=now, next_charge_at=ends, failing=False)
        self._tell("PAYMENT.SALE.COMPLETED", record.standing.subscription_id)

    def _number(self, kind: str) -> str:
        return f"{kind}{self._mark}{next(self._numbers):04}"

    def _second(self) -> datetime:
        return self._clock().replace(microsecond=0)

    def _tell(self, kind: str, subject: str) -> None:
        self.told.append(make_event(kind, subject, self._clock()))
        self.told_of.add(subject)


def make_event(kind: str, subject: str | None, at: datetime = NOON, **changes: object) -> Event:
    """Return an event of its own id."""
    event_id = f"WH-{uuid.uuid4().hex.upper()}"
    body = json.dumps({"id": event_id, "event_type": kind})
    made = Event(event_id, kind, subject, at, body, uuid.uuid5(uuid.NAMESPACE_URL, body).hex * 2)
    return replace(made, **changes)  # type: ignore[arg-type]


@dataclass
class Counter:
    """Billing over given stores and a model of PayPal, with a queue and a memory that can be looked into."""

    store: Subscriptions
    payments: Payments
    clock: TickingClock = field(default_factory=TickingClock)
    queue: list[tuple[str, str]] = field(default_factory=list)
    access_changed: Callable[[str], None] = lambda user_id: None

    def __post_init__(self) -> None:
        self.paypal = ModelPayPal(self.clock)
        outside = Outside(
            "https://notflix.example", self.clock, self._send, self.access_changed, lambda email: email.split("@")[0]
        )
        self.settlements = Settlements(self.store, self.payments, self.paypal, outside)
        self.shop = Shop(self.store, self.payments, self.paypal, self.settlements, outside)
        self.office = Office(self.store, self.paypal, outside)

    def plan(self, offer: Offer = MONTHLY) -> str:
        """Return the id of a plan of its own."""
        mark = uuid.uuid4().hex[:8]
        plan_id = f"P-{mark.upper()}"
        self.paypal.plans[plan_id] = offer
        self.store.keep_plan(Plan(plan_id, f"PROD-{mark}", replace(offer, name=f"Plan {mark}"), NOON))
        return plan_id

    def deliver(self, event: Event) -> None:
        """Take an event in, as the inbox does once it has checked it."""
        if self.store.store_event(event, new_token(), self.clock()) and event.subject:
            self.queue.append((event.subject, "event"))

    def work(self) -> None:
        """Handle every message, and those that come of them."""
        while self.queue:
            self.settlements.settle(*self.queue.pop(0))

    def tell_everything(self) -> None:
        """Deliver all that PayPal has to tell, and handle it."""
        while self.paypal.told or self.queue:
            for event in self.paypal.told[:]:
                self.paypal.told.remove(event)
                self.deliver(event)
            self.work()

    def _send(self, queue: str, message: dict[str, object]) -> None:
        assert queue == "settle-subscription"
        self.queue.append((str(message["subscription_id"]), str(message["cause"])))


@dataclass
class RealCounter:
    """Billing over given stores and a running simulator of PayPal; `queue` holds what is to be settled."""

    settings: Settings
    subscriptions: MySqlSubscriptions
    payments: MySqlPayments
    entitlements: Entitlements
    queue: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        outside = Outside(
            "https://notflix.example", _now, self._send, self.entitlements.changed, lambda email: email.split("@")[0]
        )
        self.billing = assemble(self.settings, Stores(self.subscriptions, self.payments), outside)

    def receive(self, sent: Iterable[Received]) -> None:
        """Take webhooks in."""
        for one in sent:
            self.billing.inbox.receive(one.headers, one.body)

    def work(self) -> None:
        """Handle every message, and those that come of them."""
        while self.queue:
            self.billing.settlements.settle(*self.queue.pop(0))

    def _send(self, queue: str, message: dict[str, object]) -> None:
        self.queue.append((str(message["subscription_id"]), str(message["cause"])))


def _now() -> datetime:
    return datetime.now(UTC)
