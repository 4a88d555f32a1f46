"""Shelves are true and worth showing, whatever the graph knows, and without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.catalogue.views import card
from functions.errors import StoreUnavailable
from functions.recommendations.model import Kind, Pick, Reason, Watched
from functions.recommendations.service import Recommendations
from tests.support.catalogue import make_title

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from functions.catalogue.model import Title

RATED = [make_title(name, imdb_rating=rating) for name, rating in (("a", 8.1), ("b", 7.5), ("c", 7.0), ("d", 6.0))]


def pick(title_id: str) -> Pick:
    return Pick(card(make_title(title_id)), Reason(Kind.POPULAR, "Popular now"))


@dataclass
class Graph:
    """A graph that answers as it is told; None is a graph that is away."""

    watched: list[Watched] | None
    popular_ids: tuple[str, ...] = ()
    similar_ids: tuple[str, ...] = ()

    def history(self, user_id: str) -> list[Watched]:
        del user_id
        if self.watched is None:
            raise StoreUnavailable("The graph does not answer.")
        return self.watched

    def next_for(self, history: Sequence[Watched], *, limit: int) -> list[Pick]:
        del history, limit
        return []

    def similar(self, title_id: str, *, without: Collection[str], watchable: bool, limit: int) -> list[Pick]:
        del title_id, watchable
        if self.watched is None:
            raise StoreUnavailable("The graph does not answer.")
        return [pick(each) for each in self.similar_ids if each not in without][:limit]

    def popular(self, *, limit: int) -> list[Pick]:
        return [pick(each) for each in self.popular_ids][:limit]


class Catalogue:
    """The titles that can be watched."""

    def get(self, title_id: str) -> Title:
        return make_title(title_id, genres=("Drama",))

    def best(self, *, genre: str = "", limit: int) -> list[Title]:
        del genre
        return RATED[:limit]


def shelves(graph: Graph) -> dict[str, list[str]]:
    found = Recommendations(graph, Catalogue()).home("0" * 32)
    return {shelf.id: [each.id for each in shelf.picks] for shelf in found}


def test_where_little_has_been_watched_the_highest_rated_are_shown() -> None:
    assert shelves(Graph([], popular_ids=("a", "x"))) == {"best": ["a", "b", "c", "d"]}


def test_what_is_watched_most_is_shown_without_what_the_viewer_has_seen() -> None:
    seen = [Watched("x", "X", listed=True, rating=-1)]
    assert shelves(Graph(seen, popular_ids=("x", "p", "q", "r"))) == {"popular": ["p", "q", "r"]}


def test_a_shelf_says_because_of_what_and_no_title_stands_twice() -> None:
    graph = Graph([Watched("x", "X", listed=True)], popular_ids=("p", "q", "r", "s", "t"), similar_ids=("p", "q", "r"))
    assert shelves(graph) == {"because-x": ["p", "q", "r"]}  # two of the popular are left, which is no shelf


def test_without_the_graph_only_the_catalogue_speaks() -> None:
    assert shelves(Graph(None)) == {"best": ["a", "b", "c", "d"]}
    similar = Recommendations(Graph(None), Catalogue()).similar("z")
    assert {each.reason.words for each in similar} == {"Also Drama"}
