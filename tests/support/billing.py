"""A model of PayPal with its subscriptions, payments and events, and billing that uses the model.

The model records each paid period, so that billing's conclusions can be compared with it.
"""

from __future__ import annotations

import itertools
import json
import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from functions.billing.admin import BillingAdmin
from functions.billing.assembly import BillingStores, join
from functions.billing.model import (
    Charge,
    Interval,
    LastPayment,
    Offer,
    PaymentState,
    Plan,
    RemoteSubscription,
    State,
    WebhookEvent,
    after,
)
from functions.billing.ports import BillingDependencies
from functions.billing.reconciliation import Reconciliation, new_token
from functions.billing.schemas import NewPlan
from functions.billing.service import SubscriptionService
from functions.platform.errors import PayPalRefused
from functions.platform.messages import SettleSubscription
from tests.support.billing_caches import MemoryCertificates
from tests.support.clock import NOON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from functions.billing.entitlements import Entitlements
    from functions.billing.ports import PaymentStore, SubscriptionStore
    from functions.billing.repository import MySqlPayments, MySqlSubscriptions
    from functions.platform.settings import Settings
    from tests.support.paypal import Received

MONTHLY = Offer("Monthly", "Every film.", 799, "EUR", Interval.MONTH)
WEBHOOK = "WH-OF-THE-MODEL"
YEARLY = Offer("Yearly", "", 7990, "EUR", Interval.YEAR)


def make_offer(**changes: object) -> Offer:
    """Return a monthly offer with a unique name, as if from an owner's request."""
    asked = {"name": f"Plan {uuid.uuid4().hex[:8]}", "price": "7.99", "currency": "EUR", **changes}
    return msgspec.convert(asked, NewPlan).offer()


def make_user_id() -> str:
    """Return the id of a new account."""
    return uuid.uuid4().hex


class TickingClock:
    """A clock that advances by a millisecond every time it is read."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the time."""
        self.now += timedelta(milliseconds=1)
        return self.now

    def forward(self, **by: float) -> None:
        """Move the clock forward; the arguments are those of `timedelta`."""
        self.now += timedelta(**by)


@dataclass
class Period:
    """The period that one payment covers."""

    charge: Charge
    ends: datetime


@dataclass
class Record:
    """A subscription at PayPal."""

    remote: RemoteSubscription
    offer: Offer
    is_foreign: bool = False
    periods: list[Period] = field(default_factory=list)
    declined: list[Charge] = field(default_factory=list)

    @property
    def charges(self) -> list[Charge]:
        """Return all transactions."""
        return [period.charge for period in self.periods] + self.declined

    @property
    def net_minor(self) -> int:
        """Return the amount paid minus refunds."""
        return sum(
            charge.amount_minor - charge.refunded_minor
            for charge in self.charges
            if charge.state in (PaymentState.COMPLETED, PaymentState.PARTIALLY_REFUNDED, PaymentState.REFUNDED)
        )

    def entitles(self, now: datetime, *, renews: bool) -> bool:
        """Return whether the payments entitle the payer, calculated in the simplest way.

        If `renews`, the payer has an active subscription, so a day of grace follows the end of each paid period.
        """
        paid = self.periods[-1] if self.periods else None
        if paid is None or self.is_foreign or paid.charge.state is PaymentState.REFUNDED:
            return False
        grace = timedelta(days=1) if renews else timedelta(0)
        return self.remote.state is not State.EXPIRED and now < paid.ends + grace


class ModelPayPal:
    """The model of PayPal. Each action appends its events to `told`; `between` runs once, after the next answer."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.records: dict[str, Record] = {}
        self.plans: dict[str, Offer] = {}
        self.refunds: dict[str, tuple[str, int]] = {}
        self.told: list[WebhookEvent] = []
        self.told_of: set[str] = set()
        self.asked: list[str] = []
        self.between: Callable[[], object] | None = None
        self._requests: dict[str, str] = {}
        self._mark = uuid.uuid4().hex[:10].upper()
        self._numbers = itertools.count(1)

    # Calls from billing

    def create_plan(self, offer: Offer, *, request_id: str) -> tuple[str, str]:
        plan_id = self._requests.setdefault(request_id, f"P-{uuid.uuid4().hex[:20].upper()}")
        self.plans[plan_id] = offer
        return f"PROD-{plan_id}", plan_id

    def retire_plan(self, plan_id: str) -> None:
        self.plans.pop(plan_id, None)

    def webhooks_after_login(self) -> dict[str, str]:
        return {WEBHOOK: "https://films.example/api/paypal/webhooks"}

    def subscribe(
        self,
        plan_id: str,
        user_id: str,
        *,
        request_id: str,
        return_url: str,
        cancel_url: str,
        starts_at: datetime | None,
    ) -> RemoteSubscription:
        if request_id in self._requests:
            return replace(self.records[self._requests[request_id]].remote, next_charge_at=None)
        if plan_id not in self.plans:
            raise PayPalRefused(f"PayPal refuses (HTTP 422): the plan {plan_id} is not open (simulated).")
        now = self._second()
        subscription_id = f"I-{self._mark}{len(self.records):04}"
        self._requests[request_id] = subscription_id
        page = f"https://paypal.example/{subscription_id}"
        remote = RemoteSubscription(
            subscription_id, user_id, plan_id, State.APPROVAL_PENDING, now, now, starts_at, None, approve_url=page
        )
        self.records[subscription_id] = Record(remote, self.plans[plan_id])
        self._tell("BILLING.SUBSCRIPTION.CREATED", subscription_id)
        return replace(remote, next_charge_at=None)

    def subscription(self, subscription_id: str) -> RemoteSubscription | None:
        self.asked.append(subscription_id)
        if record := self.records.get(subscription_id):
            named = record.remote.next_charge_at if record.remote.state is State.ACTIVE else None
            return replace(record.remote, next_charge_at=named)
        return None

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
        if subscription_id in self.records:
            self.turn(subscription_id, State.CANCELLED)

    # Actions at PayPal

    def begin_elsewhere(self, plan_id: str, user_id: str, *, starts_at: datetime | None = None) -> str:
        """Create a subscription as anyone who knows the ids of a plan and a viewer could; return its id."""
        request_id = f"elsewhere {uuid.uuid4()}"
        addresses = {"return_url": "", "cancel_url": ""}
        made = self.subscribe(plan_id, user_id, request_id=request_id, starts_at=starts_at, **addresses)
        self.records[made.subscription_id].is_foreign = True
        return made.subscription_id

    def approve(self, subscription_id: str) -> None:
        """Approve a subscription as the payer: it becomes active, and is charged unless the charge is due later."""
        record = self.records[subscription_id]
        if record.remote.state is not State.APPROVAL_PENDING:
            return
        now = self._second()
        record.remote = replace(record.remote, state=State.ACTIVE, state_since=now, approve_url="")
        if record.remote.next_charge_at is None or record.remote.next_charge_at <= now:
            self._charge(record)
        self._tell("BILLING.SUBSCRIPTION.ACTIVATED", subscription_id)

    def renew(self, subscription_id: str, *, fails: bool = False) -> None:
        """Charge for the next period; if `fails`, the charge is declined."""
        record = self.records[subscription_id]
        if record.remote.state is not State.ACTIVE:
            return
        if not fails:
            self._charge(record)
            return
        now = self._second()
        record.declined.append(Charge(self._number("S"), PaymentState.DECLINED, 799, "EUR", now))
        record.remote = replace(record.remote, failing=True, next_charge_at=now + timedelta(days=5))
        self._tell("BILLING.SUBSCRIPTION.PAYMENT.FAILED", subscription_id)

    def turn(self, subscription_id: str, state: State) -> None:
        """Change the state, if PayPal would allow the change."""
        record = self.records[subscription_id]
        may = {
            State.CANCELLED: (State.ACTIVE, State.SUSPENDED),
            State.EXPIRED: (State.ACTIVE, State.SUSPENDED),
            State.SUSPENDED: (State.ACTIVE,),
            State.ACTIVE: (State.SUSPENDED,),
        }
        if record.remote.state in may[state]:
            record.remote = replace(record.remote, state=state, state_since=self._second())
            kind = "RE-ACTIVATED" if state is State.ACTIVE else str(state)
            self._tell(f"BILLING.SUBSCRIPTION.{kind}", subscription_id)

    def pay_back(self, subscription_id: str, minor: int | None = None) -> None:
        """Refund the last payment, in full or in part."""
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
            return  # payments are at least a second apart
        offer = record.offer
        charge = Charge(self._number("S"), PaymentState.COMPLETED, offer.price_minor, offer.currency, now)
        due = record.remote.next_charge_at
        begins = due if due and record.periods and not record.remote.failing and due <= now else now
        ends = after(begins, record.offer.interval, record.offer.count).replace(hour=10, minute=0, second=0)
        record.periods.append(Period(charge, ends))
        last_payment = LastPayment(now, offer.price_minor, offer.currency)
        record.remote = replace(record.remote, last_payment=last_payment, next_charge_at=ends, failing=False)
        self._tell("PAYMENT.SALE.COMPLETED", record.remote.subscription_id)

    def _number(self, kind: str) -> str:
        return f"{kind}{self._mark}{next(self._numbers):04}"

    def _second(self) -> datetime:
        return self._clock().replace(microsecond=0)

    def _tell(self, kind: str, subject: str) -> None:
        self.told.append(make_event(kind, subject, self._clock()))
        self.told_of.add(subject)


def make_event(kind: str, subject: str | None, at: datetime = NOON, **changes: object) -> WebhookEvent:
    """Return an event with a unique id."""
    event_id = f"WH-{uuid.uuid4().hex.upper()}"
    body = json.dumps({"id": event_id, "event_type": kind})
    made = WebhookEvent(event_id, kind, subject, at, body, uuid.uuid5(uuid.NAMESPACE_URL, body).hex * 2)
    return replace(made, **changes)  # type: ignore[arg-type]


@dataclass
class ModelledBilling:
    """Billing with the given stores and a model of PayPal, and with a queue that tests can inspect."""

    store: SubscriptionStore
    payments: PaymentStore
    clock: TickingClock = field(default_factory=TickingClock)
    queue: list[SettleSubscription] = field(default_factory=list)
    entitlement_changed: Callable[[str], None] = lambda user_id: None
    mailed: list[tuple[str, str, str]] = field(default_factory=list)
    before_mail: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.paypal = ModelPayPal(self.clock)
        dependencies = self.dependencies = BillingDependencies(
            "https://notflix.example", self.clock, self.queue.append, self.entitlement_changed, user_of, self._mail
        )
        self.reconciliation = Reconciliation(self.store, self.payments, self.paypal, dependencies)
        self.subscriptions = SubscriptionService(
            self.store, self.payments, self.paypal, self.reconciliation, dependencies
        )
        self.admin = BillingAdmin(self.store, self.paypal, dependencies)

    def _mail(self, kind: str, user_id: str, email_id: str) -> None:
        self.before_mail()
        self.mailed.append((kind, user_id, email_id))

    def plan(self, offer: Offer = MONTHLY) -> str:
        """Return the id of a new plan."""
        mark = uuid.uuid4().hex[:8]
        plan_id = f"P-{mark.upper()}"
        self.paypal.plans[plan_id] = offer
        self.store.store_plan(Plan(plan_id, f"PROD-{mark}", replace(offer, name=f"Plan {mark}"), NOON))
        return plan_id

    def deliver(self, event: WebhookEvent) -> None:
        """Store an event, as the inbox does after verifying it."""
        if self.store.store_event(event, new_token(), self.clock()) and event.subject:
            self.queue.append(SettleSubscription(event.subject, "event"))

    def work(self) -> None:
        """Handle every message, and those that follow from them."""
        while self.queue:
            self.handle(self.queue.pop(0))

    def handle(self, message: SettleSubscription) -> None:
        """Handle one message."""
        self.reconciliation.reconcile(message.subject, message.cause)

    def catch_up(self) -> None:
        """Deliver all events that PayPal has sent, and handle the resulting messages."""
        while self.paypal.told or self.queue:
            for event in self.paypal.told[:]:
                self.paypal.told.remove(event)
                self.deliver(event)
            self.work()


@dataclass
class RealBilling:
    """Billing with the given stores and a running simulator of PayPal; `queue` contains the messages."""

    settings: Settings
    store: MySqlSubscriptions
    payments: MySqlPayments
    entitlements: Entitlements
    queue: list[SettleSubscription] = field(default_factory=list)

    def __post_init__(self) -> None:
        dependencies = BillingDependencies(
            "https://notflix.example", _now, self.queue.append, self.entitlements.changed, user_of, lambda *email: None
        )
        stores = BillingStores(self.store, self.payments)
        self.services = join(self.settings, stores, MemoryCertificates(), dependencies)

    def receive(self, sent: Iterable[Received]) -> None:
        """Receive webhooks."""
        for one in sent:
            self.services.inbox.receive(one.headers, one.body, source="203.0.113.7")

    def work(self) -> None:
        """Handle every message, and those that follow from them."""
        while self.queue:
            message = self.queue.pop(0)
            self.services.reconciliation.reconcile(message.subject, message.cause)


def user_of(email: str) -> str:
    """Return the user id for an address: the part before the @."""
    return email.split("@")[0]


def _now() -> datetime:
    return datetime.now(UTC)
