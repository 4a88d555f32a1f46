"""The graph of the local stores, emptied before each test, and the graph in memory satisfy the same contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.recommendations import bolt as bolts
from functions.recommendations.bolt import Bolt
from functions.recommendations.repository import BoltGraph
from tests.support.graph import Theatre
from tests.support.memory_graph import MemoryGraph
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.conftest import Stack


@pytest.fixture(autouse=True)
def patient_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for reads as long as a busy machine needs; after three seconds, the product shows other titles instead."""
    monkeypatch.setattr(bolts, "READ_S", PATIENCE_S)


@pytest.fixture(scope="session")
def bolt(stack: Stack) -> Iterator[Bolt]:
    settings = stack.settings
    bolt = Bolt(settings.neo4j_uri, settings.neo4j_user, settings.neo4j_password)
    yield bolt
    bolt.close()


@pytest.fixture(params=["memory", "real"])
def new_theatre(request: pytest.FixtureRequest) -> Callable[[], Theatre]:
    """Return a function that returns a theatre with an empty graph; each call empties the previous one."""
    if request.param == "memory":
        return lambda: Theatre(MemoryGraph())
    bolt: Bolt = request.getfixturevalue("bolt")

    return lambda: _emptied(bolt)


@pytest.fixture
def theatre(new_theatre: Callable[[], Theatre]) -> Theatre:
    return new_theatre()


@pytest.fixture
def real_theatre(bolt: Bolt) -> Theatre:
    """Return a theatre with the real graph, for tests of what is specific to it."""
    return _emptied(bolt)


def _emptied(bolt: Bolt) -> Theatre:
    made = Theatre(BoltGraph(bolt), bolt)
    made.clear_graph()
    return made
