"""The static catalogue shows the content of the store, and never reverts to an older version."""

from __future__ import annotations

import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from functions.catalogue import publisher
from functions.catalogue.lists import Likeness, home_page
from functions.catalogue.model import Artwork, Metadata, Status
from functions.catalogue.publisher import HOME, INDEX, SEARCH, Publication
from functions.catalogue.schemas import CARD_PLOT_LENGTH, CATALOGUE_FORMAT, FAILED, Card, PublicTitle, TitleEdit
from functions.catalogue.static_files import FILES
from functions.platform.errors import StoreUnavailable
from functions.platform.json_text import to_json
from tests.support.catalogue import World, make_playback, make_title
from tests.support.clock import NOON


def read(world: World, path: str) -> Any:
    return json.loads(world.site.files[path])


def rows_of(titles: list[Any]) -> dict[str, list[str]]:
    return {row.id: [title.id for title in row.titles] for row in home_page(titles, NOON).rows}


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


def hero(*titles: Any, days: float = 0) -> str | None:
    """Return the id of the title that the home page features some days after noon; `titles` are sorted newest first."""
    shown = home_page(titles, NOON + timedelta(days=days)).hero
    return shown.id if shown else None


ART = Artwork(backdrop="art/x.jpg?v=1")


def test_the_hero_is_ready_and_has_a_backdrop() -> None:
    announced = make_title("announced", status=Status.ANNOUNCED, artwork=ART)
    encoding = make_title("encoding", status=Status.ENCODING, artwork=ART)
    bare, pictured = make_title("bare"), make_title("pictured", artwork=ART)
    assert hero(announced, encoding, bare, pictured) == "pictured"
    assert hero(announced, encoding, bare) is None
    assert hero() is None


def test_an_upload_is_not_at_once_the_hero() -> None:
    old, older = (make_title(name, added_s=at, artwork=ART) for name, at in (("old", -100), ("older", -200)))
    upload = make_title("upload", artwork=ART)
    assert hero(upload, old, older, days=0.9) == "older", "none is a day old: the first one stays"
    assert hero(upload, old, older, days=1 - 50 / 86_400) == "old"
    assert hero(upload, old, older, days=1) == "upload"
    rated = make_title("rated", added_s=-50, artwork=ART, imdb_rating=7.9)
    assert hero(upload, rated, old, older) == "rated"


def test_more_like_this_are_only_titles_with_a_film() -> None:
    titles = [
        make_title("self", genres=("Drama",)),
        make_title("soon", genres=("Drama",), status=Status.ANNOUNCED),
        make_title("ready", genres=("Drama",)),
    ]
    likeness = Likeness(titles)
    assert [title.id for title in likeness.more_like(titles[0])] == ["ready"]
    assert [title.id for title in likeness.related(titles[0])] == ["soon", "ready"]


def test_more_like_this_counts_people_above_genres() -> None:
    titles = [
        make_title("self", genres=("Drama", "War"), actors=("Ann Ash",)),
        make_title("genres", genres=("Drama", "War")),
        make_title("person", directors=("ann ash",)),
        make_title("nothing", genres=("Comedy",)),
    ]
    assert [title.id for title in Likeness(titles).more_like(titles[0])] == ["person", "genres"]


def test_a_card_has_a_short_plot_and_the_measured_length_where_none_is_described() -> None:
    shown = Card.of(make_title(plot="word " * 200, playback=make_playback(duration_s=5400.0)))
    assert shown.plot and len(shown.plot) <= CARD_PLOT_LENGTH and shown.plot.endswith("word…")
    assert shown.runtime_min == 90


def test_nothing_of_the_inside_is_public() -> None:
    metadata = Metadata(attempts=3, retry_at=NOON, reason="There is no OMDb key; set OMDB_API_KEY.")
    title = make_title(edits={"name": "x"}, metadata=metadata, failure="ffmpeg: no space left on /work")
    text = to_json(PublicTitle.of(title))
    hidden = ("stem", "edits", "attempts", "retry_at", "revision", "tokens", "OMDB", "ffmpeg", "page_format")
    assert not {name for name in hidden if name in text}
    assert PublicTitle.of(title).failure == FAILED


def test_publishing_writes_lists_and_pages_and_is_done_after_that() -> None:
    world = World().with_titles([make_title("a", genres=("War",)), make_title("b", added_s=1, genres=("War",))])
    assert world.publisher.publish() == Publication(2, complete=True)
    assert [title["id"] for title in read(world, SEARCH)["titles"]] == ["b", "a"]
    assert [title["id"] for title in read(world, "catalogue/titles/a.json")["more"]] == ["b"]
    files = dict(world.site.files)
    assert world.publisher.publish() == Publication(0, complete=True) and world.site.files == files


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
    world.titles.mark_published("film", seen.revision, page_format=CATALOGUE_FORMAT)
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


def test_page_that_a_slow_publisher_creates_after_its_title_was_withdrawn_is_removed() -> None:
    world = World().with_titles([make_title("film")])
    path = "catalogue/titles/film.json"

    def withdraw(written: str) -> None:
        if written == path:
            world.site.before_write = lambda written: None
            world.catalogue.withdraw_title("film")

    world.site.before_write = withdraw
    world.publisher.publish()
    assert path not in world.site.files


def test_graph_is_notified_of_each_changed_title_also_of_a_withdrawn_one() -> None:
    world = World().with_titles(
        [make_title("a"), make_title("b", published=True, page_format=CATALOGUE_FORMAT), make_title("c")]
    )
    world.catalogue.withdraw_title("c")
    world.publisher.publish()
    assert sorted(world.graph_notified) == ["a", "c"]
    world.publisher.publish()
    assert sorted(world.graph_notified) == ["a", "c"]


def test_failed_notification_is_repeated_by_the_next_publication() -> None:
    world = World().with_titles([make_title("a")])

    def away(title_id: str) -> None:
        raise ConnectionError("The queue does not answer.")

    world.publisher._notify_graph, notify = away, world.publisher._notify_graph
    with pytest.raises(ConnectionError):
        world.publisher.publish()
    world.publisher._notify_graph = notify
    world.publisher.publish()
    assert world.graph_notified == ["a"]


def page(world: World, title_id: str) -> str:
    return f"catalogue/titles/{title_id}.json"


def test_new_format_rewrites_the_pages_of_an_older_one_and_the_lists() -> None:
    world = World().with_titles([make_title("a"), make_title("b", added_s=1)])
    world.publisher.publish()
    before = dict(world.site.files)
    world.graph_notified.clear()
    world.clock.forward(hours=1)
    newer = world.publisher_of(CATALOGUE_FORMAT + 1)
    written: list[str] = []
    world.site.before_write = written.append
    assert newer.publish() == Publication(2, complete=True)
    assert set(written) == {HOME, SEARCH, INDEX, page(world, "a"), page(world, "b")}
    assert world.site.files[HOME] != before[HOME]
    assert world.graph_notified == []
    assert newer.publish() == Publication(0, complete=True)


def test_instance_of_the_older_release_leaves_newer_pages_alone() -> None:
    world = World().with_titles([make_title("a")])
    world.publisher_of(CATALOGUE_FORMAT + 1).publish()
    world.site.before_write = pytest.fail
    assert world.publisher.publish() == Publication(0, complete=True)


def test_republishing_writes_every_file_again_and_resumes_where_it_was_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World().with_titles([make_title(name, added_s=number) for number, name in enumerate("abcd")])
    world.publisher.publish()
    monkeypatch.setattr(publisher, "BATCH", 1)
    written: list[str] = []
    world.site.before_write = written.append
    announced = world.announced
    assert world.publisher.republish() == 4
    assert world.announced == announced + 1
    assert world.publisher.publish(within_s=0) == Publication(1, complete=False)
    assert world.publisher.count_waiting() == 3
    assert world.announced == announced + 2
    assert world.publisher.publish() == Publication(3, complete=True)
    assert sorted(written) == sorted([HOME, SEARCH, INDEX, *(page(world, name) for name in "abcd")])
    assert world.publisher.count_waiting() == 0


def test_republishing_an_empty_catalogue_writes_its_lists() -> None:
    world = World()
    assert world.publisher.republish() == 0
    assert read(world, HOME)["rows"] == []


def test_change_during_republication_is_published() -> None:
    world = World().with_titles([make_title("film")])
    world.publisher.publish()
    world.publisher.republish()
    world.with_rival(lambda: world.catalogue.mark_playable("film", make_playback(), complete=True))
    announced = world.announced
    world.publisher.publish()
    assert world.rivals == 1
    assert world.announced == announced + 1
    world.publisher.publish()
    assert read(world, page(world, "film"))["playback"] and world.publisher.count_waiting() == 0


def form_of(schema: Any) -> Any:
    """Return a JSON schema without its descriptions."""
    if isinstance(schema, dict):
        return {name: form_of(part) for name, part in schema.items() if name != "description"}
    return [form_of(part) for part in schema] if isinstance(schema, list) else schema


def test_changed_form_of_the_files_needs_a_higher_format() -> None:
    """If this test fails, increase CATALOGUE_FORMAT, then enter the new format and digest here."""
    text = json.dumps(form_of(msgspec.json.schema_components(FILES)[1]), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    assert (CATALOGUE_FORMAT, digest) == (5, "19507722f3adbbec")


def test_request_during_the_last_moments_of_a_run_is_served() -> None:
    world = World().with_titles([make_title("a", published=False)])
    release = world.lock.release

    def late(owner: str, *, requests: int | None = None) -> bool:
        world.lock.release = release  # type: ignore[method-assign]
        world.catalogue.edit_title("a", TitleEdit(name="Changed"))
        assert world.publisher.publish() == Publication(0, complete=False)
        return release(owner, requests=requests)

    world.lock.release = late  # type: ignore[method-assign]
    assert world.publisher.publish() == Publication(2, complete=True)
    assert read(world, "catalogue/titles/a.json")["name"] == "Changed"


def test_publisher_that_was_killed_stops_others_only_until_its_lock_expires() -> None:
    world = World().with_titles([make_title("a", published=False)])
    world.lock.add_request()
    world.lock.take("killed", at=world.clock(), expired=world.clock() - publisher.LEASE)
    assert world.publisher.publish() == Publication(0, complete=False)
    world.clock.forward(seconds=publisher.LEASE.total_seconds() + 1)
    assert world.publisher.publish() == Publication(1, complete=True)


def test_publisher_that_fails_releases_its_lock() -> None:
    world = World().with_titles([make_title("a", published=False)])

    def broken(path: str) -> None:
        world.site.before_write = lambda _: None
        raise StoreUnavailable("Storage does not answer.")

    world.site.before_write = broken
    with pytest.raises(StoreUnavailable):
        world.publisher.publish()
    assert world.publisher.publish() == Publication(1, complete=True)


def test_page_of_a_similar_title_is_not_written_if_it_stays_the_same() -> None:
    world = World().with_titles(make_title(name, genres=("Drama",), published=False) for name in "ab")
    world.publisher.publish()
    writes: list[str] = []
    world.site.before_write = writes.append
    world.catalogue.edit_title("a", TitleEdit(awards="One award."))
    world.publisher.publish()
    assert "catalogue/titles/a.json" in writes
    assert "catalogue/titles/b.json" not in writes, "cards show no awards"
