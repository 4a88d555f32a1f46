"""Recommendations from the real graph: which titles are recommended, and whether the given reasons are true."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from functions.catalogue.model import Status
from functions.catalogue.schemas import Card, TitleEdit
from functions.platform.errors import NotFound, StoreUnavailable
from functions.recommendations import bolt as bolts
from functions.recommendations.bolt import READ_S, Bolt
from functions.recommendations.model import ReasonKind
from functions.recommendations.repository import BoltGraph
from functions.recommendations.service import Recommendations
from tests.support.graph import VIEWERS, reasons, title_changed
from tests.support.proxies import StallingProxy

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.recommendations.bolt import Row
    from functions.recommendations.model import Shelf
    from tests.integration.conftest import Stack
    from tests.support.graph import Theatre

FILMS = ("a", "b", "c", "d", "e", "f", "g", "h")


def shelves(theatre: Theatre, viewer: int) -> dict[str, Shelf]:
    return {shelf.id: shelf for shelf in theatre.recommendations.home(VIEWERS[viewer])}


def test_the_titles_of_the_graph_are_counted(theatre: Theatre) -> None:
    assert theatre.recommendations.test_graph().sentence == "Neo4j answers. The graph has no titles yet."
    theatre.shows(*FILMS)
    assert theatre.recommendations.test_graph().sentence == f"Neo4j answers. The graph has {len(FILMS)} titles."


def test_what_others_watched_next_comes_first_and_names_what_it_follows(theatre: Theatre) -> None:
    theatre.shows(*FILMS)
    for viewer in range(1, 5):
        theatre.watches(viewer, "a", "d")
    theatre.watches(5, "a", "c", "e")
    theatre.watches(0, "b", "a")
    shelf = shelves(theatre, 0)["for-you"]
    assert [pick.id for pick in shelf.picks] == ["d", "c", "e"]
    assert {pick.reason.words for pick in shelf.picks} == {"Because you watched a"}
    assert {pick.reason.kind for pick in shelf.picks} == {ReasonKind.WATCHED_NEXT}


def test_the_latest_film_says_more_than_an_earlier_one(theatre: Theatre) -> None:
    theatre.shows(*FILMS)
    theatre.watches(1, "a", "c")
    theatre.watches(2, "b", "d")
    theatre.watches(0, "a", "b")
    assert [pick.id for pick in theatre.graph.next_for(theatre.graph.history(VIEWERS[0]), limit=9)] == ["d", "c"]
    theatre.watches(0, "a", from_s=86_400)
    assert [pick.id for pick in theatre.graph.next_for(theatre.graph.history(VIEWERS[0]), limit=9)] == ["c", "d"]


def test_a_film_that_was_disliked_says_less(theatre: Theatre) -> None:
    theatre.shows(*FILMS)
    theatre.watches(1, "a", "c")
    theatre.watches(2, "b", "d")
    theatre.watches(0, "a", "b")
    theatre.rates(0, "b", -1)
    picks = theatre.graph.next_for(theatre.graph.history(VIEWERS[0]), limit=9)
    assert reasons(picks) == {"c": "Because you watched a", "d": "Because you watched b"}
    assert picks[0].id == "c"


def test_of_two_that_follow_equally_often_the_less_popular_says_more(theatre: Theatre) -> None:
    theatre.shows(*FILMS)
    theatre.watches(1, "a", "b")
    theatre.watches(2, "a", "c")
    for viewer in range(3, 9):
        theatre.watches(viewer, "b")
    theatre.watches(0, "a")
    assert [pick.id for pick in theatre.graph.next_for(theatre.graph.history(VIEWERS[0]), limit=9)] == ["c", "b"]


def test_nothing_that_was_watched_is_on_any_shelf(theatre: Theatre) -> None:
    theatre.shows(*FILMS, directors=("Ada Lindt",), genres=("War",))
    for viewer in range(1, 4):
        theatre.watches(viewer, *FILMS)
    theatre.watches(0, "a", "b", "c")
    found = shelves(theatre, 0)
    assert found
    assert not {"a", "b", "c"} & {pick.id for shelf in found.values() for pick in shelf.picks}


def test_no_title_is_on_two_shelves_and_none_is_shorter_than_three(theatre: Theatre) -> None:
    theatre.shows(*FILMS, directors=("Ada Lindt",), genres=("War",))
    for viewer in range(1, 4):
        theatre.watches(viewer, "a", "b", "c", "d")
    theatre.watches(0, "a")
    found = shelves(theatre, 0)
    ids = [pick.id for shelf in found.values() for pick in shelf.picks]
    assert len(ids) == len(set(ids))
    assert all(len(shelf.picks) >= 3 for shelf in found.values())


def test_what_cannot_be_watched_yet_is_like_a_title_but_on_no_shelf_of_a_home_page(theatre: Theatre) -> None:
    theatre.shows("a", "b", "c", "d", directors=("Ada Lindt",))
    theatre.shows("soon", directors=("Ada Lindt",), playback=None, status=Status.ANNOUNCED)
    theatre.watches(0, "a")
    shelf = shelves(theatre, 0)["because-a"]
    assert {pick.id for pick in shelf.picks} == {"b", "c", "d"}
    assert "soon" in {pick.id for pick in theatre.recommendations.similar("a")}


def test_a_shared_person_says_more_than_a_shared_genre_and_a_rare_one_more_than_a_common_one(theatre: Theatre) -> None:
    theatre.shows("seed", writers=("Bo Ek",), actors=("Cy Roe",), genres=("War", "Drama"))
    theatre.shows("by-writer", writers=("Bo Ek",))
    theatre.shows("with-star", actors=("Cy Roe",))
    theatre.shows("star-1", "star-2", "star-3", actors=("Cy Roe",))
    theatre.shows("of-genre", "of-genre-2", genres=("War",))
    theatre.shows(*(f"drama-{number}" for number in range(6)), genres=("Drama",))
    picks = theatre.recommendations.similar("seed")
    words = reasons(picks)
    assert picks[0].id == "by-writer"
    assert words["by-writer"] == "Also written by Bo Ek"
    assert words["with-star"] == "Also with Cy Roe"
    assert words["of-genre"] == "Also War"
    order = [pick.id for pick in picks]
    assert order.index("of-genre") > order.index("by-writer")


def test_a_person_in_another_role_is_named_in_the_role_of_the_title_that_is_shown(theatre: Theatre) -> None:
    theatre.shows("seed", directors=("Ada Lindt",))
    theatre.shows("acted", actors=("Ada Lindt",))
    theatre.shows("wrote", writers=("Ada Lindt",))
    theatre.shows("directed", directors=("Ada Lindt",))
    assert reasons(theatre.recommendations.similar("seed")) == {
        "acted": "With Ada Lindt",
        "wrote": "Written by Ada Lindt",
        "directed": "Also directed by Ada Lindt",
    }


def test_titles_that_share_viewers_are_alike(theatre: Theatre) -> None:
    theatre.shows(*FILMS)
    for viewer in range(3):
        theatre.watches(viewer, "a", "g")
    picks = theatre.recommendations.similar("a")
    assert reasons(picks) == {"g": "Also watched by viewers of a"}


def test_what_is_watched_these_days_is_popular_not_what_once_was(theatre: Theatre) -> None:
    theatre.shows("old-hit", "newcomer", "third")
    for viewer in range(6):
        theatre.watches(viewer, "old-hit")
    for viewer in range(6, 8):
        theatre.watches(viewer, "newcomer", "third", from_s=60 * 86_400)
    assert [pick.id for pick in theatre.graph.popular(limit=9)] == ["third", "newcomer", "old-hit"]


def test_somebody_new_is_shown_what_is_popular_and_before_there_are_views_what_is_rated(theatre: Theatre) -> None:
    theatre.shows("a", imdb_rating=7.1)
    theatre.shows("b", imdb_rating=8.4)
    theatre.shows("c", imdb_rating=6.0)
    [best] = theatre.recommendations.home(VIEWERS[0])
    assert (best.id, best.heading) == ("best", "Highly rated")
    assert reasons(best.picks) == {"b": "Rated 8.4 on IMDb", "a": "Rated 7.1 on IMDb", "c": "Rated 6 on IMDb"}
    for viewer in range(1, 4):
        theatre.watches(viewer, "a", "b", "c")
    [popular] = Recommendations(theatre.graph, theatre.world.catalogue).home(VIEWERS[0])
    assert popular.id == "popular"
    assert {pick.reason.words for pick in popular.picks} == {"Popular now"}


def test_cards_are_those_of_the_catalogue(theatre: Theatre) -> None:
    theatre.shows("a", "b", name="The Ångström", year=1999, directors=("Ada Lindt",), plot="Somebody goes.")
    [pick] = theatre.recommendations.similar("a")
    catalogue = theatre.world.catalogue
    assert pick.card == Card.of(catalogue.get(pick.id))
    catalogue.edit_title(pick.id, TitleEdit(year=None, plot="Somebody stays.", genres=["War", "Drama"]))
    theatre.sync.update(title_changed(pick.id))
    [pick] = theatre.recommendations.similar("a")
    assert pick.card == Card.of(catalogue.get(pick.id))
    assert (pick.card.year, pick.card.genres) == (None, ("War", "Drama"))


def test_facts_of_another_format_are_replaced_by_the_catalogue(bolt: Bolt, real_theatre: Theatre) -> None:
    theatre = real_theatre
    theatre.shows("a", "b", "c", year=1999, directors=("Ada Lindt",))
    theatre.world.catalogue.withdraw_title("c")
    bolt.write(lambda tx: tx.run("MATCH (t:Title) SET t.facts_format = 0, t.name = 'old'").consume())
    [pick] = theatre.recommendations.similar("a")
    assert pick.card == Card.of(theatre.world.catalogue.get("b"))


def test_an_unknown_or_withdrawn_title_is_not_found(theatre: Theatre) -> None:
    theatre.shows("a", "b", genres=("War",))
    theatre.world.catalogue.withdraw_title("a")
    for title_id in ("a", "nothing", "' OR 1=1 //"):
        with pytest.raises(NotFound):
            theatre.recommendations.similar(title_id)


def test_nothing_untrue_is_said_while_the_graph_is_away(theatre: Theatre, refused_port: int) -> None:
    for number in range(4):
        rating = 6.0 + number if number else None
        theatre.shows(f"film-{number}", genres=("War", "Drama"), imdb_rating=rating)
    theatre.watches(0, "film-1")
    with closing(BoltGraph(Bolt(f"bolt://127.0.0.1:{refused_port}", "neo4j", "secret"))) as graph:
        away = Recommendations(graph, theatre.world.catalogue)
        [shelf] = away.home(VIEWERS[0])
        assert shelf.heading == "Highly rated"
        assert [pick.id for pick in shelf.picks] == ["film-3", "film-2", "film-1"]
        assert reasons(away.similar("film-0")) == dict.fromkeys(("film-1", "film-2", "film-3"), "Also War")


def test_graph_that_stalls_in_the_middle_of_a_read_is_abandoned(
    stack: Stack, bolt: Bolt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bolts, "READ_S", READ_S)
    settings = stack.settings
    with StallingProxy(int(settings.neo4j_uri.rpartition(":")[2])) as proxy:
        stalling = Bolt(f"bolt://127.0.0.1:{proxy.port}", settings.neo4j_user, settings.neo4j_password)

        def read_twice(ask: Callable[..., list[Row]]) -> list[Row]:
            first = ask("RETURN 1 AS n")
            proxy.stall()
            return first + ask("RETURN 2 AS n")

        with closing(stalling):
            began = time.monotonic()
            with pytest.raises(StoreUnavailable, match="within 3 s"):
                stalling.read(read_twice)
            assert time.monotonic() - began < READ_S + 30
            with pytest.raises(StoreUnavailable, match="a moment ago"):
                stalling.read(lambda ask: ask("RETURN 1"))


def test_unrated_titles_are_shown_as_new(theatre: Theatre) -> None:
    theatre.shows("film-0", "film-1", "film-2")
    [shelf] = theatre.recommendations.home(VIEWERS[0])
    assert shelf.heading == "New on Notflix"
    assert [pick.id for pick in shelf.picks] == ["film-2", "film-1", "film-0"]
