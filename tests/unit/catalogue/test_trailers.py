"""A trailer belongs to the title that its name says: it is in no list, and the title's page offers it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from functions.catalogue.model import Status
from functions.catalogue.schemas import OwnerTitle, TitleEdit
from functions.platform.errors import NotFound
from functions.platform.identifiers import title_id_of, trailer_id_of
from tests.support.catalogue import World, make_playback, make_title

if TYPE_CHECKING:
    from collections.abc import Callable

STEM = "The Sea (2010)"
FILM, TRAILER = title_id_of(STEM), trailer_id_of(STEM)
PAGE, TRAILER_PAGE = f"catalogue/titles/{FILM}.json", f"catalogue/titles/{TRAILER}.json"


def arrive(world: World, stem: str = f"{STEM}-trailer") -> None:
    """Claim the trailer for its upload, and finish its encode."""
    world.catalogue.claim_title(TRAILER, stem=stem, film=f"{stem}.mp4", over=None)
    world.catalogue.mark_playable(TRAILER, make_playback("trailer"), complete=True)


def offers_trailer(world: World) -> bool:
    """Publish; return whether the title's page offers a trailer."""
    world.publisher.publish()
    assert not world.titles.unpublished(limit=9)
    assert TRAILER_PAGE not in world.site.files
    return bool(json.loads(world.site.files[PAGE])["trailer"])


@pytest.fixture
def world() -> World:
    film = make_title(FILM, stem=STEM, name="The Sea", year=2010, genres=("Drama",), playback=make_playback())
    return World().with_titles([film])


def test_page_of_a_title_offers_its_trailer_once_it_can_be_played(world: World) -> None:
    assert not offers_trailer(world)
    world.catalogue.claim_title(TRAILER, stem=f"{STEM}-trailer", film=f"{STEM}-trailer.mp4", over=None)
    assert not offers_trailer(world)
    world.catalogue.mark_playable(TRAILER, make_playback("trailer"), complete=False)
    assert not offers_trailer(world)
    world.catalogue.mark_playable(TRAILER, make_playback("trailer"), complete=True)
    assert offers_trailer(world)
    world.catalogue.mark_damaged(TRAILER, "trailer")
    assert not offers_trailer(world)


def test_trailer_that_arrives_first_waits_for_its_title() -> None:
    world = World()
    arrive(world)
    world.publisher.publish()
    assert PAGE not in world.site.files
    world.catalogue.open_title(FILM, stem=STEM, status=Status.ANNOUNCED)
    assert offers_trailer(world)
    assert json.loads(world.site.files[PAGE])["status"] == "announced"


def test_trailer_is_in_no_list_and_has_no_page_of_its_own(world: World) -> None:
    arrive(world)
    world.publisher.publish()
    for name in ("home", "search", "index"):
        assert TRAILER not in world.site.files[f"catalogue/{name}.json"].decode()
    assert not [path for path in world.site.files if TRAILER in path]
    assert TRAILER not in world.graph_notified
    catalogue = world.catalogue
    with pytest.raises(NotFound):
        catalogue.get(TRAILER)
    assert [title.id for title in catalogue.list_titles().entries] == [FILM]
    assert [title.id for title in catalogue.list_titles("trailer").entries] == []
    assert [title.id for title in catalogue.best_titles(limit=9)] == [FILM]
    assert catalogue.known([FILM, TRAILER]).keys() == {FILM}


def test_owner_sees_the_trailer_and_its_title(world: World) -> None:
    arrive(world)
    trailer, film = world.catalogue.list_titles(drafts=True).entries
    shown = OwnerTitle.of(trailer, film)
    assert (shown.name, shown.trailer_of.name if shown.trailer_of else "") == ("Trailer: The Sea", "The Sea")
    alone = OwnerTitle.of(trailer)
    assert alone.trailer_of and (alone.trailer_of.id, alone.trailer_of.name) == (FILM, None)
    assert OwnerTitle.of(film).trailer_of is None
    assert [title.id for title in world.catalogue.list_titles(drafts=True, unrated=True).entries] == [FILM]


def test_trailer_is_not_looked_up_and_not_described(world: World) -> None:
    arrive(world)
    world.clock.forward(days=9)
    world.catalogue.request_due()
    assert TRAILER not in [title_id for title_id, _ in world.fetched]
    before = world.catalogue.find_title(TRAILER)
    assert world.catalogue.refresh_metadata(TRAILER, f"{STEM}-trailer") == before
    changes: tuple[Callable[[], object], ...] = (
        lambda: world.catalogue.edit_title(TRAILER, TitleEdit(name="Something")),
        lambda: world.catalogue.rematch_title(TRAILER, "tt0000001"),
        lambda: world.catalogue.use_omdb_poster(TRAILER),
        lambda: world.catalogue.release_title(TRAILER),
    )
    for change in changes:
        with pytest.raises(NotFound):
            change()
    assert world.catalogue.find_title(TRAILER) == before


def test_trailer_is_never_a_draft_because_its_title_decides() -> None:
    world = World(reviewed=True)
    world.catalogue.claim_title(FILM, stem=STEM, film=f"{STEM}.mkv", over=None)
    arrive(world)
    world.publisher.publish()
    assert PAGE not in world.site.files
    world.catalogue.release_title(FILM)
    assert offers_trailer(world)


@pytest.mark.parametrize("times", [1, 2])
def test_withdrawn_title_takes_its_trailer_along(world: World, times: int) -> None:
    arrive(world)
    assert offers_trailer(world)
    for _ in range(times):
        assert world.catalogue.withdraw_title(FILM) == [FILM, TRAILER]
    world.publisher.publish()
    assert PAGE not in world.site.files
    title = world.catalogue.find_title(TRAILER)
    assert title and (title.status, title.playback) == (Status.WITHDRAWN, None)
    world.catalogue.open_title(FILM, stem=STEM, status=Status.ENCODING)
    assert not offers_trailer(world)
    arrive(world)
    assert offers_trailer(world)


def test_withdrawn_trailer_leaves_its_title(world: World) -> None:
    arrive(world)
    assert world.catalogue.withdraw_title(TRAILER) == [TRAILER]
    assert not offers_trailer(world)
    assert world.catalogue.get(FILM).watchable


def test_film_of_an_earlier_release_whose_name_ends_like_that_of_a_trailer_stays_a_title(world: World) -> None:
    world.with_titles([make_title(TRAILER, stem=f"{STEM}-trailer", playback=make_playback(complete=True))])
    world.catalogue.claim_title(TRAILER, stem=f"{STEM}-trailer", film=f"{STEM}-trailer.mp4", over=None)
    assert world.catalogue.get(TRAILER).listed
    world.publisher.publish()
    assert not json.loads(world.site.files[PAGE])["trailer"]
