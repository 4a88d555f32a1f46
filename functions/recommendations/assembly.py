"""Creates the services of the recommendations slice with their dependencies."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.platform.messages import RebuildGraph
from functions.recommendations.bolt import Bolt
from functions.recommendations.graph_sync import GraphSync
from functions.recommendations.rebuild import Rebuild
from functions.recommendations.rebuild_sources import SliceSources
from functions.recommendations.rebuild_store import MongoRebuildStore
from functions.recommendations.repository import BoltGraph
from functions.recommendations.service import Recommendations

if TYPE_CHECKING:
    from functions.catalogue.service import Catalogue
    from functions.platform.resources import Resources
    from functions.usage.service import UsageService


@dataclass(frozen=True, slots=True)
class GraphParts:
    """The services that the functions use, and the connection to the graph."""

    recommendations: Recommendations
    sync: GraphSync
    rebuild: Rebuild
    graph: BoltGraph

    def close(self) -> None:
        """Close the connection."""
        self.graph.close()


def assemble(resources: Resources, catalogue: Catalogue, usage: UsageService) -> GraphParts:
    """Return the parts; the connection to the graph is opened when it is first needed."""
    settings = resources.settings()
    graph = BoltGraph(Bolt(settings.neo4j_uri, settings.neo4j_user, settings.neo4j_password))
    store = MongoRebuildStore(resources.mongo_database())
    return GraphParts(
        Recommendations(graph, catalogue),
        GraphSync(graph, catalogue, usage, store, send=lambda message: resources.queues().send(message)),
        Rebuild(
            graph,
            SliceSources(catalogue, usage),
            store,
            enqueue=lambda rebuild_id: resources.queues().send(RebuildGraph(rebuild_id)),
            now=resources.now,
            make_id=lambda: secrets.token_hex(8),
        ),
        graph,
    )
