"""Recommendations: the shelves of a viewer's home page, and similar titles; both work without the graph.

The graph ranks titles and stores the facts for their cards; a title whose facts have an old format is read from the
catalogue. While the graph is unavailable, or has no views yet, the shelves come from the catalogue alone, and their
texts state only what follows from the catalogue.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from functions.catalogue.schemas import Card
from functions.platform.errors import StoreUnavailable
from functions.platform.finding import Finding
from functions.recommendations.model import MORE_LENGTH, SHELF_LENGTH, Candidate, Pick, Reason, ReasonKind, Shelf

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from functions.catalogue.model import Title
    from functions.recommendations.model import Watched
    from functions.recommendations.ports import Ranking, ShelfTitles

log = logging.getLogger(__name__)

SHORTEST = 3
"""A shelf with fewer titles is not shown."""

BECAUSE_SHELVES = 2

POPULAR_S = 30.0
MOST_POPULAR = 200
"""The popular titles are the same for everyone: MOST_POPULAR of them are read, at most once every POPULAR_S seconds."""


@dataclass(frozen=True, slots=True)
class RankedShelf:
    """A shelf whose missing cards have not been read yet."""

    id: str
    heading: str
    reason: str
    candidates: tuple[Candidate, ...]


class Recommendations:
    """Recommends titles, each with its reason."""

    def __init__(self, ranking: Ranking, titles: ShelfTitles, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._ranking = ranking
        self._titles = titles
        self._clock = clock
        self._popular_now: tuple[float, list[Candidate]] | None = None

    def test_graph(self) -> Finding:
        """Return whether the graph answers a query. Raises StoreUnavailable, whose detail says why not."""
        count = self._ranking.count_titles()
        titles = "no titles yet" if not count else f"{count} title{'' if count == 1 else 's'}"
        return Finding(True, f"Neo4j answers. The graph has {titles}.")

    def home(self, user_id: str) -> list[Shelf]:
        """Return the shelves of a viewer's home page, without empty ones."""
        try:
            history = self._ranking.history(user_id)
            ranked = [self._for_you(history), *self._because(history), self._popular(history)]
        except StoreUnavailable as error:
            log.warning("Recommendations come from the catalogue alone: %s", error.detail)
            return _worth_showing([self._best()])
        shelves = self._filled(ranked)
        if len(shelves[-1].picks) < SHORTEST:  # too little has been watched to call anything popular
            shelves[-1] = self._best({each.id for each in history})
        return _worth_showing(shelves)

    def similar(self, title_id: str) -> list[Pick]:
        """Return titles similar to a title, most similar first. Raises NotFound."""
        title = self._titles.get(title_id)
        try:
            found = self._ranking.similar(title.id, without=(), watchable=False, limit=MORE_LENGTH)
        except StoreUnavailable as error:
            log.warning("What is similar to %s comes from the catalogue alone: %s", title_id, error.detail)
        else:
            cards = self._cards(found, watchable=False)
            return [Pick(cards[each.id], each.reason) for each in found if each.id in cards]
        if not title.details.genres:
            return []
        genre = title.details.genres[0]
        others = self._titles.best_titles(genre=genre, limit=MORE_LENGTH + 1)
        reason = Reason(ReasonKind.GENRE, f"Also {genre}")
        return [Pick(Card.of(other), reason) for other in others if other.id != title.id][:MORE_LENGTH]

    def _filled(self, ranked: Sequence[RankedShelf]) -> list[Shelf]:
        """Return shelves with their cards."""
        cards = self._cards([each for shelf in ranked for each in shelf.candidates], watchable=True)
        return [
            Shelf(
                shelf.id,
                shelf.heading,
                shelf.reason,
                tuple(Pick(cards[each.id], each.reason) for each in shelf.candidates if each.id in cards),
            )
            for shelf in ranked
        ]

    def _cards(self, candidates: Sequence[Candidate], *, watchable: bool) -> dict[str, Card]:
        """Return the cards of candidates by id; cards that are missing from the graph come from the catalogue."""
        cards = {each.id: each.card for each in candidates if each.card}
        missing = [each.id for each in candidates if each.id not in cards]
        found = self._titles.known(missing) if missing else {}
        return cards | {
            title.id: Card.of(title) for title in found.values() if title.listed and (title.watchable or not watchable)
        }

    def _for_you(self, history: Sequence[Watched]) -> RankedShelf:
        found = self._ranking.next_for(history, limit=SHELF_LENGTH) if history else []
        return RankedShelf("for-you", "For you", "From what you watched last", tuple(found))

    def _because(self, history: Sequence[Watched]) -> list[RankedShelf]:
        """Return a shelf for each recently watched title that the viewer did not rate down."""
        watched = [each.id for each in history]
        liked = [each for each in history if each.listed and each.rating >= 0][:BECAUSE_SHELVES]
        return [
            RankedShelf(
                f"because-{seen.id}",
                f"Because you watched {seen.name}",
                f"Like {seen.name}",
                tuple(self._ranking.similar(seen.id, without=watched, watchable=True, limit=SHELF_LENGTH)),
            )
            for seen in liked
        ]

    def _popular(self, history: Sequence[Watched]) -> RankedShelf:
        watched = {each.id for each in history}
        found = [each for each in self._most_popular() if each.id not in watched][:SHELF_LENGTH]
        return RankedShelf("popular", "Popular now", "Watched most these days", tuple(found))

    def _most_popular(self) -> list[Candidate]:
        known = self._popular_now
        if known is None or self._clock() >= known[0]:
            found = self._ranking.popular(limit=MOST_POPULAR)
            self._popular_now = known = (self._clock() + POPULAR_S, found)
        return known[1]

    def _best(self, without: Collection[str] = ()) -> Shelf:
        """Return the catalogue's own shelf: the highest rated titles, or the newest if too few are rated."""
        best = self._titles.best_titles(limit=SHELF_LENGTH + len(without))
        found = [title for title in best if title.id not in without]
        rated = [title for title in found if title.details.imdb_rating]
        if len(rated) >= SHORTEST:
            picks = [_rated(title) for title in rated]
            return Shelf("best", "Highly rated", "By their rating on IMDb", tuple(picks[:SHELF_LENGTH]))
        picks = [Pick(Card.of(title), Reason(ReasonKind.NEW, "New on Notflix")) for title in found]
        return Shelf("new-titles", "New on Notflix", "Added last", tuple(picks[:SHELF_LENGTH]))


def _rated(title: Title) -> Pick:
    return Pick(Card.of(title), Reason(ReasonKind.RATED, f"Rated {title.details.imdb_rating:g} on IMDb"))


def _worth_showing(shelves: Iterable[Shelf]) -> list[Shelf]:
    """Return the shelves that are long enough; a title on several shelves is kept only on the first."""
    shown: list[Shelf] = []
    seen: set[str] = set()
    for shelf in shelves:
        fresh = replace(shelf, picks=tuple(pick for pick in shelf.picks if pick.id not in seen))
        if len(fresh.picks) >= SHORTEST:
            shown.append(fresh)
            seen.update(pick.id for pick in fresh.picks)
    return shown
