"""The functions of recommendations: shelves by HTTP, updates of the graph by queue, and its rebuild."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from functions import bootstrap
from functions.platform.deferrals import next_deferral_s
from functions.platform.errors import Conflict, NotFound
from functions.platform.triggers import ANYONE, OWNER, VIEWER, SliceApp

if TYPE_CHECKING:
    from functions.platform.field_types import TitleId
    from functions.platform.messages import RebuildGraph, UpdateGraph
    from functions.platform.viewer import Viewer
    from functions.recommendations.schemas import RebuildStatus, RecommendedHome, SimilarTitles

log = logging.getLogger(__name__)
app = SliceApp(bootstrap, "functions.recommendations.schemas")

REBUILD_S = 120.0
"""The working time of one message of a rebuild, which then enqueues the next; far below a function's time limit."""

NOT_CONTINUED = "It could not continue in several attempts; the log of rebuild_graph says why."


@app.get("recommendations", caller=VIEWER)
def recommend(viewer: Viewer) -> RecommendedHome:
    """Return the shelves of the viewer's home page, each title with its reason.

    A profile with an age limit gets only titles that it may play.
    """
    from functions.recommendations.schemas import RecommendedHome

    return RecommendedHome.of(bootstrap.graph().recommendations.home(viewer.watcher_id, age_limit=viewer.age_limit))


@app.get("titles/{id}/similar", caller=ANYONE)
def similar_titles(viewer: Viewer | None, id: TitleId) -> SimilarTitles:
    """Return the titles most similar to a title, each with its reason.

    A profile with an age limit gets only titles that it may play.
    """
    from functions.recommendations.schemas import RecommendedCard, SimilarTitles

    picks = bootstrap.graph().recommendations.similar(id, age_limit=viewer.age_limit if viewer else None)
    return SimilarTitles(list(map(RecommendedCard.of_pick, picks)))


@app.post("graph/rebuild", caller=OWNER, status=202, raises=[Conflict])
def start_rebuild() -> RebuildStatus:
    """Start a rebuild of the graph unless one is running, and return its progress."""
    from functions.recommendations.schemas import RebuildStatus

    if not _has_graph():
        raise Conflict(
            "Neo4j is not set up, so there are no recommendations to rebuild. Set NEO4J_URI and NEO4J_PASSWORD first."
        )
    return RebuildStatus.of(bootstrap.graph().rebuild.start())


@app.get("graph/rebuild", caller=OWNER, raises=[NotFound])
def get_rebuild() -> RebuildStatus:
    """Return the progress of the latest rebuild of the graph."""
    from functions.recommendations.schemas import RebuildStatus

    progress = bootstrap.graph().rebuild.progress()
    if progress is None:
        raise NotFound("The graph has never been rebuilt; a POST request to this address starts a rebuild.")
    return RebuildStatus.of(progress)


@app.queue("update-graph")
def update_graph(message: UpdateGraph) -> None:
    """Update the graph as a message requests: write a title, a viewing or a rating, or remove cleared viewings.

    Without a graph, nothing is done: once one is set up, the first rebuild writes everything.
    """
    if _has_graph():
        bootstrap.graph().sync.update(message)


@app.dead_letters("update-graph")
def update_graph_poison(message: UpdateGraph) -> None:
    """Defer a change that could not be written, or record that it was lost, so that the timer rebuilds the graph."""
    if (delay_s := next_deferral_s(message.deferrals)) is not None:
        bootstrap.resources.queues().send(replace(message, deferrals=message.deferrals + 1), delay_s=delay_s)
        return
    log.error("The change %r could not be written into the graph in several attempts.", message.change)
    bootstrap.graph().rebuild.record_loss()


@app.queue("rebuild-graph")
def rebuild_graph(message: RebuildGraph) -> None:
    """Continue a rebuild for about two minutes; if it has not ended by then, enqueue the message again."""
    if not bootstrap.graph().rebuild.advance(message.rebuild_id, within_s=REBUILD_S):
        bootstrap.resources.queues().send(message)


@app.dead_letters("rebuild-graph")
def rebuild_graph_poison(message: RebuildGraph) -> None:
    """Record that a rebuild failed; the timer starts another one."""
    bootstrap.graph().rebuild.fail(message.rebuild_id, NOT_CONTINUED)


@app.timer("0 50 * * * *")
def repair_graph() -> None:
    """Start a rebuild if one is due, for instance because messages were lost or the last rebuild is a week old."""
    if _has_graph():
        bootstrap.graph().rebuild.start_if_due()


def _has_graph() -> bool:
    """Return whether Neo4j, which is optional, is set up."""
    return bool(bootstrap.resources.settings().neo4j_uri)
