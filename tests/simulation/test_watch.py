"""From watching to recommendations: whatever crashes, stalls or arrives twice, the graph agrees with its sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.simulation.watch_flow import WatchFlow

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulation.flow import Flow
    from tests.simulation.wiring import Wiring


@pytest.mark.timeout(0)
def test_graph_agrees_with_catalogue_and_usage(wiring: Wiring, campaign: Callable[[Flow, int], None]) -> None:
    campaign(WatchFlow(wiring), 600)
