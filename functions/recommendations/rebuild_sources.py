"""What the catalogue and usage say, in the words of the graph."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from functions.catalogue.views import card
from functions.recommendations.model import Credit, GraphTitle, Opinion, Role, Viewer, Viewing
from functions.usage.model import Kind, Milestone

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from functions.catalogue.model import Title
    from functions.catalogue.service import Catalogue
    from functions.usage.model import Everything, UsageStore


def graph_title(title: Title) -> GraphTitle:
    """Return a title as the graph holds it."""
    if not title.listed:
        return GraphTitle(title.id, title.revision)
    details = title.details
    people = {Role.DIRECTED: details.directors, Role.WROTE: details.writers, Role.ACTED_IN: details.actors}
    return GraphTitle(
        id=title.id,
        revision=title.revision,
        listed=True,
        watchable=title.watchable,
        name=details.name,
        card=json.dumps(card(title), ensure_ascii=False, separators=(",", ":")),
        added=f"{title.added_at:%Y-%m-%dT%H:%M:%SZ}",
        genres=tuple(_by_key(details.genres)),
        credits=tuple(Credit(role, key, name) for role, names in people.items() for key, name in _by_key(names)),
    )


def viewer(everything: Everything) -> Viewer:
    """Return what the graph is to know of a viewer: titles of which they saw half or more, and their ratings."""
    viewings = (
        Viewing(view.title_id, round(view.progress, 3), view.watched_at)
        for view in everything.views
        if view.watched_at and view.told > Milestone.NONE
    )
    opinions = (
        Opinion(mark.title_id, mark.rating, mark.at)
        for mark in everything.marks
        if mark.kind is Kind.RATED and mark.rating
    )
    return Viewer(everything.user_id, tuple(viewings), tuple(opinions))


class Truth:
    """What the graph is made from."""

    def __init__(self, catalogue: Catalogue, usage: UsageStore) -> None:
        self._catalogue = catalogue
        self._usage = usage

    def titles(self, after: str, limit: int) -> list[Title]:
        """Return titles by id from above one on, withdrawn ones too."""
        return self._catalogue.in_order(after=after, limit=limit)

    def count_titles(self) -> int:
        """Return about how many titles there are."""
        return self._catalogue.count()

    def find(self, title_id: str) -> Title | None:
        """Return a title, withdrawn or not; None if there never was one."""
        return self._catalogue.find(title_id)

    def viewers(self, after: str) -> Iterator[Viewer]:
        """Yield viewers by id from above one on."""
        return map(viewer, self._usage.everyone(after=after))


def _by_key(names: Iterable[str]) -> list[tuple[str, str]]:
    """Return each name once, before it the form in which names are compared."""
    found: dict[str, str] = {}
    for name in names:
        if key := " ".join(name.casefold().split()):
            found.setdefault(key, name)
    return list(found.items())
