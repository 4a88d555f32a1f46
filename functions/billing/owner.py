"""What the owner does: plans, free access, and a look at subscriptions and at what PayPal has sent."""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from functions.billing.model import Grant, Interval, Offer, Plan
from functions.billing.money import DECIMALS, WHOLE_ONLY, minor_of
from functions.platform.errors import Malformed, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from functions.billing.model import StoredEvent, Subscription
    from functions.billing.ports import Outside, PayPal, Subscriptions

LONGEST_NAME = 127
LONGEST_GRANT_DAYS = 36_500
MOST_INTERVALS = {Interval.DAY: 365, Interval.WEEK: 52, Interval.MONTH: 12, Interval.YEAR: 1}
"""The longest periods that PayPal bills (Subscriptions v1, frequency)."""
PAGE = 200


def offer_of(body: Mapping[str, Any]) -> Offer:
    """Return the offer that a request describes; raise Malformed."""
    name, description = body.get("name"), body.get("description", "")
    price, currency, interval = body.get("price"), body.get("currency"), body.get("interval", "month")
    count = body.get("interval_count", 1)
    for field, text in {"name": name, "description": description, "price": price, "currency": currency}.items():
        if not isinstance(text, str):
            raise Malformed(f"A plan needs `{field}` as text, such as a price of 7.99 in quotes.")
    name, description, currency = str(name).strip(), str(description).strip(), str(currency).upper()
    if not 1 <= len(name) <= LONGEST_NAME or len(description) > LONGEST_NAME:
        raise Malformed(f"A plan's name has 1 to {LONGEST_NAME} characters, its description at most as many.")
    try:
        unit = Interval(str(interval).upper())
    except ValueError:
        raise Malformed(f"A plan is billed every day, week, month or year, not every {interval!r}.") from None
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST_INTERVALS[unit]:
        raise Malformed(f"PayPal bills every 1 to {MOST_INTERVALS[unit]} {unit.value.lower()}s.")
    minor = minor_of(str(price), currency)
    if minor <= 0:
        raise Malformed("A plan's price must be more than nothing.")
    if currency in WHOLE_ONLY and minor % 10 ** DECIMALS[currency]:
        raise Malformed(f"PayPal takes no fractions of {currency}.")
    return Offer(name, description, minor, currency, unit, count)


class Office:
    """The room behind the counter."""

    def __init__(self, store: Subscriptions, paypal: PayPal, outside: Outside) -> None:
        self._store = store
        self._paypal = paypal
        self._outside = outside

    def create_plan(self, offer: Offer) -> tuple[Plan, bool]:
        """Make a plan at PayPal and here, and say that it is new; an open one of the same offer is returned instead."""
        alike = [plan for plan in self._store.plans() if plan.offer == offer]
        if open_one := next((plan for plan in alike if plan.retired_at is None), None):
            return open_one, False
        # a lost answer is asked for again under the same id; a plan that was retired is not
        described = f"{offer!r} {len(alike)}"
        request_id = hashlib.sha256(described.encode()).hexdigest()[:32]
        product_id, plan_id = self._paypal.create_plan(offer, request_id=request_id)
        plan = Plan(plan_id, product_id, offer, self._outside.now())
        self._store.keep_plan(plan)
        return plan, True

    def retire_plan(self, plan_id: str) -> None:
        """Let nobody subscribe to a plan any more; those who have go on. Raises NotFound."""
        if self._store.plan(plan_id) is None:
            raise NotFound(f"There is no plan {plan_id}.")
        self._paypal.retire_plan(plan_id)
        self._store.retire_plan(plan_id, self._outside.now())

    def plans(self) -> list[Plan]:
        """Return all plans, the retired too."""
        return self._store.plans()

    def grant(self, email: str, days: int, *, by: str) -> Grant:
        """Let an account in for so many days from now; raise NotFound or Malformed."""
        if not 1 <= days <= LONGEST_GRANT_DAYS:
            raise Malformed(f"Access is granted for 1 to {LONGEST_GRANT_DAYS} days.")
        user_id, now = self._outside.find_user(email), self._outside.now()
        grant = Grant(uuid.uuid4().hex, user_id, now + timedelta(days=days), now, by)
        self._store.grant(grant)
        self._outside.access_changed(user_id)
        return grant

    def grants(self) -> list[Grant]:
        """Return the newest grants."""
        return self._store.grants(limit=PAGE)

    def subscriptions(self, *, before: datetime | None) -> list[Subscription]:
        """Return a page of subscriptions, newest first."""
        return self._store.page(before=before or self._outside.now() + timedelta(days=1), limit=PAGE)

    def events(self, *, before: datetime | None) -> list[StoredEvent]:
        """Return a page of the inbox, newest first."""
        return self._store.events(before=before or self._outside.now() + timedelta(days=1), limit=PAGE)
