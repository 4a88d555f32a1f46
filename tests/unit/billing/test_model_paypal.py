"""The model of PayPal, which unit tests and simulations use, follows the contract of the real API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.billing.model import State
from tests.support.billing import ModelPayPal, TickingClock
from tests.support.paypal_contract import PayPalContract

if TYPE_CHECKING:
    from tests.support.paypal_contract import Acting, RefundIds

STATES = {"suspend": State.SUSPENDED, "activate": State.ACTIVE, "expire": State.EXPIRED}


class TestModelPayPal(PayPalContract):
    """The model follows the contract."""

    @pytest.fixture
    def paypal(self) -> ModelPayPal:
        return ModelPayPal(TickingClock())

    @pytest.fixture
    def act(self, paypal: ModelPayPal) -> Acting:
        def act(action: str, subscription_id: str, *, minor: int | None = None) -> None:
            match action:
                case "approve":
                    paypal.approve(subscription_id)
                case "pay" | "fail":
                    paypal.renew(subscription_id, fails=action == "fail")
                case "refund":
                    paypal.pay_back(subscription_id, minor)
                case _:
                    paypal.turn(subscription_id, STATES[action])

        return act

    @pytest.fixture
    def refund_ids(self, paypal: ModelPayPal) -> RefundIds:
        return lambda: list(paypal.refunds)
