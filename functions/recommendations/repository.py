"""The graph over Bolt: what writes it, fills it and asks it, on one driver a process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.recommendations.graph_bulk_loader import GraphFiller
from functions.recommendations.graph_queries import GraphReader

if TYPE_CHECKING:
    from functions.recommendations.bolt import Bolt


class BoltGraph(GraphFiller, GraphReader):
    """Neo4j, or what speaks Bolt and Cypher in its place."""

    def __init__(self, bolt: Bolt) -> None:
        GraphFiller.__init__(self, bolt)
        GraphReader.__init__(self, bolt)

    def close(self) -> None:
        """Close the driver."""
        self._bolt.close()
