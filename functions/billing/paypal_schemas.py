"""PayPal's JSON, and its conversion to the domain of billing (Subscriptions v1, Payments v1)."""

from __future__ import annotations

import re
from datetime import datetime  # noqa: TC003 - pydantic reads the annotations

from pydantic import AwareDatetime, BaseModel, Field

from functions.billing.model import Charge, LastPayment, PaymentState, RemoteSubscription, State
from functions.billing.money import minor_of

_USER_ID = re.compile(r"[0-9a-f]{32}")


class Money(BaseModel):
    """An amount in the format of the subscriptions API."""

    currency_code: str
    value: str


class LastPaymentResource(BaseModel):
    """The last successful payment."""

    time: AwareDatetime
    amount: Money

    def last_payment(self) -> LastPayment:
        """Return the payment in billing's own model."""
        currency = self.amount.currency_code
        return LastPayment(self.time, minor_of(self.amount.value, currency), currency)


class BillingInfo(BaseModel):
    """The last and the next charge."""

    next_billing_time: AwareDatetime | None = None
    last_payment: LastPaymentResource | None = None
    failed_payments_count: int = 0


class Link(BaseModel):
    """A link to a possible next step."""

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
    plan_overridden: bool = False
    quantity: str = ""
    billing_info: BillingInfo = Field(default_factory=BillingInfo)
    links: list[Link] = Field(default_factory=list)

    def remote(self) -> RemoteSubscription:
        """Return the subscription in billing's own model."""
        info = self.billing_info
        return RemoteSubscription(
            subscription_id=self.id,
            user_id=self.custom_id if _USER_ID.fullmatch(self.custom_id) else None,
            plan_id=self.plan_id,
            state=self.status,
            state_since=self.status_update_time or self.create_time,
            created_at=self.create_time,
            next_charge_at=info.next_billing_time,
            last_payment=info.last_payment.last_payment() if info.last_payment else None,
            failing=info.failed_payments_count > 0,
            altered=self.plan_overridden or self.quantity not in ("", "1"),
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
        """Return the charge; this response does not contain the amount of a partial refund."""
        gross = self.amount_with_breakdown.gross_amount
        amount = minor_of(gross.value, gross.currency_code)
        back = amount if self.status is PaymentState.REFUNDED else 0
        return Charge(self.id, self.status, amount, gross.currency_code, self.time, back)


class Transactions(BaseModel):
    """A list of transactions."""

    transactions: list[Transaction] = Field(default_factory=list)


class OldMoney(BaseModel):
    """An amount in the format of the payments API."""

    value: str
    currency: str


class RefundResource(BaseModel):
    """A refund; its total is the amount of the sale that has been refunded so far."""

    id: str
    sale_id: str
    total_refunded_amount: OldMoney | None = None

    def total_minor(self) -> int:
        """Return the amount of the sale that has been refunded so far."""
        total = self.total_refunded_amount
        return abs(minor_of(total.value, total.currency)) if total else 0


class SaleResource(BaseModel):
    """A sale; only its subscription is read."""

    id: str
    billing_agreement_id: str = ""


class CreatedResource(BaseModel):
    """A product, plan or webhook that was just created."""

    id: str
    create_time: datetime | None = None


class WebhookResource(BaseModel):
    """An address that PayPal sends events to."""

    id: str
    url: str


class WebhookListResource(BaseModel):
    """All webhooks of the account."""

    webhooks: list[WebhookResource] = Field(default_factory=list)
