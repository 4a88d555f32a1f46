"""The parts of recommendations, put together: what asks the graph, what keeps it up, what makes it anew."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.recommendations.bolt import Bolt
from functions.recommendations.graph_sync import Keeper
from functions.recommendations.rebuild import Rebuild
from functions.recommendations.rebuild_sources import Truth
from functions.recommendations.rebuild_store import MongoRecords
from functions.recommendations.repository import BoltGraph
from functions.recommendations.service import Recommendations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from pymongo.database import Database

    from functions.catalogue.service import Catalogue
    from functions.platform.settings import Settings
    from functions.usage.model import UsageStore


@dataclass(frozen=True, slots=True)
class GraphParts:
    """What the functions use of the graph, and the connection to it."""

    recommendations: Recommendations
    keeper: Keeper
    rebuild: Rebuild
    graph: BoltGraph

    def close(self) -> None:
        """Close the connection."""
        self.graph.close()


def assemble(
    settings: Settings,
    database: Database[dict[str, Any]],
    catalogue: Catalogue,
    usage: UsageStore,
    send: Callable[[str, Mapping[str, object]], None],
    now: Callable[[], datetime],
) -> GraphParts:
    """Return the parts; the graph is connected to when it is first needed."""
    graph = BoltGraph(Bolt(settings.neo4j_uri, settings.neo4j_user, settings.neo4j_password))
    return GraphParts(
        Recommendations(graph, catalogue),
        Keeper(graph, catalogue, usage, forget=lambda user_id: send("update-graph", {"forgotten": user_id})),
        Rebuild(
            graph,
            Truth(catalogue, usage),
            MongoRecords(database),
            enqueue=lambda rebuild_id: send("rebuild-graph", {"rebuild_id": rebuild_id}),
            now=now,
            make_id=lambda: secrets.token_hex(8),
        ),
        graph,
    )
