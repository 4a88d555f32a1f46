"""The static catalogue shows what the store holds, and never something older than it has shown."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from functions.catalogue.lists import Likeness, home
from functions.catalogue.model import Artwork, Metadata, Status
from functions.catalogue.publisher import HOME, SEARCH
from functions.catalogue.views import CARD_PLOT_LENGTH, card, public_title
from tests.support.catalogue import NOON, World, make_playback, make_title


def read(world: World, path: str) -> Any:
    return json.loads(world.site.files[path])


def rows_of(titles: list[Any]) -> dict[str, list[str]]:
    return {row["id"]: [title["id"] for title in row["titles"]] for row in home(titles, NOON)["rows"]}


def test_the_shelves_are_what_is_new_encoding_of_a_genre_and_coming() -> None:
    titles = [
        make_title("e", status=Status.ANNOUNCED, genres=("Drama",)),
        make_title("d", status=Status.ENCODING, genres=("Sci-Fi", "Drama")),
        make_title("c", genres=("sci fi",)),
        make_title("b", genres=("Drama",)),
        make_title("a", genres=("Drama", "Musical")),
    ]
    assert rows_of(titles) == {
        "new": ["c", "b", "a"],
        "encoding": ["d"],
        "genre-drama": ["d", "b", "a"],
        "genre-sci-fi": ["d", "c"],
        "soon": ["e"],
    }


def test_the_hero_is_the_newest_ready_title_with_a_backdrop_else_any() -> None:
    art = Artwork(backdrop="art/x.jpg?v=1")
    announced = make_title("announced", status=Status.ANNOUNCED, artwork=art)
    bare, pictured = make_title("bare"), make_title("pictured", artwork=art)

    def hero(*titles: Any) -> Any:
        return (home(titles, NOON)["hero"] or {"id": None})["id"]

    assert hero(announced, bare, pictured) == "pictured"
    assert hero(announced, bare) == "bare"
    assert hero(announced) == "announced"
    assert hero() is None


def test_more_like_this_counts_people_above_genres() -> None:
    titles = [
        make_title("self", genres=("Drama", "War"), actors=("Ann Ash",)),
        make_title("genres", genres=("Drama", "War")),
        make_title("person", directors=("ann ash",)),
        make_title("nothing", genres=("Comedy",)),
    ]
    assert [title.id for title in Likeness(titles).more_like(titles[0])] == ["person", "genres"]


def test_a_card_has_a_short_plot_and_the_measured_length_where_none_is_described() -> None:
    shown = card(make_title(plot="word " * 200, playback=make_playback(duration_s=5400.0)))
    assert len(shown["plot"]) <= CARD_PLOT_LENGTH and shown["plot"].endswith("word…")
    assert shown["runtime_min"] == 90


def test_nothing_of_the_inside_is_public() -> None:
    title = make_title(edits={"name": "x"}, metadata=Metadata(attempts=3, retry_at=NOON))
    text = json.dumps(public_title(title))
    assert not {name for name in ("stem", "edits", "attempts", "retry_at", "revision", "tokens") if name in text}


def test_publishing_writes_lists_and_pages_and_is_done_after_that() -> None:
    world = World().with_titles([make_title("a", genres=("War",)), make_title("b", added_s=1, genres=("War",))])
    assert world.publisher.publish() == 2
    assert [title["id"] for title in read(world, SEARCH)["titles"]] == ["b", "a"]
    assert [title["id"] for title in read(world, "catalogue/titles/a.json")["more"]] == ["b"]
    files = dict(world.site.files)
    assert world.publisher.publish() == 0 and world.site.files == files


def test_an_empty_catalogue_is_published_too() -> None:
    world = World()
    world.publisher.publish()
    assert read(world, HOME) == {"generated_at": "2026-11-24T12:00:00Z", "hero": None, "rows": []}


def test_a_new_title_appears_under_more_like_this_of_older_ones() -> None:
    world = World().with_titles([make_title("old", genres=("War",))])
    world.publisher.publish()
    world.with_titles([make_title("new", added_s=1, genres=("War",))])
    world.publisher.publish()
    assert [title["id"] for title in read(world, "catalogue/titles/old.json")["more"]] == ["new"]


def test_a_slower_publisher_never_leaves_an_older_list_over_a_newer() -> None:
    world = World().with_titles([make_title("first")])

    def rival() -> None:
        world.with_titles([make_title("second", added_s=1)])
        world.publisher.publish()

    world.with_rival(rival).publisher.publish()
    assert world.rivals == 1
    for path in (HOME, SEARCH):
        assert "second" in world.site.files[path].decode()


def test_a_slower_publisher_never_leaves_an_older_page_over_a_newer() -> None:
    world = World().with_titles([make_title("film", status=Status.ENCODING, playback=make_playback())])
    path = "catalogue/titles/film.json"

    def rival() -> None:
        world.catalogue.mark_playable("film", make_playback(), complete=True)
        world.publisher.publish()

    def when_lists_are_written(written: str) -> None:
        if written == SEARCH:
            world.site.before_write = lambda written: None
            world.with_rival(rival)

    world.site.before_write = when_lists_are_written
    world.publisher.publish()
    assert world.rivals == 1
    assert read(world, path)["status"] == "ready"
    assert world.titles.unpublished(limit=9) == []


def test_a_change_during_publication_stays_unpublished_until_it_is_shown() -> None:
    world = World().with_titles([make_title("film", status=Status.ENCODING)])
    seen = world.titles.unpublished(limit=1)[0]
    world.titles.save(replace(seen, failure="x", revision=2), over=1)
    world.titles.mark_published("film", seen.revision)
    assert [title.id for title in world.titles.unpublished(limit=9)] == ["film"]


def test_many_changes_and_publishers_at_once_end_in_the_truth() -> None:
    world = World().with_titles([make_title(f"film-{n}", status=Status.ENCODING) for n in range(6)])
    start = threading.Barrier(8)

    def work(n: int) -> None:
        start.wait()
        for _ in range(3):
            if n < 6:
                world.catalogue.mark_playable(f"film-{n}", make_playback(), complete=True)
            world.publisher.publish()

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(work, n) for n in range(8)]:
            done.result()
    assert {title["status"] for title in read(world, SEARCH)["titles"]} == {"ready"}
    assert all(read(world, f"catalogue/titles/film-{n}.json")["status"] == "ready" for n in range(6))
    assert world.titles.unpublished(limit=9) == []


def test_each_title_is_told_of_before_it_counts_as_published_also_one_that_is_withdrawn() -> None:
    world = World().with_titles([make_title("a"), make_title("b", published=True), make_title("c")])
    world.catalogue.withdraw("c")
    world.publisher.publish()
    assert sorted(world.told) == ["a", "c"]
    world.publisher.publish()
    assert sorted(world.told) == ["a", "c"]


def test_a_title_that_could_not_be_told_of_is_told_of_by_the_next_publication() -> None:
    world = World().with_titles([make_title("a")])

    def away(title_id: str) -> None:
        raise ConnectionError("The queue is away.")

    world.publisher._tell, tell = away, world.publisher._tell
    with pytest.raises(ConnectionError):
        world.publisher.publish()
    world.publisher._tell = tell
    world.publisher.publish()
    assert world.told == ["a"]
