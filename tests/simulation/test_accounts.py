"""From registering to being forgotten: whatever crashes, stalls or arrives twice, a deleted account leaves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.simulation.account_flow import AccountFlow
from tests.support.account_world import CountingHasher

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.flow import Flow
    from tests.simulation.wiring import Wiring


@pytest.mark.timeout(0)
def test_deleted_account_leaves_nothing(wiring: Wiring, campaign: Callable[[Flow, int], None]) -> None:
    campaign(AccountFlow(wiring, CountingHasher()), 600)
