"""The client of PayPal's API follows the contract, with the simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.billing.paypal import PayPalClient
from tests.support.paypal import running_simulator
from tests.support.paypal_contract import PayPalContract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.paypal import PayPal
    from tests.support.paypal_contract import Acting, RefundIds

ACTIONS = {"fail": "fail_payment"}
"""The control API's names of actions, if they differ."""


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PayPal]:
    with running_simulator(tmp_path_factory.mktemp("paypal")) as running:
        yield running


class TestPayPalClient(PayPalContract):
    """The client follows the contract."""

    @pytest.fixture
    def paypal(self, simulator: PayPal) -> PayPalClient:
        return PayPalClient(simulator.url, simulator.client_id, simulator.client_secret)

    @pytest.fixture
    def act(self, simulator: PayPal) -> Acting:
        def act(action: str, subscription_id: str, *, minor: int | None = None) -> None:
            body = {} if minor is None else {"amount": f"{minor / 100:.2f}"}
            simulator.control("POST", f"subscriptions/{subscription_id}/{ACTIONS.get(action, action)}", **body)

        return act

    @pytest.fixture
    def refund_ids(self, simulator: PayPal) -> RefundIds:
        return lambda: [each["id"] for each in simulator.simulator.store.all("refund")]
