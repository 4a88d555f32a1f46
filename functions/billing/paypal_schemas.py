"""PayPal's JSON as it comes in, and the words of billing that it becomes (Subscriptions v1, Payments v1)."""

from __future__ import annotations

import re
from datetime import datetime  # noqa: TC003 - pydantic reads the annotations

from pydantic import AwareDatetime, BaseModel, Field

from functions.billing.model import Charge, PaymentState, Standing, State
from functions.billing.money import minor_of

_USER_ID = re.compile(r"[0-9a-f]{32}")


class Money(BaseModel):
    """An amount of the subscriptions API."""

    currency_code: str
    value: str


class LastPayment(BaseModel):
    """The payment that succeeded last."""

    time: AwareDatetime


class BillingInfo(BaseModel):
    """What was and will be charged."""

    next_billing_time: AwareDatetime | None = None
    last_payment: LastPayment | None = None
    failed_payments_count: int = 0


class Link(BaseModel):
    """A link to what can be done next."""

    href: str
    rel: str


class SubscriptionResource(BaseModel):
    """A subscription."""

    id: str
    plan_id: str
    status: State
    status_update_time: AwareDatetime | None = None
    create_time: AwareDatetime
    custom_id: str = ""
    billing_info: BillingInfo = Field(default_factory=BillingInfo)
    links: list[Link] = Field(default_factory=list)

    def standing(self) -> Standing:
        """Return it in our words."""
        info = self.billing_info
        return Standing(
            subscription_id=self.id,
            user_id=self.custom_id if _USER_ID.fullmatch(self.custom_id) else None,
            plan_id=self.plan_id,
            state=self.status,
            state_since=self.status_update_time or self.create_time,
            created_at=self.create_time,
            next_charge_at=info.next_billing_time,
            last_paid_at=info.last_payment.time if info.last_payment else None,
            failing=info.failed_payments_count > 0,
            approve_url=next((link.href for link in self.links if link.rel == "approve"), ""),
        )


class AmountWithBreakdown(BaseModel):
    """The parts of a transaction's amount."""

    gross_amount: Money


class Transaction(BaseModel):
    """A transaction of a subscription."""

    id: str
    status: PaymentState
    amount_with_breakdown: AmountWithBreakdown
    time: AwareDatetime

    def charge(self) -> Charge:
        """Return it in our words; how much of a part was paid back PayPal does not say here."""
        gross = self.amount_with_breakdown.gross_amount
        amount = minor_of(gross.value, gross.currency_code)
        back = amount if self.status is PaymentState.REFUNDED else 0
        return Charge(self.id, self.status, amount, gross.currency_code, self.time, back)


class Transactions(BaseModel):
    """A list of transactions."""

    transactions: list[Transaction] = Field(default_factory=list)


class OldMoney(BaseModel):
    """A sum of the payments API."""

    value: str
    currency: str


class RefundResource(BaseModel):
    """A refund; its total is all that was paid back of the sale so far."""

    id: str
    sale_id: str
    total_refunded_amount: OldMoney | None = None

    @property
    def total_minor(self) -> int:
        """Return what was paid back of the sale so far."""
        total = self.total_refunded_amount
        return abs(minor_of(total.value, total.currency)) if total else 0


class SaleResource(BaseModel):
    """A sale, as far as it says which subscription it is of."""

    id: str
    billing_agreement_id: str = ""


class Made(BaseModel):
    """A product or a plan that was just made."""

    id: str
    create_time: datetime | None = None


class Webhook(BaseModel):
    """Where PayPal sends events."""

    id: str
    url: str


class Webhooks(BaseModel):
    """All webhooks of the account."""

    webhooks: list[Webhook] = Field(default_factory=list)
