"""The real graph of the local stores, emptied before each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.recommendations.bolt import Bolt
from functions.recommendations.repository import BoltGraph
from tests.support.graph import Theatre

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import Stack


def empty(bolt: Bolt) -> None:
    """Delete everything in the graph."""
    bolt.write(lambda tx: tx.run("MATCH (n) DETACH DELETE n").consume())


@pytest.fixture(scope="session")
def bolt(stack: Stack) -> Iterator[Bolt]:
    settings = stack.settings
    bolt = Bolt(settings.neo4j_uri, settings.neo4j_user, settings.neo4j_password)
    yield bolt
    bolt.close()


@pytest.fixture
def theatre(bolt: Bolt) -> Theatre:
    empty(bolt)
    return Theatre(BoltGraph(bolt))
