"""The title store in Mongo and the fake of the unit tests satisfy the same contract."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import MongoClient

from functions.catalogue.documents import UNREAD_IN_LISTS
from functions.catalogue.model import (
    Artwork,
    DescriptionSource,
    Metadata,
    PartKind,
    PlayableSubtitles,
    Rating,
    SkippablePart,
    Status,
)
from functions.catalogue.repository import INDEXES, MongoTitles
from functions.catalogue.search import read_search
from functions.platform.errors import StoreUnavailable
from functions.platform.pagination import title_position
from tests.support.catalogue import MemoryTitles, make_playback, make_title
from tests.support.clock import NOON

if TYPE_CHECKING:
    from pymongo.database import Database

    from functions.catalogue.ports import TitleStore

ANY = read_search("", "")


@pytest.fixture(params=["memory", "mongo"])
def titles(request: pytest.FixtureRequest) -> TitleStore:
    if request.param == "memory":
        return MemoryTitles()
    return MongoTitles(request.getfixturevalue("mongo_database"))


def test_a_title_comes_back_as_it_was_kept(titles: TitleStore) -> None:
    title = make_title(
        name="Amélie",
        year=2001,
        kind="episode",
        series="Amélie",
        season=1,
        episode=2,
        genres=("Comedy", "Romance"),
        actors=("Audrey Tautou",),
        ratings=(Rating("Internet Movie Database", "8.3/10"),),
        imdb_rating=8.3,
        imdb_votes=800_000,
        metadata=Metadata(DescriptionSource.OMDB, True, "Why.", NOON + timedelta(days=1), 3),
        artwork=Artwork(poster="art/a/poster.jpg?v=1"),
        playback=make_playback(
            subtitles=(PlayableSubtitles("en", "en", "English"),),
            complete=True,
            skippable=(SkippablePart(PartKind.INTRO, 12.5, 61.0), SkippablePart(PartKind.CREDITS, 100.0, 120.0)),
        ),
        edits={"genres": ("Comedy",), "rated": None, "ratings": (Rating("A", "B"),)},
        failure="It was so.",
        revision=7,
    )
    assert titles.add(title)
    assert titles.get(title.id) == title
    assert titles.get("nothing") is None


def test_trailer_is_in_no_list_but_that_of_owners(titles: TitleStore) -> None:
    trailer = make_title("b", trailer_of="a", series="Sea", genres=("Drama",), playback=make_playback(complete=True))
    assert titles.add(make_title("a")) and titles.add(trailer)
    assert titles.get("b") == trailer
    assert [title.id for title in titles.listed()] == ["a"]
    assert [title.id for title in titles.find_page(ANY, below=None, limit=9)] == ["a"]
    assert {title.id for title in titles.find_page(ANY, below=None, limit=9, drafts=True)} == {"a", "b"}
    assert titles.episodes("sea") == [] and titles.best(genre="drama", limit=9) == []


def test_an_id_is_given_once(titles: TitleStore) -> None:
    assert titles.add(make_title(name="first"))
    assert not titles.add(make_title(name="second"))
    kept = titles.get("sintel-1a2b3c")
    assert kept and kept.details.name == "first"


def test_only_the_revision_that_was_read_is_replaced(titles: TitleStore) -> None:
    title = make_title()
    titles.add(title)
    assert titles.save(replace(title, failure="a", revision=2), over=1)
    assert not titles.save(replace(title, failure="b", revision=2), over=1)
    assert not titles.save(make_title("nothing", revision=2), over=1)
    kept = titles.get(title.id)
    assert kept and kept.failure == "a"


def test_of_many_who_save_at_once_one_wins_each_revision(titles: TitleStore) -> None:
    titles.add(make_title(revision=0))

    def count_up(_: int) -> int:
        wins = 0
        while wins < 5:
            seen = titles.get("sintel-1a2b3c")
            assert seen
            wins += titles.save(replace(seen, revision=seen.revision + 1), over=seen.revision)
        return wins

    with ThreadPoolExecutor(6) as pool:
        total = sum(pool.map(count_up, range(6)))
    kept = titles.get("sintel-1a2b3c")
    assert kept and kept.revision == total == 30


def fill(titles: TitleStore) -> None:
    for title in (
        make_title("a", added_s=1, name="Big Buck Bunny", genres=("Animation", "Comedy")),
        make_title("b", added_s=2, name="Butterflies", genres=("Comedy",), actors=("Ann Ash",), status=Status.ENCODING),
        make_title("c", added_s=2, name="Ashes", genres=("Sci-Fi",), status=Status.ANNOUNCED),
        make_title("d", added_s=3, name="Bunny Bust", genres=("Comedy",), status=Status.FAILED),
        make_title("e", added_s=4, name="Bunny Gone", genres=("Comedy",), status=Status.WITHDRAWN),
    ):
        titles.add(title)


@pytest.mark.parametrize(
    ("query", "genre", "found"),
    [
        ("", "", ["c", "b", "a"]),
        ("bu", "", ["b", "a"]),
        ("big bu", "", ["a"]),
        ("buck big", "", ["a"]),
        ("ash", "", ["c", "b"]),
        ("ann ash", "", ["b"]),
        ("", "comedy", ["b", "a"]),
        ("", "SCI FI", ["c"]),
        ("bunny", "comedy", ["a"]),
        ("bunny", "sci-fi", []),
        ("{$ne: 1}", "", []),
        ("b.*", "", ["b", "a"]),
        ("", '{"$ne": ""}', []),
    ],
)
def test_titles_are_found(titles: TitleStore, query: str, genre: str, found: list[str]) -> None:
    fill(titles)
    assert [title.id for title in titles.find_page(read_search(query, genre), below=None, limit=9)] == found


def test_pages_go_down_through_titles_added_at_the_same_moment(titles: TitleStore) -> None:
    for title_id in ("a", "b", "c", "d"):
        titles.add(make_title(title_id))
    first = titles.find_page(ANY, below=None, limit=3)
    assert [title.id for title in first] == ["d", "c", "b"]
    rest = titles.find_page(ANY, below=title_position(first[-1].added_at, "b"), limit=3)
    assert [title.id for title in rest] == ["a"]


def test_lists_show_everything_listed_newest_first(titles: TitleStore) -> None:
    fill(titles)
    listed = titles.listed()
    assert [title.id for title in listed] == ["c", "b", "a"]
    assert (listed[1].details.name, listed[1].details.people) == ("Butterflies", ("Ann Ash",))


def test_what_is_unpublished_stays_so_until_that_revision_is_shown(titles: TitleStore) -> None:
    titles.add(make_title("a", revision=3))
    titles.mark_published("a", 2, page_format=7)
    assert [title.id for title in titles.unpublished(limit=9)] == ["a"]
    titles.mark_published("a", 3, page_format=7)
    assert titles.unpublished(limit=9) == []
    kept = titles.get("a")
    assert kept and kept.published and (kept.revision, kept.page_format) == (3, 7)


def test_pages_of_a_lower_format_are_outdated(titles: TitleStore) -> None:
    for title_id, page_format in (("first-release", 0), ("old", 1), ("current", 2), ("newer", 3)):
        titles.add(make_title(title_id, published=True, page_format=page_format))
    titles.add(make_title("unpublished", page_format=1))
    assert {title.id for title in titles.outdated(page_format=2, limit=9)} == {"first-release", "old"}
    assert len(titles.outdated(page_format=2, limit=1)) == 1
    assert titles.count_waiting(page_format=2) == 3


def test_marking_all_pages_outdated_stops_concurrent_changes_and_publications(titles: TitleStore) -> None:
    titles.add(make_title("film", published=True, page_format=2))
    seen = titles.get("film")
    assert seen
    assert titles.mark_outdated() == 1
    titles.mark_published("film", seen.revision, page_format=2)
    assert not titles.save(replace(seen, failure="x", revision=seen.revision + 1), over=seen.revision)
    assert [title.id for title in titles.outdated(page_format=2, limit=9)] == ["film"]
    assert titles.mark_outdated() == 0


def test_document_of_the_first_release_is_outdated(mongo_database: Database[Any]) -> None:
    titles = MongoTitles(mongo_database)
    titles.add(make_title("film", published=True, page_format=2))
    removed = {"page_format": "", "edits": ""}
    mongo_database["titles"].update_one({"_id": "film"}, {"$unset": removed, "$set": {"metadata.fetched_at": NOON}})
    [title] = titles.outdated(page_format=2, limit=9)
    assert (title.id, title.page_format, title.metadata) == ("film", 0, Metadata())


def test_due_are_those_with_a_time_that_has_come_longest_due_first(titles: TitleStore) -> None:
    for title_id, minutes in (("late", -1), ("later", -9), ("now", 0), ("soon", 1)):
        titles.add(make_title(title_id, metadata=Metadata(retry_at=NOON + timedelta(minutes=minutes))))
    titles.add(make_title("never"))
    assert [title.id for title in titles.due(NOON, limit=9)] == ["later", "late", "now"]
    assert [title.id for title in titles.due(NOON, limit=1)] == ["later"]


def test_indexes_stand_before_the_first_title_and_are_made_again_without_harm(mongo_database: Database[Any]) -> None:
    MongoTitles(mongo_database).get("nothing")
    MongoTitles(mongo_database).get("nothing")
    made = [list(index["key"].items()) for index in mongo_database["titles"].list_indexes()]
    assert [keys for keys in INDEXES if keys not in made] == []


def test_an_id_that_is_an_operator_finds_nothing(mongo_database: Database[Any]) -> None:
    titles = MongoTitles(mongo_database)
    titles.add(make_title())
    assert titles.get({"$ne": ""}) is None  # type: ignore[arg-type]
    assert titles.get('{"$ne": ""}') is None


def test_the_document_has_the_fields_that_the_other_parts_read(mongo_database: Database[Any]) -> None:
    MongoTitles(mongo_database).add(make_title(genres=("Sci-Fi",), playback=make_playback()))
    document = mongo_database["titles"].find_one()
    assert document and document["tokens"] == ["1a2b3c", "fi", "sci", "sintel"]
    assert document["added_at"] == NOON and document["position"] == "2026-11-24T12:00:00.000Z~sintel-1a2b3c"
    assert set(UNREAD_IN_LISTS) <= set(document)


def test_a_store_that_is_away_is_said_so(refused_port: int) -> None:
    client: MongoClient[dict[str, Any]] = MongoClient(
        f"mongodb://127.0.0.1:{refused_port}", serverSelectionTimeoutMS=100
    )
    with client, pytest.raises(StoreUnavailable):
        MongoTitles(client["x"]).get("a")


def test_titles_are_found_by_ids_and_episodes_by_their_series(titles: TitleStore) -> None:
    shows = [make_title(f"show-{number}", series="The Show", episode=number) for number in (1, 2)]
    gone = make_title("show-3", series="The Show", episode=3).withdrawn()
    for title in (*shows, gone, make_title("film"), make_title("other", series="Another")):
        titles.add(title)
    assert {title.id for title in titles.episodes("the-show")} == {"show-1", "show-2"}
    assert {title.id for title in titles.some(["film", "show-3", "nothing"])} == {"film", "show-3"}


def test_titles_come_page_by_page_in_the_order_of_their_ids(titles: TitleStore) -> None:
    for name, status in (("b", Status.READY), ("c", Status.WITHDRAWN), ("a", Status.ENCODING), ("d", Status.FAILED)):
        titles.add(make_title(name, status=status))
    assert [title.id for title in titles.in_order(after="", limit=3)] == ["a", "b", "c"]
    assert [title.id for title in titles.in_order(after="c", limit=3)] == ["d"]
    assert titles.count() == 4
    assert sorted(titles.ids()) == ["a", "b", "d"]


def test_the_best_titles_are_the_highest_rated_and_then_the_newest(titles: TitleStore) -> None:
    playback = make_playback()
    for number, (name, rating, genres) in enumerate(
        (("old", None, ("Drama",)), ("good", 7.1, ("Drama",)), ("new", None, ()), ("great", 8.8, ("War",)))
    ):
        titles.add(make_title(name, added_s=number, imdb_rating=rating, genres=genres, playback=playback))
    titles.add(make_title("unplayable", imdb_rating=9.9))
    titles.add(make_title("gone", imdb_rating=9.8, playback=playback, status=Status.WITHDRAWN))
    assert [title.id for title in titles.best(genre="", limit=9)] == ["great", "good", "new", "old"]
    assert [title.id for title in titles.best(genre="", limit=1)] == ["great"]
    assert [title.id for title in titles.best(genre="drama", limit=9)] == ["good", "old"]
