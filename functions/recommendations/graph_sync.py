"""Keeping the graph up to date: a message only states what changed; the new state is read from catalogue or usage.

Messages may therefore arrive twice, late or out of order. A viewing is written as the message describes it, and then
compared with usage. If the viewer cleared it in the meantime, it is removed again: while this message is handled, or by
the later message about the clearing. A clearing is compared with usage as well, before and after, so that it never
deletes what the viewer has watched since, and never restores what was cleared since.

While a rebuild runs, a change of a viewer is recorded in its journal before the graph is written (docs/decisions/0049).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.platform.errors import Malformed
from functions.platform.messages import UpdateGraph
from functions.recommendations.model import GraphTitle, Opinion, Viewing
from functions.recommendations.rebuild_sources import graph_title, viewing_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from functions.recommendations.ports import ChangeJournal, Graph, StateSource, TitleSource

_ATTEMPTS = 5


class GraphSync:
    """Updates the graph as messages request; `send` enqueues such a message."""

    def __init__(
        self,
        graph: Graph,
        titles: TitleSource,
        usage: StateSource,
        journal: ChangeJournal,
        *,
        send: Callable[[UpdateGraph], None],
    ) -> None:
        self._graph = graph
        self._titles = titles
        self._usage = usage
        self._journal = journal
        self._send = send

    def request_forgetting(self, user_id: str) -> None:
        """Enqueue the removal of a viewer, so that deleting an account does not wait for the graph."""
        self._send(UpdateGraph("forgotten", user_id=user_id))

    def update(self, message: UpdateGraph) -> None:
        """Update the graph as the message requests. Raises Malformed if it lacks a field that its change requires."""
        if message.user_id:
            self._record_change(message.user_id)
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
                self._sync_viewing(user, title)
            case UpdateGraph(change="unwatched", title_id=None, user_id=str(user)):
                for title in self._graph.viewed_titles(user):
                    self._sync_viewing(user, title)
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

    def _record_change(self, user_id: str) -> None:
        """Tell the rebuild that runs, if any, to read the viewer again.

        A rebuild that starts later reads what this message is about, because usage is changed before it is sent.
        """
        rebuild = self._journal.progress()
        if rebuild and rebuild.runs:
            self._journal.record_change(rebuild.id, user_id)

    def _record_viewing(self, user_id: str, viewing: Viewing) -> None:
        """Write a viewing; if the viewer has cleared it from the history, write what usage has instead.

        The viewing counts as cleared if usage has no view of the title, or only a view that was created after this
        viewing.
        """
        self._graph.record_viewing(user_id, viewing)
        view = self._usage.title_state(user_id, viewing.title_id).view
        if view is None or view.made_at > viewing.at:
            self._sync_viewing(user_id, viewing.title_id)

    def _sync_viewing(self, user_id: str, title_id: str) -> None:
        """Write the viewing that usage has, or remove the graph's if usage has none; repeat if this changes meanwhile.

        The message about that change may already have been handled.
        """
        viewing = self._viewing(user_id, title_id)
        for _ in range(_ATTEMPTS):
            if viewing:
                self._graph.record_viewing(user_id, viewing)
            else:
                self._graph.remove_viewings(user_id, title_id)
            written, viewing = viewing, self._viewing(user_id, title_id)
            if (viewing is None) == (written is None):
                return

    def _viewing(self, user_id: str, title_id: str) -> Viewing | None:
        """Return the viewing that usage has of a title, whether reported yet or not; None if there is none."""
        view = self._usage.title_state(user_id, title_id).view
        return viewing_of(view) if view else None

    def _record_rating(self, user_id: str, title_id: str, at: datetime) -> None:
        """Write the current rating; repeat if the rating changes in the meantime."""
        rating = self._usage.title_state(user_id, title_id).rating
        for _ in range(_ATTEMPTS):
            self._graph.record_opinion(user_id, Opinion(title_id, rating, at))
            written, rating = rating, self._usage.title_state(user_id, title_id).rating
            if rating == written:
                return
