"""Episodes are assigned to their series by file name, OMDb or sidecar, and the next episode is found."""

from __future__ import annotations

from typing import Any

import pytest

from functions import bootstrap
from functions.catalogue import triggers
from functions.catalogue.matching import Matcher
from functions.catalogue.model import Details, PartKind, SkippablePart, Status, Title
from functions.catalogue.names import guess
from functions.catalogue.omdb import Found
from functions.catalogue.sidecar import Sidecars, read_description
from functions.platform.errors import NotFound
from tests.support.api import call
from tests.support.catalogue import MemoryFilms, MemoryPosters, MemorySidecars, World, make_playback, make_title
from tests.support.clock import NOON
from tests.support.owners import AS_CHILD, AS_VIEWER, FakeAccess

SERIES = Found(Details("The Show", 2019, kind="series", genres=("Drama",)), None)
EPISODE = Found(Details("The One with the Boat", 2019, kind="episode", season=1, episode=2, imdb_id="tt0000002"), None)


def match(stem: str, beside: str = "{}") -> Details:
    films = MemoryFilms({("the show", None): SERIES, "tt0000002": EPISODE})
    sidecars = MemorySidecars({stem: Sidecars(read_description(beside.encode()))})
    return Matcher(sidecars, films, MemoryPosters(), lambda: NOON).match(stem, attempts=0).details


def make_episode(season: int | None, episode: int, **changes: Any) -> Title:
    """Return an episode of The Show that can be watched."""
    settings: dict[str, Any] = {"playback": make_playback(complete=True), "series": "The Show", **changes}
    return make_title(
        settings.pop("id", f"show-s{season}e{episode}"), kind="episode", season=season, episode=episode, **settings
    )


def next_of(title: Title, *others: Title) -> str | None:
    found = World().with_titles((title, *others)).catalogue.next_episode(title.id)
    return found.id if found else None


def test_a_season_has_its_complete_episodes_in_order() -> None:
    first, second, last = make_episode(1, 1), make_episode(1, 2), make_episode(1, 10)
    growing = make_episode(1, 3, status=Status.ENCODING, playback=make_playback())
    others = (make_episode(2, 1), make_episode(1, 4, draft=True), make_episode(1, 5, series="Another"))
    unnumbered = make_episode(None, 6)
    catalogue = World().with_titles((last, growing, second, first, unnumbered, *others)).catalogue
    for title in (first, second, last):
        assert [each.id for each in catalogue.season_of(title.id)] == [first.id, second.id, last.id]
    for title_id in (growing.id, unnumbered.id, others[1].id, "unknown"):
        assert catalogue.season_of(title_id) == []


def test_parts_of_a_job_that_is_not_played_are_not_kept() -> None:
    world = World().with_titles([make_title("film", playback=make_playback("a", complete=True))])
    parts = (SkippablePart(PartKind.INTRO, 1.0, 31.0),)
    assert world.catalogue.mark_skippable("film", "b", parts) == world.catalogue.get("film")
    marked = world.catalogue.mark_skippable("film", "a", parts)
    assert marked.playback
    assert marked.playback.skippable == parts
    replaced = world.catalogue.mark_playable("film", make_playback("b"), complete=True)
    assert replaced.playback
    assert replaced.playback.skippable == ()


@pytest.mark.parametrize(
    ("stem", "series"),
    [("The.Show.S01E02.1080p", "The Show"), ("The Show - 3x07 - Boats", "The Show"), ("Sintel.2010", None)],
)
def test_a_file_name_tells_the_series(stem: str, series: str | None) -> None:
    assert guess(stem).series == series


def test_an_episode_described_by_its_series_keeps_the_name_that_omdb_gives_the_series() -> None:
    details = match("the.show.S01E02")
    assert (details.name, details.series, details.season, details.episode) == ("The Show S01E02", "The Show", 1, 2)


def test_an_episode_found_by_its_own_id_has_its_series_from_the_file_name() -> None:
    details = match("The.Show.S01E02", '{"imdb_id": "tt0000002"}')
    assert (details.name, details.series, details.episode) == ("The One with the Boat", "The Show", 2)


def test_a_sidecar_may_name_the_series() -> None:
    details = match("boats", '{"title": "Boats", "kind": "episode", "series": "The Show", "season": 1, "episode": 4}')
    assert (details.name, details.series, details.season, details.episode) == ("Boats", "The Show", 1, 4)


def test_the_next_episode_follows_by_season_and_number() -> None:
    shelf = [make_episode(1, 1), make_episode(1, 2), make_episode(1, 10), make_episode(2, 1)]
    assert next_of(*shelf) == "show-s1e2"
    assert next_of(shelf[1], *shelf[2:]) == "show-s1e10"
    assert next_of(shelf[2], shelf[0], shelf[3]) == "show-s2e1"
    assert next_of(shelf[3], *shelf[:3]) is None


def test_what_cannot_be_watched_is_passed_over() -> None:
    announced = make_episode(1, 2, status=Status.ANNOUNCED, playback=None)
    withdrawn = make_episode(1, 3).withdrawn()
    assert next_of(make_episode(1, 1), announced, withdrawn, make_episode(1, 4)) == "show-s1e4"


def test_series_are_told_apart_by_name_however_it_is_written() -> None:
    other = make_episode(1, 2, id="other", series="Another Show")
    assert next_of(make_episode(1, 1), other) is None
    assert next_of(make_episode(1, 1), make_episode(1, 2, series="THE SHOW!")) == "show-s1e2"


def test_a_film_has_no_next_episode() -> None:
    assert next_of(make_title("film"), make_episode(1, 1)) is None
    with pytest.raises(NotFound):
        World().catalogue.next_episode("nothing")


def test_the_function_answers_a_card_or_null(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World().with_titles([make_episode(1, 1), make_episode(1, 2)])
    monkeypatch.setattr(bootstrap, "catalogue", lambda: world.catalogue)
    address = "titles/x/next"
    status, body = call(triggers.next_episode, address, route={"id": "show-s1e1"})
    assert (status, body["next"]["id"]) == (200, "show-s1e2")
    assert call(triggers.next_episode, address, route={"id": "show-s1e2"}) == (200, {"next": None})
    assert call(triggers.next_episode, address, route={"id": "nothing"})[0] == 404


def test_titles_that_are_known_leave_out_the_withdrawn() -> None:
    world = World().with_titles([make_title("one"), make_title("two"), make_title("gone").withdrawn()])
    assert set(world.catalogue.known(["two", "one", "two", "gone", "nothing"])) == {"one", "two"}
    assert world.catalogue.known([]) == {}


def test_a_profile_is_offered_no_episode_for_older_people(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World().with_titles([make_episode(1, 1, rated="PG"), make_episode(1, 2, rated="TV-MA")])
    monkeypatch.setattr(bootstrap, "catalogue", lambda: world.catalogue)
    monkeypatch.setattr(bootstrap, "access", FakeAccess)
    for headers, shown in (({}, True), (AS_VIEWER, True), (AS_CHILD, False)):
        _, body = call(triggers.next_episode, "titles/show-s1e1/next", route={"id": "show-s1e1"}, headers=headers)
        assert (body["next"] is not None) == shown
