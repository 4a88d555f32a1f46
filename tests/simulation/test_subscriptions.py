"""From subscribing to a refund: whatever crashes, stalls or arrives twice, access and books agree with PayPal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.simulation.subscription_flow import SubscriptionFlow

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.flow import Flow
    from tests.simulation.wiring import Wiring


@pytest.fixture(scope="module")
def subscriptions(wiring: Wiring) -> SubscriptionFlow:
    return SubscriptionFlow(wiring)


@pytest.mark.timeout(0)
def test_access_and_books_agree_with_paypal(
    subscriptions: SubscriptionFlow, campaign: Callable[[Flow, int], None]
) -> None:
    campaign(subscriptions, 600)
