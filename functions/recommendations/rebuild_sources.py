"""Titles and viewers in the form that the graph stores, read from the catalogue and usage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.catalogue.schemas import Card
from functions.platform.time import to_text
from functions.recommendations.model import Credit, GraphTitle, Opinion, Role, ViewerHistory, Viewing
from functions.usage.model import UsageKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from functions.catalogue.model import Title
    from functions.catalogue.service import Catalogue
    from functions.usage.model import View, ViewerUsage
    from functions.usage.service import UsageService


def graph_title(title: Title) -> GraphTitle:
    """Return a title in the form that the graph stores."""
    if not title.listed:
        return GraphTitle(title.id, title.revision)
    details = title.details
    people = {Role.DIRECTED: details.directors, Role.WROTE: details.writers, Role.ACTED_IN: details.actors}
    return GraphTitle(
        id=title.id,
        revision=title.revision,
        listed=True,
        watchable=title.watchable,
        card=Card.of(title),
        added=to_text(title.added_at),
        genres=tuple(_by_key(details.genres)),
        credits=tuple(Credit(role, key, name) for role, names in people.items() for key, name in _by_key(names)),
    )


def viewing_of(view: View) -> Viewing | None:
    """Return a view in the form that the graph stores, or None if too little of the title was watched.

    A milestone that is due counts as reported: its message may have been handled already, and it is recorded as
    reported only after the message was sent. The progress is 1 if the viewer has ever finished the title.
    """
    if view.watched_at is None or not (view.seen or view.due):
        return None
    return Viewing(view.title_id, 1.0 if view.finished_before else round(view.progress, 3), view.watched_at)


def viewer_history(usage: ViewerUsage) -> ViewerHistory | None:
    """Return the titles of which a viewer watched at least half, and their ratings; None if there are neither."""
    viewings = tuple(filter(None, map(viewing_of, usage.views)))
    opinions = tuple(
        Opinion(mark.title_id, mark.rating, mark.at)
        for mark in usage.marks
        if mark.kind is UsageKind.RATED and mark.rating
    )
    return ViewerHistory(usage.user_id, viewings, opinions) if viewings or opinions else None


class SliceSources:
    """The catalogue and usage as the sources of a rebuild."""

    def __init__(self, catalogue: Catalogue, usage: UsageService) -> None:
        self._catalogue = catalogue
        self._usage = usage

    def titles(self, after: str, limit: int) -> list[Title]:
        return self._catalogue.titles_in_order(after=after, limit=limit)

    def count_titles(self) -> int:
        return self._catalogue.count_titles()

    def find_title(self, title_id: str) -> Title | None:
        return self._catalogue.find_title(title_id)

    def viewers(self, after: str) -> Iterator[ViewerHistory]:
        return filter(None, map(viewer_history, self._usage.viewers(after=after)))

    def find_viewer(self, user_id: str) -> ViewerHistory | None:
        usage = self._usage.find_viewer(user_id)
        return viewer_history(usage) if usage else None


def _by_key(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return each distinct name with its key, the folded form in which names are compared."""
    found: dict[str, str] = {}
    for name in names:
        if key := " ".join(name.casefold().split()):
            found.setdefault(key, name)
    return list(found.items())
