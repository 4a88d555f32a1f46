"""What to watch next: the shelves of a viewer's home page, and what is like a title; true also without the graph.

While the graph is away, or knows of no views yet, what is shown comes from the catalogue, and its words say only what
the catalogue knows.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from functions.catalogue.views import card
from functions.platform.errors import StoreUnavailable
from functions.recommendations.model import MORE_LENGTH, SHELF_LENGTH, Kind, Pick, Reason, Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from functions.catalogue.model import Title
    from functions.recommendations.model import Ranking, Watched

log = logging.getLogger(__name__)

SHORTEST = 3
"""A shelf of fewer titles is not shown."""

BECAUSE_SHELVES = 2

POPULAR_S = 30.0
MOST_POPULAR = 200
"""What is popular is the same for everyone: so many titles are asked for, once in so long."""


class Titles(Protocol):
    """What is asked of the catalogue."""

    def get(self, title_id: str) -> Title:
        """Return a title; raise NotFound."""

    def best(self, *, genre: str = "", limit: int) -> list[Title]:
        """Return titles that can be watched, the highest rated first, then the newest; of a genre if one is named."""


class Recommendations:
    """Shelves, each pick with its reason."""

    def __init__(self, ranking: Ranking, titles: Titles, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._ranking = ranking
        self._titles = titles
        self._clock = clock
        self._popular_now: tuple[float, list[Pick]] | None = None

    def home(self, user_id: str) -> list[Shelf]:
        """Return the shelves of a viewer's home page, without empty ones."""
        try:
            history = self._ranking.history(user_id)
            shelves = [self._for_you(history), *self._because(history), self._popular(history)]
        except StoreUnavailable as error:
            log.warning("Recommendations come from the catalogue alone: %s", error.detail)
            return _worth_showing([self._best()])
        return _worth_showing(shelves)

    def similar(self, title_id: str) -> list[Pick]:
        """Return titles like one, the likest first; raise NotFound."""
        title = self._titles.get(title_id)
        try:
            return self._ranking.similar(title.id, without=(), watchable=False, limit=MORE_LENGTH)
        except StoreUnavailable as error:
            log.warning("What is like %s comes from the catalogue alone: %s", title_id, error.detail)
        if not title.details.genres:
            return []
        genre = title.details.genres[0]
        others = self._titles.best(genre=genre, limit=MORE_LENGTH + 1)
        reason = Reason(Kind.GENRE, f"Also {genre}")
        return [Pick(card(other), reason) for other in others if other.id != title.id][:MORE_LENGTH]

    def _for_you(self, history: Sequence[Watched]) -> Shelf:
        picks = self._ranking.next_for(history, limit=SHELF_LENGTH) if history else []
        return Shelf("for-you", "For you", "From what you watched last", tuple(picks))

    def _because(self, history: Sequence[Watched]) -> list[Shelf]:
        """Return a shelf for each of the titles that a viewer watched last and did not dislike."""
        watched = [each.id for each in history]
        liked = [each for each in history if each.listed and each.rating >= 0][:BECAUSE_SHELVES]
        return [
            Shelf(
                f"because-{seen.id}",
                f"Because you watched {seen.name}",
                f"Like {seen.name}",
                tuple(self._ranking.similar(seen.id, without=watched, watchable=True, limit=SHELF_LENGTH)),
            )
            for seen in liked
        ]

    def _popular(self, history: Sequence[Watched]) -> Shelf:
        watched = {each.id for each in history}
        picks = [pick for pick in self._most_popular() if pick.id not in watched][:SHELF_LENGTH]
        if len(picks) < SHORTEST:  # too few have been watched yet to speak of what is popular
            return self._best(watched)
        return Shelf("popular", "Popular now", "Watched most these days", tuple(picks))

    def _most_popular(self) -> list[Pick]:
        known = self._popular_now
        if known is None or self._clock() >= known[0]:
            found = self._ranking.popular(limit=MOST_POPULAR)
            self._popular_now = known = (self._clock() + POPULAR_S, found)
        return known[1]

    def _best(self, without: Collection[str] = ()) -> Shelf:
        """Return what the catalogue itself recommends: the highest rated, or the newest where nothing is rated."""
        found = [title for title in self._titles.best(limit=SHELF_LENGTH + len(without)) if title.id not in without]
        rated = [title for title in found if title.details.imdb_rating]
        if len(rated) >= SHORTEST:
            picks = [_rated(title) for title in rated]
            return Shelf("best", "Highly rated", "By their rating on IMDb", tuple(picks[:SHELF_LENGTH]))
        picks = [Pick(card(title), Reason(Kind.NEW, "New on Notflix")) for title in found]
        return Shelf("new-titles", "New on Notflix", "Added last", tuple(picks[:SHELF_LENGTH]))


def _rated(title: Title) -> Pick:
    return Pick(card(title), Reason(Kind.RATED, f"Rated {title.details.imdb_rating:g} on IMDb"))


def _worth_showing(shelves: Iterable[Shelf]) -> list[Shelf]:
    """Return the shelves that are not too short, each title only on the first of them."""
    shown: list[Shelf] = []
    seen: set[str] = set()
    for shelf in shelves:
        fresh = replace(shelf, picks=tuple(pick for pick in shelf.picks if pick.id not in seen))
        if len(fresh.picks) >= SHORTEST:
            shown.append(fresh)
            seen.update(pick.id for pick in fresh.picks)
    return shown
