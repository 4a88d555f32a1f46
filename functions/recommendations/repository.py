"""The graph over Bolt: writing and querying, with one driver per process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.recommendations.graph_bulk_loader import GraphBulkLoader
from functions.recommendations.graph_queries import GraphQueries

if TYPE_CHECKING:
    from functions.recommendations.bolt import Bolt


class BoltGraph(GraphBulkLoader, GraphQueries):
    """The graph in Neo4j, or in another store that supports Bolt and Cypher."""

    def __init__(self, bolt: Bolt) -> None:
        GraphBulkLoader.__init__(self, bolt)
        GraphQueries.__init__(self, bolt)

    def close(self) -> None:
        """Close the driver."""
        self._bolt.close()
