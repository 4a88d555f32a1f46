"""Keeping the graph up to date: a message only states what changed; the new state is read from catalogue or usage.

Messages may therefore arrive twice, late or out of order. A viewing is written as the message describes it and then
compared with usage: if the viewer cleared it in the meantime, it is removed again, either while this message is
handled or by the later message about the clearing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.platform.errors import Malformed
from functions.platform.messages import UpdateGraph
from functions.recommendations.model import GraphTitle, Opinion, Viewing
from functions.recommendations.rebuild_sources import graph_title
from functions.usage.model import Milestone

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.recommendations.ports import Graph, StateSource, TitleSource

_ATTEMPTS = 5


class GraphSync:
    """Updates the graph as messages request; `send` enqueues such a message."""

    def __init__(
        self, graph: Graph, titles: TitleSource, usage: StateSource, *, send: Callable[[UpdateGraph], None]
    ) -> None:
        self._graph = graph
        self._titles = titles
        self._usage = usage
        self._send = send

    def request_forgetting(self, user_id: str) -> None:
        """Enqueue the removal of a viewer, so that deleting an account does not wait for the graph."""
        self._send(UpdateGraph("forgotten", user_id=user_id))

    def update(self, message: UpdateGraph) -> None:
        """Update the graph as the message requests. Raises Malformed if it lacks a field that its change requires."""
        match message:
            case UpdateGraph(change="title", title_id=str(title)):
                self.sync_title(title)
            case UpdateGraph(change="watched", title_id=str(title), user_id=str(user), progress=float(progress)) if (
                message.at
            ):
                self._record_viewing(user, Viewing(title, progress, message.at))
            case UpdateGraph(change="rated", title_id=str(title), user_id=str(user)) if message.at:
                self._record_rating(user, title, message.at)
            case UpdateGraph(change="unwatched", title_id=str(title), user_id=str(user)):
                self._remove_viewing(user, title)
            case UpdateGraph(change="unwatched", title_id=None, user_id=str(user)):
                self._graph.remove_viewings(user, None)
            case UpdateGraph(change="forgotten", user_id=str(user)):
                self._graph.remove_viewer(user)
            case _:
                raise Malformed(f"A message of update-graph with the change {message.change!r} lacks a field.")

    def sync_title(self, title_id: str) -> None:
        """Write the catalogue's current version of a title."""
        title = self._titles.find_title(title_id)
        if title is None:
            self._graph.write_titles([GraphTitle(title_id, 0)], force=True)
        else:
            self._graph.write_titles([graph_title(title)])

    def _record_viewing(self, user_id: str, viewing: Viewing) -> None:
        """Write a viewing, and remove it again if the viewer has cleared it from the history.

        The viewing counts as cleared if usage has no view of the title, or only a view that was created after this
        viewing.
        """
        self._graph.record_viewing(user_id, viewing)
        view = self._usage.title_state(user_id, viewing.title_id).view
        if view is None or view.made_at > viewing.at:
            self._graph.remove_viewings(user_id, viewing.title_id)

    def _remove_viewing(self, user_id: str, title_id: str) -> None:
        """Remove a viewing unless the title has been watched again since."""
        view = self._usage.title_state(user_id, title_id).view
        if view is None or view.reported is Milestone.NONE:
            self._graph.remove_viewings(user_id, title_id)

    def _record_rating(self, user_id: str, title_id: str, at: datetime) -> None:
        """Write the current rating; repeat if the rating changes in the meantime."""
        rating = self._usage.title_state(user_id, title_id).rating
        for _ in range(_ATTEMPTS):
            self._graph.record_opinion(user_id, Opinion(title_id, rating, at))
            written, rating = rating, self._usage.title_state(user_id, title_id).rating
            if rating == written:
                return
