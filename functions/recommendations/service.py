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
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

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

RANKED_FOR_LIMITED = 200
"""How many titles are ranked for a shelf of a profile with an age limit, which then gets the suitable ones."""


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

    def home(self, user_id: str, *, age_limit: int | None = None) -> list[Shelf]:
        """Return the shelves of a viewer's home page, without empty ones.

        Neither cards nor reasons name titles for people older than `age_limit`.
        """
        try:
            history = self._suitable(self._ranking.history(user_id), age_limit)
            length = _ranked_length(SHELF_LENGTH, age_limit)
            ranked = [self._for_you(history, length), *self._because(history, length), self._popular(history, length)]
        except StoreUnavailable as error:
            log.warning("Recommendations come from the catalogue alone: %s", error.detail)
            return _worth_showing([self._best(age_limit=age_limit)])
        shelves = self._filled(ranked, age_limit)
        if len(shelves[-1].picks) < SHORTEST:  # too little has been watched to call anything popular
            shelves[-1] = self._best({each.id for each in history}, age_limit=age_limit)
        return _worth_showing(shelves)

    def similar(self, title_id: str, *, age_limit: int | None = None) -> list[Pick]:
        """Return titles similar to a title, most similar first, none for people older than `age_limit`.

        Raises NotFound.
        """
        title = self._titles.get(title_id)
        length = _ranked_length(MORE_LENGTH, age_limit)
        try:
            found = self._ranking.similar(title.id, without=(), watchable=False, limit=length)
        except StoreUnavailable as error:
            log.warning("What is similar to %s comes from the catalogue alone: %s", title_id, error.detail)
        else:
            return self._picks(found, self._cards(found, age_limit, watchable=False))[:MORE_LENGTH]
        if not title.details.genres:
            return []
        genre = title.details.genres[0]
        others = self._titles.best_titles(genre=genre, limit=length + 1)
        reason = Reason(ReasonKind.GENRE, f"Also {genre}")
        shown = [other for other in others if other.id != title.id and other.details.is_suitable(age_limit)]
        return [Pick(Card.of(other), reason) for other in shown[:MORE_LENGTH]]

    def _suitable(self, history: Sequence[Watched], age_limit: int | None) -> Sequence[Watched]:
        """Return the part of a history that a profile may play; headings and reasons name its titles."""
        if age_limit is None or not history:
            return history
        titles = self._titles.known(each.id for each in history)
        return [each for each in history if each.id in titles and titles[each.id].details.is_suitable(age_limit)]

    def _filled(self, ranked: Sequence[RankedShelf], age_limit: int | None) -> list[Shelf]:
        """Return shelves with their cards."""
        cards = self._cards([each for shelf in ranked for each in shelf.candidates], age_limit, watchable=True)
        return [
            Shelf(
                shelf.id,
                shelf.heading,
                shelf.reason,
                tuple(self._picks(shelf.candidates, cards)[:SHELF_LENGTH]),
            )
            for shelf in ranked
        ]

    @staticmethod
    def _picks(candidates: Iterable[Candidate], cards: Mapping[str, Card]) -> list[Pick]:
        return [Pick(cards[each.id], each.reason) for each in candidates if each.id in cards]

    def _cards(self, candidates: Sequence[Candidate], age_limit: int | None, *, watchable: bool) -> dict[str, Card]:
        """Return the cards of suitable candidates by id; cards that the graph lacks come from the catalogue."""
        cards = {each.id: each.card for each in candidates if each.card}
        missing = [each.id for each in candidates if each.id not in cards]
        found = self._titles.known(missing) if missing else {}
        cards |= {
            title.id: Card.of(title) for title in found.values() if title.listed and (title.watchable or not watchable)
        }
        return {title_id: card for title_id, card in cards.items() if card.is_suitable(age_limit)}

    def _for_you(self, history: Sequence[Watched], length: int) -> RankedShelf:
        found = self._ranking.next_for(history, limit=length) if history else []
        return RankedShelf("for-you", "For you", "From what you watched last", tuple(found))

    def _because(self, history: Sequence[Watched], length: int) -> list[RankedShelf]:
        """Return a shelf for each recently watched title that the viewer did not rate down."""
        watched = [each.id for each in history]
        liked = [each for each in history if each.listed and each.rating >= 0][:BECAUSE_SHELVES]
        return [
            RankedShelf(
                f"because-{seen.id}",
                f"Because you watched {seen.name}",
                f"Like {seen.name}",
                tuple(self._ranking.similar(seen.id, without=watched, watchable=True, limit=length)),
            )
            for seen in liked
        ]

    def _popular(self, history: Sequence[Watched], length: int) -> RankedShelf:
        watched = {each.id for each in history}
        found = [each for each in self._most_popular() if each.id not in watched][:length]
        return RankedShelf("popular", "Popular now", "Watched most these days", tuple(found))

    def _most_popular(self) -> list[Candidate]:
        known = self._popular_now
        if known is None or self._clock() >= known[0]:
            found = self._ranking.popular(limit=MOST_POPULAR)
            self._popular_now = known = (self._clock() + POPULAR_S, found)
        return known[1]

    def _best(self, without: Collection[str] = (), *, age_limit: int | None) -> Shelf:
        """Return the catalogue's own shelf: the highest rated titles, or the newest if too few are rated."""
        best = self._titles.best_titles(limit=_ranked_length(SHELF_LENGTH, age_limit) + len(without))
        found = [title for title in best if title.id not in without and title.details.is_suitable(age_limit)]
        rated = [title for title in found if title.details.imdb_rating]
        if len(rated) >= SHORTEST:
            picks = [_rated(title) for title in rated]
            return Shelf("best", "Highly rated", "By their rating on IMDb", tuple(picks[:SHELF_LENGTH]))
        picks = [Pick(Card.of(title), Reason(ReasonKind.NEW, "New on Notflix")) for title in found]
        return Shelf("new-titles", "New on Notflix", "Added last", tuple(picks[:SHELF_LENGTH]))


def _ranked_length(length: int, age_limit: int | None) -> int:
    """Return how many titles to rank for a shelf of a length."""
    return length if age_limit is None else RANKED_FOR_LIMITED


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
