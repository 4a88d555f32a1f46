"""A draft is seen only by the owner until it is released; a new title is a draft if new titles are reviewed."""

from __future__ import annotations

import json

import pytest

from functions.catalogue.model import Details, Status
from functions.catalogue.omdb import Found
from functions.platform.errors import NotFound
from tests.support.catalogue import World, make_playback, make_title

FILM = "film-1a2b3c"
PAGE = f"catalogue/titles/{FILM}.json"


def arrive(world: World, *, film: str = "film.mkv") -> None:
    """Claim the title for a film, as the arrival of its upload does."""
    title = world.catalogue.find_title(FILM)
    world.catalogue.claim_title(FILM, stem="film", film=film, over=title.film if title else None)


def become_ready(world: World) -> None:
    world.catalogue.mark_playable(FILM, make_playback(), complete=True)
    world.publisher.publish()


def in_lists(world: World) -> list[str]:
    """Return the names of titles in the static lists."""
    world.publisher.publish()
    found = json.loads(world.site.files["catalogue/search.json"])["titles"]
    return [title["id"] for title in found]


@pytest.fixture
def world() -> World:
    return World(reviewed=True)


def test_new_title_is_seen_by_nobody_but_the_owner(world: World) -> None:
    arrive(world)
    become_ready(world)
    assert in_lists(world) == []
    assert PAGE not in world.site.files
    with pytest.raises(NotFound):
        world.catalogue.get(FILM)
    assert world.catalogue.known([FILM]) == {}
    assert world.catalogue.list_titles().entries == ()
    assert world.catalogue.best_titles(limit=9) == []
    assert world.catalogue.get(FILM, drafts=True).watchable
    assert list(world.catalogue.known([FILM], drafts=True)) == [FILM]
    assert [title.draft for title in world.catalogue.list_titles(drafts=True).entries] == [True]


def test_released_title_is_seen_by_everybody(world: World) -> None:
    arrive(world)
    become_ready(world)
    for _ in range(2):
        assert not world.catalogue.release_title(FILM).draft
    assert in_lists(world) == [FILM]
    assert json.loads(world.site.files[PAGE])["status"] == "ready"
    assert world.graph_notified[-1] == FILM


def test_event_that_is_repeated_after_the_release_does_not_hide_the_title(world: World) -> None:
    arrive(world)
    world.catalogue.release_title(FILM)
    arrive(world)
    assert not world.catalogue.get(FILM).draft


def test_new_version_of_a_released_film_is_published_without_a_review(world: World) -> None:
    arrive(world)
    become_ready(world)
    world.catalogue.release_title(FILM)
    arrive(world, film="film.mp4")
    assert world.catalogue.get(FILM).watchable


def test_announced_title_is_reviewed_again_once_it_has_a_film(world: World) -> None:
    world.catalogue.refresh_metadata(FILM, "film")
    assert in_lists(world) == []
    world.catalogue.release_title(FILM)
    assert in_lists(world) == [FILM]
    arrive(world)
    become_ready(world)
    assert in_lists(world) == []
    assert PAGE not in world.site.files
    world.catalogue.release_title(FILM)
    assert in_lists(world) == [FILM]


def test_withdrawn_title_comes_back_as_a_draft(world: World) -> None:
    arrive(world)
    become_ready(world)
    world.catalogue.release_title(FILM)
    world.catalogue.withdraw_title(FILM)
    with pytest.raises(NotFound):
        world.catalogue.release_title(FILM)
    arrive(world)
    assert world.catalogue.get(FILM, drafts=True).draft


def test_title_is_public_at_once_unless_titles_are_reviewed() -> None:
    world = World()
    arrive(world)
    assert in_lists(world) == [FILM]


def alike(world: World, stem: str) -> tuple[list[str], bool]:
    titles, is_certain = world.catalogue.announced_like(stem)
    return sorted(title.id for title in titles), is_certain


def test_announced_title_of_the_same_name_is_found() -> None:
    announced = [
        make_title("sea-2010", name="The Sea", year=2010, status=Status.ANNOUNCED),
        make_title("hill-2001", name="The Hill", year=2001, status=Status.ANNOUNCED),
        make_title("hill-1999", name="The Hill", year=1999, status=Status.ANNOUNCED),
        make_title("ready", name="The Lake", year=2010, status=Status.READY),
        make_title("show", name="Pilot", series="The Show", season=1, episode=2, status=Status.ANNOUNCED),
    ]
    world = World().with_titles(announced)
    assert alike(world, "folder/The.Sea.2010.1080p.WEB") == (["sea-2010"], True)
    assert alike(world, "the sea") == (["sea-2010"], False), "the year is not known"
    assert alike(world, "The Sea (2011)") == ([], False)
    assert alike(world, "The Hill (1999)") == (["hill-1999"], True)
    assert alike(world, "The Hill") == (["hill-1999", "hill-2001"], False)
    assert alike(world, "The Lake (2010)") == ([], False)
    assert alike(world, "The Sea Wolf (2010)") == ([], False)
    assert alike(world, "The.Show.S01E02") == (["show"], True)
    assert alike(world, "The.Show.S01E03") == ([], False)


def test_description_that_is_fetched_for_a_draft_does_not_publish_it(world: World) -> None:
    world.films.answers["film", None] = Found(Details("The Film", year=2020), None)
    world.catalogue.refresh_metadata(FILM, "film")
    assert world.catalogue.get(FILM, drafts=True).draft
    assert in_lists(world) == []
