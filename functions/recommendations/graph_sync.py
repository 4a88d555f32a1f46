"""Keeping the graph up to what happens: each message is a hint, what stands in the catalogue and in usage is written.

So a message may come twice, late or in any order. A viewing is written as the message tells it, and then held against
usage once more: whatever was cleared meanwhile is taken out again, if not by us then by the message of the clearing,
which is sent after it.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from functions.platform.errors import Malformed
from functions.recommendations.model import GraphTitle, Opinion, Viewing
from functions.recommendations.rebuild_sources import graph_title
from functions.usage.model import Milestone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.catalogue.model import Title
    from functions.recommendations.model import Graph
    from functions.usage.model import Traces

_USER = re.compile(r"[0-9a-f]{32}")
_TITLE = re.compile(r"[a-z0-9-]{1,60}")
_TRIES = 5


class Titles(Protocol):
    """What is asked of the catalogue."""

    def find(self, title_id: str) -> Title | None:
        """Return a title, withdrawn or not; None if there never was one."""


class Usage(Protocol):
    """What is asked of usage."""

    def traces(self, user_id: str, title_id: str) -> Traces:
        """Return all that is kept of a viewer and a title."""


class Keeper:
    """Writes into the graph what messages hint at."""

    def __init__(self, graph: Graph, titles: Titles, usage: Usage, *, forget: Callable[[str], None]) -> None:
        self._graph = graph
        self._titles = titles
        self._usage = usage
        self._forget = forget

    def forget_soon(self, user_id: str) -> None:
        """Ask, by message, for a viewer to be forgotten: whoever leaves does not wait for the graph."""
        self._forget(user_id)

    def handle(self, message: Mapping[str, Any]) -> None:
        """Do what a message asks for; raise Malformed if that is nothing."""
        match message:
            case {"title": str(title_id)}:
                self.sync_title(_title_id(title_id))
            case {"watched": {"user_id": str(user), "title_id": str(title), "progress": progress, "at": str(at)}}:
                self._watched(_user_id(user), Viewing(_title_id(title), _share(progress), _time(at)))
            case {"rated": {"user_id": str(user), "title_id": str(title), "at": str(at)}}:
                self._rated(_user_id(user), _title_id(title), _time(at))
            case {"unwatched": {"user_id": str(user), "title_id": str(title)}}:
                self._unwatched(_user_id(user), _title_id(title))
            case {"unwatched": {"user_id": str(user), "title_id": None}}:
                self._graph.remove_viewings(_user_id(user), None)
            case {"forgotten": str(user)}:
                self._graph.remove_viewer(_user_id(user))
            case _:
                raise Malformed("The message says nothing that the graph knows of.")

    def sync_title(self, title_id: str) -> None:
        """Make a title in the graph what it is in the catalogue."""
        title = self._titles.find(title_id)
        if title is None:
            self._graph.write_titles([GraphTitle(title_id, 0)], force=True)
        else:
            self._graph.write_titles([graph_title(title)])

    def _watched(self, user_id: str, viewing: Viewing) -> None:
        """Write a viewing, unless it was cleared; a view that was made after it is another one."""
        self._graph.record_viewing(user_id, viewing)
        view = self._usage.traces(user_id, viewing.title_id).view
        if view is None or view.made_at > viewing.at:
            self._graph.remove_viewings(user_id, viewing.title_id)

    def _unwatched(self, user_id: str, title_id: str) -> None:
        """Take a viewing out, unless the title was watched again since."""
        view = self._usage.traces(user_id, title_id).view
        if view is None or view.told is Milestone.NONE:
            self._graph.remove_viewings(user_id, title_id)

    def _rated(self, user_id: str, title_id: str, at: datetime) -> None:
        """Write the rating that stands, until none came between."""
        rating = self._usage.traces(user_id, title_id).rating
        for _ in range(_TRIES):
            self._graph.record_opinion(user_id, Opinion(title_id, rating, at))
            written, rating = rating, self._usage.traces(user_id, title_id).rating
            if rating == written:
                return


def _user_id(text: str) -> str:
    if not _USER.fullmatch(text):
        raise Malformed("A viewer's id has 32 hexadecimal digits.")
    return text


def _title_id(text: str) -> str:
    if not _TITLE.fullmatch(text):
        raise Malformed("The id of the title cannot be one.")
    return text


def _share(progress: object) -> float:
    if not isinstance(progress, int | float) or isinstance(progress, bool) or not 0 <= progress <= 1:
        raise Malformed("Progress is a number from 0 to 1.")
    return float(progress)


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Malformed("`at` is a time as ISO 8601 writes it.") from None
    if at.tzinfo is None:
        raise Malformed("`at` names its time zone.")
    return at
