"""The contract of billing's store of payments, as a test class; subclasses provide the store to test."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.billing.model import Charge, Payment, PaymentState
from functions.billing.reconciliation import new_token
from functions.platform.pagination import TimePosition
from tests.support.billing import make_user_id
from tests.support.billing_contract import LATER, make_id
from tests.support.clock import NOON


class PaymentStoreContract:
    """The tests that every store of payments must pass."""

    @pytest.fixture
    def payments(self) -> Any:
        raise NotImplementedError

    def payment(self, **changes: Any) -> Payment:
        charge = Charge(make_id("S"), PaymentState.COMPLETED, 799, "EUR", NOON)
        return replace(Payment(charge, make_id(), make_user_id()), **changes)

    def test_a_payment_is_updated_by_newer_answers_only(self, payments: Any) -> None:
        payment = self.payment()
        refunded = replace(payment.charge, state=PaymentState.PARTIALLY_REFUNDED, refunded_minor=250)
        payments.record_payment(payment, asked_at=NOON)
        payments.record_payment(replace(payment, charge=refunded), asked_at=LATER)
        payments.record_payment(payment, asked_at=NOON)
        assert payments.list_of_subscription(payment.subscription_id) == [replace(payment, charge=refunded)]

    def test_the_refunded_amount_never_decreases(self, payments: Any) -> None:
        payment = self.payment()
        for minor, asked_at in ((250, NOON), (0, LATER)):
            charge = replace(payment.charge, state=PaymentState.PARTIALLY_REFUNDED, refunded_minor=minor)
            payments.record_payment(replace(payment, charge=charge), asked_at=asked_at)
        (stored,) = payments.list_of_subscription(payment.subscription_id)
        assert stored.charge.refunded_minor == 250

    def test_payments_page_newest_first(self, payments: Any) -> None:
        user_id = make_user_id()
        made = [
            self.payment(user_id=user_id, charge=Charge(f"S{n}{new_token()}", PaymentState.COMPLETED, 1, "EUR", at))
            for n, at in enumerate((NOON, LATER, LATER))
        ]
        for payment in made:
            payments.record_payment(payment, asked_at=NOON)
        first = payments.page_payments(user_id, None, limit=2)
        assert first == [made[2], made[1]]
        after = TimePosition(first[-1].charge.at, first[-1].charge.payment_id)
        assert payments.page_payments(user_id, after, limit=2) == [made[0]]

    def test_an_email_is_claimed_by_one_until_it_is_sent_given_up_or_stale(self, payments: Any) -> None:
        key, (first, second, third) = f"payment_received/{new_token()}", (new_token(), new_token(), new_token())

        def claimed(claim: str, *, at: datetime = NOON, key: str = key) -> bool:
            held: bool = payments.claim_notice(key, claim, now=at, stale_before=at - timedelta(minutes=1))
            return held

        assert claimed(first) and claimed(first), "a repeated call is the same claim"
        assert not claimed(second)
        payments.release_notice(key, second)
        assert not claimed(second)
        payments.release_notice(key, first)
        assert claimed(second)
        assert claimed(third, at=NOON + timedelta(minutes=2))
        assert not claimed(second, at=NOON + timedelta(minutes=2))
        payments.confirm_notice(key)
        payments.release_notice(key, third)
        assert not claimed(first, at=NOON + timedelta(days=9))
        assert claimed(first, key=key.upper())

    def test_a_payment_is_found_by_its_payer_only(self, payments: Any) -> None:
        payment = self.payment(user_id=make_user_id())
        payments.record_payment(payment, asked_at=NOON)
        payment_id = payment.charge.payment_id
        assert payments.find_payment(payment.user_id, payment_id) == payment
        assert payments.find_payment(make_user_id(), payment_id) is None
        assert payments.find_payment(payment.user_id, payment_id.lower()) is None
        payments.forget_payer(payment.user_id)
        assert payments.find_payment(payment.user_id, payment_id) is None

    def test_a_forgotten_payers_payments_stay_as_those_of_nobody(self, payments: Any) -> None:
        payment = self.payment()
        payments.record_payment(payment, asked_at=NOON)
        payments.forget_payer(payment.user_id)
        payments.record_payment(payment, asked_at=LATER)
        assert payments.list_of_subscription(payment.subscription_id) == [replace(payment, user_id=None)]
        assert payments.page_payments(payment.user_id, None, limit=9) == []
